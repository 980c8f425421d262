"""Fake venues: one server per protocol, written from the venue's own description."""
