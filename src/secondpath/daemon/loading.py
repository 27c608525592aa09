"""The configuration, completed by the list of Microsoft's networks that `secondpath feed` has kept."""

from __future__ import annotations

import logging
from pathlib import Path

from secondpath.config.feed import FeedError, parse_snapshot, with_feed
from secondpath.config.reader import load
from secondpath.model import Site

SNAPSHOT = Path("feeds") / "microsoft-365.json"
"""In the state directory."""

log = logging.getLogger(__name__)


def load_site(config: Path, state_dir: Path) -> Site:
    """The office. Raises ConfigError; a kept list that cannot be used is told, and left."""
    site = load(config)
    try:
        return with_feed(site, parse_snapshot((state_dir / SNAPSHOT).read_text("utf-8")))
    except FileNotFoundError:
        return site
    except (OSError, ValueError, FeedError) as why:
        log.warning("%s is left out: %s", state_dir / SNAPSHOT, why, extra={"event": "feed"})
        return site
