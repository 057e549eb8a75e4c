# SPDX-License-Identifier: MIT
"""Servers made by a grammar: status line, headers, framing, encoding and timing, by a number.

Run as a program it lets the main job meet some of them, twice each, and prints what became of it,
a line of JSON each: `python tests/server_grammar.py FOLDER FIRST LAST`.
"""

import gzip
import json
import random
import re
import sys
import zlib
from functools import cache
from pathlib import Path

from faultserver import Behaviour, Connection
from support import tiny_mask

DATA, _ = tiny_mask("A")
OTHER, _ = tiny_mask("B", seed=1)
CONTENT = gzip.decompress(DATA)
# Bytes that the small part of a bomb on the wire inflates to.
BOMB = 600 << 20

CODES = (200, 200, 200, 200, 200, 200, 204, 206, 301, 302, 303, 307, 308, 304, 400, 401, 403, 404)
CODES += (407, 408, 410, 418, 425, 429, 429, 500, 502, 503, 503, 504, 599, 999, 99)
REASONS = (
    "OK",
    "",
    "Not Found",
    "gr\xfc\xdfe",
    "\x1b[31mred\x1b[0m",
    "a" * 60_000,
    "http://u:SECRET@h/" * 3_000,
    "//" + "a@" * 20_000,
    "http://h/?" + "x=1&" * 10_000,
    "&#27;[2J\x07\x08\x7f",
    "https://h/x?token=SECRET#key=SECRET",
)
RETRY_AFTER = (
    "0",
    "1",
    "-1",
    "1.5",
    "3600",
    "9" * 5_000,
    "soon",
    "",
    "Fri, 31 Dec 99999 23:59:59 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "\x1b[2J",
    "1e309",
    "\u0661".encode().decode("latin-1"),
)
LOCATIONS = (
    "{url}/there",
    "{url}/again{number}",
    "//127.0.0.1:{port}/there",
    "/there",
    "",
    "http://",
    "http://[::1",
    "http://h:99999/",
    "file:///etc/passwd",
    "ftp://127.0.0.1/x",
    "javascript:alert(1)",
    "{url}/there?token=SECRET",
    "http://u:SECRET@127.0.0.1:{port}/there",
    "{url}/" + "a" * 9_000,
    "\x1b[2J",
    "?" * 3_000,
)
HEADERS = (
    "X: \x1b[31m",
    "X",
    ": nothing",
    " folded",
    "Set-Cookie: a=b; Domain=.; Max-Age=99999999999999999999",
    "X: " + "a" * 60_000,
    "Content-Type: text/html; charset=utf-7",
    "Content-Type: application/json",
    "ETag: W/\x00",
    "Transfer-Encoding: gzip, chunked",
    "Connection: keep-alive",
    "Content-Range: bytes 0-0/*",
    "Link: <http://h/?token=SECRET>",
)
JSON_DEEP = b'{"message":' * 990 + b'"x"' + b"}" * 990
BODIES = (
    DATA,
    DATA,
    DATA,
    DATA[:-1],
    DATA[: len(DATA) // 2],
    DATA + b"x",
    DATA[:40] + bytes([DATA[40] ^ 1]) + DATA[41:],
    OTHER,
    CONTENT,
    b"",
    b"<!doctype html><title>\x1b[31m" + b"&lt;" * 30_000,
    b"<html><title>" + b"<" * 200_000,
    b"<?xml version='1.0'?><Error>" + b"&#27;" * 20_000,
    JSON_DEEP,
    b"[" * 990 + b"]" * 990,
    b"[" * 200_000,
    b'{"message": "\\ud800 lone"}',
    b'{"detail": 1' + b"0" * 6_000 + b"}",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:\x1b\n",
    b"/annex/objects/" + b"a/" * 1_500,
    b"\x1f\x8b" + b"\xff" * 500,
    bytes(348) + b"n+1\0" + b"\xff" * 300,
)


@cache
def bomb(kind: str) -> bytes:
    """Return a few hundred kB that inflate to `BOMB` bytes."""
    packer = zlib.compressobj(9, wbits={"gzip": 31, "deflate": 15}[kind])
    piece = bytes(1 << 20)
    return b"".join(packer.compress(piece) for _ in range(BOMB >> 20)) + packer.flush()


def behaviour(number: int) -> Behaviour:
    """Return the server of a number: always the same for the same number."""
    rng = random.Random(number)
    code, reason = rng.choice(CODES), rng.choice(REASONS)
    body = rng.choice(BODIES)
    encoding = rng.choice([None] * 6 + ["gzip", "deflate", "br", "gzip, gzip", "\x1b", "identity"])
    if encoding in ("gzip", "deflate") and rng.random() < 0.5:
        body = bomb(encoding)
    elif encoding == "gzip":
        body = gzip.compress(body, mtime=0)
    lines = [f"HTTP/{rng.choice(['1.1'] * 6 + ['1.0', '0.9', '2', 'x'])} {code} {reason}"]
    lines += rng.sample(HEADERS, rng.choice([0, 0, 1, 2]))
    if encoding:
        lines.append(f"Content-Encoding: {encoding}")
    if code in (408, 429, 500, 502, 503, 504) and rng.random() < 0.8:
        lines.append(f"Retry-After: {rng.choice(RETRY_AFTER)}")
    location = rng.choice(LOCATIONS) if 300 <= code < 310 else None
    framing = rng.choice(
        ["right", "right", "right", "none", "short", "long", "chunked", "bad", "2"]
    )
    lengths = {"right": [0], "short": [-9], "long": [9], "2": [0, 7], "bad": []}
    if framing in lengths:
        lines += [f"Content-Length: {max(0, len(body) + more)}" for more in lengths[framing]]
    if framing == "bad":
        lines.append(f"Content-Length: {rng.choice(['-1', 'x', '9' * 400, '1, 2', ''])}")
    if framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
        end = rng.choice([b"0\r\n\r\n", b"", b"zz\r\n", b"f" * 70_000 + b"\r\n"])
        body = b"%x\r\n%s\r\n" % (len(body), body) + end
    timing = rng.choice(["at once"] * 8 + ["late", "drip", "reset", "hold"])
    cut = rng.random()

    def behave(c: Connection) -> None:
        if c.path.startswith("/there") and rng.random() < 0.7:
            c.answer("200 OK", DATA)
            return
        told = list(lines)
        if location is not None:
            filled = location.format(url=c.server.url, number=c.number, port=c.server.port)
            told.append(f"Location: {filled}")
        answer = "\r\n".join([*told, "", ""]).encode("latin-1", "replace") + body
        if timing == "late":
            c.server.closing.wait(0.2)
        elif timing == "drip":
            c.drip(answer[:20], 0.02)
            answer = answer[20:]
        elif timing in ("reset", "hold"):
            c.send(answer[: int(len(answer) * cut)])
            getattr(c, timing)()
            return
        c.send(answer)

    return behave


def meet(folder: Path, number: int) -> dict:
    """Let the main job meet a server twice, then a healthy one; return what became of it."""
    from bench import Bench

    from brainmasks import MaskError

    folder.mkdir(parents=True)
    bench = Bench(folder)
    bench.server.behaviour = behaviour(number)
    outcomes = []
    for _ in range(2):
        try:
            bench.run()
            outcomes.append("published")
        except MaskError as err:
            outcomes.append(str(err))
        bench.assert_nothing_wrong()
    bench.heal_server()
    bench.run()
    bench.assert_published()
    bench.server.close()
    # Of this process alone: what `getrusage` says begins with the size of the one that started it.
    status = Path("/proc/self/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) // 1024
    return {"number": number, "outcomes": outcomes, "peak_mb": peak}


if __name__ == "__main__":
    top, low, high = sys.argv[1:]
    for each in range(int(low), int(high)):
        print(json.dumps(meet(Path(top, str(each)), each)), flush=True)
