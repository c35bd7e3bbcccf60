"""What Sphinx roles of docstrings mean on a page: references as links to what must exist, formulas as MathML."""

from __future__ import annotations

import logging
import re
from importlib.util import find_spec
from typing import Any

import griffe
from latex2mathml.converter import convert

INLINE = re.compile(r":math:`([^`]+)`")
# A formula of its own ends with its paragraph.
DISPLAYED = re.compile(r"^([ \t]*)\.\. math:: (.+?)(?=\n\s*\n|\Z)", flags=re.MULTILINE | re.DOTALL)
ROLE = re.compile(r":(?:func|class|meth|mod|attr|data|exc|obj):`(~?)([\w.]+)(?:\(\))?`")

# MkDocs counts the warnings of its loggers: strictly, one fails the build.
log = logging.getLogger("mkdocs.plugins.roles")


class Roles(griffe.Extension):
    """Turn the roles of Sphinx into links and formulas."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Rewrite every docstring of the package once all of it is loaded."""
        rewrite(pkg)


def rewrite(scope: griffe.Object) -> None:
    """Rewrite the docstring of an object, and of all that it defines."""
    if scope.docstring:
        text = DISPLAYED.sub(lambda match: match[1] + write_formula(match[2], "block"), scope.docstring.value)
        # Markdown takes a line that begins with <math> for a paragraph of its own.
        text = INLINE.sub(lambda match: f"<span>{write_formula(match[1], 'inline')}</span>", text)
        scope.docstring.value = ROLE.sub(lambda match: write_link(scope, match[2], bool(match[1])), text)
    for member in scope.members.values():
        if not member.is_alias:
            rewrite(member)


def write_link(scope: griffe.Object, name: str, short: bool) -> str:
    """Return a link to what a name means in a scope; code alone if it is no part of the package."""
    shown = name.rpartition(".")[2] if short else name
    path = locate(scope, name)
    if path is None:
        if not is_installed(name):
            log.warning("%s: the docstring of %s refers to %r, which does not exist", scope.filepath, scope.path, name)
        return f"`{shown}`"
    # What has no description of its own is not shown, so it is no target.
    return f'<autoref identifier="{path}" optional><code>{shown}</code></autoref>'


def write_formula(latex: str, display: str) -> str:
    """Return a formula as MathML, which browsers draw without a script."""
    return convert(" ".join(latex.split()), display=display)


def locate(scope: griffe.Object, name: str) -> str | None:
    """Return the full name of what a name means in a scope, or None if it means nothing of the package."""
    package = scope.package
    first, _, rest = name.partition(".")
    start: griffe.Object | None = scope
    while start is not None:
        try:
            found = package if first == package.name and start is scope else start[first]
            return (found[rest] if rest else found).canonical_path
        except (KeyError, griffe.AliasResolutionError):
            start = start.parent
    return None


def is_installed(name: str) -> bool:
    """Return whether a name belongs to another package that is installed."""
    first = name.partition(".")[0]
    return first != "popforecast" and find_spec(first) is not None
