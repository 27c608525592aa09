"""Shaping on a real kernel: who is queued where, what comes back, what is left alone, and how a call sounds."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from tests.netns.conftest import a_name
from tests.patience import PATIENCE_S

from secondpath.lab.box import Box, config_of
from secondpath.lab.office import Office
from secondpath.lab.switchboard import Heard, Switchboard
from secondpath.lab.topology import Topology, find_topology, with_rates

pytestmark = [pytest.mark.netns]

PHONES = """
[[application]]
name = "Phones"
class = "voice"
match = { servers = ["192.0.2.10"], ports = ["udp/10000-20000"] }
test = "sips://192.0.2.10:5061"
"""
VOICE, OFFICE, OWN = "1", "5", "f0"


def rated(topology: Topology, uplink: str, megabits: float) -> str:
    """The configuration of an office that knows what this uplink carries."""
    rates = f'down = "{megabits:g} Mbit/s"\nup = "{megabits:g} Mbit/s"\n'
    return config_of(topology).replace(f'name = "{uplink}"\n', f'name = "{uplink}"\n{rates}') + PHONES


@pytest.fixture
def shaped(office: Office) -> Iterator[Box]:
    """The standard office with a cable of 20 Mbit/s, its gateway running and all well."""
    with Box.of(office, rated(office.topology, "cable", 20)) as running:
        running.until_well()
        yield running


def tc(office: Office, *words: str) -> str:
    return office.run("gw", ["tc", *words]).stdout


def sent(office: Office, device: str) -> dict[str, int]:
    """Packets that each class of a device's tree has sent, by minor number."""
    shown = tc(office, "-s", "class", "show", "dev", device)
    return {m[1]: int(m[2]) for m in re.finditer(r"class htb 7100:(\w+) .*\n Sent \d+ bytes (\d+) pkt", shown)}


def grown(office: Office, device: str, before: dict[str, int]) -> set[str]:
    """The leaves that have sent something since."""
    return {minor for minor, packets in sent(office, device).items() if packets > before[minor]} - {"fe", "ff"}


def leaves(office: Office) -> list[str]:
    """Every qdisc with the handle that it was given when it was made: what is made anew has others."""
    return sorted(line for line in tc(office, "qdisc", "show").splitlines() if "7100:" in line)


def is_whole(office: Office) -> bool:
    filters = [tc(office, "filter", "show", "dev", inside, "egress") for inside in ("lan0", "guest0")]
    turned = all("Redirect to device spdown1" in shown for shown in filters)
    up = "UP" in office.run("gw", ["ip", "-br", "link", "show", "spdown1"]).stdout
    return turned and up and all(len(sent(office, device)) == 12 for device in ("wan0", "spdown1"))


def shaping_of(box: Box, uplink: str) -> Any:
    return next(u["shaping"] for u in box.status()["uplinks"] if u["name"] == uplink)


def known(box: Box) -> bool:
    return all(application["addresses"] for application in box.status()["applications"])


# ── Who is queued where ──────────────────────────────────────────────────────────────


def test_each_class_has_its_queue_both_ways_and_the_gateways_own_questions_have_theirs(shaped: Box) -> None:
    office = shaped.office
    assert shaping_of(shaped, "cable") == {
        "down": {"by": "htb+pfifo", "rate_bps": 17_000_000},
        "up": {"by": "htb+pfifo", "rate_bps": 19_000_000},
        "why_not": [],
    }
    assert shaping_of(shaped, "lte") is None, "no rate of it is known"
    shaped.until(lambda: known(shaped), PATIENCE_S, "the phones' server is known")
    for target, leaf in (("192.0.2.1", OFFICE), ("2001:db8:ff::1", OFFICE)):
        up, down = sent(office, "wan0"), sent(office, "spdown1")
        assert office.run("staff", ["ping", "-c", "2", "-i", "0.1", "-W", "2", target]).returncode == 0
        assert leaf in grown(office, "wan0", up)
        assert grown(office, "spdown1", down) == {leaf}
    up, down = sent(office, "wan0"), sent(office, "spdown1")
    with Switchboard(office) as board:
        call = board.call(1)
        shaped.until(lambda: sent(office, "spdown1")[VOICE] > down[VOICE] + 10, PATIENCE_S, "a call is heard")
        call.end()
    assert sent(office, "wan0")[VOICE] > up[VOICE] + 10
    up = sent(office, "wan0")
    shaped.until(lambda: sent(office, "wan0")[OWN] > up[OWN], PATIENCE_S, "the gateway has asked something")


def test_what_networks_inside_send_each_other_does_not_pass_the_shaper(shaped: Box) -> None:
    """From guests to staff only answers go; so staff ask, and guests answer."""
    down = sent(shaped.office, "spdown1")
    assert shaped.office.run("staff", ["ping", "-c", "3", "-i", "0.1", "10.44.20.10"]).returncode == 0
    assert grown(shaped.office, "spdown1", down) == set()


# ── What survives, and what comes back ───────────────────────────────────────────────


@pytest.mark.parametrize(
    "deed",
    [
        ["tc", "qdisc", "del", "dev", "wan0", "root"],
        ["ip", "link", "del", "spdown1"],
        ["ip", "link", "set", "spdown1", "down"],
        ["tc", "filter", "del", "dev", "lan0", "egress"],
        ["tc", "qdisc", "del", "dev", "guest0", "clsact"],
    ],
    ids=" ".join,
)
def test_what_somebody_takes_away_is_put_back_at_once(shaped: Box, deed: list[str]) -> None:
    assert is_whole(shaped.office)
    assert shaped.office.run("gw", deed).returncode == 0
    shaped.until(lambda: is_whole(shaped.office), 3.0, "it is shaped as before: sooner than the kernel is compared")


def test_a_crash_leaves_it_shaping_and_the_next_start_takes_it_over_as_it_is(shaped: Box) -> None:
    office, before = shaped.office, leaves(shaped.office)
    shaped.stop(signal.SIGKILL)
    assert is_whole(office)
    assert office.run("staff", ["ping", "-c", "1", "-W", "2", "192.0.2.1"]).returncode == 0
    shaped.start()
    shaped.until_well()
    assert leaves(office) == before
    assert shaping_of(shaped, "cable")["up"]["rate_bps"] == 19_000_000


def test_another_rate_is_taken_over_in_place_and_without_a_rate_nothing_is_left(shaped: Box) -> None:
    office, before = shaped.office, leaves(shaped.office)
    text = shaped.config.read_text()
    shaped.config.write_text(text.replace("20 Mbit/s", "12 Mbit/s"))
    assert office.run("gw", shaped.argv("reload")).returncode == 0
    assert shaping_of(shaped, "cable")["down"]["rate_bps"] == 10_200_000
    assert "rate 10200Kbit" in tc(office, "class", "show", "dev", "spdown1")
    assert leaves(office) == before, "no queue was made anew"
    shaped.config.write_text(text.replace('down = "20 Mbit/s"\nup = "20 Mbit/s"\n', ""))
    assert office.run("gw", shaped.argv("reload")).returncode == 0
    assert (leaves(office), "clsact" in tc(office, "qdisc", "show")) == ([], False)
    assert "spdown" not in office.run("gw", ["ip", "link"]).stdout
    assert "priority set" not in office.run("gw", ["nft", "list", "table", "inet", "secondpath"]).stdout


# ── What is left alone ───────────────────────────────────────────────────────────────


def test_what_others_have_put_there_stays_is_told_and_outlives_our_clearing(office: Office) -> None:
    """Somebody's own shaper on the uplink, and somebody's own filter inside."""
    for line in (
        "qdisc add dev wan0 root handle 1: htb default 1",
        "class add dev wan0 parent 1: classid 1:1 htb rate 1gbit",
        "qdisc add dev lan0 clsact",
        "filter add dev lan0 ingress pref 9 protocol all u32 match u32 0 0 flowid 1:1",
    ):
        assert office.run("gw", ["tc", *line.split()]).returncode == 0
    with Box.of(office, rated(office.topology, "cable", 20)) as box:
        box.until_well()
        told = shaping_of(box, "cable")
        assert (told["up"], told["down"]["by"]) == (None, "htb+pfifo")
        assert told["why_not"] == ["somebody else's htb 1: is on wan0, and stays"]
        assert "somebody else's htb" in office.run("gw", box.argv("status")).stdout
    assert office.run("gw", box.argv("clear")).returncode == 0
    shown = tc(office, "qdisc", "show")
    assert "htb 1: dev wan0 root" in shown
    assert "clsact ffff: dev lan0" in shown
    assert "clsact ffff: dev guest0" not in shown, "that one was ours"
    assert "pref 9" in tc(office, "filter", "show", "dev", "lan0", "ingress")
    assert "7101" not in tc(office, "filter", "show", "dev", "lan0", "egress")
    assert "spdown" not in office.run("gw", ["ip", "link"]).stdout


# ── How it sounds ────────────────────────────────────────────────────────────────────


def until_carried(box: Box, octets: int, words: str) -> None:
    """Wait until the cable has carried so many bytes more, each way: at 10 Mbit/s no less than 0.8 s a megabyte."""

    def carried() -> tuple[int, int]:
        counters = box.office.counters("cable")
        return counters["to_office"].octets, counters["from_office"].octets

    before = carried()
    box.until(lambda: all(now > then + octets for now, then in zip(carried(), before, strict=True)), 60.0, words)


def heard_on_a_full_line(megabits: float | None) -> tuple[Heard, list[str]]:
    """Two calls on a cable of 10 Mbit/s that downloads and uploads fill; what the events were meanwhile."""
    topology = with_rates(find_topology("office"), "cable", down_bps=10_000_000, up_bps=10_000_000)
    text = rated(topology, "cable", megabits) if megabits else config_of(topology) + PHONES
    with Office.up(topology, a_name()) as office, Box.of(office, text) as box, Switchboard(office) as board:
        box.until_well()
        box.until(lambda: known(box), PATIENCE_S, "the phones' server is known")
        office.inject("bloat-10", "cable")
        board.load(4, 4)
        until_carried(box, 5_000_000, "the line is full both ways")
        call = board.call(2)
        until_carried(box, 8_000_000, "people have talked for as long as that takes")
        heard = call.end()
        assert box.uses() == box.uses("ipv6") == "cable"
        return heard, [event["event"] for event in box.status()["events"]]


@pytest.mark.alone
def test_a_call_on_a_line_that_people_fill_both_ways_sounds_well_because_it_is_shaped() -> None:
    """Unshaped, the same line has a second of queue before every word."""
    shaped, events = heard_on_a_full_line(10)
    bare, unshaped = heard_on_a_full_line(None)
    for sounds, others in ((shaped.up, bare.up), (shaped.down, bare.down)):
        late = max(sound.delay_p99_s for sound in sounds)
        assert late * 3 < max(sound.delay_p99_s for sound in others)
        assert max(sound.loss_ratio for sound in sounds) <= 0.01
    assert shaped.worst.opinion >= 4.0 > bare.worst.opinion
    assert not [event for event in (*events, *unshaped) if event.startswith(("steering.", "application."))]


def test_calls_in_progress_make_room_for_themselves_on_a_small_line(office: Office) -> None:
    """Downwards the queue is the provider's: what calls need is lent to nobody while they last."""
    with Box.of(office, rated(office.topology, "cable", 4)) as box, Switchboard(office) as board:
        box.until_well()
        box.until(lambda: known(box), PATIENCE_S, "the phones' server is known")
        before = leaves(office)
        assert "ceil 3400Kbit" in class_line(office, "spdown1", "fe")
        call = board.call(2)
        box.until(lambda: "ceil 1932Kbit" in class_line(office, "spdown1", "fe"), 5.0, "two calls have their room")
        assert "ceil 3800Kbit" in class_line(office, "wan0", "fe"), "upwards order is enough"
        heard = call.end()
        assert heard.worst.opinion >= 4.0
        box.until(lambda: "ceil 3400Kbit" in class_line(office, "spdown1", "fe"), 40.0, "it is lent again")
        assert leaves(office) == before, "no queue was made anew"


def test_a_cellular_line_that_carries_less_than_its_contract_is_followed_down_and_up() -> None:
    """The contract says 20 Mbit/s, the line carries 5 and queues a second of the rest; later it is itself again."""
    topology = with_rates(find_topology("office"), "cable", down_bps=20_000_000, up_bps=20_000_000)
    text = rated(topology, "cable", 20).replace('name = "cable"\n', 'name = "cable"\ntechnology = "cellular"\n')

    def down_bps() -> int:
        return int(shaping_of(box, "cable")["down"]["rate_bps"])

    def knows() -> bool:
        return all(len(box.status()["evidence"]["rungs"].get(f"cable/{f}", {})) >= 4 for f in ("ipv4", "ipv6"))

    with Office.up(topology, a_name()) as office, Box.of(office, text) as box, Switchboard(office) as board:
        box.until_well()
        box.until(knows, 60.0, "it knows how quickly the line answers")
        assert down_bps() == 17_000_000
        office.inject("bloat-5", "cable")
        board.load(4, 0)
        box.until(lambda: down_bps() < 6_000_000, 60.0, "what it carries now is found")
        office.heal("bloat-5", "cable")
        box.until(lambda: down_bps() > 10_000_000, 120.0, "what it carries again is found")
        assert box.uses() == box.uses("ipv6") == "cable"


def class_line(office: Office, device: str, minor: str) -> str:
    shown = tc(office, "class", "show", "dev", device).splitlines()
    return next(line for line in shown if f"7100:{minor} " in line)
