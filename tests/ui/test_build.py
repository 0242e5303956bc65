"""The front-end build on small trees of its own."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import brotli
import pytest

from quizapp.ui import build as build_module
from quizapp.ui.build import BUNDLES, DIST, STATIC, BuildFailed, build, hashed_name
from quizapp.ui.squeeze import squeeze_css, squeeze_js


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of our sources beside nothing that npm could install."""
    shutil.copytree(STATIC, tmp_path / "static")
    catalogue = tmp_path / "translations" / "en" / "LC_MESSAGES" / "messages.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "登录"\nmsgstr "Sign in"\n'
    )
    return tmp_path


def run(tree: Path) -> bool:
    return build(dist=tree / "dist", root=tree, static=tree / "static", translations=tree / "translations")


def test_every_file_is_hashed_and_compressed(tree: Path) -> None:
    assert run(tree)
    manifest: dict[str, str] = json.loads((tree / "dist" / "manifest.json").read_text())
    assert {"app.css", "desk.css", "app.js", "sheet.js", "mark.svg"} <= set(manifest)
    for name, hashed in manifest.items():
        path = tree / "dist" / "static" / hashed
        content = path.read_bytes()
        assert hashed == hashed_name(name, content)
        assert gzip.decompress(Path(f"{path}.gz").read_bytes()) == content
        assert brotli.decompress(Path(f"{path}.br").read_bytes()) == content
    assert (tree / "translations" / "en" / "LC_MESSAGES" / "messages.mo").is_file()


def test_nothing_is_done_when_nothing_changed(tree: Path) -> None:
    assert run(tree)
    assert not run(tree)
    with (tree / "static" / "css" / "base.css").open("a") as file:
        file.write("\n.new { color: var(--ink); }\n")
    assert run(tree)


def test_a_lost_output_is_made_again(tree: Path) -> None:
    run(tree)
    manifest = json.loads((tree / "dist" / "manifest.json").read_text())
    (tree / "dist" / "static" / manifest["app.css"]).unlink()
    assert run(tree)
    assert (tree / "dist" / "static" / manifest["app.css"]).is_file()


def test_the_build_before_stays_for_pages_that_are_open(tree: Path) -> None:
    run(tree)
    first = json.loads((tree / "dist" / "manifest.json").read_text())["app.css"]
    for number, (stands) in enumerate((True, False)):
        with (tree / "static" / "css" / "base.css").open("a") as file:
            file.write(f"\n.new-{number} {{ color: var(--ink); }}\n")
        run(tree)
        assert (tree / "dist" / "static" / first).is_file() is stands


def test_modules_import_each_other_by_their_hashed_names(tree: Path) -> None:
    run(tree)
    manifest = json.loads((tree / "dist" / "manifest.json").read_text())
    script = (tree / "dist" / "static" / manifest["app.js"]).read_text()
    assert f'import("./{manifest["sheet.js"]}")' in script
    assert '"./sheet.js"' not in script


def test_modules_in_a_circle_are_refused(tree: Path) -> None:
    (tree / "static" / "js" / "one.js").write_text('import "./two.js";\n')
    (tree / "static" / "js" / "two.js").write_text('import "./one.js";\n')
    with pytest.raises(BuildFailed, match="circle"):
        run(tree)


def test_a_module_that_is_missing_is_named(tree: Path) -> None:
    (tree / "static" / "js" / "one.js").write_text('import { a } from "./nowhere.js";\n')
    with pytest.raises(BuildFailed, match=r"one\.js imports \./nowhere\.js"):
        run(tree)


def test_without_npm_the_rest_is_built_and_one_line_says_so(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "package-lock.json").write_text("{}")
    monkeypatch.setattr(build_module, "find_npm", lambda _root: None)
    assert run(tree)
    said = [line for line in capsys.readouterr().out.splitlines() if "npm" in line]
    assert len(said) == 1
    assert (tree / "dist" / "manifest.json").is_file()
    assert not (tree / "dist" / "icons.json").exists()
    assert not run(tree)


def test_the_phone_styles_stay_within_their_budget() -> None:
    manifest = json.loads((DIST / "manifest.json").read_text())
    assert (DIST / "static" / f"{manifest['app.css']}.gz").stat().st_size <= 8 * 1024


def test_every_style_sheet_is_in_a_bundle() -> None:
    assert {name for names in BUNDLES.values() for name in names} == {
        path.name for path in (STATIC / "css").glob("*.css")
    }


def test_styles_lose_comments_and_keep_strings_and_sums() -> None:
    css = '/* a */\n.a > b , .c:hover {\n  width: calc(1rem + 2px) ;\n  content: "a /* b */  c";\n}\n'
    assert squeeze_css(css) == '.a > b,.c:hover{width:calc(1rem + 2px);content:"a /* b */  c"}'


@pytest.mark.parametrize(
    ("source", "squeezed"),
    [
        ('  const a = "x // y"; // gone\n\n  b();\n', 'const a = "x // y";\nb();\n'),
        (
            "/** doc\n * more */\nconst a = `x  ${ `y // ${1}` }  /* z */`;\n",
            "const a = `x  ${ `y // ${1}` }  /* z */`;\n",
        ),
        ("const a = /[/]\\/\\/ x/.test(b) ? 1 / 2 : 3; // gone\n", "const a = /[/]\\/\\/ x/.test(b) ? 1 / 2 : 3;\n"),
        ("if (a) {\n  b = c / d / e;\n}\n", "if (a) {\nb = c / d / e;\n}\n"),
        ("return /'/g;\n", "return /'/g;\n"),
    ],
)
def test_scripts_lose_comments_and_keep_everything_else(source: str, squeezed: str) -> None:
    assert squeeze_js(source) == squeezed
