"""HTTPS: the certificate says whether it is the target that answers."""

import asyncio
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.patience import PATIENCE_S
from tests.unit.sense.world import HERE, World, desk, mute, serving, web, world

from secondpath.model import Family, Outcome, ProbeKind, ProbeResult
from secondpath.sense import https

pytestmark = pytest.mark.netns

NAMES = "subjectAltName=DNS:probe.example,IP:192.0.2.1,IP:2001:db8:ff::1"
both_families = pytest.mark.parametrize("family", list(Family))


@pytest.fixture(scope="module")
def office() -> Iterator[World]:
    with world() as built:
        yield built


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates: good, of another name, out of date, not yet valid, and one of an authority nobody knows."""
    folder = tmp_path_factory.mktemp("papers")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3"]
    openssl(*new, "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.pem")
    openssl(*new, "-subj", "/CN=portal", "-addext", NAMES, "-keyout", "portal.key", "-out", "portal.pem")
    (folder / "index").touch()
    config = "[ca]\ndefault_ca=c\n[c]\ndatabase=index\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nrand_serial=yes\n"
    (folder / "ca.cnf").write_text(f"{config}unique_subject=no\ncopy_extensions=copy\n[p]\ncommonName=supplied\n")
    for name, names, start, end in (
        ("good", NAMES, "20200101000000Z", "20490101000000Z"),
        ("other", "subjectAltName=DNS:other.example", "20200101000000Z", "20490101000000Z"),
        ("expired", NAMES, "20200101000000Z", "20210101000000Z"),
        ("early", NAMES, "20480101000000Z", "20490101000000Z"),
    ):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]
        openssl("req", "-new", *key, "-subj", f"/CN={name}", "-addext", names, "-out", f"{name}.csr")
        signer = ["ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key"]
        openssl(*signer, "-in", f"{name}.csr", "-startdate", start, "-enddate", end, "-out", f"{name}.pem")
    return folder


@pytest.fixture
def trusted(papers: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This system trusts the test authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(papers / "ca.pem"))
    https.trust.cache_clear()
    yield
    https.trust.cache_clear()


def server_tls(papers: Path, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers / f"{name}.pem", papers / f"{name}.key")
    return context


def ask(office: World, papers: Path, family: Family, name: str, host: str, path: str = "/page") -> ProbeResult:
    """Ask a server that shows the certificate `name`; one that is silent has time for the handshake."""
    timeout_s = 2.0 if path == "/silent" else PATIENCE_S

    async def story() -> ProbeResult:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the server's end of a broken handshake
        tls = server_tls(papers, name)
        async with serving(office.providers[1], family, 443, web, tls), desk() as asker:
            return await asker.ask(ProbeKind.HTTPS, HERE[family], 443, host=host, path=path, timeout_s=timeout_s)

    return office.play(story)


@pytest.mark.usefixtures("trusted")
@both_families
@pytest.mark.parametrize("host", ["probe.example", ""], ids=["by name", "by address"])
def test_the_target_s_own_certificate_is_ok(office: World, papers: Path, family: Family, host: str) -> None:
    result = ask(office, papers, family, "good", host)
    assert (result.outcome, result.detail) == (Outcome.OK, "200")
    assert result.rtt_s is not None


@pytest.mark.usefixtures("trusted")
@both_families
@pytest.mark.parametrize(
    ("certificate", "outcome", "detail"),
    [
        ("other", Outcome.REDIRECTED, "somebody else's certificate: Hostname mismatch"),
        ("portal", Outcome.REDIRECTED, "somebody else's certificate: self-signed certificate"),
        ("expired", Outcome.REFUSED, "certificate has expired: is the clock of this box right?"),
        ("early", Outcome.REFUSED, "certificate is not yet valid: is the clock of this box right?"),
    ],
)
def test_another_certificate_is_somebody_else_and_a_wrong_date_is_not(
    office: World, papers: Path, family: Family, certificate: str, outcome: Outcome, detail: str
) -> None:
    result = ask(office, papers, family, certificate, "probe.example")
    assert result.outcome is outcome
    assert result.detail.startswith(detail)
    assert result.rtt_s is not None


@pytest.mark.usefixtures("trusted")
@both_families
@pytest.mark.parametrize(
    ("path", "outcome", "detail"),
    [
        ("/generate_204", Outcome.OK, "204"),
        ("/portal/generate_204", Outcome.REDIRECTED, "200 where 204 was expected"),
        ("/away", Outcome.REDIRECTED, "302 to portal.example"),
        ("/ill", Outcome.REFUSED, "503 from the server"),
        ("/nothing", Outcome.REFUSED, "closed without an answer in HTTP"),
        ("/silent", Outcome.TIMEOUT, "connected, then no answer"),
    ],
)
def test_inside_tls_answers_mean_what_they_mean_in_http(
    office: World, papers: Path, family: Family, path: str, outcome: Outcome, detail: str
) -> None:
    result = ask(office, papers, family, "good", "probe.example", path)
    assert (result.outcome, result.detail) == (outcome, detail)


@both_families
def test_a_server_without_tls_is_somebody_else(office: World, family: Family) -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def story() -> ProbeResult:
        async with serving(office.providers[1], family, 443, shout), desk() as asker:
            return await asker.ask(ProbeKind.HTTPS, HERE[family], 443)

    result = office.play(story)
    assert (result.outcome, result.detail) == (Outcome.REDIRECTED, "answers, but not in TLS")


@both_families
def test_a_server_that_hangs_up_in_the_handshake_refuses(office: World, family: Family) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.transport.abort()

    async def story() -> ProbeResult:
        async with serving(office.providers[1], family, 443, hang_up), desk() as asker:
            return await asker.ask(ProbeKind.HTTPS, HERE[family], 443)

    result = office.play(story)
    assert result.outcome is Outcome.REFUSED
    assert result.rtt_s is not None


@both_families
def test_a_server_that_is_silent_in_the_handshake_is_a_timeout_that_says_so(office: World, family: Family) -> None:
    async def story() -> ProbeResult:
        async with serving(office.providers[1], family, 443, mute), desk() as asker:
            return await asker.ask(ProbeKind.HTTPS, HERE[family], 443, timeout_s=1.0)

    result = office.play(story)
    assert (result.outcome, result.detail) == (Outcome.TIMEOUT, "connected, then no TLS handshake")


def test_the_system_s_own_trust_is_found_and_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    https.trust.cache_clear()
    assert https.trust() is https.trust()
    assert https.trust().verify_mode is ssl.CERT_REQUIRED
