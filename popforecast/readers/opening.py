"""Opening of text files, plain or compressed; other kinds of files raise an error that names the kind."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from popforecast.errors import ReadError, shorten
from popforecast.readers.cells import SPACES

# Number of bytes inspected first, so that a large file of another kind is rejected as fast as a small one.
HEAD = 1 << 18

Bytes = io.BufferedReader | gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile
Unpack = Callable[[Path], Bytes]
GZIP = b"\x1f\x8b"
UNPACK: dict[bytes, Unpack] = {GZIP: gzip.GzipFile, b"BZh": bz2.BZ2File, b"\xfd7zXZ\x00": lzma.LZMAFile}

# Other files often passed by mistake: first bytes, kind and remedy.
OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV"),
    (b"%PDF", "a PDF", "get the table as CSV"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", "unpack it first"),
    (b"ARROW1", "an Arrow file", "save it as Parquet or CSV"),
    (b"SQLite format 3", "an SQLite database", "export the table as CSV"),
    (b"\x89HDF", "an HDF5 file", "save it as Parquet or CSV"),
    (b"\x89PNG", "a picture", "pass the table"),
    (b"RDX", "an R data file", "write it with write.csv"),
    (b"\x80\x04\x95", "a Python pickle", "save it as Parquet or CSV"),
    (b"<stata_dta>", "a Stata file", "save it as CSV"),
    (b"$FL2", "an SPSS file", "save it as CSV"),
)
BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"))
WIDE_BOMS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


class EncodingError(ReadError):
    """A byte that is not valid in the encoding detected from the beginning of the file."""


class Source(NamedTuple):
    """A text file with its compression, encoding and beginning."""

    path: Path
    unpack: Unpack | None
    encoding: str
    head: str

    @contextmanager
    def open(self) -> Iterator[io.TextIOBase]:
        """Open the text; damage found while reading raises an error that names the file."""
        try:
            with _open_bytes(self.path, self.unpack) as file:
                yield io.TextIOWrapper(file, self.encoding, newline="")
        except (EOFError, zlib.error, lzma.LZMAError) as error:
            raise ReadError(f"{self.path.name} is a compressed file that is cut or damaged: get it again") from error
        except UnicodeDecodeError as error:
            raise EncodingError(
                f"{self.path.name} is not text in {self.encoding} (byte 0x{error.object[error.start]:02x} after "
                f"{_show(error.object[max(0, error.start - 20) : error.start])}): save it as UTF-8"
            ) from error
        except OSError as error:
            if isinstance(error, gzip.BadGzipFile) or (self.unpack and error.errno is None):
                raise ReadError(f"{self.path.name} is a compressed file that is damaged: get it again") from error
            raise ReadError(f"{self.path.name} cannot be read: {error.strerror or error}") from error

    def list_lines(self, text: io.TextIOBase) -> Iterator[str]:
        """Yield the lines of the opened text; overlong lines raise an error."""
        while line := text.readline(HEAD):
            if len(line) == HEAD:
                raise ReadError(f"{self.path.name} has a line of more than {HEAD // 1024} kB: it is no table with rows")
            yield line

    def ends_open(self) -> bool:
        """Return whether the last line has no line end."""
        last = b""
        with _open_bytes(self.path, self.unpack) as file:
            if not self.unpack:
                file.seek(-min(8, self.path.stat().st_size), io.SEEK_END)
            while part := file.read(1 << 20):
                last = (last + part)[-8:]
        return last.rstrip(b"\x00")[-1:] not in (b"\n", b"\r")


class Text(NamedTuple):
    """The text of a file, its encoding, and the checksum of its bytes."""

    text: str
    encoding: str
    sha256: str


def decode(path: Path) -> Text:
    """Return the text of a file in UTF-8, UTF-16 or Latin-1, plain or gzip-compressed.

    Raises
    ------
    ReadError
        If it cannot be read, is damaged or is not text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {error.strerror}") from error
    return decode_bytes(content, path.name)


def decode_bytes(content: bytes, name: str) -> Text:
    """Return the text of a file's bytes, as :func:`decode` does; errors use the name."""
    sha256 = hashlib.sha256(content).hexdigest()
    if content.startswith(GZIP):
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise ReadError(f"{name} is a gzip file that is cut or damaged ({error}): get it again") from error
    is_wide = any(content.startswith(bom) for bom, _ in WIDE_BOMS)
    if b"\x00" in content and not is_wide:
        raise ReadError(f"{name} holds NUL bytes: it is no CSV text (a spreadsheet must be saved as CSV first)")
    # All bytes are valid Latin-1, so only UTF-16 can fail.
    for encoding in ("utf-16",) if is_wide else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not text or SPACES.fullmatch(text):
            raise ReadError(f"{name} is empty: expected a CSV file of population")
        return Text(text, encoding, sha256)
    raise ReadError(f"{name} is not text in utf-16: save it as UTF-8")


def open_source(path: Path) -> Source:
    """Return a file as a source of text, with compression and encoding detected from its beginning.

    Raises
    ------
    ReadError
        If it cannot be read, is empty, or is not text.
    """
    start = _peek(path, None)
    if not start:
        raise ReadError(f"{path.name} is empty: expected a table of population")
    unpack = next((unpack for magic, unpack in UNPACK.items() if start.startswith(magic)), None)
    content = _peek(path, unpack) if unpack else start
    _refuse_others(path, content)
    encoding = _find_encoding(path, content)
    text = _decode_head(content, encoding)
    if encoding == "utf-8" and text is None:
        encoding, text = "cp1252", _decode_head(content, "cp1252")
    if text is None:
        raise ReadError(f"{path.name} is not text in {encoding}: save it as UTF-8")
    if not text.strip():
        raise ReadError(f"{path.name} is empty: expected a table of population")
    found = CONTROL.search(text)
    if found:
        raise ReadError(
            f"{path.name} holds the control character {found.group()!r}: it is no CSV text (a spreadsheet must be "
            "saved as CSV first)"
        )
    if len(content) >= HEAD and "\n" not in text and "\r" not in text:
        raise ReadError(f"{path.name} has no line end in its first {HEAD // 1024} kB: it is no table with rows")
    return Source(path, unpack, encoding, text)


def _peek(path: Path, unpack: Unpack | None) -> bytes:
    try:
        with _open_bytes(path, unpack) as file:
            return file.read(HEAD)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise ReadError(f"{path.name} is a compressed file that is cut or damaged: get it again") from error
    except (OSError, ValueError) as error:
        said = (getattr(error, "strerror", None) or str(error)) if not unpack else "it is damaged"
        raise ReadError(f"{path} cannot be read: {said}") from error


def _open_bytes(path: Path, unpack: Unpack | None) -> Bytes:
    return unpack(path) if unpack else path.open("rb")


def _refuse_others(path: Path, content: bytes) -> None:
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise ReadError(f"{path.name} {_describe_zip(path)}")
    for magic, what, remedy in OTHERS:
        if content.startswith(magic):
            raise ReadError(f"{path.name} is {what}, no CSV: {remedy}")
    begins = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if begins.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise ReadError(f"{path.name} is a web page or XML, no CSV: get the table itself")
    if begins.startswith((b'{"', b"{\n", b"[{", b"[\n", b"[[")):
        raise ReadError(f"{path.name} is JSON, no CSV: save it as CSV with one row for each location and year")


def _describe_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        members = []
    if any(name.startswith("xl/") for name in members):
        return "is an Excel workbook, no CSV: save the sheet as CSV"
    if "mimetype" in members:
        return "is a spreadsheet of LibreOffice, no CSV: save the sheet as CSV"
    tables = [name for name in members if name.lower().endswith((".csv", ".tsv", ".parquet", ".txt"))]
    holds = f"; it holds {shorten(', '.join(map(repr, tables)))}" if tables else ""
    return f"is a zip archive, no CSV: unpack it first{holds}"


def _find_encoding(path: Path, content: bytes) -> str:
    for bom, encoding in (*BOMS, *WIDE_BOMS):
        if content.startswith(bom):
            return encoding
    if b"\x00" not in content:
        return "utf-8"
    # Western text in UTF-16 without a byte order mark has a zero in nearly every second byte.
    odd, even = content[1::2], content[::2]
    for half, other, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if half.count(0) > 0.5 * len(half) and not other.count(0):
            return encoding
    raise ReadError(f"{path.name} holds NUL bytes: it is no CSV text (a spreadsheet must be saved as CSV first)")


def _decode_head(content: bytes, encoding: str) -> str | None:
    """Return the decoded beginning of a text; None if not in this encoding. Its last character may be incomplete."""
    for cut in range(4):
        try:
            return content[: len(content) - cut].decode(encoding)
        except UnicodeDecodeError as error:
            if len(content) < HEAD or error.start < len(content) - 4:
                return None
    return None


def _show(content: bytes) -> str:
    return repr(content.decode("latin-1"))
