"""Errors of the lab are sentences: what was asked, the nearest thing there is, and the list."""

from collections.abc import Iterable
from difflib import get_close_matches


class LabError(Exception):
    """Something a person asked of the lab cannot be done; the text says what and why."""


def unknown(kind: str, asked: str, known: Iterable[str]) -> LabError:
    """The error for a name nobody knows, with the nearest spelling and all the names there are."""
    names = sorted(known)
    near = get_close_matches(asked, names, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    listed = f"There are: {', '.join(names)}." if names else "There are none."
    return LabError(f"There is no {kind} called '{asked}'.{hint} {listed}")
