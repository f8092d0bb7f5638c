"""Approval briefs that are sent by themselves, and answers to what came back: to verified numbers, in the hours that each person set."""
