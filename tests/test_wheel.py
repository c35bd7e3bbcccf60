"""The wheel works where there is no checkout: built from the tracked files, installed as pinned, run from elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest

import popforecast as pf

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.timeout(600)

KNOWN = """\
       WORLD          More developed regions
2030   8,745,733,000           1,304,051,000
2031   8,844,029,000           1,306,841,000
2032   8,942,922,000           1,309,584,000
2033   9,042,415,000           1,312,279,000
2034   9,142,512,000           1,314,927,000
2035   9,243,217,000           1,317,530,000
"""

ASK_THE_APP = """
import re
from app import create_app

client = create_app().test_client()
page = client.get("/forecast?location=900&location=901&from=2030&to=2035&model=ar1&revision=wpp2019")
print(page.status_code, *re.findall(r"8,745,733,000|1,317,530,000", page.text))
sheets = re.findall(r'<link[^>]*rel="stylesheet"[^>]*>', page.text)
for sheet in sheets:
    answer = client.get(re.search(r'href="([^"]+)"', sheet)[1])
    print(answer.status_code, answer.mimetype, len(answer.data) > 0)
"""


@dataclass(frozen=True)
class Installation:
    """A fresh environment that holds the wheel, and a folder far from the checkout."""

    folder: Path
    elsewhere: Path

    def run(self, program: str, *arguments: str, timeout: float = 120) -> str:
        """Run one of its programs and return what it prints."""
        command = [str(self.folder / "bin" / program), *arguments]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment["PATH"] = f"{self.folder / 'bin'}{os.pathsep}{environment['PATH']}"
        finished = subprocess.run(
            command, cwd=self.elsewhere, env=environment, capture_output=True, text=True, timeout=timeout
        )
        assert finished.returncode == 0, f"{' '.join(command)}\n{finished.stdout}{finished.stderr}"
        return finished.stdout

    def install(self, *arguments: str | Path) -> None:
        """Install with the pip of the environment that runs the tests."""
        target = ["--python", str(self.folder / "bin" / "python")]
        options = ["-qq", "--no-compile", "--disable-pip-version-check"]
        command = [sys.executable, "-m", "pip", *target, "install", *options, *map(str, arguments)]
        subprocess.run(command, check=True, cwd=self.elsewhere)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what git tracks."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The wheel on top of the pins of the web app, and nothing else."""
    installation = Installation(tmp_path_factory.mktemp("fresh") / "venv", tmp_path_factory.mktemp("elsewhere"))
    venv.create(installation.folder, with_pip=False, symlinks=True)
    installation.install("--requirement", ROOT / "requirements.txt")
    # The pins must be all that it takes.
    installation.install("--no-deps", wheel)
    yield installation
    # Half a gigabyte, which pytest would keep for its last three runs.
    shutil.rmtree(installation.folder)


@pytest.fixture(scope="module")
def reporting(wheel: Path, installed: Installation) -> Installation:
    """The same installation with the `reports` extra, as pinned."""
    installed.install("--constraint", ROOT / "requirements-dev.txt", f"{wheel}[reports]")
    return installed


def test_the_wheel_holds_everything_that_is_read_at_run_time(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert "popforecast/py.typed" in held
    for folder, inside in (
        ("popforecast/data", "popforecast/data"),
        ("popforecast/templates", "popforecast/templates"),
        ("notebooks", "popforecast/notebooks"),
    ):
        listed = subprocess.run(["git", "ls-files", "-z", folder], cwd=ROOT, capture_output=True, text=True, check=True)
        tracked = [name for name in listed.stdout.split("\0") if name]
        assert tracked, folder
        assert not [name for name in tracked if name.replace(folder, inside, 1) not in held]
    assert not [name for name in held if name.startswith(("app", "tests", "reports"))]
    assert any(name.endswith("licenses/LICENSE") for name in held)


def test_it_is_imported_from_where_it_was_installed(installed: Installation) -> None:
    where = installed.run("python", "-c", "import popforecast; print(popforecast.__file__)")
    assert Path(where.strip()).is_relative_to(installed.folder)
    assert installed.run("popforecast", "--version").strip().endswith(pf.__version__)


def test_the_command_gives_the_known_table(installed: Installation) -> None:
    asked = "WORLD|More developed regions|--from|2030|--to|2035|--model|ar1|--revision|wpp2019"
    table = installed.run("popforecast", "forecast", *asked.split("|"))
    rows = [re.findall(r"^  (20\d\d)  +([\d,]+)", line) for line in table.splitlines()]
    printed = [*chain.from_iterable(rows)]
    known = [line.split() for line in KNOWN.splitlines()[1:]]
    assert printed == [(year, figures[place]) for place in (0, 1) for year, *figures in known]


def test_nothing_is_installed_beside_the_package(installed: Installation) -> None:
    found = "from importlib.util import find_spec; print(*map(find_spec, ('app', 'tests', 'notebooks')))"
    assert installed.run("python", "-c", found).split() == ["None"] * 3


def test_the_app_of_a_checkout_serves_its_page_and_its_stylesheet(installed: Installation, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "app", tmp_path / "app")
    found = f"import sys; sys.path.insert(0, {str(tmp_path)!r})"
    page, *sheets = installed.run("python", "-c", f"{found}\n{ASK_THE_APP}").splitlines()
    assert page == "200 8,745,733,000 1,317,530,000"
    assert sheets
    assert set(sheets) == {"200 text/css True"}


def test_a_report_is_made_without_the_checkout(reporting: Installation) -> None:
    reporting.run("popforecast", "report", "2-validate-ar", "--output", "pages", timeout=300)
    page = reporting.elsewhere / "pages" / "2-validate-ar.html"
    assert "8,745,733" in page.read_text(encoding="utf-8")
    assert "2-validate-ar" in (reporting.elsewhere / "pages" / "index.html").read_text(encoding="utf-8")
