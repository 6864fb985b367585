"""What all tests share: how hard Hypothesis tries."""

from __future__ import annotations

import os

from hypothesis import settings

# Two cores and a cold cache make single examples slow; CI must not fail by chance.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "here")
