"""The commands, against a real socket, a real book and real files."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.patience import PATIENCE_S

from secondpath.cli.main import main
from secondpath.control.peer import Peer
from secondpath.control.server import serve
from secondpath.model import Transition
from secondpath.record.store import Book
from secondpath.wire.messages import READING, Request, Response, Verb, refuse

GOLDEN = Path(__file__).parents[2] / "golden" / "cli"
WALL = datetime(2026, 11, 22, 17, 42, tzinfo=UTC)
MINIMAL = """
[[uplink]]
name = "cable"
interface = "wan0"
[[uplink]]
name = "lte"
interface = "wwan0"
metered = true
[[network]]
name = "staff"
interface = "lan0"
"""


@contextmanager
def daemon(folder: Path, day: str = "online", then: str = "") -> Iterator[list[Request]]:
    """A daemon that has a good day or a bad one, after the first answer perhaps another one, and refuses lte."""
    asked: list[Request] = []
    document = json.loads((GOLDEN / f"{day}.json").read_text("utf-8"))

    async def handle(request: Request, peer: Peer) -> Response:
        del peer
        asked.append(request)
        if request.verb in READING:
            later = then and len(asked) > 1
            return Response(True, json.loads((GOLDEN / f"{then}.json").read_text("utf-8")) if later else document)
        if request.args.get("uplink") == "lte":
            return refuse("lte cannot take the traffic: it is not known yet (waiting for its first answers).")
        return Response(True, {"text": f"{request.verb.value} it is."})

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(serve(folder / "control.sock", handle), loop).result(10)
    try:
        yield asked
    finally:
        asyncio.run_coroutine_threadsafe(server.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def run(folder: Path, *words: str) -> int:
    return main(["--run-dir", str(folder), "--state-dir", str(folder), *words])


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "secondpath.cli.main",
        "--run-dir",
        str(folder),
        "--state-dir",
        str(folder),
        *words,
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("day", "code"), [("online", 0), ("starting", 0), ("cable-cut", 1), ("backup-not-ready", 1)])
def test_status_ends_with_1_while_anything_is_wrong(
    tmp_path: Path, day: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with daemon(tmp_path, day):
        assert run(tmp_path, "status") == code
    assert capsys.readouterr().out == (GOLDEN / f"{day}.txt").read_text("utf-8")


def test_status_as_json_is_the_daemons_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with daemon(tmp_path):
        assert run(tmp_path, "status", "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads((GOLDEN / "online.json").read_text("utf-8"))


@pytest.mark.parametrize("command", ["status", "watch", "failback", "reload", "release", "check-path"])
def test_without_a_daemon_a_command_ends_with_3(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, command) == 3
    assert "secondpath is not running" in capsys.readouterr().err


def test_failover_to_a_line_that_is_not_proven_is_refused_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with daemon(tmp_path):
        assert run(tmp_path, "failover", "lte") == 1
    assert capsys.readouterr().err == (
        "secondpath: lte cannot take the traffic: it is not known yet (waiting for its first answers).\n"
    )


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        (["failover", "cable"], Request(Verb.FAILOVER, {"uplink": "cable"})),
        (["failback"], Request(Verb.FAILBACK)),
        (["hold", "1h30min"], Request(Verb.HOLD, {"duration_s": 5400.0})),
        (["release"], Request(Verb.RELEASE)),
        (["reload"], Request(Verb.RELOAD)),
    ],
)
def test_an_order_reaches_the_daemon_and_its_answer_the_person(
    tmp_path: Path, words: list[str], request_: Request, capsys: pytest.CaptureFixture[str]
) -> None:
    with daemon(tmp_path) as asked:
        assert run(tmp_path, *words) == 0
    assert asked == [request_]
    assert capsys.readouterr().out == f"{request_.verb.value} it is.\n"


def test_watch_without_a_terminal_prints_lines_and_ends_quietly_at_ctrl_c(tmp_path: Path) -> None:
    with daemon(tmp_path, "cable-cut"):
        watching = start(tmp_path, "watch")
        assert watching.stdout is not None
        assert watching.stdout.readline().startswith("11:00:00 Running on lte since 10:42, 18 min: cable is down")
        watching.send_signal(signal.SIGINT)
        out, err = watching.communicate(timeout=PATIENCE_S)
    assert (watching.returncode, out, err) == (0, "", "")


def test_watch_without_a_terminal_tells_each_event_once(tmp_path: Path) -> None:
    with daemon(tmp_path, "online", then="cable-cut") as asked:
        watching = start(tmp_path, "watch")
        assert watching.stdout is not None
        lines = [watching.stdout.readline() for _ in range(9)]
        assert lines[0] == "11:00:00 Online on cable. lte stands ready.\n"
        assert lines[1] == "11:00:00 cable (IPv4) is down: nothing is connected at the other end of wan0.\n"
        assert lines[8].startswith("11:00:00 Running on lte since 10:42, 18 min: cable is down")
        before = len(asked)
        while len(asked) <= before:
            threading.Event().wait(0.01)
        watching.send_signal(signal.SIGINT)
        assert watching.communicate(timeout=PATIENCE_S) == ("", "")


def test_a_reader_that_has_enough_ends_the_command_quietly(tmp_path: Path) -> None:
    with daemon(tmp_path):
        watching = start(tmp_path, "watch", "--json")
        assert watching.stdout is not None and watching.stderr is not None
        watching.stdout.readline()
        watching.stdout.close()
        assert watching.wait(timeout=PATIENCE_S) == 0
        assert watching.stderr.read() == ""
        watching.stderr.close()


# ── Events ───────────────────────────────────────────────────────────────────────────


def book_in(folder: Path) -> Book:
    book = Book(folder / "book.db")
    book.remember("timezone", "America/Los_Angeles")
    for hour, family in ((0, "ipv4"), (0, "ipv6"), (20, "ipv4")):
        told = Transition(float(hour), f"steering:{family}", "cable", "lte", "better", {"left_because": "silent"})
        book.append(told, WALL + timedelta(hours=hour))
    return book


def test_events_are_told_by_the_offices_clock_while_the_daemon_is_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert book_in(tmp_path).close()
    assert run(tmp_path, "events") == 0
    assert capsys.readouterr().out == (
        "22 Nov\n"
        "09:42:00  Traffic moved from cable to lte: nothing beyond your provider's\n"
        "          equipment answers.\n"
        "23 Nov\n"
        "05:42:00  IPv4 traffic moved from cable to lte: nothing beyond your provider's\n"
        "          equipment answers.\n"
    )


def test_events_as_json_keep_their_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert book_in(tmp_path).close()
    assert run(tmp_path, "events", "--json", "--since", "2026-11-23", "--limit", "5") == 0
    document = json.loads(capsys.readouterr().out)
    (event,) = document["events"]
    assert document["schema"] == 1
    assert (event["event"], event["at"]) == ("steering.failover", "2026-11-23T13:42:00.000Z")


def test_events_are_followed(tmp_path: Path) -> None:
    book = book_in(tmp_path)
    book.recall()
    following = start(tmp_path, "events", "--follow", "--json", "--since", "2026-01-01")
    assert following.stdout is not None
    assert [json.loads(following.stdout.readline())["number"] for _ in range(3)] == [1, 2, 3]
    book.append(Transition(1.0, "verdict", "ok", "all-down", "cable/ipv4"), WALL)
    assert json.loads(following.stdout.readline())["event"] == "verdict.all-down"
    following.send_signal(signal.SIGINT)
    assert following.communicate(timeout=PATIENCE_S) == ("", "")
    assert following.returncode == 0
    assert book.close()


def test_no_book_yet_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "events") == 1
    assert "there is no book" in capsys.readouterr().err


# ── Check ────────────────────────────────────────────────────────────────────────────


def test_a_good_configuration_is_summed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "office.toml").write_text(MINIMAL)
    assert run(tmp_path, "check", str(tmp_path / "office.toml")) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[0].endswith("this configuration is good.")
    assert "1. cable on wan0" in told and "2. lte on wwan0: metered" in told


def test_all_that_is_wrong_is_told_at_once_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "office.toml").write_text(MINIMAL.replace("metered", "meterd") + "[failover]\nhold = 60\n")
    assert run(tmp_path, "check", str(tmp_path / "office.toml")) == 2
    told = capsys.readouterr().out
    assert "2 things to mend" in told
    assert 'did you mean "metered"?' in told
    assert "line 13, failover.hold" in told


def test_problems_as_json_have_key_line_and_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "office.toml").write_text(MINIMAL + "[failover]\nhold = 60\n")
    assert run(tmp_path, "check", str(tmp_path / "office.toml"), "--json") == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["ok"]) == (1, False)
    assert [(p["key"], p["line"]) for p in document["problems"]] == [("failover.hold", 13)]


def test_a_file_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    assert run(tmp_path, "check", str(tmp_path / "none.toml")) == 2


def test_applications_that_are_bound_to_the_offices_address_are_named_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = '[[application]]\nname = "Bank"\nclass = "office"\nmatch = { domains = ["bank.example.com"] }\n'
    presets = '[[application]]\npreset = "docusign"\n[[application]]\npreset = "zoom"\n'
    (tmp_path / "office.toml").write_text(f'{MINIMAL}{own}source_ip_bound = "yes"\n{presets}')
    assert run(tmp_path, "check", str(tmp_path / "office.toml")) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "! Bank and DocuSign may refuse the office over a backup" in told
    assert "register that address with the provider too, or reach the provider through a VPN" in told
    assert run(tmp_path, "check", str(tmp_path / "office.toml"), "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["office"]["source_ip_bound"] == ["Bank", "DocuSign"]
    assert len([c for c in document["cautions"] if "backup" in c]) == 1


# ── Applications ─────────────────────────────────────────────────────────────────────


def test_the_catalogue_is_listed_the_most_important_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["applications"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split()[0] for line in lines if line and not line.startswith(" ")]
    assert rows.index("zoom") < rows.index("square") < rows.index("docusign") < rows.index("microsoft-365")
    assert any(line.startswith("docusign ") and " yes " in line for line in lines)


def test_the_catalogue_of_one_kind_of_office_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["applications", "--profile", "law", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    found = {a["id"]: a for a in document["applications"]}
    assert document["schema"] == 1 and "netdocuments" in found and "athenahealth" not in found
    assert found["netdocuments"]["test"] == "https://vault.netvoyage.com/"
    assert {"grade", "says", "page", "checked"} == set(found["netdocuments"]["evidence"][0])


def test_one_entry_is_shown_in_full_and_its_pages_can_be_copied(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["applications", "microsoft-365"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Microsoft 365\n") and told.endswith('[[application]]\npreset = "microsoft-365"\n')
    assert main(["applications", "microsoft-365", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert all(f"  {e['page']}\n" in told for e in document["application"]["evidence"] if e["page"])


def test_an_entry_that_there_is_not_has_a_nearest_spelling(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["applications", "docu-sign"]) == 2
    said = "secondpath: there is no application 'docu-sign' in the catalogue; did you mean 'docusign'?\n"
    assert capsys.readouterr().err == said


def test_clear_is_refused_while_the_daemon_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with daemon(tmp_path):
        assert run(tmp_path, "clear") == 1
    assert "would put it all back" in capsys.readouterr().err


def test_version_is_quick() -> None:
    before = os.times()
    subprocess.run([sys.executable, "-m", "secondpath.cli.main", "--version"], check=True, capture_output=True)
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1.0
