"""Takes back what a full export of Dealix holds: records as they were, under the ids that they had."""
