"""The commands of `dealix`, one file per group; each has `register(app, …)`."""
