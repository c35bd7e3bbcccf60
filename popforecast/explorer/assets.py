"""The scripts and styles of Voilà and of Jupyter's extensions, compressed once for all pages.

A page loads a hundred of them; compressing them anew for each would keep the server busy while the page waits.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tornado.web import HTTPError, RequestHandler

# More than a page and its extensions have.
MOST_FILES = 1000

# What is smaller, or compressed by its kind, gains nothing.
LEAST = 1000
PLAIN = ("text/", "application/json", "image/svg")

# What a page should ask for before its turn comes.
LARGE = 1_000_000

# A comment that Chromium heeds: it compiles a script's functions while the script arrives, not one by one while the
# page waits. That is half a second less of Plotly alone. To other browsers it says nothing.
HINT = b"//# allFunctionsCalledOnLoad\n"

# Such an address changes with the file's content.
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """A file as it is sent."""

    content: bytes
    compressed: bytes | None
    kind: str
    tag: str


@lru_cache(maxsize=MOST_FILES)
def load_asset(path: Path, changed: int) -> Asset:  # noqa: ARG001
    """Return a file, scripts with :data:`HINT` before them; one that changed meanwhile is read again."""
    content = path.read_bytes()
    if path.suffix == ".js" and len(content) > LEAST:
        content = HINT + content
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    smaller = gzip.compress(content, 6, mtime=0) if kind.startswith(PLAIN) and len(content) > LEAST else None
    return Asset(content, smaller, kind, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def find_asset(roots: Sequence[str], name: str) -> Asset | None:
    """Return the file of that name in the first folder that has it; nothing outside these folders.

    Examples
    --------
    >>> find_asset([str(Path(__file__).parent)], "explorer.css").kind
    'text/css'
    >>> find_asset([str(Path(__file__).parent)], "../../pyproject.toml") is None
    True
    """
    path = locate(tuple(roots), name)
    return load_asset(path, path.stat().st_mtime_ns) if path and path.is_file() else None


@lru_cache(maxsize=MOST_FILES)
def locate(roots: tuple[str, ...], name: str) -> Path | None:
    """Return where the file of that name lies: what is installed stays where it is."""
    if "\0" in name or Path(name).is_absolute():
        return None
    for root in map(Path, roots):
        path = (root / name).resolve()
        # Extensions may be linked into place, so the link's own place counts, too.
        if (path.is_relative_to(root.resolve()) or ".." not in Path(name).parts) and path.is_file():
            return path
    return None


def list_large(roots: Sequence[str], extensions: Iterable[str]) -> list[str]:
    """Return the addresses of the largest scripts of some extensions, as their own loader asks for them.

    It asks late, when all else of the page is there: Plotly's drawing code alone is larger than everything before it.
    """
    found = []
    for name in extensions:
        folder = next((path for root in roots if (path := Path(root) / name / "static").is_dir()), None)
        for path in sorted(folder.glob("*.*.js")) if folder else ():
            if path.stat().st_size > LARGE:
                found.append(f"{name}/static/{path.name}?v={path.name.split('.')[-2]}")
    return found


class AssetHandler(RequestHandler):
    """Answers with the files of some folders."""

    def initialize(self, roots: Sequence[str]) -> None:
        """Take the folders, in the order they are looked through."""
        self.roots = roots
        self.tag: str | None = None

    def get(self, name: str) -> None:
        """Send the file, compressed where the browser takes it."""
        asset = find_asset(self.roots, name)
        if asset is None:
            raise HTTPError(404)
        self.tag = asset.tag
        self.set_header("Content-Type", asset.kind)
        self.set_header("Cache-Control", FOR_EVER if self.get_query_argument("v", "") else "no-cache")
        self.set_header("X-Content-Type-Options", "nosniff")
        if asset.compressed and "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self.write(asset.compressed)
        else:
            self.write(asset.content)

    def compute_etag(self) -> str | None:
        """Return the file's own tag, however it is sent: Tornado answers 304 to who has it."""
        return self.tag
