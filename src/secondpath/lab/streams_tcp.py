"""Work over TCP: new connections, pages, one lasting connection, a download.

For the lasting kinds a silent loss leaves the connection as it is: people's programs wait, so does this. When it
is reset, a new one is opened at once.
"""

import asyncio
import errno
import socket
import time

from secondpath.lab.gaps import Sample
from secondpath.lab.habit import DNS, HTTP, PATIENCE_S, STREAM, TELLING, Habit, Report, note_of
from secondpath.lab.streams_udp import dns_query


class NewTcp:
    """A new connection at every tick: connect, ask, be answered, close."""

    def __init__(self, habit: Habit, report: Report) -> None:
        self.habit, self.report = habit, report
        self.tasks: set[asyncio.Task[None]] = set()

    def tick(self) -> None:
        """Begin one connection; it takes as long as it takes, at most PATIENCE_S."""
        task = asyncio.get_running_loop().create_task(self.visit(time.monotonic()))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def visit(self, sent_s: float) -> None:
        """One connection and what became of it."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                note = await self.exchange()
        except TimeoutError:
            self.report(Sample(self.habit.name, sent_s, None, "timeout"))
        except (OSError, EOFError) as error:
            self.report(Sample(self.habit.name, sent_s, None, note_of(error)))
        else:
            self.report(Sample(self.habit.name, sent_s, time.monotonic(), note))

    async def exchange(self) -> str:
        """One request and its answer: the address the internet saw."""
        loop = asyncio.get_running_loop()
        with self.habit.socket(socket.SOCK_STREAM) as sock:
            await loop.sock_connect(sock, (self.habit.server, TELLING))
            await loop.sock_sendall(sock, b"?\n")
            answer = b""
            while answer.count(b"\n") < 2:
                more = await loop.sock_recv(sock, 2048)
                if not more:
                    raise EOFError
                answer += more
            return answer.partition(b" ")[0].decode()


class Browsing(NewTcp):
    """A page at every tick: a look-up, a document, four pictures on the same connection."""

    async def exchange(self) -> str:
        """Load the page; `ok` when all of it came."""
        loop = asyncio.get_running_loop()
        with self.habit.socket(socket.SOCK_DGRAM) as resolver:
            await loop.sock_connect(resolver, (self.habit.server, DNS))
            await loop.sock_sendall(resolver, dns_query(1, self.habit.family))
            await loop.sock_recv(resolver, 2048)
        with self.habit.socket(socket.SOCK_STREAM) as sock:
            await loop.sock_connect(sock, (self.habit.server, HTTP))
            for path in ("/", *["/bytes/20000"] * 4):
                await loop.sock_sendall(sock, f"GET {path} HTTP/1.1\r\nHost: www.example.com\r\n\r\n".encode())
                await self.read_response(sock)
        return "ok"

    async def read_response(self, sock: socket.socket) -> None:
        """Read one response to its end; a redirect is somebody else's page."""
        loop = asyncio.get_running_loop()
        come = b""
        while b"\r\n\r\n" not in come:
            more = await loop.sock_recv(sock, 65536)
            if not more:
                raise EOFError
            come += more
        head, _, body = come.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise OSError(errno.EACCES, "not the page")
        left = int(head.lower().partition(b"content-length:")[2].split()[0]) - len(body)
        while left > 0:
            more = await loop.sock_recv(sock, 65536)
            if not more:
                raise EOFError
            left -= len(more)


class LastingTcp:
    """One connection for the whole day with a request at every tick; when it is reset, a new one at once."""

    RETRY_S = 0.05

    def __init__(self, habit: Habit, report: Report) -> None:
        self.habit, self.report = habit, report
        self.waiting: list[float] = []
        self.sock: socket.socket | None = None
        self.task = asyncio.get_running_loop().create_task(self.live())

    async def live(self) -> None:
        """Connect, read until it breaks, say how it broke, again."""
        while True:
            try:
                with self.habit.socket(socket.SOCK_STREAM) as sock:
                    await self.connection(sock)
            except (OSError, EOFError) as error:
                self.broke(note_of(error))
            finally:
                self.sock = None
            await asyncio.sleep(self.RETRY_S)

    def broke(self, note: str) -> None:
        """What was under way is lost; the break itself is a sample too."""
        now_s = time.monotonic()
        for sent_s in self.waiting:
            self.report(Sample(self.habit.name, sent_s, None, note))
        if not self.waiting:
            self.report(Sample(self.habit.name, now_s, None, note))
        self.waiting.clear()

    async def connection(self, sock: socket.socket) -> None:
        """One connection from beginning to end."""
        loop = asyncio.get_running_loop()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(sock, (self.habit.server, TELLING))
        who = (await self.first_line(sock)).partition(b" ")[0].decode()
        self.sock = sock
        while data := await loop.sock_recv(sock, 65536):
            now_s = time.monotonic()
            for _ in range(min(data.count(b"\n"), len(self.waiting))):
                self.report(Sample(self.habit.name, self.waiting.pop(0), now_s, who))
        raise EOFError

    async def first_line(self, sock: socket.socket) -> bytes:
        """The line in which the server tells whom it sees, read byte by byte so that nothing after it is lost."""
        line = b""
        while not line.endswith(b"\n"):
            more = await asyncio.get_running_loop().sock_recv(sock, 1)
            if not more:
                raise EOFError
            line += more
        return line

    def tick(self) -> None:
        """Send the next request; without a connection it is lost."""
        now_s = time.monotonic()
        if self.sock is None:
            self.report(Sample(self.habit.name, now_s, None, "no connection"))
            return
        try:
            self.sock.send(b"?" * 31 + b"\n")
            self.waiting.append(now_s)
        except BlockingIOError:
            self.report(Sample(self.habit.name, now_s, None, "full"))
        except OSError:
            return  # the reader meets the same error and tells


class Download(LastingTcp):
    """One download for the whole day: the client only acknowledges. A sample is a tick in which data came."""

    CHUNK_BYTES = 1200

    def __init__(self, habit: Habit, report: Report) -> None:
        super().__init__(habit, report)
        self.came_s: float | None = None
        self.who = ""

    async def connection(self, sock: socket.socket) -> None:
        """Ask for a steady stream, at least two pieces in each tick, and note when pieces come."""
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, (self.habit.server, STREAM))
        pace_ms = max(1, round(self.habit.every_s * 1000 / 3))
        await loop.sock_sendall(sock, f"{pace_ms} {self.CHUNK_BYTES}\n".encode())
        self.who = (await self.first_line(sock)).partition(b" ")[0].decode()
        while await loop.sock_recv(sock, 262144):
            self.came_s = time.monotonic()
        raise EOFError

    def tick(self) -> None:
        """Whether anything came since the last tick."""
        now_s = time.monotonic()
        self.report(Sample(self.habit.name, now_s, self.came_s and now_s, self.who if self.came_s else ""))
        self.came_s = None
