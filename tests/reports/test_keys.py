"""A key holds what a report is made of, all of it and nothing else, and is the same on every checkout."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from popforecast.evaluation import peers
from popforecast.reports import keys
from popforecast.reports.notebooks import find_notebooks

ROOT = Path(__file__).parents[2]
NOTEBOOKS = find_notebooks()


def import_statically(name: str) -> set[str]:
    """Return what a module imports, as Python's own parser sees it."""
    path = ROOT.joinpath(*name.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative imports are not followed"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_every_import_of_every_module_is_followed_wherever_it_stands():
    modules = keys.read_modules()
    assert len(modules) > 80
    for name, module in modules.items():
        wanted = import_statically(name) & modules.keys()
        assert wanted <= set(module.imports), name


def test_no_module_is_imported_by_a_name_that_cannot_be_seen():
    for path in (ROOT / "popforecast").rglob("*.py"):
        assert "import_module" not in path.read_text(), f"{path.name}: keys.py would not follow it"


def test_what_a_notebook_loads_is_part_of_its_key():
    code = "from popforecast.studies import validation; import sys, json; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT))
    modules = keys.read_modules()
    reached = keys.reach(keys.find_imports("from popforecast.studies import validation"), modules)
    assert {name for name in loaded if name in modules} <= reached
    assert "popforecast.evaluation.peers" not in reached
    assert "popforecast.cli" not in reached


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
        "keys = {n: read_key(b, {}, read_modules()) for n, b in find_notebooks().items()};"
        "print(json.dumps({n: {**key.parts, 'all': key.checksum} for n, key in keys.items()}))"
    )
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    return json.loads(subprocess.check_output([sys.executable, "-c", code], cwd=checkout, env=environment))


def change(path: Path, content: bytes | None = None) -> bytes:
    before = path.read_bytes()
    path.write_bytes(before + b"\n# changed\n" if content is None else content)
    return before


@pytest.fixture(scope="module")
def unchanged(checkout: Path) -> dict[str, dict[str, str]]:
    """The keys of the second checkout while nothing in it is changed."""
    return read_keys(checkout)


def test_the_same_contents_have_the_same_keys_in_another_place_at_another_time(unchanged: dict[str, dict[str, str]]):
    assert unchanged == read_keys(ROOT)


@pytest.mark.parametrize(
    ("file", "part", "names"),
    [
        ("popforecast/panel/panel.py", "package", [*NOTEBOOKS]),
        ("popforecast/reports/markup.py", "package", [*NOTEBOOKS]),
        ("popforecast/templates/report/frame.html.j2", "package", [*NOTEBOOKS]),
        ("popforecast/studies/backtest.py", "package", ["3-backtest"]),
        ("popforecast/studies/validation.py", "package", ["2-validate-ar"]),
        ("popforecast/cli/publishing.py", "package", []),
        ("popforecast/explorer/views.py", "package", []),
        ("popforecast/theme/style.css", "package", []),
        ("popforecast/data/wpp2024-estimates.csv", "data", [*NOTEBOOKS]),
        ("popforecast/data/README.md", "data", []),
        ("popforecast/data/peers/manifest.json", "data", ["5-peers"]),
        ("requirements-dev.txt", "lock", [*NOTEBOOKS]),
    ],
)
def test_a_change_reaches_the_reports_that_it_can_change(
    checkout: Path, unchanged: dict[str, dict[str, str]], file: str, part: str, names: list[str]
):
    was = unchanged
    before = change(checkout / file)
    try:
        now = read_keys(checkout)
    finally:
        change(checkout / file, before)
    assert [name for name in NOTEBOOKS if now[name][part] != was[name][part]] == names
    assert [name for name in NOTEBOOKS if now[name]["all"] != was[name]["all"]] == names
    assert {other for name in now for other in now[name] if now[name][other] != was[name][other]} <= {part, "all"}


def test_the_tables_of_the_peers_are_where_the_peers_look_for_them():
    assert keys.OWN_TABLES[peers.__name__] == peers.FOLDER


def test_running_a_notebook_in_place_leaves_its_report_fresh(tmp_path: Path):
    source = NOTEBOOKS["5-peers"].path
    content = json.loads(source.read_text())
    for number, cell in enumerate(cell for cell in content["cells"] if cell["cell_type"] == "code"):
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["seen"]}]
        cell["execution_count"] = number
    (tmp_path / source.name).write_text(json.dumps(content, indent=4))
    modules = keys.read_modules()
    ran = find_notebooks(tmp_path)["5-peers"]
    assert keys.read_key(ran, {}, modules) == keys.read_key(NOTEBOOKS["5-peers"], {}, modules)


def test_a_file_that_a_parameter_names_counts_by_its_content(tmp_path: Path):
    table = tmp_path / "table.csv"
    modules = keys.read_modules()

    def read() -> str:
        return keys.read_key(NOTEBOOKS["1-prepare"], {"raw": str(table)}, modules).data

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
