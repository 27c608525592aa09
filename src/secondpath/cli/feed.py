"""`secondpath feed`: take Microsoft's list of the names and networks of Microsoft 365, and keep it for the daemon."""

from __future__ import annotations

import argparse
import uuid
from pathlib import Path
from typing import Any

from secondpath import clock
from secondpath.cli.asking import add_json, answer, print_json
from secondpath.cli.failure import OK, PROBLEM, USAGE, Failure
from secondpath.config.feed import MOST_BYTES, FeedError, Snapshot, parse_list, parse_snapshot, snapshot_text, why_not
from secondpath.wire.messages import Request, Verb

SERVICE = "https://endpoints.office.com"
FETCH_S = 30.0


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "feed",
        description="Take Microsoft's list of the names and networks of Microsoft 365, from its web service or from a "
        "file or an address, and keep it: the presets microsoft-365 and microsoft-teams are completed by it from the "
        "next reload on. Taken only if four of five networks of the old list are still in it.",
    )
    parser.add_argument("--from", dest="source", metavar="FILE|URL", help="a file, or an https:// address")
    parser.add_argument("--accept", action="store_true", help="take it though much of the old list is not in it")
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Fetch, compare, keep."""
    kept = Path(args.state_dir) / "feeds" / "microsoft-365.json"
    old = _kept(kept)
    try:
        version, text = _fetched(args, kept.parent, old)
        if text is None:
            return _say(args, old, f"Nothing new: version {version} is kept.", changed=False)
        new = parse_list(text, version, f"{clock.wall().date()}")
    except FeedError as why:
        raise Failure(f"{why}; what is kept stays", PROBLEM) from None
    refused = why_not(old, new)
    if refused and not args.accept:
        raise Failure(refused, PROBLEM)
    _keep(kept, snapshot_text(new))
    counts = f"{len(new.names)} names and {len(new.all_networks)} networks"
    return _say(args, new, f"Kept: {counts}. In force after: secondpath reload", changed=True)


def _say(args: argparse.Namespace, kept: Snapshot | None, words: str, *, changed: bool) -> int:
    if args.json:
        told = {"version": kept.version, "taken": kept.taken} if kept else {}
        print_json({"schema": 1, "changed": changed, **told})
    else:
        print(words)
    return OK


def _kept(path: Path) -> Snapshot | None:
    try:
        return parse_snapshot(path.read_text("utf-8"))
    except (FileNotFoundError, FeedError):
        return None
    except OSError as why:
        raise Failure(f"{path} cannot be read ({why.strerror})", PROBLEM) from None


def _keep(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(mode=0o750, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(text, "utf-8")
        new.chmod(0o644)
        new.replace(path)
    except OSError as why:
        raise Failure(f"{path} cannot be written ({why.strerror}): use sudo") from None


def _fetched(args: argparse.Namespace, directory: Path, old: Snapshot | None) -> tuple[str, str | None]:
    """The version, and the list; no list where it is the one that is kept."""
    if args.source and "://" not in args.source:
        try:
            return Path(args.source).name, Path(args.source).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as why:
            raise Failure(f"{args.source} cannot be read: {why}", USAGE) from None
    if args.source and not args.source.startswith("https://"):
        raise Failure(f"{args.source}: a list that nobody signs is fetched by https:// alone", USAGE)
    _mind_the_bill(args)
    if args.source:
        return args.source, fetch(args.source)
    me = _own_id(directory)
    version = latest(fetch(f"{SERVICE}/version/Worldwide?ClientRequestId={me}"))
    if old is not None and old.version == version:
        return version, None
    return version, fetch(f"{SERVICE}/endpoints/Worldwide?ClientRequestId={me}")


def latest(text: str) -> str:
    """The version that the service tells. Raises FeedError."""
    import json

    try:
        told = str(json.loads(text)["latest"])
    except (ValueError, LookupError, TypeError):
        raise FeedError("the service tells no version") from None
    if not told.isdigit():
        raise FeedError("the service tells a version that is none")
    return told


def _own_id(directory: Path) -> str:
    """The number of this installation alone, as the service asks for; never the one in its documentation."""
    path = directory / "client-id"
    try:
        return str(uuid.UUID(path.read_text().strip()))
    except (OSError, ValueError):
        made = str(uuid.uuid4())
        _keep(path, f"{made}\n")
        return made


def _mind_the_bill(args: argparse.Namespace) -> None:
    """Half a megabyte is not fetched over a metered backup."""
    try:
        document = answer(args, Request(Verb.STATUS))
    except Failure:
        return  # no daemon, no backup in use
    used = {lane["uplink"] for lane in document["active"].values()}
    if metered := [u["name"] for u in document["uplinks"] if u["metered"] and u["name"] in used]:
        raise Failure(f"the office is on {metered[0]}, which is metered; the list can wait", PROBLEM)


def fetch(url: str) -> str:
    """What is at an https:// address. Raises Failure."""
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=FETCH_S) as answered:  # noqa: S310 - https:// alone comes here
            content: bytes = answered.read(MOST_BYTES + 1)
            return content.decode()
    except HTTPError as why:
        later = "; ask again in an hour" if why.code == 429 else ""
        raise Failure(f"{url} answers {why.code}{later}; what is kept stays") from None
    except (URLError, OSError, UnicodeDecodeError) as why:
        raise Failure(f"{url} cannot be fetched ({why}); what is kept stays") from None
