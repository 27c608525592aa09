"""Our table in the place of an older one of ours, with no moment in which a packet meets half of each. Pure.

    exchange_text(ruleset, elements, standing)    # what nft(8) loads, in one transaction

Deleting the old table and making the new one is a transaction too, and yet not one for packets: the kernel first makes
the new rules valid, and only then takes the old chains out of their hooks, one by one. For that moment (some 0.3 ms, by
how often it was met) each packet passes both; the maps of the old table are empty already, so its rules take every flow
for one whose line has been left, and reset it. (nf_tables_commit in net/netfilter/nf_tables_api.c: the
generation changes in its step 3, before NFT_MSG_DELCHAIN unregisters the hook; nft_map_deactivate empties maps with
the generation.)

So what stands stays where it can: chains keep their hook and change their rules, which a packet sees from its first
rule to its last either before or after; maps are emptied and filled, and hold the same key in either generation. Sets
that the resolver fills are emptied too: the chain of the same name may be another application's now. Counters stay as
they are. Only what the new table does not have is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from secondpath.act.plane import TABLE, Elements, Ruleset
from secondpath.act.ruleset import added_elements

KINDS = ("chain", "map", "set", "counter")


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in the kernel's table: one of KINDS, its name; of a chain, whether the kernel itself calls it."""

    kind: str
    name: str
    hooked: bool = False


def exchange_text(ruleset: Ruleset, elements: Elements, standing: Iterable[Standing]) -> str:
    """What nft(8) loads. It refuses (File exists) where a map or a chain of the same name was of another kind."""
    made = _made(ruleset.text)
    old = sorted(standing, key=lambda s: (s.kind != "chain", s.name))
    stays = [s for s in old if (s.kind, s.name) in made and made[s.kind, s.name] is s.hooked]
    emptied = [s for s in old if s.kind in ("map", "set")]
    goes = [s for s in old if s not in stays]
    return "".join(
        [
            f"flush table inet {TABLE}\n",
            *(f"flush {s.kind} inet {TABLE} {s.name}\n" for s in emptied),
            *(f"delete {s.kind} inet {TABLE} {s.name}\n" for s in goes),
            f"table inet {TABLE} {{\n{ruleset.text}}}\n",
            added_elements(elements),
        ]
    )


def _made(text: str) -> dict[tuple[str, str], bool]:
    """What a text makes, by kind and name, and whether it is a chain that is hooked."""
    made = {}
    for line, inside in pairwise(text.splitlines()):
        match line.split():
            case [kind, name, "{", *_] if kind in KINDS:
                made[kind, name] = kind == "chain" and inside.lstrip().startswith("type ")
    return made
