"""The front-end build: `python -m quizapp.ui.build`.

Takes our own CSS and JavaScript, the icons and the Chinese faces that npm fetched, and the gettext catalogues, and makes
`quizapp/ui/dist/` (ignored by git):

    dist/static/         what is served under /static/, each name with a hash of its content, beside it .gz and .br; with the reader of
                         QR codes that npm fetched
    dist/fonts/          Chinese faces for PDFs
    dist/icons.json      name → inner SVG of the icons in `ICONS`
    dist/manifest.json   "app.css" → "app.1a2b3c4d.css"
    dist/stamp.json      what it was made from; nothing is done when that is unchanged

Nothing is bundled. Files of the build before are kept for one more build, so that a page that is open, or a worker that has not been
restarted, still finds what it names. Without npm, the icons are left out in one line of warning: each stands beside its word; once
npm can be reached, `python -m quizapp.ui.build --again` fetches them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess  # runs npm with fixed arguments
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from quizapp.ui.squeeze import squeeze_css, squeeze_js

UI = Path(__file__).resolve().parent
ROOT = UI.parents[1]
STATIC = UI / "static"
DIST = UI / "dist"
TRANSLATIONS = UI.parent / "translations"

#: The style sheets, in their order. A feature that needs more CSS adds `quizapp/ui/static/css/<feature>.css` to one of the lists.
BUNDLES: dict[str, list[str]] = {
    # phone pages: at most 8 KB compressed
    "app.css": ["tokens.css", "base.css", "parts.css", "attempt.css", "print.css"],
    # what the home page and the list of banks load besides
    "portal.css": ["portal.css"],
    # what staff pages load besides
    "desk.css": [
        "desk.css",
        "reports.css",
        "demo.css",
        "certificates.css",
        "sessions.css",
        "deliveries.css",
        "banks.css",
        "surveys.css",
    ],
    # what the trainer's pages of sessions load besides
    "trainings.css": ["trainings.css"],
    # what the projector page loads besides
    "hall.css": ["hall.css"],
    # what the scan page loads besides
    "scan.css": ["scan.css"],
}

#: The Lucide icons that pages use; `icon("clock")` names one of them.
ICONS: tuple[str, ...] = tuple(
    """
    a-large-small arrow-right atom award bookmark building-2 calendar calendar-check camera chart-column check chevron-down
    chevron-left chevron-right circle-alert circle-check circle-x clock copy download eye eye-off file-text flag flashlight
    heart-pulse history house image info keyboard languages layout-grid leaf library list-checks lock log-out megaphone menu plus
    presentation printer qr-code refresh-cw scan search send settings shield triangle-alert undo-2 upload user user-plus users
    wifi-off x
    """.split()  # noqa: SIM905 # sixty quoted names would be harder to read and to sort
)

FONTS = (
    "@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf",
    "@expo-google-fonts/noto-sans-sc/700Bold/NotoSansSC_700Bold.ttf",
)

#: The reader of QR codes for the scan page's worker, as npm brings it: our name → file. It is served from here, never from elsewhere.
READER = {
    "zxing-reader.js": "zxing-wasm/dist/iife/reader/index.js",
    "zxing-reader.wasm": "zxing-wasm/dist/reader/zxing_reader.wasm",
}
#: Where the reader would fetch its program from if nobody told it; the worker does, and nothing we ship names another origin.
_ELSEWHERE = b"https://fastly.jsdelivr.net/npm/"

_COMPRESSIBLE = {".css", ".js", ".svg", ".json", ".webmanifest", ".wasm"}
_IMPORT = re.compile(r"""((?:\bfrom|\bimport|\bimport\s*\(|\bURL\s*\()\s*)(["'])\./([\w./-]+\.m?js)\2""")


class BuildFailed(Exception):
    """The build cannot go on; the message names the file and the cure."""


def say(text: str) -> None:
    """One line of progress."""
    print(text, flush=True)


def build(
    *,
    dist: Path = DIST,
    root: Path = ROOT,
    static: Path = STATIC,
    translations: Path = TRANSLATIONS,
    again: bool = False,
) -> bool:
    """Bring `dist` up to date, or with `again` make it whatever stands. Returns whether there was anything to do."""
    stamp_file = dist / "stamp.json"
    stamp = _stamp([static, translations], [root / "package-lock.json", Path(__file__), UI / "squeeze.py"], root)
    stamp["npm"] = _npm_is_current(root)
    if not again and _read_json(stamp_file) == stamp and _outputs_stand(dist, translations):
        return False
    if not _npm_is_current(root):
        stamp["npm"] = _fetch_packages(root)
    dist.mkdir(parents=True, exist_ok=True)
    _copy_icons_and_fonts(root / "node_modules", dist)
    say("Front end: styles and scripts")
    _write_static(static, dist, root / "node_modules")
    _compile_catalogues(translations)
    _write_atomically(stamp_file, json.dumps(stamp).encode())
    say("Front end: ready")
    return True


def _stamp(folders: Iterable[Path], files: Iterable[Path], root: Path) -> dict[str, object]:
    """A fingerprint of every source, by content."""
    digest = hashlib.sha256()
    paths = [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".mo", ".pyc", ".py", ".pot")
    ]
    for path in sorted([*paths, *(file for file in files if file.is_file())]):
        digest.update(os.path.relpath(path, root).encode() + b"\0" + path.read_bytes() + b"\0")
    return {"sources": digest.hexdigest()}


def _outputs_stand(dist: Path, translations: Path) -> bool:
    manifest = _read_json(dist / "manifest.json")
    return (
        manifest is not None
        and all((dist / "static" / str(name)).is_file() for name in manifest.values())
        and all(po.with_suffix(".mo").is_file() for po in translations.glob("*/LC_MESSAGES/*.po"))
    )


def _read_json(path: Path) -> dict[str, object] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _write_atomically(path: Path, content: bytes) -> None:
    """Write beside and rename, so that a server never reads half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).chmod(0o644)
    Path(name).replace(path)


# --- packages from npm ---------------------------------------------------------------------------------------------------


def _npm_is_current(root: Path) -> bool:
    """Whether node_modules was installed from the lock file as it stands."""
    lock, mark = root / "package-lock.json", root / "node_modules" / ".quizapp-lock"
    if not lock.is_file() or not mark.is_file():
        return False
    return mark.read_text(encoding="utf-8") == hashlib.sha256(lock.read_bytes()).hexdigest()


def find_npm(root: Path = ROOT) -> list[str] | None:
    """The command that runs npm: the one of the build environment beside the checkout, else the system's."""
    for folder in ("bin", "Scripts"):
        own = root / ".venv-build" / folder / "npm"
        if own.is_file():
            return [str(own)]
    system = shutil.which("npm")
    return [system] if system else None


def _fetch_packages(root: Path) -> bool:
    """Install the locked packages. False, with one line that says so, when they cannot be had."""
    npm = find_npm(root)
    if not (root / "package-lock.json").is_file():
        return False
    if npm is None:
        say(
            "Front end: no npm found, so pages show words without icons, cameras cannot scan, and PDFs need a Chinese face of the system"
        )
        return False
    say("Front end: fetching icons and Chinese faces (a minute on a slow line)")
    environment = dict(os.environ)
    environment["PATH"] = str(Path(npm[0]).parent) + os.pathsep + environment.get("PATH", "")
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(  # noqa: S603 # a fixed command, no input from outside
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        reason = (done.stderr.strip().splitlines() or ["npm gave no reason"])[0] if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = str(error)
    if reason:
        say(
            f"Front end: npm could not be reached ({reason[:120]}), so pages show words without icons and cameras cannot scan; "
            "the rest is built"
        )
        return False
    digest = hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()
    (root / "node_modules" / ".quizapp-lock").write_text(digest, encoding="utf-8")
    return True


def _copy_icons_and_fonts(modules: Path, dist: Path) -> None:
    folder = modules / "lucide-static" / "icons"
    if folder.is_dir():
        icons = {name: _inner_svg(folder / f"{name}.svg") for name in ICONS}
        _write_atomically(dist / "icons.json", json.dumps(icons, separators=(",", ":")).encode())
    for font in FONTS:
        source, target = modules / font, dist / "fonts" / Path(font).name
        if source.is_file() and not (target.is_file() and target.stat().st_size == source.stat().st_size):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def _inner_svg(path: Path) -> str:
    """The shapes of an icon, without the element around them (that one carries our class)."""
    if not path.is_file():
        raise BuildFailed(f"{path.name} is not in lucide-static: correct ICONS in quizapp/ui/build.py")
    found = re.search(r"<svg[^>]*>(.*)</svg>", path.read_text(encoding="utf-8"), re.DOTALL)
    if found is None:
        raise BuildFailed(f"{path} holds no svg element")
    return re.sub(r"\s*\n\s*", "", found[1]).replace(" />", "/>")


# --- our own files --------------------------------------------------------------------------------------------------------


def _write_static(static: Path, dist: Path, modules: Path) -> None:
    """Squeeze, hash, compress; then forget what neither this build nor the one before names."""
    contents: dict[str, bytes] = {}
    for name, parts in BUNDLES.items():
        text = "\n".join((static / "css" / part).read_text(encoding="utf-8") for part in parts)
        contents[name] = squeeze_css(text).encode()
    contents |= {path.name: path.read_bytes() for path in sorted((static / "img").glob("*")) if path.is_file()}
    contents |= {
        name: (modules / source).read_bytes().replace(_ELSEWHERE, b"/")
        for name, source in READER.items()
        if (modules / source).is_file()
    }
    scripts = {path.name: path.read_text(encoding="utf-8") for path in sorted((static / "js").glob("*.js"))}
    # The service worker keeps its own address; the application fills in the names of this build.
    worker = scripts.pop("sw.js", None)

    manifest: dict[str, str] = {name: hashed_name(name, content) for name, content in contents.items()}
    for name, text in _in_order(scripts):
        contents[name] = _IMPORT.sub(lambda m: f"{m[1]}{m[2]}./{manifest[m[3]]}{m[2]}", squeeze_js(text)).encode()
        manifest[name] = hashed_name(name, contents[name])

    folder = dist / "static"
    for name, content in contents.items():
        target = folder / manifest[name]
        if target.is_file() and target.read_bytes() == content:
            continue
        if target.suffix in _COMPRESSIBLE:
            _write_atomically(target.with_name(target.name + ".gz"), gzip.compress(content, 9, mtime=0))
            _write_atomically(target.with_name(target.name + ".br"), _brotli(content))
        _write_atomically(target, content)
    if worker is not None:
        _write_atomically(dist / "sw.js", squeeze_js(worker).encode())

    before = _read_json(dist / "manifest.json") or {}
    if before != manifest:
        older = set(map(str, before.values())) | set(manifest.values())
        for path in folder.iterdir():
            if re.sub(r"\.(gz|br)$", "", path.name) not in older:
                path.unlink(missing_ok=True)  # another build may have been quicker
        _write_atomically(dist / "manifest.json", json.dumps(manifest, indent=1, sort_keys=True).encode())


def hashed_name(name: str, content: bytes) -> str:
    """`app.css` → `app.1a2b3c4d5e.css`."""
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:10]}.{suffix}"


def _in_order(scripts: dict[str, str]) -> list[tuple[str, str]]:
    """The modules, each after those it imports, because its content holds their hashed names."""
    done: dict[str, str] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in done:
            return
        if name in path:
            raise BuildFailed(f"modules import each other in a circle: {' → '.join((*path, name))}")
        if name not in scripts:
            raise BuildFailed(f"{path[-1]} imports ./{name}, which is not in quizapp/ui/static/js/")
        for match in _IMPORT.finditer(scripts[name]):
            visit(match[3], (*path, name))
        done[name] = scripts[name]

    for name in scripts:
        visit(name, ())
    return list(done.items())


def _brotli(content: bytes) -> bytes:
    import brotli

    compressed: bytes = brotli.compress(content, quality=11)
    return compressed


def _compile_catalogues(translations: Path) -> None:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for po in sorted(translations.glob("*/LC_MESSAGES/*.po")):
        with po.open("rb") as file:
            catalogue = read_po(file, locale=po.parents[1].name)
        with tempfile.TemporaryFile() as out:
            write_mo(out, catalogue)
            out.seek(0)
            _write_atomically(po.with_suffix(".mo"), out.read())


def main() -> int:
    """Run the build; 0 when all stands, 1 with one line on standard error when it cannot."""
    try:
        build(again="--again" in sys.argv[1:])
    except BuildFailed as error:
        print(f"quizapp front end: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
