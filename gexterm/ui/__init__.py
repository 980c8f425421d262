"""The monitor: a Textual app that renders Readings and computes nothing."""
