"""The search for the largest packet, against paths of every kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.examine.mtu import FLOORS, WIDTH, WIDTH_METERED, Search, begin
from secondpath.model import Family

ROUNDS_MOST = 6
"""Of a quarter of a second each, an interface of 1500 bytes must not take longer."""


def searched(search: Search, passes: Callable[[int], bool], says: int | None = None) -> tuple[Search, int, int]:
    """The search at its end, the rounds it took, and the bytes it sent when what passed not was asked twice."""
    rounds, octets = 0, 0
    while not search.done:
        sizes = search.sizes()
        assert sizes and all(search.low < size < search.high for size in sizes)
        octets += sum(size if passes(size) else 2 * size for size in sizes)
        told = [says] if says is not None and not all(map(passes, sizes)) else []
        search = search.after([size for size in sizes if passes(size)], told)
        rounds += 1
        assert rounds < 40
    return search, rounds, octets


@given(st.sampled_from(Family), st.booleans(), st.data())
def test_the_true_size_is_found_on_any_silent_path(family: Family, metered: bool, data: st.DataObject) -> None:
    interface = data.draw(st.integers(FLOORS[family], 9000))
    true = data.draw(st.integers(FLOORS[family], interface))
    found, _, _ = searched(begin(family, interface, metered=metered), lambda size: size <= true)
    assert found.path_bytes == true


@given(st.sampled_from(Family), st.booleans(), st.integers(1280, 1500))
def test_it_is_quick_and_cheap_on_an_ordinary_interface(family: Family, metered: bool, true: int) -> None:
    _, rounds, octets = searched(begin(family, 1500, metered=metered), lambda size: size <= true)
    assert rounds <= ROUNDS_MOST
    assert octets <= (40_000 if metered else 80_000)


@pytest.mark.parametrize("family", list(Family))
def test_a_path_that_carries_all_is_asked_once(family: Family) -> None:
    found, rounds, octets = searched(begin(family, 1500), lambda size: True)
    assert (found.path_bytes, rounds, octets) == (1500, 1, 1500)


@given(st.sampled_from(Family), st.integers(1280, 1499))
def test_a_router_that_names_its_limit_spares_the_search(family: Family, true: int) -> None:
    found, rounds, _ = searched(begin(family, 1500), lambda size: size <= true, says=true)
    assert (found.path_bytes, found.told, rounds) == (true, true, 2)


@given(st.sampled_from(Family), st.integers(1280, 1500), st.integers(0, 70_000))
def test_a_router_that_lies_never_makes_a_size_true_that_does_not_pass(family: Family, true: int, lie: int) -> None:
    found, _, _ = searched(begin(family, 1500), lambda size: size <= true, says=lie)
    assert found.path_bytes is None or found.path_bytes <= true


@pytest.mark.parametrize("width", [WIDTH, WIDTH_METERED])
def test_where_nothing_comes_back_nothing_is_claimed(width: int) -> None:
    found, _, _ = searched(Search(67, 1501, width), lambda size: False)
    assert found.path_bytes is None


@given(st.sampled_from(Family), st.integers(1280, 1500), st.integers(0, 99))
def test_a_size_that_passes_after_all_opens_the_search_again(family: Family, true: int, lost: int) -> None:
    """Losses make every size fail for a while; then the least that failed is asked again, until nothing is doubtful."""
    left = lost

    def passes(size: int) -> bool:
        nonlocal left
        left -= 1
        return size <= true and left < 0

    search = begin(family, 1500)
    while not search.done:
        search, _, _ = searched(search, passes)
        left = 0
        if search.high <= 1500 and search.high <= true:
            search = search.reopened(1500)
    assert search.path_bytes == true


def test_a_lost_echo_below_a_proven_size_changes_nothing() -> None:
    search = begin(Family.IPV4, 1500).after([])
    assert 1400 in search.sizes() and 1280 in search.sizes()
    assert search.after([1400]).low == 1400
