"""What all tests share: how hypothesis looks for counterexamples."""

from __future__ import annotations

import os

from hypothesis import settings

# A property's examples say nothing about speed, and these machines vary.
settings.register_profile("default", deadline=None)
# In CI a change must not fail over what an earlier one got wrong: the same examples each time.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
