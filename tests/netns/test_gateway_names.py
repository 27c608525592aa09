"""Who is who on the real kernel: the first packet of a first flow, by the office's own resolver and past it.

The faults that others' users met: an answer from the cache does not come back into an emptied set, a second answer does
not renew an address (https://github.com/NethServer/nethsecurity/issues/1373,
https://github.com/pymumu/smartdns/issues/2453), a reload of the table empties what dnsmasq filled.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.netns.conftest import a_name
from tests.patience import PATIENCE_S

from secondpath.lab.box import Box, config_of
from secondpath.lab.office import Office
from secondpath.lab.topology import find_topology
from secondpath.model import CLASSES
from secondpath.wire.messages import Verb

pytestmark = pytest.mark.netns

ASKER = Path(__file__).with_name("names_asker.py")
OURS = {"ipv4": "10.44.10.1", "ipv6": "fd44:10::1"}
OUTSIDE = {"ipv4": "192.0.2.3", "ipv6": "2001:db8:ff::3"}
KNOWN = """
[resolver]

[[application]]
name = "Many"
class = "line-of-business"
match = { domains = ["many.example"] }

[[application]]
name = "Desktops"
class = "remote-access"
match = { ports = ["udp/3389"] }
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    topology = find_topology("office")
    text = config_of(topology).replace('interface = "lan0"\n', 'interface = "lan0"\ntrust_dscp = true\n') + KNOWN
    with Office.up(topology, a_name()) as office, Box.of(office, text) as running:
        running.until_well()
        running.until(lambda: resolver(running)["running"], PATIENCE_S, "the resolver runs")
        yield running
        running.stop()
        office.run("gw", running.argv("clear"))


def recognition(box: Box) -> dict[str, Any]:
    return dict(box.status()["evidence"]["recognition"])


def resolver(box: Box) -> dict[str, Any]:
    return dict(recognition(box)["resolver"])


def addresses(box: Box) -> int:
    return next(int(a["addresses"]) for a in box.status()["applications"] if a["name"] == "Many")


def ask(box: Box, server: str, first: int, last: int, *more: str, host: str = "staff") -> int:
    done = box.office.run(host, [sys.executable, str(ASKER), server, str(first), str(last), *more])
    return int(done.stdout or 0)


def classes(box: Box, first: int, last: int, family: str = "ipv4", port: int = 4000) -> list[str]:
    """The classes of the flows to the addresses of these numbers, as their marks say."""
    listed = box.office.run("gw", ["conntrack", "-L", "-f", family, "-p", "udp", "--dport", str(port)]).stdout
    marks = dict(re.findall(r"dst=(\S+) .*?mark=(\d+)", listed))
    names = {c.ident: c.name for c in CLASSES.values()}
    wanted = [
        (f"198.19.{n // 250}.{n % 250 + 1}" if family == "ipv4" else f"2001:db8:ff:1::{n + 1:x}")
        for n in range(first, last)
    ]
    return [names.get(int(marks.get(a, 0)) >> 8 & 0x7F, "none") for a in wanted]


def pid_of(box: Box) -> int:
    """The resolver's number. It writes the file itself as it starts: for a moment there is none, or an empty one."""
    told: list[str] = []

    def read() -> bool:
        with contextlib.suppress(FileNotFoundError):
            told.append((box.run_dir / "resolver" / "dnsmasq.pid").read_text().strip())
        return bool(told and told[-1])

    box.until(read, PATIENCE_S, "the resolver says its number")
    return int(told[-1])


def said(box: Box, name: str, kind: str, server: str = OURS["ipv4"]) -> tuple[str, int]:
    """How a question ended, and with how many records."""
    code = (
        "import sys,dns.message,dns.query,dns.rcode\n"
        "a=dns.query.udp(dns.message.make_query(sys.argv[1],sys.argv[2]),sys.argv[3],timeout=3)\n"
        "print(dns.rcode.to_text(a.rcode()),len(a.answer))"
    )
    done = box.office.run("staff", [sys.executable, "-c", code, name, kind, server])
    word, _, count = done.stdout.strip().partition(" ")
    return word, int(count or 0)


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_the_first_packet_of_a_first_flow_is_in_the_right_class(box: Box, family: str) -> None:
    assert ask(box, OURS[family], 0, 60) == 60
    got = classes(box, 0, 60, family)
    assert got.count("line-of-business") == 60, got


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_past_the_resolver_an_address_is_known_a_moment_later(box: Box, family: str) -> None:
    before = addresses(box)
    assert ask(box, OUTSIDE[family], 100, 110) == 10
    box.until(lambda: addresses(box) == before + 10, PATIENCE_S, "all answers were read")
    later = box.office.run("staff", ["python3", "-c", _SEND, *_addresses_of(100, 110, family)])
    assert later.returncode == 0
    assert classes(box, 100, 110, family, 4001) == ["line-of-business"] * 10


_SEND = (
    "import socket,sys\n"
    "for a in sys.argv[1:]:\n"
    "  s=socket.socket(socket.AF_INET6 if ':' in a else socket.AF_INET,socket.SOCK_DGRAM); s.sendto(b'x',(a,4001))"
)


def _addresses_of(first: int, last: int, family: str) -> list[str]:
    return [
        (f"198.19.{n // 250}.{n % 250 + 1}" if family == "ipv4" else f"2001:db8:ff:1::{n + 1:x}")
        for n in range(first, last)
    ]


def test_what_nobody_knows_is_the_office_unless_its_port_or_its_trusted_dscp_tells(box: Box) -> None:
    send = (
        "import socket\n"
        "for n,(port,tos) in enumerate([(4002,0),(3389,0),(4002,0xb8),(4002,0x20)],1):\n"
        "  s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.setsockopt(0,socket.IP_TOS,tos)\n"
        "  s.sendto(b'x',(f'198.19.20.{n}',port))"
    )
    before = recognition(box)
    box.office.run("staff", ["python3", "-c", send])
    listed = box.office.run("gw", ["conntrack", "-L", "-p", "udp"]).stdout
    marks = {a: int(m) >> 8 & 0x7F for a, m in re.findall(r"dst=(198\.19\.20\.\d) .*?mark=(\d+)", listed)}
    names = {c.ident: c.name for c in CLASSES.values()}
    assert [names[marks[f"198.19.20.{n}"]] for n in (1, 2, 3, 4)] == ["office", "remote-access", "voice", "bulk"]
    after = recognition(box)
    assert after["flows"] - before["flows"] >= 4
    assert after["unrecognised"] - before["unrecognised"] >= 1


def test_what_guests_are_answered_teaches_nothing(box: Box) -> None:
    before = addresses(box)
    assert ask(box, OUTSIDE["ipv4"], 200, 205, host="guest") == 5
    assert ask(box, OUTSIDE["ipv4"], 210, 211) == 1
    box.until(lambda: addresses(box) == before + 1, PATIENCE_S, "staff's answer is read, which came after theirs")


def test_browsers_and_devices_are_told_not_to_go_round_it(box: Box) -> None:
    assert said(box, "use-application-dns.net", "A") == ("NXDOMAIN", 0)
    assert said(box, "mask.icloud.com", "AAAA") == ("NXDOMAIN", 0)
    assert said(box, "www.example.com", "A") == ("NOERROR", 1)
    assert said(box, "www.example.com", "A", OURS["ipv6"]) == ("NOERROR", 1), "it listens on IPv6 too"


def test_addresses_outlive_a_reload_a_lost_table_and_a_crash(box: Box) -> None:
    """dnsmasq answers from its cache then, and would not fill its sets again."""
    ask(box, OURS["ipv4"], 0, 5)
    box.until(lambda: addresses(box) > 0, PATIENCE_S, "they are known")
    known = addresses(box)
    box.config.write_text(box.config.read_text() + '\n[failover]\nhold = "61s"\n')
    assert box.office.run("gw", box.argv("reload")).returncode == 0
    assert addresses(box) == known
    box.office.run("gw", ["nft", "delete", "table", "inet", "secondpath"])
    box.until(lambda: in_kernel(box) == known, PATIENCE_S, "the table is back with all of them")
    box.until(lambda: str(known) in remembered(box), 30.0, "they are written down")
    box.stop(signal.SIGKILL)
    box.start()
    assert addresses(box) == known
    assert in_kernel(box) == known


def in_kernel(box: Box) -> int:
    maps = [
        box.office.run("gw", ["nft", "list", "map", "inet", "secondpath", f"application_of{v}"]).stdout for v in "46"
    ]
    return sum(len(re.findall(r": jump class_line_of_business", m)) for m in maps)


def remembered(box: Box) -> str:
    code = (
        "import json,sqlite3,sys\n"
        "db=sqlite3.connect(sys.argv[1])\n"
        "t=[json.loads(v) for k,v in db.execute('select * from memory') if k=='engine']\n"
        "print(len(t[0].get('seen',{}).get('many.example',{})) if t else 0)"
    )
    return subprocess.run(
        [sys.executable, "-c", code, str(box.state_dir / "book.db")], capture_output=True, text=True, check=False
    ).stdout


def test_a_resolver_that_dies_is_begun_again(box: Box) -> None:
    pid = pid_of(box)
    os.kill(pid, signal.SIGKILL)
    took = box.until(lambda: pid_of(box) != pid and said(box, "www.example.com", "A")[1] == 1, PATIENCE_S, "it answers")
    print(f"answered again after {took:.2f} s")


def test_our_death_leaves_it_running_and_the_next_life_takes_it_over(box: Box) -> None:
    pid = pid_of(box)
    box.stop(signal.SIGKILL)
    assert said(box, "www.example.com", "A") == ("NOERROR", 1)
    box.start()
    box.until(lambda: resolver(box)["running"], PATIENCE_S, "it is adopted")
    assert pid_of(box) == pid
    assert said(box, "www.example.com", "A") == ("NOERROR", 1)


def test_it_follows_the_uplink_and_nothing_is_forgotten_by_a_switch(box: Box) -> None:
    office = box.office
    ask(box, OURS["ipv4"], 0, 5)
    known = addresses(box)
    office.inject("cable-cut", "cable")
    try:
        box.until(lambda: box.uses() == "lte", PATIENCE_S, "the office moves")
        took = box.until(
            lambda: said(box, f"a{os.getpid()}.www.example.com", "A") == ("NOERROR", 1), PATIENCE_S, "names resolve"
        )
        assert took < 2.0
        assert "@wwan0" in (box.run_dir / "resolver" / "servers").read_text()
        assert in_kernel(box) == known == addresses(box)
        assert ask(box, OURS["ipv4"], 300, 305) == 5
        assert classes(box, 300, 305) == ["line-of-business"] * 5
    finally:
        office.heal("cable-cut", "cable")


def test_a_server_that_falls_silent_is_left_out_until_it_answers(box: Box) -> None:
    office, servers = box.office, box.run_dir / "resolver" / "servers"
    box.until(lambda: box.uses() == "cable", 90.0, "the office is at home")
    box.until(lambda: "server=192.0.2.3@wan0" in servers.read_text(), PATIENCE_S, "the server is asked")
    office.inject("target-dead:192.0.2.3")
    try:
        box.until(lambda: "192.0.2.3 over cable/ipv4" in resolver(box)["mute"], 30.0, "it is known to be mute")
        assert "192.0.2.3@" not in servers.read_text()
        assert said(box, f"b{os.getpid()}.www.example.com", "A") == ("NOERROR", 1), "the other one is asked"
    finally:
        office.heal("target-dead:192.0.2.3")
    box.until(lambda: resolver(box)["mute"] == [], 30.0, "it answers again")


def test_a_device_teaches_an_application_and_the_background_is_told_apart(box: Box) -> None:
    """Somebody asks for two names of the portal while the lesson lasts, and for one that was asked for before."""
    said(box, "old.tax.example.com", "A")
    assert box.order(Verb.TEACH, **{"from": "10.44.10.10"}).ok, "the lesson begins before anybody asks"
    lesson = box.office.spawn(
        "gw", box.argv("teach", "Phones", "--from", "10.44.10.10", "--for", "3s", "--json"), out=subprocess.PIPE
    )

    def asked() -> bool:
        for name in ("a.pbx.example.net", "b.pbx.example.net", "c.tax.example.com"):
            said(box, name, "A")
        return lesson.poll() is not None

    box.until(asked, 30.0, "the lesson is over")
    assert lesson.stdout is not None
    document = json.loads(lesson.stdout.read())
    assert {g["domain"]: g["background"] for g in document["groups"]} == {"example.net": False, "example.com": True}
    assert 'domains = ["example.net"]' in document["entry"]


def test_what_is_known_of_each_can_be_asked(box: Box) -> None:
    document = json.loads(box.office.run("gw", box.argv("applications", "--known", "--json")).stdout)
    many = next(a for a in document["applications"] if a["name"] == "Many")
    assert len(many["addresses"]) == addresses(box) > 0
    assert many["seen"] is not None
    assert "new connections were recognised" in box.office.run("gw", box.argv("status")).stdout


def test_another_resolver_on_the_port_is_left_alone_and_told() -> None:
    topology = find_topology("office")
    with Office.up(topology, a_name()) as office:
        code = (
            "import socket,time\n"
            "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
            "s.bind(('0.0.0.0',53)); print(1,flush=True); time.sleep(600)"
        )
        other = office.spawn("gw", ["python3", "-c", code], out=subprocess.PIPE)
        assert other.stdout is not None
        other.stdout.readline()
        with Box.of(office, config_of(topology) + KNOWN) as running:
            running.until(lambda: resolver(running)["trouble"], PATIENCE_S, "it is told")
            assert resolver(running) == {
                "running": False,
                "trouble": "another resolver answers at 10.44.10.1, port 53; it is left alone",
                "mute": [],
            }
        with contextlib.suppress(ProcessLookupError):
            other.kill()
        other.wait()


def test_without_a_reader_the_office_works_and_it_is_taken_up_when_it_can_be_had() -> None:
    """Somebody else has the group of copies, as on a kernel that has none: the table must not name it then."""
    topology = find_topology("office")
    hold = (
        "import time\n"
        "from secondpath.netlink.copies import Copies\n"
        "group = Copies(7100)\n"
        "print(1, flush=True)\n"
        "time.sleep(600)"
    )
    with Office.up(topology, a_name()) as office:
        other = office.spawn("gw", [sys.executable, "-c", hold], out=subprocess.PIPE)
        assert other.stdout is not None
        other.stdout.readline()
        with Box.of(office, config_of(topology) + KNOWN.replace("[resolver]", "")) as running:
            running.until_well()
            assert recognition(running)["reading"] is False
            assert "log group" not in table_of(running)
            other.kill()
            other.wait()
            running.until(lambda: recognition(running)["reading"], 20.0, "the reader is had")
            running.until(lambda: "log group 7100" in table_of(running), PATIENCE_S, "the table hands answers over")
            assert ask(running, OUTSIDE["ipv4"], 400, 401) == 1
            running.until(lambda: addresses(running) == 1, PATIENCE_S, "an answer was read")


def table_of(box: Box) -> str:
    return box.office.run("gw", ["nft", "list", "table", "inet", "secondpath"]).stdout
