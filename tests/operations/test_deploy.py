"""The files of docs/deploy/ in front of the running product: nginx and Caddy as they are, but for names, ports and certificates.

Where one of the two is missing its test is skipped with the line that says how to get it (with CI set, a skip is a failure).
"""

from __future__ import annotations

import configparser
import gzip
import http.client
import json
import os
import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import brotli
import click
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from quizapp import cli
from quizapp.config import read_settings
from quizapp.core.clock import system_clock, to_ms
from quizapp.core.db import transaction
from quizapp.core.scope import Role
from quizapp.core.tokens import Keys
from quizapp.operations.probe import probe_path
from tests.factories import PASSWORD, make_account, make_delivery
from tests.operations.support import ROOT, free_port, run_command, serving, wait_until
from tests.operations.test_server import prepare_instance
from tests.quizzes.support import begin

DEPLOY = ROOT / "docs" / "deploy"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
NGINX, CADDY = shutil.which("nginx", path=PATH), shutil.which("caddy", path=PATH)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that nobody but this test trusts, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "chain.pem", folder / "private.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return chain, private


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    """Each of these stands in the file, and is put in place."""
    for old, new in pairs:
        assert old in text, f"{old} is not in the file any more: change the test with it"
        text = text.replace(old, new)
    return text


def start_nginx(folder: Path, https: int, plain: int, app: int) -> list[str]:
    chain, private = make_certificate(folder)
    site = replaced(
        (DEPLOY / "nginx.conf").read_text(encoding="utf-8"),
        ("/etc/letsencrypt/live/quiz.example.org/fullchain.pem", str(chain)),
        ("/etc/letsencrypt/live/quiz.example.org/privkey.pem", str(private)),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{https} ssl"),
        ("quiz.example.org", "localhost"),
        ("127.0.0.1:8000", f"127.0.0.1:{app}"),
    )
    (folder / "site.conf").write_text(site, encoding="utf-8")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    (folder / "nginx.conf").write_text(
        ("user root;\n" if os.getuid() == 0 else "")
        + f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        + "events { worker_connections 512; }\nhttp {\naccess_log off;\n"
        + "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
        + f"include {folder}/site.conf;\n}}\n",
        encoding="utf-8",
    )
    return [str(NGINX), "-e", f"{folder}/error.log", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def start_caddy(folder: Path, https: int, plain: int, app: int) -> list[str]:
    chain, private = make_certificate(folder)
    site = replaced(
        (DEPLOY / "Caddyfile").read_text(encoding="utf-8"),
        ("quiz.example.org {", f"localhost:{https} {{\n\ttls {chain} {private}\n\tbind 127.0.0.1"),
        ("127.0.0.1:8000", f"127.0.0.1:{app}"),
    )
    options = f"{{\n\tadmin off\n\thttp_port {plain}\n\thttps_port {https}\n\tskip_install_trust\n}}\n"
    (folder / "Caddyfile").write_text(options + site, encoding="utf-8")
    return [str(CADDY), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


Start = Callable[[Path, int, int, int], list[str]]


@contextmanager
def proxied(start: Start, folder: Path, https: int, plain: int, app: int) -> Iterator[None]:
    """A proxy that answers, stopped at the end."""
    folder.mkdir()
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            start(folder, https, plain, app),
            stdout=output,
            stderr=output,
            env={"PATH": PATH, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        )
        try:

            def answers() -> bool:
                assert process.poll() is None, (folder / "output.txt").read_text(encoding="utf-8")
                connection = http.client.HTTPConnection("127.0.0.1", plain, timeout=20)
                try:
                    connection.request("HEAD", "/")
                    return connection.getresponse().status > 0
                except OSError:
                    return False
                finally:
                    connection.close()

            wait_until(answers)
            yield
        finally:
            process.terminate()
            process.wait(20)


@pytest.mark.parametrize(
    ("program", "start", "package"),
    [
        pytest.param(NGINX, start_nginx, "nginx-light", id="nginx"),
        pytest.param(CADDY, start_caddy, "caddy", id="caddy"),
    ],
)
def test_the_product_runs_behind_the_proxy_of_our_files(
    program: str | None, start: Start, package: str, sqlite_template: Path, tmp_path: Path
) -> None:
    if program is None:
        pytest.skip(f"no {package} here: apt-get install {package}")
    instance = tmp_path / "here"
    database = prepare_instance(sqlite_template, instance)
    keys = Keys.load(instance / "keys")
    with database.session() as db:
        with transaction(db):
            make_account(db, (Role.ADMINISTRATOR, None), username="chief")
            delivery = make_delivery(db, now=system_clock())
        attempt = begin(db, delivery, keys, now=system_clock())
    database.dispose()
    https, plain, port = free_port(), free_port(), free_port()
    origin = f"https://localhost:{https}"
    settings = {"PORT": str(port), "PUBLIC_URL": origin, "TRUSTED_PROXIES": "127.0.0.1"}
    with proxied(start, tmp_path / "proxy", https, plain, port), serving(instance, **settings):
        context = ssl.create_default_context(cafile=str(tmp_path / "proxy" / "chain.pem"))

        def ask(
            method: str, path: str, body: bytes | None = None, **headers: str
        ) -> tuple[int, http.client.HTTPMessage, bytes]:
            """A visitor at another address than the proxy's."""
            connection = http.client.HTTPSConnection(
                "localhost", https, context=context, timeout=20, source_address=("127.0.0.2", 0)
            )
            try:
                connection.request(
                    method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
                )
                reply = connection.getresponse()
                return reply.status, reply.headers, reply.read()
            finally:
                connection.close()

        # plain http leads to https
        connection = http.client.HTTPConnection("localhost", plain, timeout=20)
        connection.request("GET", "/sign-in")
        moved = connection.getresponse()
        assert moved.status == 308
        assert moved.headers["Location"].startswith("https://localhost")
        connection.close()

        # the visitor's own address and scheme arrive, and no claim of theirs
        claims = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "http", "Forwarded": "for=203.0.113.9"}
        arrived = json.loads(ask("GET", probe_path(keys, to_ms(system_clock())), **claims)[2])
        assert (arrived["visitor"], arrived["peer"], arrived["scheme"]) == ("127.0.0.2", "127.0.0.1", "https")
        assert (arrived["host"], arrived["forwarded_for"]) == (f"localhost:{https}", ["127.0.0.2"])
        direct = http.client.HTTPConnection("127.0.0.1", port, timeout=20, source_address=("127.0.0.3", 0))
        direct.request("GET", probe_path(keys, to_ms(system_clock())), headers={"X-Forwarded-For": "203.0.113.9"})
        assert json.loads(direct.getresponse().read())["visitor"] == "127.0.0.3"  # past the proxy nothing is believed
        direct.close()

        # signing in, with cookies that go over https alone
        jar = CookieJar()
        browser = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(jar)
        )
        with browser.open(f"{origin}/sign-in", timeout=20) as reply:
            page, security = reply.read().decode(), reply.headers["Strict-Transport-Security"]
        assert security == "max-age=31536000"
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert token
        form = {"csrf_token": token[1], "login": "chief", "password": PASSWORD}
        request = urllib.request.Request(  # noqa: S310 # our own server
            f"{origin}/sign-in", urlencode(form).encode(), {"Referer": f"{origin}/sign-in"}
        )
        with browser.open(request, timeout=20) as reply:
            assert "林晓" in reply.read().decode()
        assert jar
        assert all(cookie.secure for cookie in jar)

        # a phone saves, told by its origin alone as old browsers do
        address, body = f"/q/{delivery.poster_code}/a/{attempt.attempt.public_id}/answers", {"items": []}
        body["items"] = [{"position": 1, "answer": "b", "sequence": 1}]
        phone = {"Cookie": f"a_{attempt.attempt.public_id}={attempt.secret}", "Content_Type": "application/json"}
        saved = ask("POST", address, json.dumps(body).encode(), Origin=origin, **phone)
        assert (saved[0], json.loads(saved[2])["results"][0]["status"]) == (200, "saved")
        foreign = ask("POST", address, json.dumps(body).encode(), Origin="https://elsewhere.example", **phone)
        assert foreign[0] == 400

        # styles come compressed
        style = re.search(r'href="(/static/app\.[0-9a-f]+\.css)"', page)
        assert style
        whole = ask("GET", style[1])[2]
        for coding, unpack in (("gzip", gzip.decompress), ("br", brotli.decompress)):
            status, headers, content = ask("GET", style[1], Accept_Encoding=coding)
            assert (status, headers["Content-Encoding"], unpack(content)) == (200, coding, whole)
            assert "immutable" in headers["Cache-Control"]

        # what is too large is refused by the proxy; and by the product where it may be less than the proxy lets through: it hangs up
        # without reading the rest, and a proxy that is still sending then says "bad gateway"
        assert upload(ask, 17) == 413
        assert upload(ask, 3) in (413, 502)

        # and the doctor finds all of it well
        with_certificate = {**settings, "SSL_CERT_FILE": str(tmp_path / "proxy" / "chain.pem")}
        told = run_command(instance, "doctor", **with_certificate).stdout
        assert f"ok    site: {origin} answers" in told
        assert "ok    proxy headers: arrive as they should through 127.0.0.1" in told


def upload(ask: Callable[..., tuple[int, http.client.HTTPMessage, bytes]], megabytes: int) -> int:
    """What a form of this size is answered; a proxy may hang up while it is still being sent."""
    try:
        return ask("POST", "/sign-in", bytes(megabytes << 20), Content_Type="application/x-www-form-urlencoded")[0]
    except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
        return 413


def test_the_units_of_systemd_run_our_commands_with_our_settings() -> None:
    folders = set()
    for path in sorted(DEPLOY.glob("*.service")):
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str  # type: ignore[assignment,method-assign] # names keep their case
        unit.read_string(path.read_text(encoding="utf-8"))
        program, *arguments = unit["Service"]["ExecStart"].split()
        assert program.endswith("/.venv/bin/quizapp")
        command = cli.group.get_command(click.Context(cli.group), arguments[0])
        assert command is not None
        command.make_context(arguments[0], arguments[1:])
        assert unit["Service"]["EnvironmentFile"] == "/etc/quizapp/quizapp.env"
        folders.add(unit["Service"]["StateDirectory"])
    assert folders == {"quizapp"}
    lines = re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", (DEPLOY / "quizapp.env").read_text(encoding="utf-8"), re.MULTILINE)
    settings = read_settings(dict(lines))
    assert (settings.public_url, settings.trusted_proxies) == ("https://quiz.example.org", ("127.0.0.1",))
    assert str(settings.instance) == "/var/lib/quizapp"


def test_every_file_of_docs_deploy_is_told_of() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [path.name for path in DEPLOY.iterdir() if f"deploy/{path.name}" not in text] == []
