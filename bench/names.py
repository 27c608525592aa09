"""Is the first packet of a first flow in the class of its application?

Somebody asks for one new name after the other and sends a datagram to each address in the moment of the answer
(tests/netns/names_asker.py); the mark of the flow says which class its first packet was in. Asked are the office's own
resolver, and for comparison one outside, whose answers are only read as they pass.
"""

from __future__ import annotations

import sys

from bench.figures import table
from bench.ground import FAMILIES, ROOT, Answer, Ground, a_gateway, an_office
from secondpath.act.plane import CLASS_MASK, CLASS_SHIFT
from secondpath.lab.box import Box, config_of
from secondpath.lab.namespaces import inside
from secondpath.lab.topology import GATEWAY_HOST
from secondpath.model import CLASSES
from secondpath.netlink.conntrack import Conntrack
from secondpath.wire.messages import Verb

ASKER = ROOT / "tests" / "netns" / "names_asker.py"
SERVERS = {
    "resolver": {"ipv4": "10.44.10.1", "ipv6": "fd44:10::1"},
    "outside": {"ipv4": "192.0.2.3", "ipv6": "2001:db8:ff::3"},
}
WORDS = {"resolver": "the office's own resolver", "outside": "one outside, answers read as they pass"}
MANY = (
    '[resolver]\n[[application]]\nname = "Many"\nclass = "line-of-business"\nmatch = { domains = ["many.example"] }\n'
)
WANTED = CLASSES["line-of-business"].ident
PORT = 4000
RUNS_S = 10.0


def count(box: Box) -> int:
    """How many flows to the port of the asker have the class; then they are forgotten."""
    with inside(box.office.host_netns(GATEWAY_HOST)), Conntrack() as conntrack:
        right = sum(flow.dport == PORT for flow in conntrack.dump(WANTED << CLASS_SHIFT, CLASS_MASK))
        conntrack.flush(WANTED << CLASS_SHIFT, CLASS_MASK)
    return right


def ask(ground: Ground) -> Answer:
    names = ground.pick(100, 400)
    said, rows, first = Answer(data={"names": names}), [], 0
    with an_office() as office, a_gateway(office, config_of(office.topology) + MANY) as box:
        box.until(lambda: _runs(box), RUNS_S, "the resolver runs")
        for kind, servers in SERVERS.items():
            there = right = 0
            for family in FAMILIES:
                asked = [sys.executable, str(ASKER), servers[family], str(first), str(first + names)]
                done = office.run("staff", asked, timeout_s=120.0, check=True)
                there, right, first = there + int(done.stdout), right + count(box), first + names
            said.measured[f"names/{kind}"] = right / there
            said.data[kind] = {"flows": there, "right": right}
            rows.append([WORDS[kind], str(there), str(right), f"{right / there:.1%}"])
        box.stop()
        office.run(GATEWAY_HOST, box.argv("clear"))
    said.lines = table(["who answers", "first flows", "in their class", ""], rows)
    return said


def _runs(box: Box) -> bool:
    told = box.order(Verb.STATUS).data["evidence"]["recognition"]["resolver"]
    return bool(told and told["running"])
