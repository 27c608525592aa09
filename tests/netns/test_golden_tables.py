"""Every golden table is one that this kernel takes: names that nft reserves, and forms it does not know, show here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.netns

TABLES = sorted((Path(__file__).parents[1] / "golden" / "act").glob("*.nft"))


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_the_kernel_takes_it_twice(table: Path) -> None:
    """The second time it replaces itself, elements and all, in one transaction."""
    twice = f"nft -f {table} && nft -f {table} && nft list table inet secondpath"
    done = subprocess.run(["unshare", "--net", "sh", "-c", twice], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "chain from_inside" in done.stdout


def test_there_are_tables_to_take() -> None:
    assert {"plain", "applications", "recognised"} <= {table.stem for table in TABLES}
