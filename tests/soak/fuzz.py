"""Requests that nobody writes on purpose: valid ones with a few bytes changed, and bytes that are hardly HTTP."""

from __future__ import annotations

import random
import socket
from urllib.parse import quote, unquote_to_bytes, urlencode

from .load import Report, storm
from .questions import PAGES, Question, draw_arguments
from .server import Server

ODD = (
    b"\0",
    b"\xff\xfe",
    b"%",
    b"%zz",
    b"&&",
    b"==",
    b"+",
    b";",
    b"\xe2\x80\xae",
    b"'",
    b'"',
    b"<",
    b"\\",
    b"../",
    b"\t",
)
METHODS = ("GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND")
KINDS = (
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data; boundary=x",
    "text/xml",
    "",
    "a/b; c",
)
HEADERS = {
    "Accept": ("*/*", "text/html", "application/xml", "application/json;q=0.1, */*;q=0", "nonsense", ",;,"),
    "Accept-Encoding": (
        *("br", "gzip", "identity;q=0", "br;q=x", "*", "compress, deflate", "gzip;q=nan", "br;q=1e999, gzip;q=-1"),
        *(";;,,", "\xff", "gzip," * 900),
    ),
    "If-None-Match": ("*", '"x"', 'W/"y", "z"', "not an etag", '"', "\xff", '"a",' * 1500),
    "If-Match": ("*", '"x"'),
    "If-Modified-Since": ("yesterday", "Sun, 99 Jan 99999 99:99:99 +9999", "Fri, 31 Dec 9999 23:59:59 GMT"),
    "Range": ("bytes=0-10", "bytes=-1", "bytes=9-1", "lines=1-2", "bytes=0-0,5-9", "bytes=\xff"),
    "X-Forwarded-For": (
        *("1.2.3.4", "::1", "a, b, c", "", "9.9.9.9, 2001:db8::1", "[::1]:80, [::ffff:1.2.3.4]:443", "1.2.3.4:99999"),
        *("fe80::1%eth0", "::%\xe9", "\xff", ",,", "1.1.1.1, " * 500),
    ),
    "X-Forwarded-Proto": ("https", "ftp", "https,http"),
    "Host": (
        *("localhost", "a.b:99", "[::1]", "evil.example", "a" * 64, "a b", "[::1", 'x"><script>', "\xe9", ""),
        *("x:99999", "x:", "a..b", "."),
    ),
    "Content-Encoding": ("gzip", "identity", "br, gzip", "\xff"),
    "Expect": ("100-continue", "\xff"),
    "X-Request-ID": ("0123456789", "\xe9" * 20, "a" * 500),
    "Cookie": ("a=b", "session=" + "x" * 2000, ";;;"),
    "Origin": ("https://example.org", "null"),
}

# Asked again and again, so that most answers to them come from the cache.
KEPT = (
    "/",
    "/forecast?location=NGA&from=2030&to=2031",
    "/embed?location=NGA&from=2030&to=2031",
    "/api/v1/forecast?location=NGA&from=2030&to=2031",
    "/api/v1/forecast.csv?location=NGA&from=2030&to=2031",
    "/api/v1/locations",
    "/openapi.json",
    "/static/app.js",
)

# Whole requests for one of these, but for the address.
ODD_HEADS = (
    b"GET %b HTTP/1.0\r\n\r\n",
    b"GET %b HTTP/1.0\r\nHost: a b\r\n\r\n",
    b"GET %b HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
    b"GET %b HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n",
    b"HEAD %b HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nConnection: close\r\n\r\n",
    b"GET %b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\nConnection: close\r\n\r\n",
    b"GET %b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"GET %b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
    b'GET %b HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\nIf-None-Match: "\xff\r\nConnection: close\r\n\r\n',
    b"GET %b HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\nAccept-Encoding: ;q\r\nConnection: close\r\n\r\n",
    b"GET %b HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: a\r\nX-Forwarded-For: [::1\r\nConnection: close\r\n\r\n",
    b"BREW %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
)

# Whole requests, sent as they are.
RAW = (
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://other.example/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET //evil.example/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /static/../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /?location=\xff\xfe\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /forecast HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /forecast HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
    b"POST /forecast HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /forecast HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /forecast HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx",
    b"POST /forecast HTTP/1.1\r\nHost: x\r\nExpect: 200-maybe\r\nContent-Length: 0\r\n\r\n",
    b"POST /forecast HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"POST /forecast HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /?" + b"&" * 7_900 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    *(
        b"%b %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % (method, address)
        for method in (b"GET", b"HEAD", b"POST")
        for address in (
            *(b"/%00", b"/%ff", b"/%0d%0aX:y", b"/reports/%00", b"/reports/..%2f..%2fetc/passwd", b"/static/%00"),
            *(b"/static/" + b"a" * 300, b"/theme/%ff", b"/./forecast", b"//", b"*", b"/forecast?location=%ED%A0%80"),
            *(b"/forecast?location=%1b%5b2J", b"/forecast?%00=%00", b"/api/v1/locations?search=%00", b"/?%" * 900),
        )
    ),
    *(head % address.encode() for head in ODD_HEADS for address in KEPT for _ in range(2)),
)


def fuzz(server: Server, requests: int, connections: int = 20, seed: int = 0) -> Report:
    """Send that many requests, and take down each answer of 500 or above, and each traceback."""
    report = storm(server, 24 * 60 * 60, connections, seed, most=requests, draw=draw_noise)
    for data in RAW:
        status, text = send_raw(server, data)
        fault = f"{status}: {text[:200]}" if status >= 500 or "Traceback" in text else None
        report.note(Question(repr(data[:60])), status, fault, 0)
    return report


def draw_noise(chance: random.Random) -> Question:
    """Return a request with something odd in its address, its headers or its body."""
    headers = {name: chance.choice(HEADERS[name]) for name in chance.sample(list(HEADERS), chance.randint(0, 3))}
    if chance.random() < 0.3:
        return Question(chance.choice(KEPT), chance.choice(("GET", "GET", "HEAD")), None, headers, is_noise=True)
    path, query = chance.choice(PAGES), urlencode(draw_arguments(chance)).encode()
    method = chance.choice(METHODS)
    body = None
    if method in ("POST", "PUT", "PATCH"):
        body = spoil(
            chance, query if chance.random() < 0.5 else b'{"location": ["NGA", 356], "from": 2030, "to": [2031]}'
        )
        headers["Content-Type"] = chance.choice(KINDS)
        query = b""
    address = f"{path}?{quote(spoil(chance, query), safe='%&=+;')}" if query else path
    if chance.random() < 0.1:
        address = "/" + quote(spoil(chance, unquote_to_bytes(path)), safe="/%")
    return Question(address[:7_900], method, body, headers, is_noise=True)


def spoil(chance: random.Random, text: bytes) -> bytes:
    """Return the text with up to four places changed."""
    for _ in range(chance.randint(0, 4)):
        at = chance.randint(0, len(text))
        end = min(len(text), at + chance.choice((0, 0, 1, 2, 8)))
        text = text[:at] + chance.choice((*ODD, b"", text[at:end] * 3, chance.randbytes(3))) + text[end:]
    return text


def send_raw(server: Server, data: bytes) -> tuple[int, str]:
    """Send bytes on a connection of their own, and return the status (0: none came) and all that came back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        except OSError:
            return 0, ""
    words = answer.split(None, 2)
    return (int(words[1]) if len(words) > 1 and words[1].isdigit() else 0), answer.decode("latin-1")
