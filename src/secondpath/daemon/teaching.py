"""Teaching: which names a device asks for while a person uses an application, less what is asked for anyway.

Every answer that passes is noted by its registrable domain, for a day and in memory alone: that is the background. A
lesson tells the names that one device asked for since it began; a group that anybody had asked for in the day before,
or that other devices ask for meanwhile, is marked as background. A person decides in the end.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from secondpath.model import Instant, IPAddress

BACKGROUND_S = 86_400.0
DOMAINS_MOST, NAMES_MOST = 8_192, 512
FORGOTTEN_S = 60.0
"""A lesson that nobody asks about for so long has ended."""

_SECOND_LEVEL = frozenset(
    {
        *("ac", "asn", "co", "com", "edu", "go", "gob", "gouv", "gov", "gv", "id", "judiciary", "ltd", "me", "mil"),
        *("ne", "net", "nhs", "nom", "or", "org", "plc", "sch"),
    }
)
"""What stands below a country's code where names are registered one level further down (co.uk, com.au)."""
_SHARED = frozenset(
    {
        *("akamaiedge.net", "akamaized.net", "amazonaws.com", "appspot.com", "azureedge.net", "azurefd.net"),
        *("azurewebsites.net", "cloudapp.net", "cloudfront.net", "edgekey.net", "edgesuite.net", "fastly.net"),
        *("firebaseapp.com", "github.io", "googleusercontent.com", "herokuapp.com", "myshopify.com", "netlify.app"),
        *("onmicrosoft.com", "sharepoint.com", "trafficmanager.net", "vercel.app", "web.app", "windows.net"),
        *("workers.dev", "zendesk.com"),
    }
)
"""Domains below which many different customers live: there the customer's own name is the group."""


@lru_cache(maxsize=4096)
def registrable(name: str) -> str:
    """The domain that somebody registered for a name, by rule of thumb: a person sees it before it counts."""
    labels = name.split(".")
    depth = 2
    if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL:
        depth = 3
    if ".".join(labels[-depth:]) in _SHARED:
        depth += 1
    return ".".join(labels[-depth:])


@dataclass(slots=True)
class Lesson:
    """One device being listened to."""

    clients: frozenset[IPAddress]
    began: Instant
    asked_about: Instant
    names: dict[str, int] = field(default_factory=dict)


class Teaching:
    """The background of all devices, and the lesson under way."""

    def __init__(self) -> None:
        self._background: OrderedDict[str, tuple[Instant, IPAddress]] = OrderedDict()
        self._others: set[str] = set()
        self.lesson: Lesson | None = None

    def heard(self, now: Instant, client: IPAddress, name: str) -> None:
        """Somebody was answered for a name."""
        domain, lesson = registrable(name), self.lesson
        if lesson is not None and now - lesson.asked_about > FORGOTTEN_S:
            self.lesson = lesson = None
        if lesson is not None and client in lesson.clients:
            if name in lesson.names or len(lesson.names) < NAMES_MOST:
                lesson.names[name] = lesson.names.get(name, 0) + 1
            return
        if lesson is not None:
            self._others.add(domain)
        self._background[domain] = now, client
        self._background.move_to_end(domain)
        while len(self._background) > DOMAINS_MOST:
            self._background.popitem(last=False)

    def attend(self, now: Instant, clients: frozenset[IPAddress]) -> Lesson:
        """The lesson of a device, begun if it is not under way; the day's background stands as it was."""
        lesson = self.lesson
        if lesson is None or lesson.clients != clients or now - lesson.asked_about > FORGOTTEN_S:
            if lesson is not None:  # what was taught before is background of what comes
                for name in lesson.names:
                    self._background[registrable(name)] = now, min(lesson.clients, key=str)
            self._others.clear()
            lesson = self.lesson = Lesson(clients, now, now)
        lesson.asked_about = now
        return lesson

    def groups(self, now: Instant, lesson: Lesson) -> list[dict[str, Any]]:
        """What was asked for so far by domain; first what is not background, most often asked for first."""
        names: dict[str, list[str]] = {}
        for name in lesson.names:
            names.setdefault(registrable(name), []).append(name)
        found = [
            {
                "domain": domain,
                "names": sorted(of),
                "asked": sum(lesson.names[name] for name in of),
                "background": self._is_background(now, domain),
            }
            for domain, of in names.items()
        ]
        return sorted(found, key=lambda g: (g["background"], -int(str(g["asked"])), g["domain"]))

    def _is_background(self, now: Instant, domain: str) -> bool:
        known = self._background.get(domain)
        return domain in self._others or (known is not None and now - known[0] <= BACKGROUND_S)
