"""What the layout promises: who imports whom, who may say what on the bus, what a plane's package holds."""
