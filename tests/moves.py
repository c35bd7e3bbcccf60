"""Move modules into their rooms, and rewrite every import and path that names them.

``python -m tests.moves ROOM`` moves one room. ``python -m tests.moves --rewrite`` only rewrites, as a branch from
before the moves needs it. What has moved already is left alone.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Where each module goes, by room; dotted names below popforecast or app.
ROOMS: dict[str, dict[str, str]] = {
    "text": {"popforecast.display": "popforecast.text"},
    "panel": {
        **{
            f"popforecast.{name}": f"popforecast.panel.{name}"
            for name in ("panel", "rectangles", "frames", "spans", "locations", "groups")
        },
        "popforecast.periods": "popforecast.panel.years",
    },
    "models": {
        "popforecast.models.committee": "popforecast.models.rules",
        "popforecast.models.pooled": "popforecast.models.regression",
    },
    "wpp": {
        "popforecast.sources": "popforecast.wpp.editions",
        "popforecast.revisions": "popforecast.wpp.pairing",
        **{
            f"popforecast.{name}": f"popforecast.wpp.{name}"
            for name in ("membership", "preparation", "fetching", "tables", "updates", "replacements", "outdated")
        },
    },
    "forecasting": {
        "popforecast.forecasting": "popforecast.forecasting.__init__",
        "popforecast.intervals": "popforecast.forecasting.calibration",
        "popforecast.realtime": "popforecast.forecasting.revision_error",
        "popforecast.reconcile": "popforecast.forecasting.reconciliation",
        "popforecast.forecasts": "popforecast.forecasting.result",
        **{
            f"popforecast.{name}": f"popforecast.forecasting.{name}"
            for name in ("rolling", "risk", "coherence", "outlook", "joined", "milestones", "store")
        },
    },
    "evaluation": {
        "popforecast.backtest": "popforecast.evaluation.backtesting",
        **{
            f"popforecast.{name}": f"popforecast.evaluation.{name}"
            for name in ("scores", "hindcast", "vintages", "record", "peers", "bootstrap", "halves", "integrity")
        },
    },
    "charts": {
        "popforecast.figures": "popforecast.charts.style",
        "popforecast.strokes": "popforecast.charts.strokes",
        "popforecast.plots": "popforecast.charts.forecast",
        "popforecast.diagrams": "popforecast.charts.scores",
        "popforecast.interactive": "popforecast.charts.plotly",
        "popforecast.lettering": "popforecast.charts.lettering",
        "popforecast.svg": "popforecast.charts.svg.__init__",
        **{
            f"popforecast.svg.{name}": f"popforecast.charts.svg.{name}"
            for name in ("drawing", "framing", "paths", "scales")
        },
    },
    "studies": {
        "popforecast.inspection": "popforecast.studies.preparation",
        "popforecast.validation": "popforecast.studies.validation",
        "popforecast.hindsight": "popforecast.studies.backtest",
        "popforecast.retrospect": "popforecast.studies.vintages",
        "popforecast.standings": "popforecast.studies.standings",
        "popforecast.events": "popforecast.studies.events",
        "popforecast.comparison": "popforecast.studies.revisions.__init__",
        **{
            f"popforecast.comparison.{name}": f"popforecast.studies.revisions.{name}"
            for name in ("measurement", "presentation")
        },
        "popforecast.findings": "popforecast.studies.findings.__init__",
        **{
            f"popforecast.findings.{name}": f"popforecast.studies.findings.{name}"
            for name in ("backtest", "validation")
        },
        "popforecast.profiles": "popforecast.studies.profile.__init__",
        "popforecast.profiles.profile": "popforecast.studies.profile.figures",
        **{
            f"popforecast.profiles.{name}": f"popforecast.studies.profile.{name}"
            for name in ("charts", "context", "scenarios", "sentences")
        },
    },
    "app": {
        **{
            f"app.{name}": f"app.query.{name}"
            for name in ("arguments", "bodies", "parameters", "places", "query", "view")
        },
        **{f"app.{name}": f"app.api.{name}" for name in ("resources", "records", "schemas", "openapi", "writing")},
        "app.documents": "app.api.docs",
        "app.exchange": "app.api.http",
        "app.api": "app.api.routes",
        "app.pages": "app.pages.forecast",
        **{
            f"app.{name}": f"app.pages.{name}"
            for name in ("form", "evidence", "table", "published", "installable", "assets")
        },
        "app.journal": "app.server.log",
        "app.operations": "app.server.health",
        "app.serving": "app.server.gunicorn",
        **{f"app.{name}": f"app.server.{name}" for name in ("security", "layers", "limiting", "metrics", "caching")},
    },
}

# A room that has the name of one of its modules: its public list takes the module's place, and imports stay.
ROOMS_THEMSELVES = {"popforecast.panel", "app.api", "app.pages", "app.query"}

# Packages are looked at as folders.
PACKAGES = {"popforecast.svg", "popforecast.comparison", "popforecast.findings", "popforecast.profiles"}

# What names modules. Changes of the past stay as they were told.
NAMING = ("*.py", "*.ipynb", "*.md", "*.toml", "*.json", "*.yml", "Makefile", "Procfile")


def move(room: str) -> None:
    """Move the modules of one room, and the tests that mirror them."""
    for old, new in ROOMS[room].items():
        source = _find_path(old, old in PACKAGES)
        target = ROOT / (new.replace(".", "/") + ".py")
        if source.exists() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _git("mv", str(source), str(target))
    for old in PACKAGES & {*ROOMS[room]}:
        folder = ROOT / old.replace(".", "/")
        if folder.is_dir() and not list(folder.rglob("*.py")):
            subprocess.run(["rm", "-r", str(folder)], check=True)


def rewrite(rooms: list[str]) -> None:
    """Rewrite what names the modules of these rooms."""
    names = {old: new.removesuffix(".__init__") for room in rooms for old, new in ROOMS[room].items()}
    names = {old: new for old, new in names.items() if old != new}
    # The paths of files move even where imports stay.
    paths = {
        old.replace(".", "/") + ".py": new.replace(".", "/") + ".py"
        for room in rooms
        for old, new in ROOMS[room].items()
    }
    names = {old: new for old, new in names.items() if old not in ROOMS_THEMSELVES}
    files = _git("ls-files", "--cached", "--others", "--exclude-standard", *NAMING).splitlines()
    for name in files:
        path = ROOT / name
        if name in {"tests/moves.py", "CHANGELOG.md"} or name.startswith("reports/") or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        changed = _split_imports(text, names) if path.suffix == ".py" else text
        changed = _rename(changed, names, paths)
        if changed != text:
            path.write_text(changed, encoding="utf-8")


def _rename(text: str, names: dict[str, str], paths: dict[str, str]) -> str:
    """Replace dotted names and paths, the longest first, each once."""
    dotted = sorted(names, key=len, reverse=True)
    ends = r"(?![\w/-])"
    pattern = "|".join(re.escape(old) for old in dotted)
    if names:
        text = re.sub(rf"(?<![\w./-])({pattern}){ends}", lambda found: names[found[1]], text)
    pattern = "|".join(re.escape(old) for old in sorted(paths, key=len, reverse=True))
    return re.sub(rf"(?<![\w-])({pattern})(?!\w)", lambda found: paths[found[1]], text)


def _split_imports(text: str, names: dict[str, str]) -> str:
    """Give each moved module that ``from popforecast import`` names a line of its own."""
    tree = ast.parse(text)
    lines = text.splitlines(keepends=True)
    for node in sorted(
        (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)), key=lambda node: -node.lineno
    ):
        base = node.module or ""
        moved = [alias for alias in node.names if f"{base}.{alias.name}" in names]
        if base.split(".")[0] not in {"popforecast", "app"} or not moved or base in names:
            continue
        if base == "popforecast" and all(alias.name in FUNCTIONS for alias in moved):
            continue
        indent = " " * node.col_offset
        kept = [_write_alias(alias) for alias in node.names if alias not in moved]
        new = [f"{indent}from {base} import {', '.join(kept)}\n"] if kept else []
        for alias in moved:
            room, _, name = names[f"{base}.{alias.name}"].rpartition(".")
            known = alias.asname or alias.name
            new.append(f"{indent}from {room} import {name if name == known else f'{name} as {known}'}\n")
        lines[node.lineno - 1 : node.end_lineno] = new
    return "".join(lines)


# Public functions of popforecast that are called as a module was.
FUNCTIONS = {"backtest"}


def _write_alias(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name


def _find_path(name: str, package: bool) -> Path:
    path = ROOT / name.replace(".", "/")
    return path / "__init__.py" if package else path.with_suffix(".py")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    chosen = [room for room in ROOMS if room in sys.argv[1:]] or list(ROOMS)
    if "--rewrite" not in sys.argv:
        for one in chosen:
            move(one)
    rewrite(chosen)
