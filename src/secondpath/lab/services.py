"""What the internet's servers say: one conversation each, over TCP streams, and the few answers UDP needs."""

import asyncio
import time
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from ipaddress import ip_address

LARGEST_BODY = 1_000_000_000
STUN_COOKIE = bytes.fromhex("2112a442")


async def echo(reader: Reader, writer: Writer) -> None:
    """RFC 862."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def telling(reader: Reader, writer: Writer) -> None:
    """First a line with the address we saw, then echo."""
    writer.write(told(writer.get_extra_info("peername")[0], b"\n"))
    await echo(reader, writer)


async def silent(reader: Reader, _writer: Writer) -> None:
    """A port that opens and says nothing."""
    while await reader.read(65536):
        pass


async def stream(reader: Reader, writer: Writer) -> None:
    """A download: the client's line `EVERY_MS BYTES` says how often and how much; 0 0 is as fast as can be."""
    every_ms, size = (int(word) for word in (await reader.readline()).split())
    who = told(writer.get_extra_info("peername")[0], b"\n")
    writer.write(who)
    chunk = bytes(min(size, 65536) or 65536)
    due_s = time.monotonic()
    while not writer.is_closing():
        writer.write(chunk)
        await writer.drain()
        due_s += every_ms / 1000
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))


async def sip(reader: Reader, writer: Writer) -> None:
    """SIP over TLS: requests are answered as far as a registrar's OPTIONS goes (RFC 3261 section 11)."""
    while head := await reader.readuntil(b"\r\n\r\n"):
        answer = sip_answer(head)
        if answer is None:
            return
        writer.write(answer)


async def portal(reader: Reader, writer: Writer) -> None:
    """A captive portal: whatever is asked, go and log in first."""
    await reader.readuntil(b"\r\n\r\n")
    body = b"<html><body>Welcome! Please log in to use the internet.</body></html>"
    more = "Location: http://portal.example/login\r\nConnection: close\r\n"
    writer.write(page_head("302 Found", len(body), more) + body)


def told(sender: str, rest: bytes) -> bytes:
    """The sender's address as the internet saw it, then the rest."""
    return sender.removeprefix("::ffff:").encode() + b" " + rest


def sip_answer(request: bytes) -> bytes | None:
    """200 OK to a SIP request: the status line, and the headers that must be copied (RFC 3261 section 8.2.6)."""
    lines = request.split(b"\r\n")
    if not lines[0].endswith(b"SIP/2.0") or lines[0].startswith(b"ACK"):
        return None
    copied = [line for line in lines if line.lower().startswith((b"via:", b"from:", b"to:", b"call-id:", b"cseq:"))]
    return b"\r\n".join([b"SIP/2.0 200 OK", *copied, b"Allow: OPTIONS, REGISTER", b"Content-Length: 0", b"", b""])


def stun_answer(request: bytes, sender: str, port: int) -> bytes | None:
    """A binding response with the address that the internet saw, as XOR-MAPPED-ADDRESS (RFC 8489 section 14.2)."""
    if len(request) < 20 or request[:2] != b"\x00\x01" or request[4:8] != STUN_COOKIE:
        return None
    address = ip_address(sender)
    mask = request[4:20][: len(address.packed)]
    seen = bytes(a ^ b for a, b in zip(address.packed, mask, strict=True))
    family = 1 if address.version == 4 else 2
    value = bytes([0, family]) + (port ^ int.from_bytes(STUN_COOKIE[:2])).to_bytes(2) + seen
    attribute = b"\x00\x20" + len(value).to_bytes(2) + value
    return b"\x01\x01" + len(attribute).to_bytes(2) + request[4:20] + attribute


def page_head(status: str, length: int, more: str = "") -> bytes:
    """The head of an HTTP response."""
    return f"HTTP/1.1 {status}\r\nServer: lab\r\nContent-Length: {length}\r\n{more}\r\n".encode()


async def send_page(writer: Writer, path: str) -> None:
    """One page: /generate_204, /bytes/N, / and /login; anything else is not found."""
    if path == "/generate_204":
        writer.write(b"HTTP/1.1 204 No Content\r\nServer: lab\r\n\r\n")
    elif path.startswith("/bytes/") and path[7:].isdigit() and int(path[7:]) <= LARGEST_BODY:
        left = int(path[7:])
        writer.write(page_head("200 OK", left))
        while left > 0:
            writer.write(bytes(min(left, 65536)))
            await writer.drain()
            left -= 65536
    elif path in ("/", "/login"):
        body = b"<html><title>lab</title><body>It works.</body></html>"
        writer.write(page_head("200 OK", len(body), "Content-Type: text/html\r\n") + body)
    else:
        writer.write(page_head("404 Not Found", 0))
    await writer.drain()
