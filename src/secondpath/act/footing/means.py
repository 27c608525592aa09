"""Whether the box has what it takes: rights, tools, kernel features, room for connections, a clock. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from secondpath.act.footing.facts import Facts, Finding, care, ok, unknown, wrong

OLDEST_NFT = (1, 0, 0)
ENTRY_BYTES = 400
"""One tracked connection: 256-320 bytes of nf_conn, its extensions and its two places in the hash table."""
FEWEST_CONNECTIONS = 32768
"""A person's computer and phone hold 100 to 300 connections; an office of a hundred must fit."""
TIMEOUTS = {
    "tcp_timeout_established": (7440, "RFC 5382, REQ-5: no less than 2 h 4 min"),
    "udp_timeout_stream": (120, "RFC 4787, REQ-5: no less than 2 min; phones keep their line open by it"),
    "udp_timeout": (30, "the kernel's own default"),
}
NO_SHAPING, NO_SHAPING_IN = "no uplink is shaped", "what comes in is not shaped"
SPARE = {
    "numgen": "only the virtual office breaks things with it",
    "tc fq_codel": "the queues of classes are plain ones: one download can hold up others of its class",
    "tc cake": "fast lines are shaped by HTB as slow ones are",
}
"""Features for which there is something else that does nearly as well."""
LOST = {
    "tc htb": f"{NO_SHAPING}: a download can hold up a call",
    "priority": f"{NO_SHAPING}: a download can hold up a call",
    "ifb": f"{NO_SHAPING_IN}: a download can hold up a call",
    "clsact and mirred": f"{NO_SHAPING_IN}: a download can hold up a call",
    "status flush": "flows without an answer are ended one by one: a switch with many flows takes longer",
    "socket diag": "the gateway's own connections over a dead line hang until they time out",
}
"""Features without which something is lost, but not the office."""


def judge_means(facts: Facts) -> Iterator[Finding]:
    """Findings about the means."""
    yield _rights(facts)
    yield from _tools(facts)
    yield from _features(facts)
    yield from judge_connections(facts.settings, facts.memory_bytes)
    yield _clock(facts)


def _rights(facts: Facts) -> Finding:
    if facts.root:
        return ok("rights", "runs as root: everything can be looked at")
    if facts.capable:
        return ok("rights", "runs with CAP_NET_ADMIN and CAP_NET_RAW, as the daemon does")
    return unknown("rights", "runs without rights: some things cannot be looked at", "sudo secondpath doctor")


def _tools(facts: Facts) -> Iterator[Finding]:
    if facts.nft is None:
        yield wrong("nft", "nft is not there: secondpath loads its table with it", "apt-get install nftables")
    elif facts.nft < OLDEST_NFT:
        version = ".".join(map(str, facts.nft))
        yield wrong(
            "nft", f"nft {version} is too old: 1.0 is needed", "apt-get install nftables (of Debian 12 or later)"
        )
    else:
        yield ok("nft", f"nft {'.'.join(map(str, facts.nft))}")
    if facts.ip:
        yield ok("ip", "ip is there")
    else:
        yield care("ip", "ip is not there; secondpath does without, people do not", "apt-get install iproute2")


def _features(facts: Facts) -> Iterator[Finding]:
    if facts.features is None:
        yield unknown(
            "kernel", "kernel features were not tried: that needs a network of its own", "sudo secondpath doctor"
        )
        return
    missing = {name: said for name, said in facts.features.items() if said}
    if works := [name for name in facts.features if name not in missing]:
        yield ok("kernel", f"the kernel can do {', '.join(works)}")
    if spare := [f"{name} ({SPARE[name]})" for name in missing if name in SPARE]:
        yield ok("kernel.spare", f"not in this kernel, and not needed: {', '.join(spare)}")
    for name, said in missing.items():
        text = f"the kernel cannot do {name} ({said})"
        if name in LOST:
            yield care(f"kernel.{name}", text, LOST[name])
        elif name not in SPARE:
            yield wrong(
                f"kernel.{name}", text, "use the distribution's own kernel (Linux 5.15 or later, with its modules)"
            )
    if facts.ruleset:
        yield wrong(
            "kernel.table",
            f"the kernel does not take the table of this configuration: {facts.ruleset}",
            "report this with `secondpath doctor --json`",
        )
    elif facts.ruleset is not None:
        yield ok("kernel.table", "the table of this configuration loads")


def judge_connections(settings: Mapping[str, str], memory_bytes: int) -> Iterator[Finding]:
    """Findings about connection tracking: `settings` are those below net/netfilter, by their last name."""
    most, buckets = _number(settings, "nf_conntrack_max"), _number(settings, "nf_conntrack_buckets")
    if most is None or buckets is None:
        yield unknown("conntrack", "connection tracking is not loaded yet, or cannot be read")
        return
    found = list(_table(most, buckets, _number(settings, "nf_conntrack_count") or 0, memory_bytes))
    yield from found or [ok("conntrack", f"room for {most:,} connections in {buckets:,} buckets")]
    short = list(_timeouts(settings))
    yield from short or [ok("conntrack.timeouts", "connections are remembered long enough")]


def _table(most: int, buckets: int, count: int, memory_bytes: int) -> Iterator[Finding]:
    limit = "sysctl -w net.netfilter.nf_conntrack_max={}, and in /etc/sysctl.d/50-conntrack.conf for good"
    if count > most * 0.8:
        yield wrong(
            "conntrack.full",
            f"{count:,} of {most:,} connections are taken: new ones will be dropped",
            limit.format(most * 4),
        )
    elif most < FEWEST_CONNECTIONS:
        yield care("conntrack.max", f"only {most:,} connections can be tracked at a time", limit.format(65536))
    if most * ENTRY_BYTES > memory_bytes / 4:
        share = f"{most * ENTRY_BYTES >> 20} MiB of {memory_bytes >> 20} MiB"
        fitting = max(FEWEST_CONNECTIONS, memory_bytes // 8 // ENTRY_BYTES)
        yield care("conntrack.memory", f"a full table of {most:,} connections takes {share}", limit.format(fitting))
    if most > buckets * 8:
        yield care(
            "conntrack.buckets",
            f"{most:,} connections share {buckets:,} buckets: every packet searches long",
            f"echo {most // 4} > /sys/module/nf_conntrack/parameters/hashsize",
        )


def _timeouts(settings: Mapping[str, str]) -> Iterator[Finding]:
    for name, (least, why) in TIMEOUTS.items():
        value = _number(settings, f"nf_conntrack_{name}")
        if value is not None and value < least:
            yield care(
                f"conntrack.{name}",
                f"{name} is {value} s ({why})",
                f"sysctl -w net.netfilter.nf_conntrack_{name}={least}",
            )


def _number(settings: Mapping[str, str], name: str) -> int | None:
    value = settings.get(f"net/netfilter/{name}", "")
    return int(value) if value.isdigit() else None


def _clock(facts: Facts) -> Finding:
    if facts.clock_is_set:
        return ok("clock", "the clock is synchronised")
    return care(
        "clock",
        "the clock is not synchronised: switching does not mind, reports will tell wrong times",
        "apt-get install systemd-timesyncd && timedatectl set-ntp true",
    )
