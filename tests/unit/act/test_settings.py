"""The sysctls of a router with several uplinks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from secondpath.act.settings import wanted_settings

FORWARD4, FORWARD6 = "net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"
UPLINKS = frozenset({"wan0", "wwan0"})


def rp(interface: str) -> str:
    return f"net/ipv4/conf/{interface}/rp_filter"


def ra(interface: str) -> str:
    return f"net/ipv6/conf/{interface}/accept_ra"


def test_forwarding_is_switched_on() -> None:
    wanted = wanted_settings(UPLINKS, {FORWARD4: "0", FORWARD6: "0"})
    assert wanted[FORWARD4] == wanted[FORWARD6] == "1"


def test_a_kernel_without_ipv6_is_not_asked_for_it() -> None:
    assert FORWARD6 not in wanted_settings(UPLINKS, {FORWARD4: "0"})


def test_advertisements_are_heeded_before_forwarding_would_purge_what_they_taught() -> None:
    order = list(wanted_settings(UPLINKS, {FORWARD6: "0", ra("wan0"): "1", ra("wwan0"): "1"}))
    assert max(order.index(ra("wan0")), order.index(ra("wwan0"))) < order.index(FORWARD6)


def test_advertisements_stay_ignored_where_somebody_switched_them_off_and_on_other_interfaces() -> None:
    assert wanted_settings(UPLINKS, {ra("wan0"): "0", ra("lan0"): "1"}) == {rp("all"): "0"}


def test_uplinks_are_not_filtered_and_all_others_keep_what_was_in_force() -> None:
    found = {rp("all"): "2", rp("wan0"): "0", rp("wwan0"): "1", rp("lan0"): "0", rp("tun0"): "1", rp("default"): "2"}
    wanted = wanted_settings(UPLINKS, found)
    assert wanted[rp("all")] == wanted[rp("wan0")] == wanted[rp("wwan0")] == "0"
    assert wanted[rp("lan0")] == wanted[rp("tun0")] == "2"
    assert rp("default") not in wanted


VALUES = st.sampled_from(["0", "1", "2"])
FOUND = st.fixed_dictionaries(
    {FORWARD4: VALUES, FORWARD6: VALUES, **{rp(i): VALUES for i in ("all", "default", "wan0", "wwan0", "lan0")}}
)


@given(FOUND)
def test_no_interface_but_an_uplink_is_filtered_less_than_before_and_settings_come_to_rest(
    found: dict[str, str],
) -> None:
    held = found | wanted_settings(UPLINKS, found)
    for interface in ("lan0", "default"):
        before = max(int(found[rp("all")]), int(found[rp(interface)]))
        assert max(int(held[rp("all")]), int(held[rp(interface)])) == before
    assert {**held, **wanted_settings(UPLINKS, held)} == held


def test_what_flows_move_is_counted() -> None:
    account = "net/netfilter/nf_conntrack_acct"
    assert wanted_settings(UPLINKS, {account: "0"})[account] == "1"
    assert account not in wanted_settings(UPLINKS, {}), "conntrack is not loaded yet, or does not count"
