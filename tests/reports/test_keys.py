"""A key holds what a report is made of, all of it and nothing else, and is the same on every checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grimp
import pytest

from popforecast.reports import keys
from popforecast.reports.notebooks import find_notebooks

ROOT = Path(__file__).parents[2]
NOTEBOOKS = find_notebooks()


def test_nothing_that_a_page_is_made_with_imports_a_surface():
    graph = grimp.build_graph("popforecast", cache_dir=None)
    names = ["popforecast." + name.removesuffix(".py").replace("/", ".") for name in keys.SURFACES]
    # One that is gone, or has another name, would count as a part of every page.
    assert set(names) <= graph.modules
    surfaces = {module for name in names for module in (name, *graph.find_descendants(name))}
    # The face of the room names all that is in it, and is itself a part of every page.
    assert {other for module in surfaces for other in graph.find_downstream_modules(module)} - surfaces == {
        "popforecast.reports",
    }


def test_no_module_is_imported_by_a_name_that_cannot_be_seen():
    for path in (ROOT / "popforecast").rglob("*.py"):
        assert "import_module" not in path.read_text(), f"{path.name}: it may be a surface"


def test_what_the_notebooks_import_loads_no_surface():
    cells = [cell for notebook in NOTEBOOKS.values() for cell in json.loads(notebook.path.read_text())["cells"]]
    code_cells = [cell for cell in cells if cell["cell_type"] == "code"]
    lines = {line for cell in code_cells for line in cell["source"] if line.startswith(("import ", "from "))}
    code = "\n".join([*sorted(map(str.strip, lines)), "import sys, json; print(json.dumps(sorted(sys.modules)))"])
    assert "from popforecast.studies import profile as study" in code
    loaded = set(json.loads(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT)))
    assert "popforecast.studies.profile" in loaded
    assert [name for name in ("cli", "explorer", "client", "embedding") if f"popforecast.{name}" in loaded] == []


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second checkout, with other times and in another place."""
    place = tmp_path_factory.mktemp("elsewhere") / "checkout"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "popforecast", place / "popforecast", ignore=ignored, copy_function=shutil.copyfile)
    shutil.copytree(ROOT / "notebooks", place / "notebooks", copy_function=shutil.copyfile)
    shutil.copyfile(ROOT / "requirements-dev.txt", place / "requirements-dev.txt")
    return place


def read_keys(checkout: Path) -> dict[str, dict[str, str]]:
    code = (
        "import json; from popforecast.reports.keys import *; from popforecast.reports.notebooks import find_notebooks;"
        "keys = {n: read_key(b, {}, read_package()) for n, b in find_notebooks().items()};"
        "print(json.dumps({n: {**key.parts, 'all': key.checksum} for n, key in keys.items()}))"
    )
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    return json.loads(subprocess.check_output([sys.executable, "-c", code], cwd=checkout, env=environment))


@contextmanager
def changed(path: Path, content: bytes | None = None) -> Iterator[None]:
    """A file with another content; one that was not there is there."""
    before = path.read_bytes() if path.exists() else None
    path.write_bytes((before or b"") + b"\n# changed\n" if content is None else content)
    try:
        yield
    finally:
        path.unlink() if before is None else path.write_bytes(before)


@pytest.fixture(scope="module")
def unchanged(checkout: Path) -> dict[str, dict[str, str]]:
    """The keys of the second checkout while nothing in it is changed."""
    return read_keys(checkout)


def test_the_same_contents_have_the_same_keys_in_another_place_at_another_time(unchanged: dict[str, dict[str, str]]):
    assert unchanged == read_keys(ROOT)


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("popforecast/panel/panel.py", "package"),
        ("popforecast/studies/backtest.py", "package"),
        ("popforecast/reports/kernels.py", "package"),
        ("popforecast/reports/markup.py", "package"),
        ("popforecast/templates/report/frame.html.j2", "package"),
        ("popforecast/data/wpp2024-estimates.csv", "data"),
        ("popforecast/data/wpp2024-panel-ar.npz", "data"),
        ("popforecast/data/peers/manifest.json", "data"),
        ("requirements-dev.txt", "lock"),
    ],
)
def test_a_change_that_can_change_a_page_makes_every_page_stale(
    checkout: Path, unchanged: dict[str, dict[str, str]], file: str, part: str
):
    with changed(checkout / file):
        now = read_keys(checkout)
    for name, key in unchanged.items():
        assert {other for other in key if now[name][other] != key[other]} == {part, "all"}, name


def test_a_change_of_a_notebook_makes_its_own_page_stale(checkout: Path, unchanged: dict[str, dict[str, str]]):
    notebook = checkout / "notebooks" / "5-peers.ipynb"
    with changed(notebook, notebook.read_bytes().replace(b"# ", b"# Changed: ", 1)):
        now = read_keys(checkout)
    assert {name: {part for part in key if now[name][part] != key[part]} for name, key in unchanged.items()} == {
        name: {"notebook", "all"} if name == "5-peers" else set() for name in NOTEBOOKS
    }


def test_a_change_of_a_surface_makes_no_page_stale(checkout: Path, unchanged: dict[str, dict[str, str]]):
    surfaces = [checkout / "popforecast" / name for name in keys.SURFACES]
    files = [file for path in surfaces for file in (path.rglob("*.py") if path.is_dir() else [path])]
    files += [checkout / "popforecast" / name for name in ("theme/style.css", "data/README.md", ".kept.py")]
    assert len(files) > 30
    with ExitStack() as changes:
        for file in files:
            changes.enter_context(changed(file))
        assert read_keys(checkout) == unchanged


def test_running_a_notebook_in_place_leaves_its_report_fresh(tmp_path: Path):
    source = NOTEBOOKS["5-peers"].path
    content = json.loads(source.read_text())
    for number, cell in enumerate(cell for cell in content["cells"] if cell["cell_type"] == "code"):
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["seen"]}]
        cell["execution_count"] = number
    (tmp_path / source.name).write_text(json.dumps(content, indent=4))
    ran = find_notebooks(tmp_path)["5-peers"]
    assert keys.read_key(ran, {}, "") == keys.read_key(NOTEBOOKS["5-peers"], {}, "")


def test_a_file_that_a_parameter_names_counts_by_its_content(tmp_path: Path):
    table = tmp_path / "table.csv"

    def read() -> str:
        return keys.read_key(NOTEBOOKS["1-prepare"], {"raw": str(table)}, "").data

    missing = read()
    table.write_text("1")
    first = read()
    table.write_text("2")
    assert len({missing, first, read()}) == 3


def test_without_a_lock_file_the_versions_of_the_libraries_stand_for_it(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(keys, "LOCK_FILE", tmp_path / "none.txt")
    keys._read_lock.cache_clear()
    try:
        assert json.loads(keys._read_lock()) == keys.read_versions()
    finally:
        keys._read_lock.cache_clear()
