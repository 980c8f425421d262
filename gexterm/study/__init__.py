"""Statistics over recordings: how good the signing is, and later what paradigms came to."""
