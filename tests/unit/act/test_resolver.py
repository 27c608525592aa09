"""What the office's resolver is told. Its golden text is one that dnsmasq itself has read (`--test`)."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
from tests.office import site
from tests.unit.act.offices import ground, recognising, steering

from secondpath.act.resolver import resolver_text, servers_of, servers_text
from secondpath.model import Family, Line, Resolver, Site

GOLDEN = Path(__file__).parents[2] / "golden" / "act" / "dnsmasq.conf"
OFFICE = recognising()
OWN = ip_address("198.51.100.53")


def text_of(a_site: Site, user: str = "") -> str:
    return resolver_text(a_site, ground(a_site).idents, "/run/secondpath/resolver/servers", user)


def test_it_reads_like_this() -> None:
    told = replace(OFFICE, resolver=Resolver(canaries=("use-application-dns.net",)))
    if os.environ.get("SECONDPATH_GOLDEN") == "write":
        GOLDEN.write_text(text_of(told), encoding="utf-8")
    assert text_of(told) == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.skipif(not shutil.which("dnsmasq", path="/usr/sbin:/usr/bin"), reason="apt-get install dnsmasq-base")
def test_dnsmasq_takes_it(tmp_path: Path) -> None:
    (tmp_path / "servers").write_text(servers_text(OFFICE, steering(OFFICE, "cable", "lte")))
    config = tmp_path / "dnsmasq.conf"
    config.write_text(resolver_text(OFFICE, ground(OFFICE).idents, str(tmp_path / "servers"), "root"))
    done = subprocess.run(
        ["/usr/sbin/dnsmasq", "--test", f"--conf-file={config}"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (0, "dnsmasq: syntax check OK.")


def test_an_office_without_the_table_has_none() -> None:
    assert text_of(replace(OFFICE, resolver=None)) == ""


def test_it_answers_inside_and_nowhere_else() -> None:
    lines = text_of(OFFICE).splitlines()
    assert [line for line in lines if line.startswith("interface=")] == [
        f"interface={n.interface}" for n in OFFICE.networks
    ]
    assert "bind-dynamic" in lines
    assert "except-interface=lo" in lines
    assert not any(u.interface in line for u in OFFICE.uplinks for line in lines)


def test_hints_are_left_out_and_canaries_named_as_the_configuration_says() -> None:
    assert "filter-rr=HTTPS" in text_of(OFFICE)
    other = text_of(replace(OFFICE, resolver=Resolver(hide_hints=False, canaries=("mask.icloud.com",))))
    assert "filter-rr" not in other
    assert "address=/mask.icloud.com/" in other


def test_whom_to_ask_follows_the_uplink_of_each_family_and_is_bound_to_it() -> None:
    by = steering(OFFICE, "lte", "cable")
    assert [line for line in servers_text(OFFICE, by).splitlines() if line.startswith("server=")] == [
        "server=192.0.2.3@wwan0"
    ], "the office's targets name a resolver for IPv4 alone"
    cable, lte = OFFICE.uplinks
    own = replace(OFFICE, uplinks=(replace(cable, resolvers=(OWN,)), lte))
    assert servers_of(own, "cable", Family.IPV4) == (OWN,)
    assert f"server={OWN}@wan0" in servers_text(own, steering(own, "cable", None))
    assert str(OWN) not in servers_text(own, steering(own, "lte", None)), "it answers by its own uplink only"


def test_a_mute_server_is_left_out_while_another_answers() -> None:
    two = replace(site(), resolver=Resolver((OWN, ip_address("192.0.2.3"))))
    cable = Line("cable", Family.IPV4)
    by = steering(two, "cable", "cable")
    assert str(OWN) not in servers_text(two, by, frozenset({(cable, OWN)}))
    all_mute = frozenset({(cable, OWN), (cable, ip_address("192.0.2.3"))})
    assert servers_text(two, by, all_mute) == servers_text(two, by)
