"""The Reading: the immutable result of one tick, and its forms for the outside."""
