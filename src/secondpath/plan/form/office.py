"""office.toml as a beginning: the connections the gateway already knows, written into a plan with the audit's blanks.

The first uplink takes the place of the profile's own line; every other one that of the profile's candidate of the same
kind, so that the options which use it stay. What fits none gets an option of its own.
"""

from __future__ import annotations

import json
import re
from typing import Any

from secondpath.config.units import say_money, say_rate, say_size
from secondpath.model import Site, Uplink
from secondpath.plan.form.lines import knows_share
from secondpath.plan.form.shelf import toml_of
from secondpath.plan.paths import QUESTIONS

_BLANKS = ("network", "site", "feeder", "street", "backhaul", "entrance", "riser")
_BLOCK = re.compile(r"^\[\[uplink\]\]\n(?:(?!\[|# ──).*\n)*", re.MULTILINE)
_LATER = re.compile(r"^# ── The choices to compare", re.MULTILINE)


def answers_of(site: Site, profile: str) -> dict[str, Any]:
    """What the office's file answers, by the profile's paths: the defaults of an interview."""
    answers: dict[str, Any] = {"office.name": site.name, "office.timezone": site.timezone}
    for key, uplink in places_of(site, profile):
        told = {"technology": _technology(uplink), "carrier": uplink.carrier}
        answers |= {f"uplink.{key}.{name}": value for name, value in told.items() if value}
        if uplink.plan and uplink.plan.monthly_usd is not None:
            answers[f"uplink.{key}.plan.monthly"] = say_money(uplink.plan.monthly_usd)
    return answers


def places_of(site: Site, profile: str) -> list[tuple[str, Uplink]]:
    """Which connection of the profile each uplink takes the place of; its own name where there is none."""
    candidates = toml_of("profiles", f"{profile}.toml")["uplink"]
    free = {row["id"]: row["technology"] for row in candidates[1:]}
    places = [(candidates[0]["id"], site.uplinks[0])]
    for uplink in site.uplinks[1:]:
        key = next((k for k, technology in free.items() if technology == _technology(uplink)), uplink.name)
        free.pop(key, None)
        places.append((key, uplink))
    return places


def with_office(text: str, site: Site, profile: str, answers: dict[str, Any]) -> str:
    """The plan's text with the office's connections in it, under the names that the gateway's records use."""
    blocks = {_id_of(block): block for block in _BLOCK.findall(text)}
    places, ours = places_of(site, profile), {uplink.name for uplink in site.uplinks}
    names = {key: uplink.name for key, uplink in places}
    names |= {key: f"{key}-offer" for key in blocks if key in ours and key not in names}
    text = _renamed(text, names)
    fresh = []
    for key, uplink in places:
        block = _written(uplink, {fact: str(answers.get(f"uplink.{key}.{fact}", "")) for fact in _BLANKS})
        if key in blocks:
            text = text.replace(_renamed(blocks[key], names), block, 1)
        else:
            fresh.append((uplink, block))
    more = "".join(block for _, block in fresh)
    text = _LATER.sub(lambda found: more + found.group(0), text, count=1)
    options = "".join(_option(uplink) for uplink, _ in fresh)
    return text.replace("# ── Power ", f"{options}# ── Power ", 1)


def _id_of(block: str) -> str:
    found = re.search(r'^id = "([^"]*)"', block, re.MULTILINE)
    return found.group(1) if found else ""


def _renamed(text: str, names: dict[str, str]) -> str:
    """Other names for connections, all at once: in their own tables and in the options that use them."""
    quoted = re.compile('"(' + "|".join(map(re.escape, names)) + ')"')

    def renaming(line: re.Match[str]) -> str:
        return quoted.sub(lambda found: f'"{names[found.group(1)]}"', line.group(0))

    text = re.sub(r"^backups = .*$", renaming, text, flags=re.MULTILINE)
    return _BLOCK.sub(lambda found: re.sub(r"^id = .*$", renaming, found.group(0), count=1, flags=re.MULTILINE), text)


def _technology(uplink: Uplink) -> str:
    """As the office says; else the commonest of its kind, which the file then asks to be checked."""
    return str(uplink.technology or ("cellular" if uplink.metered else "cable"))


def _written(uplink: Uplink, facts: dict[str, str]) -> str:
    unsaid = "" if uplink.technology else "  # office.toml does not say: please check"
    known = [share for share in uplink.shares if knows_share(share)]
    rows = [
        f"id = {_text(uplink.name)}",
        f"technology = {_text(_technology(uplink))}{unsaid}",
        f"carrier = {_text(uplink.carrier or '')}",
        *(f"{fact} = {_text(facts[fact])}" + _asked(fact, facts[fact]) for fact in _BLANKS),
        *([f"shares = {json.dumps(known, ensure_ascii=False)}"] if known else []),
        f'down = "{say_rate(uplink.down_bps)}"' if uplink.down_bps else "# down = the contract's rate, to be filled in",
        f'up = "{say_rate(uplink.up_bps)}"' if uplink.up_bps else "# up = the contract's rate, to be filled in",
        f"plan = {_plan(uplink)}",
    ]
    if told := [f"{key} = {_text(uplink.support[key])}" for key in ("phone", "account") if uplink.support.get(key)]:
        rows.append(f"support = {{ {', '.join(told)} }}")
    return "\n".join(["[[uplink]]", *rows, "", ""])


def _asked(fact: str, said: str) -> str:
    return "" if said else f"  # {QUESTIONS[fact]}"


def _plan(uplink: Uplink) -> str:
    plan = uplink.plan
    if plan is None:
        return '{ monthly = "$0" }  # office.toml does not say what it costs'
    beyond = {"stop": plan.beyond_stop, say_rate(plan.beyond_bps or 1): plan.beyond_bps}
    parts = [
        f'monthly = "{say_money(plan.monthly_usd or 0.0)}"',
        *([f'data = "{say_size(plan.data_bytes)}"'] if plan.data_bytes else []),
        *(f'beyond = "{words}"' for words, there in beyond.items() if there),
        *([f'beyond = "{say_money(plan.beyond_usd_per_gb)}/GB"'] if plan.beyond_usd_per_gb is not None else []),
        *([f"renews_on = {plan.renews_on}"] if plan.renews_on else []),
    ]
    return f"{{ {', '.join(parts)} }}"


def _option(uplink: Uplink) -> str:
    rows = [f"id = {_text(uplink.name)}", f"title = {_text(f'What you have: {uplink.name}')}"]
    rows += [f"backups = [{_text(uplink.name)}]", "monitored = true", "drills_per_year = 12"]
    return "\n".join(["[[option]]", *rows, "", ""])


def _text(said: str) -> str:
    """A TOML string; JSON's are TOML's basic strings."""
    return json.dumps(said, ensure_ascii=False)
