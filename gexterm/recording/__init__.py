"""Recordings: writing, reading, seeking, and importing what other vendors sell."""
