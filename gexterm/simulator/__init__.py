"""A synthetic market. What it makes is labelled synthetic wherever it goes."""
