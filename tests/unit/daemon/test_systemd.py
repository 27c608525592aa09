"""Word to systemd, over real datagram sockets."""

from __future__ import annotations

import math
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from secondpath.daemon.systemd import Systemd


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "30000000")
        yield sock


def heard(manager: socket.socket) -> list[str]:
    words = []
    while True:
        try:
            words.append(manager.recv(4096).decode())
        except BlockingIOError:
            return words


def test_readiness_a_reload_and_the_end_are_said_in_its_words(manager: socket.socket) -> None:
    systemd = Systemd()
    systemd.ready()
    systemd.reloading(12.345678)
    systemd.ready()
    systemd.stopping()
    assert heard(manager) == ["READY=1", "RELOADING=1\nMONOTONIC_USEC=12345678", "READY=1", "STOPPING=1"]


def test_a_status_is_said_when_it_is_another(manager: socket.socket) -> None:
    systemd = Systemd()
    for text in ("Online on cable.", "Online on cable.", "Running on lte."):
        systemd.status(text)
    assert heard(manager) == ["STATUS=Online on cable.", "STATUS=Running on lte."]


def test_a_ping_goes_out_at_half_the_period_and_says_when_the_next_is_due(manager: socket.socket) -> None:
    systemd = Systemd()
    for now in (100.0, 107.0, 114.9):
        systemd.alive(now)
    assert heard(manager) == ["WATCHDOG=1"]
    assert systemd.ping_in_s(114.9) == pytest.approx(0.1)
    assert systemd.ping_in_s(120.0) == 0.0
    systemd.alive(115.0)
    assert heard(manager) == ["WATCHDOG=1"]


def test_without_a_watchdog_no_ping_is_ever_due(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC")
    systemd = Systemd()
    systemd.alive(1.0)
    assert heard(manager) == []
    assert systemd.ping_in_s(1.0) == math.inf


def test_without_systemd_or_with_a_dead_one_nothing_happens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Systemd().ready()
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    Systemd().ready()


def test_an_abstract_address_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0secondpath-test-notify")
        monkeypatch.setenv("NOTIFY_SOCKET", "@secondpath-test-notify")
        Systemd().ready()
        assert sock.recv(100) == b"READY=1"
