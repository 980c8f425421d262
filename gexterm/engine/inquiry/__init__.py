"""Answers to questions that Readings leave open, from the newest tick and without a trace."""
