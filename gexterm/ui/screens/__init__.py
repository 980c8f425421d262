"""The screens of the monitor, one module each, all showing the same Reading."""
