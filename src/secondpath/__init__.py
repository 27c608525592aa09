"""secondpath keeps an office online when its internet connection fails, and proves beforehand that it will.

Rooms are verbs, files are nouns: *judge/uplink*, *decide/policy*, *tell/alarms*.
`docs/architecture.md` has the picture; `tests/house` keeps the walls where they are.
"""

__version__ = "0.1.0"
