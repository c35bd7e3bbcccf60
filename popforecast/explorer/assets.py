"""Scripts and styles of Voilà and Jupyter extensions, compressed once and cached.

A page loads a hundred of these files; compressing them for each request would delay the page.
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

# More files than a page and its extensions load.
MOST_FILES = 1000

# Compression does not help smaller files, or types that are already compressed.
LEAST = 1000
PLAIN = ("text/", "application/json", "image/svg")

# Scripts of this size or more are preloaded.
LARGE = 1_000_000

# A hint to Chromium to compile functions while the script is downloading, rather than one by one when they are called.
# It saves half a second for Plotly alone. Other browsers ignore it.
HINT = b"//# allFunctionsCalledOnLoad\n"

# For addresses with a version parameter, which changes with the content of the file.
IMMUTABLE = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """A file with its compressed content, media type and ETag."""

    content: bytes
    compressed: bytes | None
    kind: str
    tag: str


@lru_cache(maxsize=MOST_FILES)
def load_asset(path: Path, changed: int) -> Asset:  # noqa: ARG001
    """Return a file, with :data:`HINT` prepended to scripts; a file that has changed is read again."""
    content = path.read_bytes()
    if path.suffix == ".js" and len(content) > LEAST:
        content = HINT + content
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    smaller = gzip.compress(content, 6, mtime=0) if kind.startswith(PLAIN) and len(content) > LEAST else None
    return Asset(content, smaller, kind, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def find_asset(roots: Sequence[str], name: str) -> Asset | None:
    """Return a file from the first folder that contains it; None for files outside these folders.

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
    """Return the path of a file; cached, because installed files do not move."""
    if "\0" in name or Path(name).is_absolute():
        return None
    for root in map(Path, roots):
        path = (root / name).resolve()
        # Extensions may be symbolic links to other folders, so the location of the link is also accepted.
        if (path.is_relative_to(root.resolve()) or ".." not in Path(name).parts) and path.is_file():
            return path
    return None


def list_large(roots: Sequence[str], extensions: Iterable[str]) -> list[str]:
    """Return the addresses of the largest scripts of some extensions, as requested by their loader.

    The page preloads them: the loader requests them last, although Plotly alone is larger than all previous files.
    """
    found = []
    for name in extensions:
        folder = next((path for root in roots if (path := Path(root) / name / "static").is_dir()), None)
        for path in sorted(folder.glob("*.*.js")) if folder else ():
            if path.stat().st_size > LARGE:
                found.append(f"{name}/static/{path.name}?v={path.name.split('.')[-2]}")
    return found


class AssetHandler(RequestHandler):
    """Handler that serves the files of some folders."""

    def initialize(self, roots: Sequence[str]) -> None:
        """Set the folders, in search order."""
        self.roots = roots
        self.tag: str | None = None

    def get(self, name: str) -> None:
        """Send the file, compressed if the browser accepts it."""
        asset = find_asset(self.roots, name)
        if asset is None:
            raise HTTPError(404)
        self.tag = asset.tag
        self.set_header("Content-Type", asset.kind)
        self.set_header("Cache-Control", IMMUTABLE if self.get_query_argument("v", "") else "no-cache")
        self.set_header("X-Content-Type-Options", "nosniff")
        if asset.compressed and "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self.write(asset.compressed)
        else:
            self.write(asset.content)

    def compute_etag(self) -> str | None:
        """Return the ETag of the file, compressed or not; Tornado answers 304 if the browser has it."""
        return self.tag
