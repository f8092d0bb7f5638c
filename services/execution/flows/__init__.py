"""Durable flows: declared steps over typed state, which survive crashes, restarts, deploys and weeks of waiting."""
