"""`policy`, `trace` and `allowance`, against a real socket: what is asked, what is printed, what is refused."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.test_commands import daemon

from secondpath.cli.main import main
from secondpath.config.reader import load, parse
from secondpath.control.peer import Peer
from secondpath.control.server import serve
from secondpath.daemon.policy import Asked, at_rest, policy_document, trace_document
from secondpath.model import Family, Stage
from secondpath.wire.messages import Request, Response, Verb

OFFICE = Path(__file__).parents[2] / "golden" / "config" / "good" / "policies.toml"
TWO_NETWORKS = """
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
[[network]]
name = "guest"
interface = "guest0"
class = "guest"
[[application]]
name = "Tax portal"
class = "line-of-business"
match = { servers = ["192.0.2.11"] }
test = "https://192.0.2.11"
"""


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        code = main([str(a) for a in arguments])
    except SystemExit as end:
        code = int(str(end.code))
    told = capsys.readouterr()
    return code, told.out, told.err


def rows_of(said: str) -> dict[str, list[str]]:
    """The cells of the table of classes, by its first column."""
    return {line.split()[0]: line.split()[1:] for line in said.partition("\n\n")[0].splitlines()}


@contextmanager
def short_of_data(folder: Path) -> Iterator[list[Request]]:
    with daemon(folder, "data-short") as asked:
        yield asked


def test_the_table_of_a_configuration_fits_into_80_columns_without_colour(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    code, said, _ = ran(capsys, "policy", str(OFFICE))
    assert code == 0
    assert "\x1b" not in said
    assert max(map(len, said.splitlines())) <= 80
    rows = rows_of(said)
    assert rows["bulk"] == ["keep", "limit*", "block*"]
    assert rows["guest"] == ["keep", "block", "block"]
    assert "voice prefers dsl, cable, lte" in said
    assert "staying on a line that is merely poor: bulk" in said


def test_for_programs_it_is_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    code, said, _ = ran(capsys, "policy", str(OFFICE), "--json")
    document = json.loads(said)
    assert (code, document["schema"], document["running"]) == (0, 1, False)
    assert [u["name"] for u in document["uplinks"]] == ["cable", "dsl", "lte"]


def test_a_running_gateway_is_asked_where_everything_travels_now(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:

    site = load(OFFICE)
    document = policy_document(site, at_rest(site), {"lte": Stage.AMPLE})
    with serving(tmp_path, document) as asked:
        code, said, _ = ran(capsys, "policy", "--run-dir", str(tmp_path))
    assert (code, [r.verb for r in asked]) == (0, [Verb.POLICY])
    rows = rows_of(said)
    assert rows["voice"] == ["keep", "keep", "keep", "dsl"]
    assert rows["bulk"][-1] == "cable"


@contextmanager
def serving(folder: Path, document: Mapping[str, Any]) -> Iterator[list[Request]]:
    """A daemon that answers everything with one document."""

    asked: list[Request] = []

    async def handle(request: Request, peer: Peer) -> Response:
        del peer
        asked.append(request)
        return Response(True, json.loads(json.dumps(document)))

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(serve(folder / "control.sock", handle), loop).result(5.0)
    try:
        yield asked
    finally:
        asyncio.run_coroutine_threadsafe(server.close(), loop).result(5.0)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5.0)
        loop.close()


def test_a_flow_is_traced_without_a_daemon(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = tmp_path / "office.toml"
    config.write_text(TWO_NETWORKS)
    flow = ("trace", "10.44.10.7", "192.0.2.11", "--port", "443", "--config", str(config))
    code, said, _ = ran(capsys, *flow, "--network", "staff")
    assert code == 0
    assert "line-of-business: it is Tax portal, which has the address 192.0.2.11" in " ".join(said.split())
    assert "cable: keep, lte: keep" in said
    assert max(map(len, said.splitlines())) <= 80
    code, said, _ = ran(capsys, *flow, "--network", "guest", "--json")
    (found,) = json.loads(said)["flows"]
    assert (found["class"], found["rule"]["code"], found["on"]["lte"]["treatment"]) == ("guest", "network", "block")


def test_the_daemon_is_asked_for_what_was_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:

    site = parse(TWO_NETWORKS, "office.toml")
    asked_for = Asked("10.44.10.7", "192.0.2.99", "udp", 53)
    document = trace_document(site, at_rest(site), {}, site.networks[0], asked_for)
    with serving(tmp_path, document) as asked:
        said = ran(
            capsys, "trace", "10.44.10.7", "192.0.2.99", "--port", "53", "--protocol", "udp", "--run-dir", str(tmp_path)
        )
    assert said[0] == 0
    assert "10.44.10.7 to 192.0.2.99, udp 53" in said[1]
    expected: dict[str, str | int | float] = {
        "source": "10.44.10.7",
        "destination": "192.0.2.99",
        "protocol": "udp",
        "port": 53,
    }
    assert asked == [Request(Verb.TRACE, expected)]
    assert document["flows"][0]["family"] is Family.IPV4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("10.44.10", "192.0.2.1"), "'10.44.10' is no address; write one such as 10.44.10.7"),
        (("10.44.10.7", "http://x"), "'http://x' is no address or name"),
        (("10.44.10.7", "x.example", "--port", "0"), "'0' is no port"),
        (("10.44.10.7", "x.example", "--config", "OFFICE"), "which network is that from? Say --network, one of"),
        (
            ("10.44.10.7", "x.example", "--config", "OFFICE", "--network", "gest"),
            "there is no network named 'gest'; did you mean 'guest'?",
        ),
        (("10.44.10.7", "x.example", "--config", "nowhere.toml"), "there is no such file"),
    ],
)
def test_what_cannot_be_traced_is_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    config = tmp_path / "office.toml"
    config.write_text(TWO_NETWORKS)
    code, _, told = ran(capsys, "trace", *(str(config) if a == "OFFICE" else a for a in arguments))
    assert code == 2
    assert sentence in told


def test_the_allowance_is_told_and_changed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with short_of_data(tmp_path) as asked:
        where = ("--run-dir", str(tmp_path))
        code, said, _ = ran(capsys, "allowance", *where)
        assert (code, said.split()[:6]) == (0, ["lte", "18.2", "GB", "of", "20.0", "GB"])
        assert (
            json.loads(ran(capsys, "allowance", "lte", "--json", *where)[1])["allowances"]["lte"]["stage"] == "squeezed"
        )
        assert ran(capsys, "allowance", "cable", "--lift", *where)[0] == 2
        assert ran(capsys, "allowance", "ltte", *where)[2].endswith("did you mean 'lte'?\n")
        assert ran(capsys, "allowance", "--used", "12 gigs", *where)[0] == 2
        assert ran(capsys, "allowance", "--lift", "--keep", *where)[0] == 2
    assert [r.verb for r in asked] == [Verb.STATUS] * 4, "nothing was changed by what is wrong"


def test_a_figure_of_the_provider_and_a_word_go_to_the_daemon(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    document = json.loads((OFFICE.parents[2] / "cli" / "data-short.json").read_text("utf-8"))
    with serving(tmp_path, document) as asked:
        assert ran(capsys, "allowance", "--used", "12GB", "--lift", "--run-dir", str(tmp_path))[0] == 0
        assert ran(capsys, "allowance", "--used", "0", "--run-dir", str(tmp_path))[0] == 0
    orders = [dict(r.args) for r in asked if r.verb is Verb.ALLOWANCE]
    assert orders == [
        {"uplink": "lte", "used_bytes": 12 * 10**9, "restraint": "lift"},
        {"uplink": "lte", "used_bytes": 0},
    ]
