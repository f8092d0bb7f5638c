"""What documents and inbound messages state, read and told to trust as suggestions."""
