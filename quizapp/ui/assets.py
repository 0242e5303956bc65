"""The built files at run time: their addresses, the icons, and their serving."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app
from markupsafe import Markup, escape
from whitenoise import WhiteNoise

from quizapp.ui.build import DIST
from quizapp.ui.headers import POLICY

if TYPE_CHECKING:
    from wsgiref.headers import Headers

_HASHED = re.compile(r"\.[0-9a-f]{10}\.\w+$")
_YEAR = 365 * 24 * 3600

#: Added to what Python knows: an unknown type would make a browser refuse the file under `nosniff`.
MIME_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
}


class NotBuilt(RuntimeError):
    """The front end has not been built."""


class Assets:
    """The manifest and the icons of one build, read once."""

    def __init__(self, dist: Path = DIST) -> None:
        self.dist = dist
        self.manifest: dict[str, str] = _read(dist / "manifest.json")
        self.icons: dict[str, str] = _read(dist / "icons.json")
        #: (name, size) → an icon without words: drawing one anew costs more than the rest of its row.
        self.drawn: dict[tuple[str, str | None], Markup] = {}

    def url(self, name: str) -> str:
        """The address of a built file by its plain name. Raises NotBuilt where there is none."""
        hashed = self.manifest.get(name)
        if hashed is None:
            raise NotBuilt(f"{name} is not in the built front end: run `make install` (or python -m quizapp.ui.build)")
        return f"/static/{hashed}"

    def wrap(self, wsgi_app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        """Put the built files, which never change under their name, before the application."""
        files = WhiteNoise(
            wsgi_app,
            prefix="static/",
            max_age=60,
            immutable_file_test=lambda _path, url: bool(_HASHED.search(url)),
            mimetypes=MIME_TYPES,
            add_headers_function=_add_headers,
            charset="utf-8",
            allow_all_origins=False,
        )
        folder = self.dist / "static"
        if folder.is_dir():
            files.add_files(str(folder), prefix="static/")
        wrapped: Callable[..., Iterable[bytes]] = files
        return wrapped


def _read(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    content: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return content


#: A worker is governed by the policy of its own reply: the scan page's may compile WebAssembly, and no page may.
_SCAN_WORKER = re.compile(r"/scan-worker\.[0-9a-f]{10}\.js$")
_WORKER_POLICY = "; ".join(
    f"{name} {value}"
    for name, value in {**POLICY, "default-src": "'none'", "script-src": "'self' 'wasm-unsafe-eval'"}.items()
)


def _add_headers(headers: Headers, _path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    if _SCAN_WORKER.search(url):
        headers["Content-Security-Policy"] = _WORKER_POLICY
    if _HASHED.search(url):
        headers["Cache-Control"] = f"max-age={_YEAR}, public, immutable"


def get_assets(app: Flask | None = None) -> Assets:
    """The assets of an application."""
    assets: Assets = (app or current_app).extensions["quizapp_assets"]
    return assets


def static_url(name: str) -> str:
    """Jinja: `static_url("app.css")`."""
    return get_assets().url(name)


def icon(
    name: str, size: str | None = None, label: str | None = None, attributes: dict[str, Any] | None = None
) -> Markup:
    """Jinja: an inline icon. `size` is small, row, feature or disc; `label` only where no word stands beside it.

    Without a build (or without npm) nothing is drawn, and a label stands as text for those who listen.
    """
    assets = get_assets()
    plain = label is None and not attributes
    if plain and (drawn := assets.drawn.get((name, size))) is not None:
        return drawn
    shapes = assets.icons.get(name)
    if shapes is None:
        return Markup('<span class="visually-hidden">{}</span>').format(label) if label else Markup("")
    classes = f"icon icon-{size}" if size else "icon"
    voice = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    more = Markup("").join(Markup(' {}="{}"').format(key, value) for key, value in (attributes or {}).items())
    drawn = Markup('<svg class="{}" viewBox="0 0 24 24" {}{}>{}</svg>').format(
        escape(classes),
        voice,
        more,
        Markup(shapes),  # noqa: S704 # the shapes come from our own build
    )
    if plain:
        assets.drawn[name, size] = drawn
    return drawn
