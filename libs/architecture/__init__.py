"""Rules over registries and routes that an audit of the source and a running gateway check alike."""
