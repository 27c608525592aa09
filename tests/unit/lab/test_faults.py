"""The catalogue of faults, read as text: names, arguments, sentences, and that healing is the inverse."""

import re

import pytest

from secondpath.lab import faults
from secondpath.lab.changes import Lines, Nft, Order
from secondpath.lab.errors import LabError
from secondpath.lab.topology import TOPOLOGIES, without_delay

OFFICE = TOPOLOGIES["office"]


def example(pattern: str) -> str:
    """A usable name for an entry of the catalogue."""
    return re.sub("N$", "20", pattern).replace("ADDR", "192.0.2.1")


@pytest.mark.parametrize("pattern", faults.FAULTS)
def test_every_fault_can_be_found_injected_and_healed(pattern: str) -> None:
    place, fault = faults.place(OFFICE, example(pattern), "cable")
    assert fault is faults.FAULTS[pattern]
    assert fault.words.endswith(".")
    assert fault.inject(place)
    assert fault.heal(place)
    assert fault.inject(place) != fault.heal(place)


@pytest.mark.parametrize("pattern", faults.FAULTS)
def test_every_table_a_fault_adds_is_deleted_by_its_healing_and_nothing_else_is(pattern: str) -> None:
    place, fault = faults.place(OFFICE, example(pattern), "cable")
    added = {(c.host, t) for c in fault.inject(place) if isinstance(c, Nft) for t in tables(c.text, "")}
    deleted = {(c.host, t) for c in fault.heal(place) if isinstance(c, Nft) for t in tables(c.text, "delete ")}
    assert added == deleted
    assert all(table.split()[1].startswith("fault-") for _, table in added)


def tables(text: str, verb: str) -> list[str]:
    return re.findall(rf"^{verb}table (\S+ \S+)", text, re.MULTILINE)


def test_two_faults_on_one_uplink_have_tables_of_their_own() -> None:
    one, other = (faults.place(OFFICE, name, "cable")[0].table for name in ("loss-5", "loss-30"))
    assert one != other


def test_loss_is_half_each_way_so_that_round_trips_lose_what_the_name_says() -> None:
    place, fault = faults.place(OFFICE, "loss-36", "cable")
    (change,) = fault.inject(place)
    assert isinstance(change, Nft)
    assert "numgen random mod 10000 < 2000 drop" in change.text  # 1 - 0.8 x 0.8 = 0.36


def test_delay_is_half_each_way_and_healed_to_nothing() -> None:
    place, fault = faults.place(OFFICE, "delay+300", "lte")
    assert fault.inject(place) == (Order("relay-lte", {"extra_s": 0.15}),)
    assert fault.heal(place) == (Order("relay-lte", {"extra_s": 0.0}),)


def test_a_rate_is_healed_to_the_contract_or_to_none() -> None:
    place, fault = faults.place(OFFICE, "rate-2", "cable")
    (healed,) = fault.heal(place)
    assert isinstance(healed, Lines)
    assert healed.lines == ("qdisc del dev access root", "qdisc del dev core root")


@pytest.mark.parametrize(
    ("name", "uplink", "sentence"),
    [
        ("cabel-cut", "cable", r"no fault called 'cabel-cut'\. Did you mean 'cable-cut'\?"),
        ("loss-", "cable", "no fault called 'loss-'"),
        ("loss-120", "cable", "more than 100 % cannot be lost"),
        ("rate-0", "cable", "use 'blackhole'"),
        ("target-dead:1.2.3", None, "'1.2.3' is not an IP address"),
        ("blackhole", None, r"say which one \(cable, lte\)"),
        ("blackhole", "fibre", "no uplink called 'fibre'"),
        ("blackhole; flush ruleset", "cable", "no fault called"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(name: str, uplink: str | None, sentence: str) -> None:
    with pytest.raises(LabError, match=sentence):
        faults.place(OFFICE, name, uplink)


def test_delay_without_a_relay_is_refused_in_a_sentence() -> None:
    place, fault = faults.place(without_delay(OFFICE), "delay+300", "cable")
    with pytest.raises(LabError, match="built without one"):
        fault.inject(place)


def test_a_fault_of_a_server_belongs_to_no_uplink() -> None:
    place, _ = faults.place(OFFICE, "target-dead:2001:db8:ff::1", "cable")
    assert place.uplink_name is None
    assert place.argument == "2001:db8:ff::1"
