"""HTTP/1.1 over loopback from prebuilt bytes: little work for a request, so that the server gets the processor.

A closed loop sends the next request of a connection when the reply to the last one is there; an open loop sends at planned instants,
whatever the server does, and counts the waiting from the planned instant.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

#: Seconds after which a request counts as unanswered.
TIMEOUT = 30.0


@dataclass(frozen=True)
class Reply:
    """One reply; `size` is what went over the wire."""

    status: int
    head: bytes
    body: bytes
    size: int

    @property
    def good(self) -> bool:
        """Whether the server did what was asked."""
        return self.status < 400

    def header(self, name: str) -> str | None:
        """The first header of this name."""
        return next(iter(self.headers(name)), None)

    def headers(self, name: str) -> list[str]:
        """All headers of this name."""
        prefix = name.lower().encode() + b":"
        lines = self.head.split(b"\r\n")[1:]
        return [line[len(prefix) :].strip().decode("latin-1") for line in lines if line.lower().startswith(prefix)]


class Unanswered(Exception):
    """The connection ended or the time was over before the reply was there."""


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reply: asyncio.Future[Reply] | None = None
        self._buffer = bytearray()
        self._ended = False

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect to a port of this machine. Raises Unanswered."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(TIMEOUT):
                _, connection = await loop.create_connection(cls, "127.0.0.1", port)
        except (OSError, TimeoutError) as error:
            raise Unanswered from error
        return connection

    async def ask(self, request: bytes) -> Reply:
        """Send a request and wait for its reply. Raises Unanswered; the connection is then closed."""
        if self._transport is None or self._ended:
            raise Unanswered
        loop = asyncio.get_running_loop()
        self._reply = loop.create_future()
        timer = loop.call_later(TIMEOUT, self.close)
        self._transport.write(request)
        try:
            return await self._reply
        finally:
            timer.cancel()

    def close(self) -> None:
        """End the connection; a request on its way is unanswered."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def ended(self) -> bool:
        """Whether no further request can be sent."""
        return self._ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """asyncio: a part of a reply."""
        self._buffer += data
        if self._reply is not None and not self._reply.done() and (reply := parse(self._buffer)) is not None:
            self._buffer.clear()
            self._reply.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        self._ended = True
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(Unanswered())


def parse(buffer: bytes | bytearray) -> Reply | None:
    """A whole reply at the start of the buffer; None while a part is missing."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head, start = bytes(buffer[:end]), end + 4
    status, lower = int(head[9:12]), head.lower()
    if b"transfer-encoding: chunked" in lower:
        return _chunked(buffer, status, head, start)
    length = 0
    at = lower.find(b"\r\ncontent-length:")
    if at >= 0:
        length = int(lower[at + 17 :].split(b"\r\n", 1)[0])
    if len(buffer) < start + length:
        return None
    return Reply(status, head, bytes(buffer[start : start + length]), start + length)


def _chunked(buffer: bytes | bytearray, status: int, head: bytes, position: int) -> Reply | None:
    body = bytearray()
    while (line := buffer.find(b"\r\n", position)) >= 0:
        size = int(bytes(buffer[position:line]).split(b";")[0], 16)
        if len(buffer) < line + 2 + size + 2:
            return None
        body += buffer[line + 2 : line + 2 + size]
        position = line + 2 + size + 2
        if size == 0:
            return Reply(status, head, bytes(body), position)
    return None


def request(
    method: str, path: str, *, cookies: str = "", body: bytes = b"", kind: str = "", headers: Sequence[str] = ()
) -> bytes:
    """The bytes of one request. `kind` is the content type of the body."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Sec-Fetch-Site: same-origin", *headers]
    if cookies:
        lines.append(f"Cookie: {cookies}")
    if method == "POST":
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class Outcome:
    """What came of a load: replies, their waiting times in seconds, and what went wrong."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    failed: int = 0
    unanswered: int = 0
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Good replies."""
        return len(self.waits)

    def note(self, reply: Reply, wait: float) -> None:
        """Count one reply."""
        if reply.good:
            self.waits.append(wait)
        else:
            self.failed += 1
            self.statuses[reply.status] = self.statuses.get(reply.status, 0) + 1


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed; 0 for none.

    >>> percentile([4, 1, 3, 2], 0.5)
    2
    """
    if not values:
        return 0.0
    return sorted(values)[max(0, -int(-len(values) * share // 1) - 1)]


async def closed_loop(port: int, streams: Sequence[Iterable[bytes]], seconds: float | None = None) -> Outcome:
    """Send each stream of requests over a connection of its own, until it ends or the time is over."""
    outcome = Outcome()
    connections = [await Connection.open(port) for _ in streams]
    begin = time.perf_counter()
    end = begin + (seconds if seconds is not None else 120.0)

    async def run(connection: Connection, stream: Iterator[bytes]) -> None:
        for data in stream:
            sent = time.perf_counter()
            if sent >= end:
                return
            try:
                outcome.note(await connection.ask(data), time.perf_counter() - sent)
            except Unanswered:
                outcome.unanswered += 1
                return

    await asyncio.gather(*(run(c, iter(s)) for c, s in zip(connections, streams, strict=True)))
    outcome.seconds = time.perf_counter() - begin
    for connection in connections:
        connection.close()
    return outcome


class Pool:
    """A few connections that many phones share, as a proxy in front of the server does."""

    def __init__(self, port: int, size: int) -> None:
        self._port = port
        self._size = size
        self._free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        self._all: list[Connection] = []

    async def open(self) -> None:
        """Connect all."""
        for _ in range(self._size):
            connection = await Connection.open(self._port)
            self._all.append(connection)
            self._free.put_nowait(connection)

    async def ask(self, data: bytes) -> Reply:
        """Send a request over the next free connection. Raises Unanswered."""
        connection = await self._free.get()
        try:
            if connection.ended:
                connection = await Connection.open(self._port)
                self._all.append(connection)
            return await connection.ask(data)
        finally:
            self._free.put_nowait(connection)

    def close(self) -> None:
        """End all connections."""
        for connection in self._all:
            connection.close()


Ask = Callable[[bytes], Awaitable[Reply]]
