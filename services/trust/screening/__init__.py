"""The security gate: what texts show, kept and acted on. A finding makes things stricter; no text makes anything milder."""
