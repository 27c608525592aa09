"""For all tests: hypothesis measures no time, since the machine may be busy with other things."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("secondpath", deadline=None)
settings.load_profile("secondpath")
