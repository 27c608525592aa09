"""Every file under tests/golden/config: the bad ones with their exact messages, the good ones with what they say.

Adding a case is adding two files. `SECONDPATH_GOLDEN=write pytest tests/unit/config` writes the second one anew;
read what it wrote before you keep it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from secondpath.config.differences import differences
from secondpath.config.problem import ConfigError
from secondpath.config.reader import load

GOLDEN = Path(__file__).parents[2] / "golden" / "config"
BAD = sorted(GOLDEN.glob("bad/*.toml"))
GOOD = sorted(GOLDEN.glob("good/*.toml"))


def compare(said: str, beside: Path) -> None:
    expected = beside.with_suffix(".txt")
    if os.environ.get("SECONDPATH_GOLDEN") == "write":
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_is_refused_in_these_words(path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(path)
    compare(str(caught.value).replace(str(path), path.name) + "\n", path)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_file_says_this_much_more_than_the_smallest_one(path: Path) -> None:
    said = differences(load(GOLDEN / "good" / "minimal.toml"), load(path))
    compare("".join(f"{sentence}\n" for sentence in said), path)


def test_every_expectation_belongs_to_a_file() -> None:
    assert [p for p in GOLDEN.glob("*/*.txt") if not p.with_suffix(".toml").exists()] == []


def test_the_traps_are_many() -> None:
    assert len(BAD) >= 45


def test_no_message_repeats_a_secret() -> None:
    assert [p.name for p in GOLDEN.glob("bad/*.txt") if "hunter2" in p.read_text(encoding="utf-8")] == []
