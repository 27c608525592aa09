"""The gateway may end at any moment: the office works on, and the next start takes over what it finds."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from tests.netns.conftest import a_name
from tests.netns.gateway_witness import (
    EVERYBODY,
    FAMILIES,
    Manager,
    WatchedBox,
    at_work,
    changed,
    felt_by,
    flow_marks,
    go_home,
    held,
    hurt,
    is_up,
    live_marks,
    masked,
    orphans,
    reaches,
    source_seen,
    until_served,
    uses,
    vacate,
    watched,
    work_on,
)
from tests.patience import PATIENCE_S

from secondpath.daemon.shell import DRIFT_S
from secondpath.lab.box import Box, config_of
from secondpath.lab.breaking import give_up_lease, lease
from secondpath.lab.gaps import of_stream, paths, resets
from secondpath.lab.namespaces import batch, inside
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat, Wish
from secondpath.lab.topology import CABLE, LTE, find_topology
from secondpath.lab.wiring import access_lines, netns_of
from secondpath.netlink.nftables import Nft
from secondpath.record.tape import RING_BYTES
from secondpath.wire.messages import Verb

pytestmark = pytest.mark.netns

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--no-new-privs")


@pytest.fixture(scope="module")
def standing() -> Iterator[Office]:
    """One office for all tests that begin without a gateway."""
    with Office.up(find_topology("office"), a_name()) as office:
        yield office


@pytest.fixture
def office(standing: Office) -> Iterator[Office]:
    """The office without a gateway; whatever the test does with one, `clear` afterwards leaves no trace of it."""
    before = held(standing)
    yield standing
    vacate(standing)
    assert changed(before, held(standing)) == []


@pytest.fixture
def watched_box(office: Office) -> Iterator[WatchedBox]:
    """An office of its own, its gateway under a manager, everything well."""
    with watched(office) as box:
        box.until_well()
        yield box


@pytest.fixture(scope="module")
def steady() -> Iterator[WatchedBox]:
    """One office for all tests that leave it as they found it."""
    with Office.up(find_topology("office"), a_name()) as office, watched(office) as box:
        box.until_well()
        yield box


@pytest.fixture
def steady_box(steady: WatchedBox) -> Iterator[WatchedBox]:
    """The same, checked to be well and at home before and after."""
    steady.until(lambda: uses(steady, "cable"), PATIENCE_S, "the office is at home")
    config = steady.config.read_text()
    yield steady
    steady.office.mend()
    if steady.config.read_text() != config:
        steady.config.write_text(config)
        assert steady.order(Verb.RELOAD).ok
    steady.until(lambda: is_up(steady, "cable") and is_up(steady, "lte"), PATIENCE_S, "all is well again")
    if not uses(steady, "cable"):
        go_home(steady)


def events_since(box: Box, number: int) -> list[str]:
    """What was written down since; but for the count of what a switch ended, which comes 15 s after it."""
    told = [str(e["event"]) for e in box.order(Verb.EVENTS, after=number).data["events"]]
    return [event for event in told if not event.startswith("sweep.")]


def last_event(box: Box) -> int:
    return int(box.order(Verb.EVENTS, limit=1).data["events"][-1]["number"])


# ── Killed anywhere: passes beside the other tests, for most of it is waiting ────────────────────────────────


def kill_around_switches() -> str:
    """Ten rounds in an office of its own; what was measured."""
    dice = random.Random(1044)
    with Office.up(find_topology("office"), a_name()) as office, watched(office) as box:
        box.until_well()
        seat, _ = at_work(box)
        for round_ in range(10):
            fault, latest_s = ("cable-cut", 0.06) if round_ % 2 else ("blackhole", 0.8)
            kill_around_a_switch(box, fault, dice.uniform(0.0, latest_s))
        seat.leave()
        swept_s = box.until(lambda: not orphans(office), PATIENCE_S, "no flow carries an epoch that nobody routes")
        survived = masked(held(office))
        box.stop()
        assert office.run("gw", box.argv("clear")).returncode == 0
        box.start()
        box.until_well()
        assert masked(held(office)) == survived, "as a fresh start leaves the kernel"
        return f"the last orphan was gone {swept_s:.1f} s after the last round"


def kill_around_a_switch(box: Box, fault: str, wait_s: float) -> None:
    office, words = box.office, f"{fault}, killed after {wait_s * 1000:.0f} ms"
    assert box.process is not None
    killer = threading.Timer(wait_s, box.process.kill)
    killer.start()
    office.inject(fault, "cable")
    killer.join()
    box.stop(signal.SIGKILL)
    box.start()
    box.until(lambda: uses(box, "lte") and is_up(box, "lte"), PATIENCE_S, f"traffic runs on lte ({words})")
    assert reaches(office), words
    assert_nothing_twice(office)
    office.mend()
    box.until(lambda: is_up(box, "cable"), PATIENCE_S, f"cable is well ({words})")
    go_home(box)
    assert reaches(office), words


@pytest.fixture(scope="module", autouse=True)
def killed(request: pytest.FixtureRequest) -> Iterator[Future[str] | None]:
    """Begins when the first test of this file does, if its test is wanted."""
    wanted = any(getattr(item, "originalname", "").startswith("test_killed_anywhere") for item in request.session.items)
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(kill_around_switches) if wanted else None


# ── Ending and starting under people ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("where", ["at home", "asked to lte", "driven to lte"])
def test_people_feel_nothing_when_the_gateway_is_stopped_or_killed_and_starts(
    watched_box: WatchedBox, where: str
) -> None:
    box, uplink = watched_box, "cable" if where == "at home" else "lte"
    if where == "asked to lte":
        assert box.order(Verb.FAILOVER, uplink="lte").ok
    elif where == "driven to lte":
        box.office.inject("blackhole", "cable")
    box.until(lambda: uses(box, uplink), PATIENCE_S, f"traffic runs on {uplink}")
    seat, since = at_work(box)
    for ending in (signal.SIGTERM, signal.SIGKILL):
        before = held(box.office)
        box.stop(ending)
        work_on(box, 0.3)
        assert changed(before, held(box.office)) == [], "the kernel goes on as it was told last"
        with changes_seen(box) as seen:
            box.until_ready()
        assert seen == [], "what is found is adopted: not even touched"
        assert uses(box, uplink)
        assert changed(before, held(box.office)) == [], "same steering, same epochs: established flows keep their marks"
        work_on(box, 0.3)
    assert hurt(felt_by(box, seat, since)) == []
    asked = box.status()["override"]
    assert (asked is not None) == (where == "asked to lte"), "what a person asked for survives"


def test_a_hold_and_its_doubling_outlive_a_crash(office: Office) -> None:
    """The second time it is 12 s, and there is quiet for 24 s after the first failure (adr/0015)."""
    with watched(office, hold="6s", hold_max="12s") as box:
        box.until_well()
        for least_s, most_s in ((1.0, 6.0), (6.0, 16.0)):
            office.inject("blackhole", "cable")
            box.until(lambda: uses(box, "lte"), PATIENCE_S, "traffic runs on lte")
            office.mend()
            box.until(lambda: is_up(box, "cable"), PATIENCE_S, "cable is up again, its hold runs")
            box.stop(signal.SIGKILL)
            box.start()
            box.until(lambda: is_up(box, "cable"), PATIENCE_S, "cable is up")
            assert uses(box, "lte"), "nobody goes home before the hold is served"
            left = [box.status()["uplinks"][0]["lines"][f]["hold_left_s"] for f in FAMILIES]
            assert all(least_s < s <= most_s for s in left), left
            if most_s == 6.0:
                box.until(lambda: uses(box, "cable"), PATIENCE_S, "traffic comes home")
        assert box.order(Verb.HOLD, duration_s=600.0).ok
        work_on(box, 0.5)  # the disk may be slow
        box.stop(signal.SIGKILL)
        box.start()
        assert 500.0 < box.status()["override"]["left_s"] < 600.0, "a person's own hold too"


@pytest.mark.parametrize("memory", ["{", '{"holds": 5}', '{"pinned": {"ipv4": ["lte"]}, "at_rest_s": "long"}'])
def test_a_memory_of_another_version_does_not_keep_the_gateway_from_starting(
    steady_box: WatchedBox, memory: str
) -> None:
    box, before = steady_box, held(steady_box.office)
    box.stop()
    with sqlite3.connect(box.state_dir / "book.db") as book:
        assert book.execute("UPDATE memory SET value = ? WHERE key = 'engine'", (memory,)).rowcount == 1
    book.close()
    box.start()
    assert changed(before, held(box.office)) == []
    assert "what was remembered cannot be read" in box.log.read_text()


def assert_nothing_twice(office: Office) -> None:
    kernel = held(office, "rules", "routes")
    for text in (*kernel["rules"].split("\n\n"), kernel["routes"]):
        lines = [line for line in text.splitlines() if "proto 83" in line]
        assert len(lines) == len(set(lines)), text
    marks = live_marks(office)
    assert len(marks) == len({m & 0xFF for m in marks}) * 2, "one live epoch for each family of an uplink"


def test_a_gateway_that_was_frozen_for_three_seconds_blames_no_line(steady_box: WatchedBox) -> None:
    box, before = steady_box, last_event(steady_box)
    assert box.process is not None
    box.process.send_signal(signal.SIGSTOP)
    work_on(box, 3.0)
    box.process.send_signal(signal.SIGCONT)
    work_on(box, 1.5)
    assert events_since(box, before) == []
    assert uses(box, "cable")


# ── Somebody else changes our kernel ─────────────────────────────────────────────────────────────────────────


def test_when_somebody_flushes_all_rulesets_people_work_again(steady_box: WatchedBox) -> None:
    box = steady_box
    before = held(box.office)
    wishes = [Wish(kind, f, 0.05) for f in FAMILIES for kind in ("lasting-udp", "new-udp", "new-tcp")]
    seat, _ = at_work(box, wishes)
    marks = {m for m in flow_marks(box.office) if m & 0x8000}
    at = time.monotonic()
    box.office.run("gw", ["nft", "flush", "ruleset"], check=True)
    box.until(lambda: held(box.office) == before, PATIENCE_S, "our table is back, same epochs")
    assert marks & set(flow_marks(box.office)), "the flows live on in their conntrack entries"
    samples = until_served(box, seat, wishes, at)
    for family in FAMILIES:
        assert len(paths(of_stream(samples, "lasting-udp", family))) == 1, "an established flow keeps its address"


TAMPERINGS = {
    "rules": "for p in 7101 7102 7140 7141 7142 7199; do ip rule del pref $p; ip -6 rule del pref $p; done",
    "routes": "for t in 7101 7102 7199; do ip route flush table $t; ip -6 route flush table $t; done",
    "settings": "cd /proc/sys/net; echo 0 > ipv4/ip_forward; echo 1 > ipv4/conf/wan0/rp_filter;"
    " echo 2 > ipv4/conf/all/rp_filter; echo 0 > ipv6/conf/all/forwarding",
    "ruleset": "nft flush map inet secondpath route_of; nft flush map inet secondpath lane_office",
}


def test_what_somebody_deletes_or_changes_under_us_is_put_back(steady_box: WatchedBox) -> None:
    box, before = steady_box, held(steady_box.office)
    assert box.process is not None
    box.process.send_signal(signal.SIGSTOP)  # it would mend each of them at once
    try:
        for script in TAMPERINGS.values():
            box.office.run("gw", ["sh", "-c", script])
        tampered = held(box.office)
        for part in TAMPERINGS:
            assert tampered[part] != before[part]
    finally:
        box.process.send_signal(signal.SIGCONT)
    took_s = box.until(lambda: held(box.office) == before, PATIENCE_S, "all is as before")
    print(f"all as before after {took_s:.2f} s")
    assert reaches(box.office)


@pytest.mark.parametrize("part", TAMPERINGS)
def test_what_somebody_changes_is_put_back_in_the_moment_in_which_the_kernel_tells(
    steady_box: WatchedBox, part: str
) -> None:
    """A lease took the monitor's route away. https://github.com/opnsense/core/issues/5956"""
    box, before = steady_box, held(steady_box.office)
    box.office.run("gw", ["sh", "-c", TAMPERINGS[part]])
    took_s = box.until(lambda: held(box.office)[part] == before[part], DRIFT_S / 2, "all is as before")
    print(f"{part} as before after {took_s:.2f} s, where looking now and then takes up to {DRIFT_S:g} s")


def test_a_switch_that_meets_a_deleted_table_still_frees_the_flows_of_the_dead_line(office: Office) -> None:
    with watched(office) as box:
        box.until_well()
        phones = [Wish("lasting-udp", family, 0.02) for family in FAMILIES]
        seat, _ = at_work(box, [*phones, Wish("new-tcp")])
        office.run("gw", ["nft", "delete", "table", "inet", "secondpath"], check=True)
        at = office.inject("cable-cut", "cable")
        box.until(lambda: uses(box, "lte"), PATIENCE_S, "traffic runs on lte")
        until_served(box, seat, phones, at)


# ── The world moves ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_address_that_goes_moves_the_office_and_one_that_comes_is_used_again(steady_box: WatchedBox) -> None:
    box, before = steady_box, held(steady_box.office, "rules", "routes")
    box.office.inject("address-gone", "cable")
    box.until(lambda: uses(box, "lte"), PATIENCE_S, "traffic runs on lte")
    assert reaches(box.office)
    box.office.mend()
    box.until(lambda: is_up(box, "cable"), PATIENCE_S, "cable is up again")
    go_home(box)
    box.until(lambda: held(box.office, "rules", "routes") == before, PATIENCE_S, "rules and routes as before")
    assert source_seen(box.office) == source_seen(box.office, "ipv6") == "cable"


def test_an_isp_that_renumbers_is_followed(steady_box: WatchedBox) -> None:
    box = steady_box
    box.office.inject("gateway-changed", "cable")
    box.until(lambda: "198.51.100.65" in held(box.office, "routes")["routes"], PATIENCE_S, "the new gateway is used")
    box.until(lambda: is_up(box, "cable"), PATIENCE_S, "cable is up by its new gateway")
    box.until(lambda: reaches(box.office), PATIENCE_S, "people reach the internet")
    routes = [line for line in held(box.office, "routes")["routes"].splitlines() if "table 7101" in line]
    assert any("198.51.100.65" in line for line in routes)
    assert any("2001:db8:1::65" in line for line in routes)
    assert not any("198.51.100.1 " in line or "2001:db8:1::1 " in line for line in routes), routes


def test_an_interface_that_is_unplugged_and_comes_back_is_followed(steady_box: WatchedBox) -> None:
    box, office = steady_box, steady_box.office
    office.run("gw", ["ip", "link", "del", "wan0"], check=True)
    box.until(lambda: uses(box, "lte"), PATIENCE_S, "traffic runs on lte")
    assert reaches(office)
    assert box.status()["uplinks"][0]["link"]["present"] is False
    gateway, isp = netns_of(office.name, "gw"), netns_of(office.name, "isp-a")
    batch("ip", [f"link add wan0 netns {gateway} type veth peer access netns {isp}"])
    batch("ip", access_lines(CABLE), isp)
    batch("ip", ["link set wan0 up", *lease(CABLE)], gateway)
    box.until(lambda: is_up(box, "cable"), PATIENCE_S, "cable is up again")
    go_home(box)
    box.until(lambda: source_seen(office) == source_seen(office, "ipv6") == "cable", PATIENCE_S, "people use it again")
    reading = ["cat", "/proc/sys/net/ipv4/conf/wan0/rp_filter"]
    box.until(lambda: office.run("gw", reading).stdout == "0\n", PATIENCE_S, "its settings are ours")


def test_addresses_that_come_after_the_daemon_are_used(office: Office) -> None:
    gateway = netns_of(office.name, "gw")
    batch("ip", [*give_up_lease(CABLE), *give_up_lease(LTE), "link set wan0 down", "link set wwan0 down"], gateway)
    with watched(office) as box:
        assert box.status()["verdict"]["code"] != "ok"
        assert not reaches(office, families=["ipv4"])
        for uplink in (LTE, CABLE):
            batch("ip", [f"link set {uplink.interface} up", *lease(uplink)], gateway)
            box.until(partial(is_up, box, uplink.name), PATIENCE_S, f"{uplink.name} is up")
            took_s = box.until(lambda: reaches(office), PATIENCE_S, "people reach the internet")
            print(f"{uplink.name}: up, then {took_s:.2f} s")
        box.until(lambda: box.status()["verdict"]["code"] == "ok", PATIENCE_S, "all is well")


# ── Reload ───────────────────────────────────────────────────────────────────────────────────────────────────

ALLOW = '\n[[allow]]\nport = "tcp/{port}"\n'


def allowing(port: int) -> str:
    return ALLOW.format(port=port)


def test_a_good_reload_changes_what_it_should_and_cuts_no_flow(steady_box: WatchedBox) -> None:
    box, before = steady_box, live_marks(steady_box.office)
    seat, since = at_work(box)
    told = time.monotonic()
    box.config.write_text(box.config.read_text() + allowing(8443))
    assert box.order(Verb.RELOAD).ok
    assert "tcp dport 8443 accept" in held(box.office, "ruleset")["ruleset"]
    box.config.write_text(box.config.read_text() + allowing(9443))
    assert box.process is not None
    box.process.send_signal(signal.SIGHUP)
    box.until(lambda: "tcp dport 9443 accept" in held(box.office, "ruleset")["ruleset"], PATIENCE_S, "SIGHUP is obeyed")
    assert live_marks(box.office) == before
    work_on(box, 0.5)
    assert hurt(felt_by(box, seat, since)) == []
    assert box.manager is not None
    words = box.manager.words(told)
    starts = [n for n, word in enumerate(words) if word.startswith("RELOADING=1\nMONOTONIC_USEC=")]
    assert len(starts) == 2
    assert all("READY=1" in words[n + 1 :] for n in starts), "each reload is said to have ended"


def test_while_the_table_is_exchanged_no_packet_meets_half_of_it(steady_box: WatchedBox) -> None:
    """Of an old table that is deleted in the transaction of the new one, the hooks stay for a moment with empty maps.

    Whoever sends in that moment is reset, as if the line had been left.
    """
    box = steady_box
    wishes = [Wish("download", family, (6 + n) / 1000) for family in FAMILIES for n in range(12)]
    seat = Seat.take(box.office, "staff", wishes)
    box.until(lambda: len({s.stream for s in seat.samples() if s.good()}) == len(wishes), PATIENCE_S, "all download")
    since = time.monotonic()
    for port in range(9000, 9010):
        box.config.write_text(box.config.read_text() + allowing(port))
        assert box.order(Verb.RELOAD).ok
    assert "tcp dport 9009 accept" in held(box.office, "ruleset")["ruleset"]
    samples = felt_by(box, seat, since)
    assert [w for w in wishes if resets(of_stream(samples, w.kind, w.family, w.every_s))] == []


def test_an_invalid_configuration_is_refused_with_all_its_errors_and_changes_nothing(steady_box: WatchedBox) -> None:
    box, before = steady_box, held(steady_box.office)
    steering, events = box.status()["steering"], last_event(box)
    wrong = box.config.read_text().replace('interface = "wan0"', 'interfce = "wan0"') + allowing(99999)
    box.config.write_text(wrong)
    answer = box.order(Verb.RELOAD)
    assert (answer.ok, answer.exit_code) == (False, 2)
    assert "interfce" in answer.error
    assert "99999" in answer.error
    assert changed(before, held(box.office)) == []
    assert box.status()["steering"] == steering
    assert events_since(box, events) == ["config.invalid"]


@pytest.mark.parametrize("when", ["asked", "loading"])
def test_a_configuration_that_the_kernel_refuses_changes_nothing(office: Office, when: str) -> None:
    """The tool says what a kernel of another version would: at once, or only when the table is really loaded."""
    box = with_tool(
        office,
        f"""
text=$(cat)
refuses=$(case "$*" in {"*-c*" if when == "asked" else "'-f -'"}) echo yes;; esac)
case "$refuses $text" in yes*8443*) echo "Error: no" >&2; exit 1;; esac
printf '%s\\n' "$text" | exec /usr/sbin/nft "$@"
""",
    )
    with box:
        box.until_well()
        before, events = held(office), last_event(box)
        good = box.config.read_text()
        box.config.write_text(without_lte(good) + allowing(8443))
        with changes_seen(box) as seen:
            answer = box.order(Verb.RELOAD)
            assert not answer.ok
            assert "the kernel does not take this configuration: Error: no" in answer.error
            assert changed(before, held(office)) == []
        assert when == "loading" or seen == [], "not even for a moment"
        assert events_since(box, events) == ["config.kernel"], "and nobody is told that it was loaded"
        assert uses(box, "cable")
        assert box.order(Verb.FAILOVER, uplink="lte").ok
        assert source_seen(office) == source_seen(office, "ipv6") == "lte"


def without_lte(config: str) -> str:
    return re.sub(r'\[\[uplink\]\]\nname = "lte".*?(?=\[\[network)', "", config, flags=re.DOTALL)


def with_tool(office: Office, script: str) -> WatchedBox:
    """A gateway that finds another nft(8) on its PATH; `-f -` reads its input, everything else is passed on."""
    tools = office.directory / "tools"
    tools.mkdir()
    (tools / "nft").write_text(f'#!/bin/sh\ncase "$*" in *"-f -") ;; *) exec /usr/sbin/nft "$@";; esac\n{script}')
    (tools / "nft").chmod(0o755)
    box = watched(office)
    box.environment = (f"PATH={tools}:{os.environ['PATH']}",)
    return box


class changes_seen(list[str]):  # noqa: N801 reads as a phrase
    """All that the gateway's nftables, rules and routes are told while this lasts."""

    def __init__(self, box: Box) -> None:
        super().__init__()
        self._box = box
        self._monitors: list[subprocess.Popen[str]] = []

    def __enter__(self) -> changes_seen:
        for argv in (["nft", "monitor"], ["ip", "monitor", "route", "rule"], ["ip", "-6", "monitor", "route", "rule"]):
            self._monitors.append(self._box.office.spawn("gw", argv, out=subprocess.PIPE))
        work_on(self._box, 0.15)  # neither says when it listens
        return self

    def __exit__(self, *_: object) -> None:
        work_on(self._box, 0.1)
        for monitor in self._monitors:
            monitor.terminate()
            self.extend((monitor.communicate()[0] or "").splitlines())


def test_a_third_uplink_can_be_added_live(three: Office) -> None:
    text = config_of(three.topology)
    two = re.sub(r'\[\[uplink\]\]\nname = "fibre".*?(?=\[\[network)', "", text, flags=re.DOTALL)
    with watched(three, two) as box:
        box.until_well()
        before = live_marks(three)
        seat, since = at_work(box)
        box.config.write_text(text)
        assert box.order(Verb.RELOAD).ok
        box.until(lambda: box.health("fibre", "ipv6") == "up", PATIENCE_S, "fibre is up")
        assert before < live_marks(three), "numbers and epochs of the others stay"
        work_on(box, 0.3)
        assert hurt(felt_by(box, seat, since)) == []
        assert box.order(Verb.FAILOVER, uplink="fibre").ok
        box.until(lambda: source_seen(three, "ipv6") == "fibre", PATIENCE_S, "new IPv6 flows leave by it")
        assert source_seen(three) == "cable", "IPv4, which it does not speak, stays"


@pytest.fixture
def three() -> Iterator[Office]:
    with Office.up(find_topology("three"), a_name()) as office:
        yield office


def test_uplinks_can_be_put_in_another_order_live(watched_box: WatchedBox) -> None:
    box, before = watched_box, live_marks(watched_box.office)
    seat, since = at_work(box)
    text = box.config.read_text()
    head, cable, lte, rest = re.split(r"(?=\[\[uplink)|(?=\[\[network)", text, maxsplit=3)
    box.config.write_text(head + lte.replace("metered = true\n", "") + cable + rest)
    assert box.order(Verb.RELOAD).ok
    box.until(lambda: source_seen(box.office) == source_seen(box.office, "ipv6") == "lte", PATIENCE_S, "new flows: lte")
    assert live_marks(box.office) == before, "numbers and epochs stay"
    work_on(box, 0.5)
    samples = felt_by(box, seat, since)
    assert hurt(samples) == []
    for kind in ("lasting-udp", "lasting-tcp", "download"):
        for family in FAMILIES:
            assert len(paths(of_stream(samples, kind, family))) == 1, "who is at work on cable stays there"


def test_an_uplink_can_be_removed_live_and_its_flows_move(watched_box: WatchedBox) -> None:
    box = watched_box
    assert box.order(Verb.FAILOVER, uplink="lte").ok
    seat, _ = at_work(box)
    box.config.write_text(without_lte(box.config.read_text()))
    at = time.monotonic()
    assert box.order(Verb.RELOAD).ok
    samples = until_served(box, seat, EVERYBODY, at)
    assert uses(box, "cable")
    assert "7102" not in held(box.office, "rules")["rules"]
    for kind in ("lasting-udp", "new-udp", "new-tcp", "lasting-tcp", "download"):
        for family in FAMILIES:
            assert box.office.topology.uplink_of(paths(of_stream(samples, kind, family))[-1]) == "cable"


# ── Neighbours ───────────────────────────────────────────────────────────────────────────────────────────────

NEIGHBOURS = """
ip rule add pref 5000 fwmark 0x4200/0xff00 lookup 500
ip -6 rule add pref 5000 fwmark 0x4200/0xff00 lookup 500
ip route add 172.30.0.0/16 via 10.44.10.10 dev lan0 table 500
ip route add default via 10.44.10.10 dev lan0 table 7099 proto static
ip -6 route add 2001:db8:77::/64 via fd44:10::10 dev lan0 table 500
conntrack -I -s 172.30.0.1 -d 172.30.0.2 -p udp --sport 1000 --dport 2000 -t 600 --mark 0x4200
conntrack -I -s 172.30.0.1 -d 172.30.0.2 -p udp --sport 1001 --dport 2001 -t 600 --mark 0x1
"""
NEIGHBOUR_TABLES = """
table ip neighbour {
  chain nat { type nat hook postrouting priority 99; ip saddr 172.30.0.0/16 masquerade; }
}
table inet secondpath_too {
  map route_of { type mark : verdict; elements = { 0x1 : accept }; }
}
"""


def test_neighbours_are_untouched_by_twenty_failovers_and_clear_leaves_no_trace(shared: Office) -> None:
    office = shared
    addresses = ", ".join(f"10.{100 + n // 25600}.{n // 100 % 256}.{n % 100 * 2}" for n in range(50_000))
    many = (
        f"table inet blocklist {{\n set bad {{ type ipv4_addr; flags interval; elements = {{ {addresses} }}; }}\n}}\n"
    )
    office.run("gw", ["nft", "-f", "-"], text_in=NEIGHBOUR_TABLES + many, check=True)
    office.run("gw", ["sh", "-ec", NEIGHBOURS], check=True)
    before, neighbours = held(office), foreign(office)
    box = watched(office)
    box.until_ready()
    box.until_well()
    for _ in range(20):
        for verb, uplink in ((Verb.FAILOVER, "lte"), (Verb.FAILBACK, "cable")):
            assert (box.order(verb, uplink="lte") if verb is Verb.FAILOVER else box.order(verb)).ok
            assert uses(box, uplink)
    assert foreign(office) == neighbours
    box.stop()
    box.until_ready()
    box.stop()
    assert office.run("gw", box.argv("clear")).returncode == 0
    after = held(office)
    for part in before:
        assert after[part] == before[part], part
    assert foreign(office) == neighbours


@pytest.fixture
def shared() -> Iterator[Office]:
    with Office.up(find_topology("office"), a_name()) as office:
        yield office


def foreign(office: Office) -> tuple[str, list[str]]:
    """Everything that is not ours, and the neighbours' flows. (A router's anycast addresses come with forwarding.)"""
    listed = office.run("gw", ["nft", "-s", "list", "ruleset"], check=True).stdout
    tables = [part for part in re.split(r"(?m)^(?=table )", listed) if not part.startswith("table inet secondpath {")]
    other = [line for text in held(office, "rules", "routes").values() for line in text.splitlines()]
    flows = office.run("gw", ["conntrack", "-L", "-s", "172.30.0.1"]).stdout.splitlines()
    kept = [re.sub(r"^(\S+\s+\d+) \d+", r"\1", flow) for flow in flows]
    strange = [line for line in other if "proto 83" not in line and not line.startswith("anycast")]
    return "".join(tables), strange + sorted(kept)


def refused(box: Box, *before: str, arguments: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """A start that must not succeed."""
    argv = Box.argv(box, "run", "--config", str(box.config))
    argv[-1:] = [str(box.config)]
    return box.office.run("gw", [*before, *argv, *arguments])


def assert_sentence(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr + done.stdout
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr


def test_a_second_daemon_says_so_and_touches_nothing(steady_box: WatchedBox) -> None:
    box, before, events = steady_box, held(steady_box.office), last_event(steady_box)
    with changes_seen(box) as seen:
        assert_sentence(refused(box), 1, "Another secondpath")
    assert seen == []
    assert changed(before, held(box.office)) == []
    assert events_since(box, events) == []
    assert box.status()


def test_without_rights_or_with_a_bad_configuration_it_ends_with_a_sentence(steady_box: WatchedBox) -> None:
    box, before, home = steady_box, held(steady_box.office), steady_box.config.parent / "elsewhere"
    home.mkdir(exist_ok=True)
    os.chown(home, 65534, 65534)
    config = home / "office.toml"
    config.write_text(box.config.read_text())
    for parent in (home, *list(home.parents)[:3]):
        print(parent, oct(parent.stat().st_mode))
    other = Box(box.office, config)
    assert_sentence(refused(other, *NOBODY), 1, "CAP_NET_ADMIN")
    config.write_text("[office]\nnme = 1\n")
    bad = refused(other)
    assert bad.returncode == 2
    assert "Traceback" not in bad.stderr
    assert "nme" in bad.stderr
    assert changed(before, held(box.office)) == []


def test_a_kernel_that_takes_no_table_is_left_as_it_was(office: Office) -> None:
    before = held(office)
    box = with_tool(office, 'echo "Error: no" >&2; exit 1\n')
    done = office.run("gw", box.argv("run", "--config", str(box.config)))
    assert_sentence(done, 1, "the kernel does not take our table: Error: no")
    assert changed(before, held(office)) == [], "no forwarding without a filter"


@pytest.mark.parametrize("which", ["run", "state"])
def test_a_directory_that_cannot_be_written_is_named_in_a_sentence(steady_box: WatchedBox, which: str) -> None:
    box, home = steady_box, steady_box.config.parent / f"shut-{which}"
    home.mkdir(exist_ok=True)
    config = home / "office.toml"
    config.write_text(box.config.read_text())
    (home / which).write_text("a file where a directory should be")
    assert_sentence(refused(Box(box.office, config)), 1, str(home / which))


# ── A thousand times ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_thousand_failovers_and_failbacks_leave_everything_as_a_fresh_start_does(office: Office) -> None:
    with watched(office) as box:
        box.until_well()
        assert box.process is not None
        pid = box.process.pid
        fresh = masked(held(office))
        with inside(netns_of(office.name, "gw")):
            nft = Nft("secondpath")
        settled, began = (0, 0), time.monotonic()
        for cycle in range(1000):
            for verb, arguments, number in ((Verb.FAILOVER, {"uplink": "lte"}, 2), (Verb.FAILBACK, {}, 1)):
                assert box.order(verb, **arguments).ok
                # a family whose line is being doubted just then (a starved box asks again) follows when it has answered
                box.until(lambda: travels(nft, number), PATIENCE_S, f"{verb}, cycle {cycle}")  # noqa: B023 - called now
            if cycle == 100:
                settled = descriptors(pid), resident_kib(pid)
        took_s = time.monotonic() - began
        nft.close()
        grown_kib = resident_kib(pid) - settled[1]
        print(f"1,000 cycles in {took_s:.1f} s; descriptors {settled[0]} -> {descriptors(pid)}; grown {grown_kib} KiB")
        assert masked(held(office)) == fresh
        assert descriptors(pid) <= settled[0] + 2
        assert grown_kib < 4096 + RING_BYTES // 1024, "no more than the tape of the last minutes may hold"
        assert orphans(office) == []
        assert reaches(office)


def travels(nft: Nft, number: int) -> bool:
    """Whether both families' traffic has its lane by an uplink, by its number."""
    return [value[0] for value in nft.elements("lane_office").values()] == [number] * 2  # type: ignore[index]


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208


def resident_kib(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


# ── Word to systemd, and the log ─────────────────────────────────────────────────────────────────────────────


WATCHDOG_S = 3.0


def test_systemd_hears_of_readiness_status_the_watchdog_and_the_end(office: Office) -> None:
    box = watched(office)
    box.environment, box.more = (f"WATCHDOG_USEC={WATCHDOG_S * 1e6:.0f}",), ("--log-format", "json")
    with box:
        box.until_well()
        assert isinstance(box.manager, Manager)
        manager, since = box.manager, time.monotonic()
        for uplink in ("cable", "lte"):  # with no line left to ask, the loop still decides, and says so
            work_on(box, WATCHDOG_S)
            office.inject("cable-cut", uplink)
        work_on(box, WATCHDOG_S)
        pings, lasted_s = manager.instants("WATCHDOG=1", since), time.monotonic() - since
        gaps_s = [b - a for a, b in itertools.pairwise([since, *pings, since + lasted_s])]
        assert max(gaps_s) < WATCHDOG_S, "never later than the watchdog bites"
        assert len(pings) < lasted_s / (WATCHDOG_S / 2) * 1.5, "and not much more often than at half its period"
        office.mend()
    said = manager.words()
    assert said.index("READY=1") < next(n for n, word in enumerate(said) if word.startswith("STATUS="))
    assert "STOPPING=1" in said
    assert any("Online on cable" in word for word in said)


def test_a_loop_that_is_blocked_no_longer_pings(office: Office) -> None:
    """An nft(8) that hangs, in the hands of a reload: the one call that can hold the loop up."""
    hang, hung = office.directory / "hang", office.directory / "hung"
    hangs = f"[ -e {hang} ] && touch {hung}; while [ -e {hang} ]; do sleep 0.05; done"
    box = with_tool(office, f'{hangs}\nexec /usr/sbin/nft "$@"\n')
    box.environment = (*box.environment, "WATCHDOG_USEC=400000")
    with box:
        box.until_well()
        hang.touch()
        box.config.write_text(box.config.read_text() + allowing(8443))
        assert box.manager is not None
        assert box.process is not None
        box.process.send_signal(signal.SIGHUP)
        try:
            box.until(hung.exists, PATIENCE_S, "it hangs")
            since = time.monotonic() + 0.3
            work_on(box, 1.5)
            assert box.manager.instants("WATCHDOG=1", since) == []
        finally:
            hang.unlink()
        box.until(lambda: bool(box.manager and box.manager.instants("WATCHDOG=1", since)), PATIENCE_S, "it pings again")
        assert uses(box, "cable")


def test_each_line_of_the_log_is_json_or_fit_for_the_journal(office: Office) -> None:
    box = watched(office)
    box.more = ("--log-format", "json")
    with box:
        box.until_well()
        office.inject("cable-cut", "cable")
        box.until(lambda: uses(box, "lte"), PATIENCE_S, "traffic runs on lte")
        office.mend()
    lines = [json.loads(line) for line in box.log.read_text().splitlines()]
    assert {"steering.failover", "line.down", "daemon.running"} <= {line["event"] for line in lines}
    assert all(line["message"] and line["time"] and line["level"] for line in lines)
    box.log.unlink()
    box.more, box.environment = (), ("JOURNAL_STREAM=1:1",)
    with box:
        box.until_well()
    lines = box.log.read_text().splitlines()
    assert lines
    assert all(re.match(r"<[2-7]>event=[a-z.-]+ \S", line) for line in lines), lines


# ── Bugs ─────────────────────────────────────────────────────────────────────────────────────────────────────

SABOTAGE = """
import pathlib
def ready():
    import secondpath.daemon.shell as shell
    sound = shell.Gateway._mend_drift
    def broken(self):
        if pathlib.Path({trigger!r}).exists():
            raise ZeroDivisionError("a bug in a timer")
        sound(self)
    shell.Gateway._mend_drift = broken
import sys
if "run" in sys.argv or True:
    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name == "secondpath.daemon.answers":
                sys.meta_path.remove(self)
                ready()
    sys.meta_path.insert(0, Finder())
"""


def test_a_bug_in_a_timer_ends_the_process_and_the_next_start_adopts(office: Office) -> None:
    box = watched(office)
    saboteur, trigger = box.config.parent / "saboteur", box.config.parent / "trigger"
    saboteur.mkdir()
    (saboteur / "sitecustomize.py").write_text(SABOTAGE.format(trigger=str(trigger)))
    path = ":".join([str(saboteur), str(Path(__file__).parents[2] / "src")])
    box.environment = (f"PYTHONPATH={path}",)
    box.start()
    box.until_well()
    before = held(office)
    trigger.touch()
    process = box.process
    assert process is not None
    box.until(lambda: process.poll() is not None, PATIENCE_S, "the process has ended")
    assert process.returncode not in (0, 2), "systemd starts it again (2 would mean: the configuration is wrong)"
    assert "a bug in a timer" in box.log.read_text()
    assert changed(before, held(office)) == []
    assert reaches(office)
    trigger.unlink()
    assert box.manager is not None
    box.until_ready()
    assert changed(before, held(office)) == []
    box.stop()


def test_killed_anywhere_around_a_switch_the_next_start_finds_a_way_and_sweeps_what_was_left(
    killed: Future[str],
) -> None:
    print(killed.result())
