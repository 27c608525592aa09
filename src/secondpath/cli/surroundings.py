"""What surrounds the daemon on this box: services, files, the session somebody sits in. Gathers; changes nothing.

The kernel's part is act/kernel/survey's; next hops are found as the daemon finds them, by sense.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from shutil import which

from secondpath.act.footing.chains import chains_of
from secondpath.act.footing.facts import Facts, Interface, Session
from secondpath.act.kernel import features, survey
from secondpath.act.plane import FIRST, LAST
from secondpath.act.ruleset import compile_ruleset, ruleset_text
from secondpath.model import InterfaceChange, IPAddress, Site, Uplink
from secondpath.sense.interfaces import Interfaces

SERVICES = tuple(
    f"{name}.service"
    for name in (
        *("nftables", "netfilter-persistent", "ufw", "firewalld", "docker", "shorewall", "mwan3"),
        *("NetworkManager", "systemd-networkd", "dhcpcd", "networking", "keepalived"),
    )
)
FILES = (
    "etc/nftables.conf",
    "etc/dhcpcd.conf",
    "etc/sysctl.conf",
    "etc/sysctl.d/*.conf",
    "run/sysctl.d/*.conf",
    "etc/systemd/networkd.conf",
    "etc/systemd/networkd.conf.d/*.conf",
    "usr/lib/NetworkManager/conf.d/*.conf",
    "etc/NetworkManager/NetworkManager.conf",
    "etc/NetworkManager/conf.d/*.conf",
)
NETWORKD_LINKS = "run/systemd/netif/links"
SYSTEMD_RESOLVERS = "run/systemd/resolve/resolv.conf"
TWO_CAPABILITIES = 1 << 12 | 1 << 13
TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised."""
TIMEX_BYTES = 256
LIMIT_S = 15.0


def gather(site: Site | None, root: Path = Path("/")) -> Facts:
    """Everything that can be found of this box; `root` is where its files are, other than / in tests."""
    rules, routes = survey.survey_rules()
    listed = survey.survey_ruleset()
    entries = listed or []
    return Facts(
        root=os.geteuid() == 0,
        capable=_capabilities() & TWO_CAPABILITIES == TWO_CAPABILITIES,
        nft=survey.nft_version(),
        ip=which("ip") is not None,
        features=features.probe_features(),
        ruleset=_try_table(site) if site is not None else None,
        interfaces=_interfaces(site, root),
        rules=rules,
        routes=routes,
        chains=None if listed is None else chains_of(entry for entry in listed if not survey.is_ours(entry)),
        legacy=survey.legacy_tables(),
        ours=any(survey.is_ours(entry) for entry in entries),
        settings=survey.survey_settings(),
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        services=active_services(),
        files=read_files(root),
        required_online=required_online(root),
        resolvers=resolvers(root),
        clock_is_set=clock_is_set(),
        session=session_of(os.getpid()),
    )


def _capabilities() -> int:
    """Our effective capabilities (proc(5))."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


def _try_table(site: Site) -> str | None:
    numbers = {uplink.name: number for number, uplink in enumerate(site.uplinks, 1)}
    try:
        return features.probe_ruleset(ruleset_text(compile_ruleset(site, numbers, ()), {}))
    except subprocess.TimeoutExpired:
        return "nft did not end"


def _interfaces(site: Site | None, root: Path) -> Mapping[str, Interface]:
    """The interfaces, with the next hops that the daemon would find."""
    found = survey.survey_interfaces()
    named = {uplink.interface: uplink for uplink in site.uplinks} if site else {}
    asked = tuple(named.get(name, Uplink(name, name)) for name in found)
    changes = {change.uplink: change for change in asyncio.run(_look(asked, root))}
    return {
        uplink.interface: replace(
            found[uplink.interface],
            gateways=changes[uplink.name].gateways,
            point_to_point=changes[uplink.name].point_to_point,
        )
        for uplink in asked
    }


async def _look(uplinks: tuple[Uplink, ...], root: Path) -> list[InterfaceChange]:
    seen: list[InterfaceChange] = []
    senses = Interfaces(seen.append, uplinks, frozenset(range(FIRST, LAST + 1)), root)
    try:
        senses.start()
    finally:
        senses.close()
    return seen


def active_services(names: Iterable[str] = SERVICES) -> frozenset[str]:
    """Those of the services that run, by systemd; none where systemd does not run the machine."""
    asked = list(names)
    try:
        done = subprocess.run(
            ["systemctl", "is-active", *asked], capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    return frozenset(name for name, state in zip(asked, done.stdout.split("\n"), strict=False) if state == "active")


def read_files(root: Path) -> dict[str, str]:
    """The configuration files of other software, by their path from the root."""
    found = {}
    for pattern in FILES:
        for path in sorted(root.glob(pattern)):
            with suppress(OSError):  # not for our eyes
                found[f"/{path.relative_to(root)}"] = path.read_text("utf-8", "replace")
    return found


def required_online(root: Path) -> frozenset[str]:
    """Interfaces that systemd-networkd manages and that the boot waits for."""
    found = set()
    for path in root.glob(f"{NETWORKD_LINKS}/*"):
        with suppress(OSError, ValueError):
            words = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
            if words.get("REQUIRED_FOR_ONLINE", "no") != "no" and words.get("NETWORK_FILE"):
                found.add(_name_of(int(path.name)))
    return frozenset(found)


def _name_of(index: int) -> str:
    from socket import if_indextoname  # for this alone

    return if_indextoname(index)


def resolvers(root: Path) -> tuple[IPAddress, ...]:
    """Whom this box asks for names; behind systemd's own resolver, whom that one asks."""
    found = _nameservers(root / "etc/resolv.conf")
    if found and all(address.is_loopback for address in found):
        return _nameservers(root / SYSTEMD_RESOLVERS) or found
    return found


def _nameservers(path: Path) -> tuple[IPAddress, ...]:
    found = []
    with suppress(OSError):
        for line in path.read_text("utf-8", "replace").splitlines():
            words = line.split()
            if words[:1] == ["nameserver"] and len(words) > 1:
                with suppress(ValueError):
                    found.append(ip_address(words[1].split("%")[0]))
    return tuple(found)


def clock_is_set() -> bool:
    """Whether the kernel's clock is being kept right by somebody."""
    return bool(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES)) != TIME_ERROR)


def session_of(pid: int, proc: Path = Path("/proc")) -> Session | None:
    """The SSH session that a process belongs to: sudo hides it, so the parents are asked too."""
    while pid > 1:
        try:
            words = (proc / f"{pid}/environ").read_bytes().split(b"\0")
            parent = (proc / f"{pid}/stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            return None
        for word in words:
            if word.startswith(b"SSH_CONNECTION="):
                return parse_session(word.decode().partition("=")[2])
        pid = int(parent)
    return None


def parse_session(text: str) -> Session | None:
    """`client port server port`, as sshd(8) says it."""
    try:
        client, _, local, port = text.split()
        return Session(ip_address(local.split("%")[0]), int(port), ip_address(client.split("%")[0]))
    except ValueError:
        return None
