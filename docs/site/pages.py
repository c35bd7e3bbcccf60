"""What MkDocs calls: makes the reference's pages, and checks that the site loads nothing from another host."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from pygments.formatters import HtmlFormatter

import popforecast as pf

# Rooms for users of the library, then the side doors that have a Python interface.
ROOMS = ("panel", "readers", "models", "forecasting", "wpp", "evaluation", "charts")
ROOMS += ("question", "session", "scale", "client", "errors")

# What a browser fetches by itself: scripts, images, frames, fonts and style sheets, but not what a link leads to.
LOADED = re.compile(
    r"""<(?:script|img|iframe|source|audio|video|embed)\b[^>]*?\b(?:src|srcset)=["']?(?:https?:)?//[^"'\s>]+"""
    r"""|<link\b(?![^>]*rel=["']?canonical)[^>]*?\bhref=["']?(?:https?:)?//[^"'\s>]+"""
    r"""|(?:url\(|@import)\s*["']?(?:https?:)?//[^"')\s]+""",
    flags=re.IGNORECASE,
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for the package, one for each room, and the colours of code."""
    pages = {f"reference/{room}.md": write_room(importlib.import_module(f"popforecast.{room}")) for room in ROOMS}
    pages["reference/popforecast.md"] = write_package()
    pages["assets/pygments.css"] = HtmlFormatter().get_style_defs(".highlight")
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_post_build(config: MkDocsConfig) -> None:
    """Stop where a built file loads something from another host."""
    found = [fault for path in sorted(Path(config.site_dir).rglob("*")) for fault in find_foreign(path)]
    if found:
        raise PluginError("The site must load nothing from another host, but does:\n" + "\n".join(found))


def find_foreign(path: Path) -> Iterator[str]:
    """Yield what a page or style sheet loads from another host."""
    if path.suffix in (".html", ".css"):
        for match in LOADED.finditer(path.read_text(encoding="utf-8")):
            yield f"{path.name}: {match[0]}"


def write_package() -> str:
    """Return the page of the top level: every public name, with a link to its description."""
    names = [name for name in pf.__all__ if name not in pf._DEPRECATED and name != "__version__"]
    return (
        "# popforecast\n\n`import popforecast as pf` brings these names; "
        f"[Deprecated names](../deprecation.md) lists those that have a successor.\n\n{tabulate(pf, names)}"
    )


def write_room(room: ModuleType) -> str:
    """Return the page of a room: its public names, then each of its modules in full."""
    name = room.__name__
    public: list[str] = getattr(room, "__all__", [])
    own = [key for key, found in vars(room).items() if getattr(found, "__module__", "") == name and key[0] != "_"]
    # What a room takes in from its modules is described once, there.
    head = f"# {name}\n\n::: {name}\n    options:\n      show_root_heading: false\n      members: {own or 'false'}\n"
    table = f"\n## Names to import from the room\n\n{tabulate(room, public)}" if public else ""
    return "\n".join([head, table, *(f"::: {module}\n" for module in list_modules(room))])


def tabulate(module: ModuleType, names: list[str]) -> str:
    """Return a table of public names, each with a link and the first sentence of its description."""
    rows = (f"| {write_link(name, getattr(module, name))} | {summarise(getattr(module, name))} |" for name in names)
    return "\n".join(["| name | what it is |", "| --- | --- |", *rows, ""])


def write_link(name: str, found: Any) -> str:
    """Return a public name as a link to its description; constants and type aliases have none."""
    if isinstance(found, ModuleType):
        return f"[`{name}`][{found.__name__}]"
    return f"[`{name}`][{found.__module__}.{found.__qualname__}]" if is_described(found) else f"`{name}`"


def summarise(found: Any) -> str:
    """Return the first sentence of a description, without the marks of references."""
    if not isinstance(found, ModuleType) and not is_described(found):
        return "type alias" if hasattr(found, "__origin__") else f"constant of type {type(found).__name__}"
    first = (found.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", first).replace("|", "\\|")


def is_described(found: Any) -> bool:
    """Whether an object is a class or function of the package."""
    return (
        hasattr(found, "__qualname__")
        and found.__module__.startswith("popforecast")
        and not hasattr(found, "__origin__")
    )


def list_modules(room: ModuleType) -> list[str]:
    """Return the names of a room's modules, those of its inner rooms among them."""
    found = pkgutil.walk_packages(getattr(room, "__path__", []), f"{room.__name__}.")
    return [module.name for module in found]
