"""What the taking page weighs on the wire, how long a server takes to its first reply, and how much memory a worker holds."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from statistics import median
from urllib.parse import urljoin

from benchmarks.attempt import ask_all
from benchmarks.ground import Ground, Opened
from benchmarks.load import Reply, request
from benchmarks.results import Result, Results
from benchmarks.server import ROOT, Server, free_port, wait_for

_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
#: Relations of a <link> that a browser fetches with the page.
_FETCHED = {"stylesheet", "icon", "preload", "modulepreload", "manifest"}


def references(page: str) -> list[str]:
    """The addresses that a browser fetches for a page: styles, scripts, icons, pictures.

    >>> references('<link rel="stylesheet" href="/a.css"><script src="/b.js"></script><a href="/c">c</a>')
    ['/a.css', '/b.js']
    """
    found = []
    for tag, attributes in re.findall(r"<(link|script|img)\b([^>]*)>", page):
        values = dict(_ATTRIBUTE.findall(attributes))
        if tag == "link" and not _FETCHED & set(values.get("rel", "").split()):
            continue
        if address := values.get("href" if tag == "link" else "src"):
            found.append(address)
    return list(dict.fromkeys(found))


def imports(script: str) -> list[str]:
    """The modules that a script imports at its start.

    >>> imports('import { a } from "./x.js";import "./y.js"; const b = import("./later.js")')
    ['./x.js', './y.js']
    """
    return re.findall(r"""\bimport\s*(?:[\w{}\s,*$]+\sfrom\s*)?["']([^"']+)["']""", script)


def weigh(server: Server, code: str, attempt: Opened, results: Results) -> None:
    """Bytes and requests of the first question's page, cold, with what its script fetches at once."""
    headers = ["Accept-Encoding: gzip, deflate, br", "Accept-Language: zh-CN"]

    def fetch(path: str, cookies: str = "", *extra: str) -> Reply:
        reply = asyncio.run(
            ask_all(server.port, [request("GET", path, cookies=cookies, headers=[*headers, *extra])], 1)
        )[0]
        if not reply.good:
            raise RuntimeError(f"{path}: status {reply.status}")
        return reply

    sizes: dict[str, int] = {}
    path = f"/q/{code}/a/{attempt.public_id}/1"
    page = fetch(path, attempt.cookie)
    sizes["page"] = page.size
    waiting = references(_plain(page))
    while waiting:
        address = waiting.pop(0)
        if address in sizes:
            continue
        reply = fetch(address)
        sizes[address] = reply.size
        if address.endswith(".js"):
            waiting += [urljoin(address, name) for name in imports(_plain(reply))]
    questions = fetch(f"/q/{code}/a/{attempt.public_id}/questions", attempt.cookie)
    sizes["all questions"] = questions.size
    listed = ", ".join(f"{re.sub(r'.*/|[.][0-9a-f]{10}', '', name)} {size / 1000:.1f}" for name, size in sizes.items())
    results.add(
        Result("taking page, cold", sum(sizes.values()) / 1000, None, "KB", note=listed, target=30, absolute=True)
    )
    results.add(Result("taking page, cold", len(sizes), None, "requests", target=6, absolute=True))


def _plain(reply: Reply) -> str:
    encoding = reply.header("content-encoding")
    body = reply.body
    if encoding == "br":
        import brotli

        body = brotli.decompress(body)
    elif encoding == "gzip":
        import gzip

        body = gzip.decompress(body)
    return body.decode()


def start_seconds(ground: Ground, results: Results, *, rounds: int) -> None:
    """`quizapp serve` on a prepared installation, from the command to the first reply."""
    seconds = []
    log = ground.folder / "serve.log"
    for number in range(rounds):
        port = free_port()
        environment = {**os.environ, **ground.environment(ground.copy(f"serve{number}")), "PORT": str(port)}
        begin = time.perf_counter()
        with log.open("ab") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "quizapp.cli", "serve"], cwd=ROOT, env=environment, stdout=file, stderr=file
            )
        try:
            wait_for(port, process, log)
            seconds.append(time.perf_counter() - begin)
        finally:
            process.terminate()
            process.wait(15)
    results.add(Result("server start", median(seconds), None, "s", ground.kind, target=3, absolute=True))


def memory(ground: Ground, server: Server, results: Results) -> None:
    """The largest worker after the load."""
    results.add(
        Result(
            "worker memory after the load", server.largest_worker(), None, "MB", ground.kind, target=150, absolute=True
        )
    )
