"""Objects as JSON and back: the same, or a sentence."""

from __future__ import annotations

import json
import math
import random
from collections import deque
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.model import Failover, Family, Line, Network, Notify, Outcome, Profile, Site, Uplink, VerdictCode
from secondpath.wire.graph import MalformedError, UncarriedError, name_of, read, shapes_in, write


@dataclass(slots=True)
class Knot:
    """Something that may point to itself."""

    value: Any = None
    others: list[Any] = field(default_factory=list)


class Plain:
    """Without slots or fields."""

    def __init__(self) -> None:
        self.kept: dict[Line, deque[int]] = {}


class Pair(NamedTuple):
    """A tuple with names."""

    one: Any
    other: Any


Knot.__module__ = Plain.__module__ = Pair.__module__ = "secondpath.here"
KNOWN = (Knot, Plain, Pair, Failover, Family, Line, Network, Notify, Outcome, Profile, Site, Uplink, VerdictCode)
CLASSES = {name_of(kind): kind for kind in KNOWN}


def there_and_back(it: Any) -> Any:
    return read(json.loads(json.dumps(write(it), allow_nan=False)), CLASSES)


KEYS = st.one_of(st.text(max_size=5), st.integers(), st.builds(Line, st.text(max_size=3), st.sampled_from(Family)))
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5),
        st.sampled_from([*Family, *Outcome, *VerdictCode]), st.ip_addresses(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.lists(inner, max_size=3).map(deque),
        st.dictionaries(KEYS, inner, max_size=3),
        st.sets(KEYS, max_size=3),
        st.frozensets(KEYS, max_size=3),
        st.builds(Knot, inner, st.lists(inner, max_size=2)),
        st.builds(Pair, inner, inner),
    ),
    max_leaves=12,
)  # fmt: skip


@given(VALUES)
def test_whatever_is_written_is_read_again(it: Any) -> None:
    again = there_and_back(it)
    assert again == it
    assert repr(again) == repr(it) or isinstance(it, set | frozenset) or "{" in repr(it)


def test_words_that_are_equal_stay_those_of_their_own_enum() -> None:
    assert str(VerdictCode.OK) == str(Outcome.OK)
    again = there_and_back([VerdictCode.OK, Outcome.OK])
    assert [type(word) for word in again] == [VerdictCode, Outcome]


@pytest.mark.parametrize("number", [math.inf, -math.inf, 0.1 + 0.2, 5e-324, 1e308, 2**70, True, 1, 1.0, -0.0])
def test_numbers_are_exact(number: float) -> None:
    again = there_and_back(number)
    assert (again, type(again), math.copysign(1, again)) == (number, type(number), math.copysign(1, number))


@pytest.mark.parametrize(
    "it",
    [ip_address("192.0.2.1"), ip_network("2001:db8::/32"), ip_interface("192.0.2.1/24"), deque([1, 2], maxlen=2)],
)
def test_addresses_and_bounded_deques_are_what_they_were(it: Any) -> None:
    again = there_and_back(it)
    assert (again, type(again), getattr(again, "maxlen", 0)) == (it, type(it), getattr(it, "maxlen", 0))


def test_what_was_one_thing_is_one_thing_again() -> None:
    shared, plain = Knot(1), Plain()
    plain.kept[Line("cable", Family.IPV4)] = deque([1])
    again = there_and_back([shared, {"by name": shared}, plain, plain.kept, (shared,)])
    assert again[0] is again[1]["by name"] is again[4][0]
    assert again[2].kept is again[3]


def test_a_knot_may_hold_itself() -> None:
    knot = Knot()
    knot.others.append(knot)
    again = there_and_back(knot)
    assert again.others[0] is again


def test_what_must_not_be_told_is_not_written() -> None:
    secret = Site("Office", "", "", {}, (Uplink("cable", "wan0"),), (), notify=(Notify("mailto://x:pw@y", None, ()),))
    form = write([secret, secret.uplinks], {Site: {"notify": ()}})
    assert "pw" not in json.dumps(form)
    again = read(form, CLASSES)
    assert again[0].notify == ()
    assert again[0].uplinks[0] is again[1][0]


@pytest.mark.parametrize(
    "it", [random.Random(1), lambda: None, object(), b"bytes", 1j, range(3)], ids=lambda it: type(it).__name__
)
def test_what_has_no_form_is_refused_in_writing(it: object) -> None:
    with pytest.raises(UncarriedError, match="cannot be written down"):
        write([it])


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ([], "does not say what it is"),
        ([1, 2], "does not say what it is"),
        (["ref", 0], "refers to something"),
        (["list", ["ref", -1]], "refers to something"),
        (["list", ["ref", True]], "refers to something"),
        (["dict", 1], "a key without a value"),
        (["dict", ["list"], 1], "unhashable"),
        (["deque", "many"], "integer"),
        (["float", "1.0"], "1.0"),
        (["IPv4Address", 1], "not a text"),
        (["IPv4Address", "1.2.3"], "Expected 4 octets"),
        (["os.system", "true"], "nobody knows"),
        (["builtins.eval", "1"], "nobody knows"),
        ({"is": "subprocess.Popen", "args": ["list", "true"]}, "nobody knows"),
        ({"is": ["list"]}, "nobody knows"),
        ({"args": 1}, "nobody knows"),
        (["model.Outcome", "fine"], "not a valid Outcome"),
        (["model.Line", "cable"], "not written so"),
        ({"is": "model.Outcome", "value": "ok"}, "not written so"),
        ({"is": "model.Line", "uplink": "cable"}, "lacks its 'family'"),
        ({"is": "model.Line", "uplink": "a", "family": "b", "__class__": "c"}, "has no '__class__'"),
        ({"is": "here.Plain", "step": 1}, "'kept'"),
    ],
)
def test_what_stands_for_nothing_is_refused_with_a_sentence(form: Any, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        read(form, CLASSES, shapes_in(write(Plain())))


def test_what_is_nested_without_end_is_refused() -> None:
    form: Any = None
    for _ in range(100_000):
        form = ["list", form]
    with pytest.raises(MalformedError, match="nested too deeply"):
        read(form, CLASSES)
    while form is not None:  # its end would be as deep
        form = form[1]
