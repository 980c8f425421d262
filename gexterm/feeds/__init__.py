"""The I/O edge: one sans-I/O module per protocol, one connection runner for all."""
