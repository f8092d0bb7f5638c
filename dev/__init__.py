"""The embedded system: NATS and PostgreSQL from wheels, the supervisor of the planes, and the command line."""
