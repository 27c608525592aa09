"""What a setting was before we came is known before we change it."""

from __future__ import annotations

from pathlib import Path

import pytest

from secondpath.act.kernel.sysctls import read_memory, restore_settings, write_setting

FORWARD = "net/ipv4/ip_forward"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    place = tmp_path / "proc" / FORWARD
    place.parent.mkdir(parents=True)
    place.write_text("0\n")
    return tmp_path / "proc"


def test_what_was_first_is_remembered_and_put_back(proc: Path, tmp_path: Path) -> None:
    for value in ("1", "2"):
        assert write_setting(FORWARD, value, tmp_path, proc)
    assert read_memory(tmp_path) == {FORWARD: ["0", "2"]}
    assert restore_settings(tmp_path, proc) == [FORWARD]
    assert (proc / FORWARD).read_text() == "0"


def test_a_setting_that_is_gone_with_its_interface_is_none_to_write(proc: Path, tmp_path: Path) -> None:
    assert not write_setting("net/ipv4/conf/wwan9/rp_filter", "0", tmp_path, proc)
    assert read_memory(tmp_path) == {}


def test_a_run_directory_that_somebody_removed_is_made_again(proc: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "run" / "secondpath"
    assert write_setting(FORWARD, "1", run_dir, proc)
    assert (proc / FORWARD).read_text() == "1"
    assert run_dir.stat().st_mode & 0o007 == 0
    assert restore_settings(run_dir, proc) == [FORWARD]


def test_what_cannot_be_remembered_is_not_changed_and_told(proc: Path, tmp_path: Path) -> None:
    """A file in the directory's place: root may write where permissions say no."""
    in_the_way = tmp_path / "run"
    in_the_way.write_text("")
    for run_dir in (in_the_way, in_the_way / "secondpath"):
        with pytest.raises(OSError, match="net/ipv4/ip_forward stays 0, since that cannot be remembered") as told:
            write_setting(FORWARD, "1", run_dir, proc)
        assert told.value.filename == str(run_dir / "sysctls.json")
    assert (proc / FORWARD).read_text() == "0\n"


def test_a_memory_that_cannot_be_written_for_lack_of_a_place_is_no_missing_setting(
    proc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "mkdir", lambda *_more, **_named: None)  # as where /run may not be written
    with pytest.raises(OSError, match="cannot be remembered"):
        write_setting(FORWARD, "1", tmp_path / "run", proc)
    assert (proc / FORWARD).read_text() == "0\n"
