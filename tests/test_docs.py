"""The documents: all that they name exists, and the site that they become loads nothing from elsewhere."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import griffe
import pytest
import yaml

import popforecast as pf

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
ARCHITECTURE = (DOCS / "architecture.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PAGES = sorted(DOCS.glob("*.md"))


def load(name: str) -> ModuleType:
    """Load a module of what builds the site, which belongs to no package."""
    spec = importlib.util.spec_from_file_location(f"site_{name}", DOCS / "site" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pages, roles = load("pages"), load("roles")


def find_names(text: str) -> list[str]:
    return sorted(set(re.findall(r"\b(?<!/)(?:popforecast|app)(?:\.[A-Za-z_]\w*)+(?![\w/])", text)))


def resolve(name: str) -> object:
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


@pytest.mark.parametrize("name", find_names(ARCHITECTURE))
def test_every_name_of_the_walk_exists(name: str) -> None:
    assert resolve(name)


def test_the_walk_names_enough_to_be_one() -> None:
    assert len(find_names(ARCHITECTURE)) > 40


def test_a_name_that_is_gone_is_noticed() -> None:
    (gone,) = find_names("what `app.pages.forecast.show_nothing` did")
    with pytest.raises(AttributeError):
        resolve(gone)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:popforecast|app|tests|docs)/[\w./-]*)`", CONTRIBUTING))))
def test_every_path_of_contributing_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("room", ["popforecast", "app", "tests"])
def test_the_picture_of_contributing_shows_every_room(room: str) -> None:
    tree = CONTRIBUTING.split(f"\n{room}/", 1)[1].split("\n```", 1)[0]
    tree = re.split(r"\n[a-z]", tree)[0]
    shown = set(re.findall(r"\b([a-z_]+)/", tree))
    files = [path.relative_to(ROOT / room).parts for path in (ROOT / room).rglob("*") if path.is_file()]
    assert {parts[0] for parts in files if len(parts) > 1 and "__pycache__" not in parts} <= shown
    assert {name for name in shown if not list((ROOT / room).rglob(name))} == set()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z]+)", CONTRIBUTING))))
def test_every_make_target_of_contributing_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_is_in_the_menu_and_every_file_it_links_to_exists(page: Path) -> None:
    menu = yaml.safe_load((DOCS / "site" / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    assert page.name in menu
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?://|#|reference/)([^)#]+)", text):
        assert (DOCS / link).exists(), link


def test_the_reference_has_a_page_for_every_room_and_every_public_name() -> None:
    menu = yaml.safe_load((DOCS / "site" / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    (reference,) = (entry["Python reference"] for entry in menu if isinstance(entry, dict))
    assert [*pages.ROOMS] == [next(iter(entry)) for entry in reference[1:]]
    top = pages.write_package()
    assert {name for name in pf.__all__ if f"`{name}`" not in top} == {"__version__", *pf._DEPRECATED}


def test_every_public_name_is_described_on_a_page_of_the_reference() -> None:
    found = [getattr(pf, name) for name in pf.__all__ if name not in pf._DEPRECATED]
    homes = {each.__module__.split(".")[1] for each in found if pages.is_described(each)}
    assert homes <= {*pages.ROOMS}
    for room in pages.ROOMS:
        links = re.findall(r"\]\[([\w.]+)\]", pages.write_room(importlib.import_module(f"popforecast.{room}")))
        assert [link for link in links if not link.startswith("popforecast.")] == []


def test_the_table_of_deprecated_names_is_the_package_s() -> None:
    rows = re.findall(r"^\| (`pf\..*?) \| `pf\.(.*) \|.*\|$", (DOCS / "deprecation.md").read_text(), re.MULTILINE)
    named = {old for row, _ in rows for old in re.findall(r"`pf\.(\w+)`", row)}
    assert named == set(pf._DEPRECATED)


@pytest.mark.parametrize(
    "line",
    [
        '<script src="https://cdn.example.org/a.js"></script>',
        '<link rel="stylesheet" href="//fonts.example.org/css">',
        '<img alt="" src="http://example.org/a.png">',
        "@import url(https://example.org/a.css);",
        "@font-face{src:url('https://example.org/a.woff2')}",
    ],
)
def test_what_another_host_would_serve_is_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "page.html").write_text(line, encoding="utf-8")
    assert list(pages.find_foreign(tmp_path / "page.html"))


@pytest.mark.parametrize("line", ['<a href="https://example.org">', '<script src="js/a.js">', "url(../fonts/a.woff2)"])
def test_links_and_local_files_are_no_fault(tmp_path: Path, line: str) -> None:
    (tmp_path / "page.html").write_text(line, encoding="utf-8")
    assert not list(pages.find_foreign(tmp_path / "page.html"))


def test_a_reference_is_a_link_a_formula_mathml_and_a_broken_reference_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    code = '''
def ask():
    """See :func:`answer`, :func:`~popforecast.answer`, :func:`functools.wraps` and :math:`x^2`, not :func:`gone`.

    .. math:: y = x
    """

def answer():
    """Return nothing."""
'''
    module = griffe.visit("popforecast", Path("popforecast.py"), code)
    roles.rewrite(module)
    text = module["ask"].docstring.value
    assert text.count('<autoref identifier="popforecast.answer" optional><code>answer</code></autoref>') == 2
    assert "`functools.wraps`" in text
    assert "<span><math" in text
    assert '\n<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in text
    assert [record.getMessage() for record in caplog.records] == [
        "popforecast.py: the docstring of popforecast.ask refers to 'gone', which does not exist"
    ]
