"""What the doctor finds around the daemon, in files that a test writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest

from secondpath.act.footing.facts import Session
from secondpath.cli.main import main
from secondpath.cli.surroundings import active_services, parse_session, read_files, resolvers, session_of

SSH = "192.0.2.77 50022 198.51.100.2 22"
SESSION = Session(ip_address("198.51.100.2"), 22, ip_address("192.0.2.77"))


def write(root: Path, path: str, text: str) -> None:
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def test_files_of_other_software_are_read_where_they_are(tmp_path: Path) -> None:
    write(tmp_path, "etc/nftables.conf", "flush ruleset\n")
    write(tmp_path, "etc/sysctl.d/10-a.conf", "net.ipv4.ip_forward=0\n")
    write(tmp_path, "etc/sysctl.d/README", "not a configuration")
    assert set(read_files(tmp_path)) == {"/etc/nftables.conf", "/etc/sysctl.d/10-a.conf"}


def test_behind_a_local_resolver_stands_the_one_that_it_asks(tmp_path: Path) -> None:
    write(tmp_path, "etc/resolv.conf", "# stub\nnameserver 127.0.0.53\n")
    assert resolvers(tmp_path) == (ip_address("127.0.0.53"),)
    write(tmp_path, "run/systemd/resolve/resolv.conf", "nameserver 9.9.9.9\nnameserver fe80::1%wan0\n")
    assert resolvers(tmp_path) == (ip_address("9.9.9.9"), ip_address("fe80::1"))


def test_the_ssh_session_is_found_although_sudo_hides_it() -> None:
    inner = "import os; from secondpath.cli.surroundings import session_of; print(session_of(os.getpid()))"
    middle = f"import os, subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}], env={{}}, check=True)"
    done = subprocess.run(
        [sys.executable, "-c", middle],
        env={**os.environ, "SSH_CONNECTION": SSH},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(SESSION)


def test_what_sshd_says_of_a_session_is_understood() -> None:
    assert parse_session(SSH) == SESSION
    assert parse_session("nonsense") is None
    assert session_of(1) is None


def test_where_systemd_does_not_run_the_machine_no_service_does() -> None:
    assert active_services(["no-such-thing.service"]) == frozenset()


def test_a_configuration_that_is_missing_is_wrong_and_the_rest_is_told_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--run-dir", str(tmp_path), "doctor", "--config", str(tmp_path / "none.toml")]
    assert main([*arguments, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    codes = {finding["code"]: finding["grade"] for finding in document["findings"]}
    assert (document["schema"], document["ok"]) == (1, False)
    assert codes["configuration"] == "wrong"
    assert "nft" in codes
    assert main(arguments) == 1
    told = capsys.readouterr().out
    assert "✗ wrong" in told or "x wrong" in told
