"""What an evidence pack is about: an action, a period, a flow, a deal or a control, and which entries of the ledger belong to it."""
