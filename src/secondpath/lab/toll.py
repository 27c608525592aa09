"""A toll gate on the gateway: what passes between one inside interface and one uplink, from the first packet on.

It is a table of the lab's own, behind all that decides, so it counts what really leaves and what really comes in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from secondpath.lab.office import Office
from secondpath.lab.topology import GATEWAY_HOST

TABLE = "toll"


@dataclass(frozen=True, slots=True)
class Passed:
    """Packets and IP bytes, both ways together."""

    packets: int
    octets: int

    def __sub__(self, earlier: Passed) -> Passed:
        return Passed(self.packets - earlier.packets, self.octets - earlier.octets)


@dataclass(frozen=True, slots=True)
class Toll:
    """One gate, standing in an office's gateway."""

    office: Office
    inside: str
    uplink: str

    @property
    def _table(self) -> str:
        return f"{TABLE}_{self.inside}_{self.uplink}"

    def stand(self) -> Toll:
        """Build it; one that stands here already goes."""
        ways = ((self.inside, self.uplink), (self.uplink, self.inside))
        rules = "".join(f'iifname "{a}" oifname "{b}" counter name passed\n' for a, b in ways)
        chain = f"chain gate {{\ntype filter hook postrouting priority 400; policy accept;\n{rules}}}\n"
        anew = f"table inet {self._table}\ndelete table inet {self._table}\n"
        text = f"{anew}table inet {self._table} {{\ncounter passed {{ }}\n{chain}}}\n"
        self.office.run(GATEWAY_HOST, ["nft", "-f", "-"], text_in=text, check=True)
        return self

    def passed(self) -> Passed:
        """What has passed since it stands."""
        said = self.office.run(
            GATEWAY_HOST, ["nft", "-j", "list", "counter", "inet", self._table, "passed"], check=True
        ).stdout
        found: dict[str, Any] = next(entry["counter"] for entry in json.loads(said)["nftables"] if "counter" in entry)
        return Passed(int(found["packets"]), int(found["bytes"]))
