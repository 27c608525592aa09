from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from secondpath.config.differences import differences
from secondpath.config.reader import load, parse

GOOD = sorted((Path(__file__).parents[2] / "golden" / "config" / "good").glob("*.toml"))
TWO = next(path for path in GOOD if path.stem == "two_uplinks").read_text(encoding="utf-8")


def changes(old: str, new: str) -> tuple[str, ...]:
    return differences(parse(old, "old"), parse(new, "new"))


@pytest.mark.parametrize(("old", "new"), list(product(GOOD, GOOD)), ids=lambda path: path.stem)
def test_something_is_said_exactly_when_something_changes(old: Path, new: Path) -> None:
    assert bool(differences(load(old), load(new))) == (load(old) != load(new))


def test_a_changed_value_is_told_before_and_after() -> None:
    assert changes(TWO, TWO.replace('"eth1"', '"br0"') + '[failover]\nhold = "2min"\n') == (
        'Network "office": interface was eth1, is now br0.',
        "Failover: hold was 1min, is now 2min.",
    )


def test_a_new_order_of_preference_is_told_as_an_order() -> None:
    first, second, rest = TWO.split("\n\n", 2)
    assert changes(TWO, f"{second}\n\n{first}\n\n{rest}") == (
        "Uplinks: the order was fibre, five-g, is now five-g, fibre.",
    )


def test_a_new_uplink_in_front_is_told_with_the_order() -> None:
    new = '[[uplink]]\nname = "dsl"\ninterface = "eth2"\n\n' + TWO
    assert changes(TWO, new) == (
        'Uplink "dsl" is new.',
        "Uplinks: the order was fibre, five-g, is now dsl, fibre, five-g.",
    )


def test_an_uplink_that_comes_or_goes_is_told_by_name() -> None:
    without = TWO.replace("metered = true\n", "").replace('"five-g"', '"dsl"')
    assert changes(TWO, without) == ('Uplink "five-g" is gone.', 'Uplink "dsl" is new.')


def test_an_address_for_messages_is_never_shown() -> None:
    told = [f'{TWO}[[notify]]\nto = "mailto:{who}@example.com"\n' for who in ("boss", "desk")]
    assert changes(*told) == ("Notification 1 goes to another address.",)
    assert "example" not in " ".join(changes(TWO, told[0]))
