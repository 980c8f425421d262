"""Widgets. They are handed Readings and know neither feed nor engine."""
