# SPDX-License-Identifier: MIT
"""Every fault of a server, then a second run with the server healthy again.

Of each: the bytes under masks/ and in the cache are right or absent, how often the server was
asked, and the words of the message.
"""

import email.utils
import gzip
import time
import zlib

import nibabel as nib
import numpy as np
import pytest
from bench import ASKED_IN_VAIN
from faultserver import FaultServer, first, refused_port, serve
from support import make_certificate, tiny_mask

from brainmasks import BrainMaskMetadata, FetchError
from brainmasks.nifti import content_limit

DATA, ROW = tiny_mask("A")
CONTENT = gzip.decompress(DATA)
SIZE = len(DATA)
OTHER, _ = tiny_mask("B", seed=1)
LIMIT = content_limit(BrainMaskMetadata.from_row(ROW).size)


def body(data: bytes, **answer):
    """Return the behaviour that answers 200 with these bytes."""
    return lambda c: c.answer("200 OK", data, **answer)


def status(line: str, data: bytes = b"", **headers):
    return lambda c: c.answer(line, data, **headers)


def raw(data: bytes, then: str = ""):
    """Return the behaviour that writes these bytes as they are, then resets or holds."""

    def behave(c) -> None:
        c.send(data)
        if then:
            getattr(c, then)()

    return behave


def head(length: int = SIZE, extra: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{extra}\r\n".encode()


def chunked(data: bytes, end: bytes = b"0\r\n\r\n"):
    pieces = b"".join(
        b"%x\r\n%s\r\n" % (len(data[n : n + 50]), data[n : n + 50]) for n in range(0, len(data), 50)
    )
    return raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + end)


def redirect(target: str, code: str = "302 Found"):
    """Redirect every path but the target's; `{url}` is this server."""

    def behave(c) -> None:
        if c.path == "/there":
            c.answer("200 OK", DATA)
        else:
            c.answer(code, Location=target.format(url=c.server.url, number=c.number))

    return behave


def endless(c) -> None:
    c.send(b"HTTP/1.1 200 OK\r\n\r\n" + DATA)
    while not c.server.closing.is_set():
        try:
            c.socket.sendall(bytes(65536))
        except OSError:
            return


def flipped(n: int) -> bytes:
    return DATA[:n] + bytes([DATA[n] ^ 1]) + DATA[n + 1 :]


def lookalike() -> bytes:
    voxels = np.zeros((6, 7, 5), np.uint8)
    voxels[1:3] = 1
    affine = nib.Nifti1Image.from_bytes(CONTENT).affine
    return gzip.compress(nib.Nifti1Image(voxels, affine).to_bytes())


def bomb() -> bytes:
    """Return 10 GB of zeros in a gzip file, as far as the first bytes can tell."""
    packer = zlib.compressobj(9, wbits=31)
    data = packer.compress(bytes(1 << 20))
    return data + packer.flush()


MISMATCH = f"expected SHA-256 {ROW['sha256']}, found "
XML = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
LATER = email.utils.formatdate(time.time() + 3600, usegmt=True)

# Name: behaviour, how often it is asked, words of the message.
REFUSED = {
    # Permanent answers go to the next place at once.
    "400": (status("400 Bad Request"), 1, ["the server answered 400 Bad Request"]),
    "401": (status("401 Unauthorized"), 1, ["the server answered 401"]),
    "403": (status("403 Forbidden"), 1, ["the server answered 403"]),
    "404": (status("404 Not Found", b"<html>gone"), 1, ["the server answered 404 Not Found"]),
    "410": (status("410 Gone"), 1, ["the server answered 410"]),
    "451": (status("451 "), 1, ["the server answered 451"]),
    "204, no content": (status("204 No Content", length=None), 1, ["answered 204"]),
    "206, a part": (status("206 Partial Content", DATA[:50]), 1, ["answered 206"]),
    "304, not modified": (status("304 Not Modified", length=None), 1, ["answered 304"]),
    "404 with Retry-After": (status("404 Not Found", Retry_After=1), 1, ["answered 404"]),
    # Transient ones are asked again.
    "408 always": (status("408 Request Timeout"), ASKED_IN_VAIN, ["answered 408", "asked 3 times"]),
    "429 always": (status("429 Too Many"), ASKED_IN_VAIN, ["answered 429", "asked 3 times"]),
    "500 always": (status("500 Oops"), ASKED_IN_VAIN, ["answered 500 Oops", "asked 3 times"]),
    "502 always": (status("502 Bad Gateway"), ASKED_IN_VAIN, ["answered 502"]),
    "503 always": (status("503 Busy"), ASKED_IN_VAIN, ["answered 503"]),
    "504 always": (status("504 Late"), ASKED_IN_VAIN, ["answered 504"]),
    "Retry-After beyond the cap": (
        status("429 Too Many", Retry_After=3600),
        1,
        ["answered 429", "the server asks to wait 3600 s"],
    ),
    "Retry-After, a date beyond the cap": (
        status("503 Busy", Retry_After=LATER),
        1,
        ["the server asks to wait 3"],
    ),
    "Retry-After, nonsense": (status("503 Busy", Retry_After="soon"), ASKED_IN_VAIN, ["503"]),
    # Bodies that are not the file.
    "HTML page": (
        body(b"<!doctype html><title>Log in</title>"),
        1,
        [MISMATCH, 'an HTML page titled "Log in"'],
    ),
    "long HTML page": (
        body(b"<html><title>Maintenance</title>" + b" " * 5000),
        1,
        [MISMATCH, 'titled "Maintenance"', "5032 bytes"],
    ),
    "XML message": (body(XML), 1, [MISMATCH, 'an XML message "AccessDenied"']),
    "JSON message": (body(b'{"message": "throttled"}'), 1, [MISMATCH, '"throttled"']),
    "git-LFS pointer": (body(LFS), 1, [MISMATCH, "git-LFS pointer"]),
    "git-annex pointer": (
        body(b"/annex/objects/MD5E-s1--aa.nii.gz\n"),
        1,
        [MISMATCH, "git-annex pointer to MD5E-s1--aa.nii.gz"],
    ),
    "another registered mask": (body(OTHER[:SIZE]), None, [MISMATCH]),
    "look-alike": (body(lookalike()), 1, [MISMATCH, "70 voxels are 1, registered 117"]),
    "nothing at all": (body(b""), ASKED_IN_VAIN, [MISMATCH, "an empty file"]),
    "nothing, no length": (body(b"", length=None), ASKED_IN_VAIN, ["an empty file"]),
    "first byte flipped": (body(flipped(0)), 1, [MISMATCH, "something else"]),
    "byte in the middle flipped": (body(flipped(SIZE // 2)), None, [MISMATCH]),
    "last byte flipped": (body(flipped(SIZE - 1)), 1, [MISMATCH]),
    "one byte more": (body(DATA + b"x"), 1, [MISMATCH, "1 bytes follow the end"]),
    "another gzip member": (body(DATA + DATA), 1, [MISMATCH, f"{SIZE} bytes follow the end"]),
    "endless body": (endless, 1, [MISMATCH, f"more than {LIMIT} bytes"]),
    "gzip bomb": (body(bomb()), 1, [MISMATCH]),
    # Bodies that end too soon.
    "cut short": (
        body(DATA[: SIZE // 2], length=SIZE),
        ASKED_IN_VAIN,
        [f"the body broke off after {SIZE // 2} bytes", "asked 3 times"],
    ),
    "cut short, no length": (
        body(DATA[: SIZE // 2], length=None),
        ASKED_IN_VAIN,
        [MISMATCH, f"a damaged gzip file, {SIZE // 2} of {SIZE} bytes"],
    ),
    "cut by one byte, no length": (
        body(DATA[:-1], length=None),
        ASKED_IN_VAIN,
        [MISMATCH, f"{SIZE - 1} of {SIZE} bytes"],
    ),
    "Content-Length too small": (
        body(DATA, length=40),
        ASKED_IN_VAIN,
        [MISMATCH, f"a damaged gzip file, 40 of {SIZE} bytes"],
    ),
    "Content-Length too large": (body(DATA, length=SIZE + 9), ASKED_IN_VAIN, ["asked 3 times"]),
    "chunked, no last chunk": (chunked(DATA[:100], b""), ASKED_IN_VAIN, ["asked 3 times"]),
    "chunked, nonsense": (chunked(DATA[:100], b"zz\r\n"), ASKED_IN_VAIN, ["asked 3 times"]),
    # Connections that break, hang or drip.
    "closed without an answer": (raw(b""), ASKED_IN_VAIN, ["no connection", "asked 3 times"]),
    "reset without an answer": (raw(b"", "reset"), ASKED_IN_VAIN, ["no connection"]),
    "reset in the headers": (raw(b"HTTP/1.1 200 OK\r\nCont", "reset"), ASKED_IN_VAIN, ["reset"]),
    "reset in the body": (raw(head() + DATA[:80], "reset"), ASKED_IN_VAIN, ["the body broke off"]),
    "stall before the answer": (raw(b"", "hold"), ASKED_IN_VAIN, ["no answer within 0.4 s"]),
    "stall in the headers": (
        raw(b"HTTP/1.1 200 OK\r\n", "hold"),
        ASKED_IN_VAIN,
        ["no answer within 0.4 s"],
    ),
    "stall in the body": (
        raw(head() + DATA[:80], "hold"),
        ASKED_IN_VAIN,
        ["nothing for 0.4 s after 80 bytes"],
    ),
    "headers drip for ever": (
        lambda c: c.drip(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 9999),
        1,
        ["not finished within 2 s"],
    ),
    "drip beyond the deadline": (
        lambda c: (c.send(head()), c.drip(DATA, 0.1)),
        1,
        ["not finished within 2 s"],
    ),
    "not HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), None, []),
    "endless header line": (raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200000), None, []),
    "too many headers": (raw(b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 500 + b"\r\n"), None, []),
    # Redirects.
    "redirect loop": (redirect("{url}/again{number}"), 11, ["redirected more than 10 times"]),
    "redirect to nowhere": (status("302 Found"), 1, ["answered 302"]),
    "redirect to a file": (redirect("file:///etc/passwd"), 1, ["the request is not possible"]),
    "redirect to ftp": (redirect("ftp://127.0.0.1/x"), 1, ["the request is not possible"]),
    "redirect to an unknown host": (
        redirect("http://no-such-host.invalid/x"),
        1,
        ["no connection", "Name or service not known"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_then_healthy(bench, name):
    behaviour, asked, words = REFUSED[name]
    bench.server.behaviour = behaviour
    with pytest.raises(FetchError) as caught:
        bench.run()
    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message
    said, cache, registered, *remedies = message.split("\n")
    assert all(map(str.isprintable, (said, cache, registered, *remedies)))
    assert said == "mask A_2mm is not available from any source:"
    assert cache == f"(1) cache {bench.cache}: not there"
    assert registered.startswith(f"(2) registered URL {bench.server.url}/mask.nii.gz: ")
    assert remedies == [
        "To fix, one of these:",
        f"- put the file with SHA-256 {bench.row['sha256']} at {bench.entry}",
        "- correct the row of the mask, if it is that which is wrong",
    ]
    assert asked is None or len(bench.server.asked) == asked
    assert len(bench.server.asked) <= max(ASKED_IN_VAIN, asked or 0)
    assert not bench.mask.exists()
    assert not bench.raw.exists()
    assert not bench.entry.exists()
    bench.assert_nothing_wrong()

    bench.heal_server()
    bench.run()
    bench.assert_published()
    assert bench.entry.read_bytes() == bench.data


def later(seconds: float) -> str:
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


# Name: behaviour, how often it is asked.
OVERCOME = {
    "healthy": (serve(DATA), 1),
    "no length": (body(DATA, length=None), 1),
    "chunked": (chunked(DATA), 1),
    "un-gzipped NIfTI": (body(CONTENT), 1),
    "packed otherwise": (body(gzip.compress(CONTENT, 9)), 1),
    "100 first": (raw(b"HTTP/1.1 100 Continue\r\n\r\n" + head() + DATA), 1),
    "HTTP/1.0": (raw(b"HTTP/1.0 200 OK\r\n\r\n" + DATA), 1),
    "slow, but in time": (lambda c: (c.send(head() + DATA[:-5]), c.drip(DATA[-5:])), 1),
    "Content-Encoding: gzip, the file itself": (body(DATA, Content_Encoding="gzip"), 1),
    "Content-Encoding: gzip around the file": (
        body(gzip.compress(DATA, 1), Content_Encoding="gzip"),
        1,
    ),
    "Content-Encoding: deflate around the file": (
        body(zlib.compress(DATA, 1), Content_Encoding="deflate"),
        1,
    ),
    "Content-Encoding: br, a lie": (body(DATA, Content_Encoding="br"), 1),
    "Content-Type: text/html, a lie": (body(DATA, Content_Type="text/html"), 1),
    "500 once": (first(status("500 Oops"), 1, serve(DATA)), 2),
    "503 twice": (first(status("503 Busy"), 2, serve(DATA)), 3),
    "429 with Retry-After": (first(status("429 Many", Retry_After=1), 1, serve(DATA)), 2),
    "503 with a date": (
        first(lambda c: c.answer("503 Busy", Retry_After=later(1)), 1, serve(DATA)),
        2,
    ),
    "503 with a date in the past": (
        first(lambda c: c.answer("503 Busy", Retry_After=later(-99)), 1, serve(DATA)),
        2,
    ),
    "closed once": (first(raw(b""), 1, serve(DATA)), 2),
    "reset once": (first(raw(b"", "reset"), 1, serve(DATA)), 2),
    "reset in the body once": (first(raw(head() + DATA[:80], "reset"), 1, serve(DATA)), 2),
    "stall once": (first(raw(b"", "hold"), 1, serve(DATA)), 2),
    "stall in the body once": (first(raw(head() + DATA[:80], "hold"), 1, serve(DATA)), 2),
    "cut short once": (first(body(DATA[:80], length=SIZE), 1, serve(DATA)), 2),
    "cut short once, no length": (first(body(DATA[:80], length=None), 1, serve(DATA)), 2),
    "nothing once": (first(body(b""), 1, serve(DATA)), 2),
    "301": (redirect("/there", "301 Moved"), 2),
    "302": (redirect("/there"), 2),
    "303": (redirect("{url}/there", "303 See Other"), 2),
    "307": (redirect("{url}/there", "307 Temporary"), 2),
    "308": (redirect("{url}/there", "308 Permanent"), 2),
}


@pytest.mark.parametrize("name", OVERCOME)
def test_overcome(bench, name):
    bench.server.behaviour, asked = OVERCOME[name]
    bench.run()
    bench.assert_published()
    assert len(bench.server.asked) == asked
    bench.run()
    assert len(bench.server.asked) == asked


def test_request_is_one_get_that_says_who_asks(bench):
    from brainmasks.version import PROJECT_URL, __version__

    bench.run()
    assert bench.server.asked == ["GET /mask.nii.gz HTTP/1.1"]
    headers = bench.server.headers[0]
    assert f"User-Agent: brainmasks/{__version__} (+{PROJECT_URL})" in headers
    assert "Accept-Encoding: identity" in headers


def test_pause_that_the_server_asks_for_is_said_aloud_and_obeyed(bench, caplog, monkeypatch):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    bench.server.behaviour = first(status("429 Slow Down", Retry_After=1), 1, serve(DATA))
    bench.run()
    assert "the server answered 429 Slow Down; the server asks to wait 1 s" in caplog.text
    assert 1 in pauses
    # Others were told the same.
    assert any(0 < pause <= 0.25 for pause in pauses)


def test_redirect_to_another_host(bench):
    there = FaultServer(serve(DATA))
    bench.server.behaviour = redirect(f"http://localhost:{there.port}/x")
    bench.run()
    bench.assert_published()
    assert len(there.asked) == 1
    there.close()


def test_refused_connection(bench):
    url = bench.row["url"]
    bench.row["url"] = f"http://127.0.0.1:{refused_port()}/x"
    with pytest.raises(FetchError, match=r"Connection refused.*asked 3 times"):
        bench.run()
    bench.row["url"] = url
    bench.run()
    bench.assert_published()


def test_unknown_host_is_not_asked_for_again(bench):
    bench.row["url"] = "http://no-such-host.invalid/x"
    with pytest.raises(FetchError, match=r"no connection: .*Name or service not known") as caught:
        bench.run()
    assert "times)" not in str(caught.value)


@pytest.mark.parametrize("kind", ["answers 403", "is not there", "hangs up"])
def test_proxy_is_named(bench, monkeypatch, kind):
    proxy = FaultServer(status("403 Forbidden") if kind == "answers 403" else raw(b""))
    port = refused_port() if kind == "is not there" else proxy.port
    monkeypatch.setenv("http_proxy", f"http://user:secret@127.0.0.1:{port}")
    with pytest.raises(FetchError) as caught:
        bench.run()
    assert f"the proxy http://127.0.0.1:{port}" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert bench.server.asked == []
    proxy.close()


def test_bad_mirror_then_good_mirror(bench):
    good, bad = FaultServer(serve(DATA)), FaultServer(body(lookalike()))
    bench.server.behaviour = status("404 Not Found")
    bench.mirrors = [f"{bad.url}/a", f"{good.url}/b"]
    bench.run()
    bench.assert_published()
    assert [len(s.asked) for s in (bench.server, bad, good)] == [1, 1, 1]
    for server in (good, bad):
        server.close()


def test_every_place_gives_its_own_reason(bench, tmp_path):
    page, busy = FaultServer(body(b"<html><title>Hi</title>")), FaultServer(status("503 Busy"))
    bench.server.behaviour = status("410 Gone")
    bench.mirrors = [
        f"{page.url}/a",
        f"{busy.url}/b",
        str(tmp_path / "not there"),
        "${NO_SUCH_VARIABLE}/x",
    ]
    with pytest.raises(FetchError) as caught:
        bench.run()
    for words in (
        "\n(6) mirror",
        "not there does not exist",
        "NO_SUCH_VARIABLE is not set",
        "the server answered 410 Gone",
        'an HTML page titled "Hi"',
        "the server answered 503 Busy (asked 3 times)",
    ):
        assert words in str(caught.value)
    bench.assert_nothing_wrong()
    for server in (page, busy):
        server.close()


@pytest.mark.parametrize("url", ["http://user:s3cret@127.0.0.1:{port}/x?token=s3cret&a=1"])
@pytest.mark.parametrize("fault", [False, True])
def test_credentials_are_shown_nowhere(bench, caplog, url, fault):
    import logging

    caplog.set_level(logging.DEBUG, logger="brainmasks")
    bench.row["url"] = url.format(port=bench.server.port)
    if fault:
        bench.server.behaviour = status("503 Busy")
        with pytest.raises(FetchError) as caught:
            bench.run()
        assert "s3cret" not in str(caught.value)
    else:
        bench.run()
        assert "Authorization: Basic" in bench.server.headers[0]
        for path in bench.folder.rglob("*.json"):
            assert "s3cret" not in path.read_text()
    assert "s3cret" not in caplog.text


def test_secrets_come_from_the_environment_and_from_netrc(bench, caplog, machine, monkeypatch):
    """Of the environment only what is named for it: a table may come from elsewhere."""
    import logging

    caplog.set_level(logging.DEBUG, logger="brainmasks")
    monkeypatch.setenv("BRAINMASKS_TOKEN", "s3cret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "0ther")
    netrc = machine / ".netrc"
    netrc.write_text("machine 127.0.0.1 login user password pass\n")
    netrc.chmod(0o600)
    bench.row["url"] += "?key=${BRAINMASKS_TOKEN}&aws=${AWS_SECRET_ACCESS_KEY}"
    bench.run()
    assert "key=s3cret" in bench.server.asked[0]
    assert "0ther" not in bench.server.headers[0]
    assert "Authorization: Basic" in bench.server.headers[0]
    for text in (caplog.text, *(path.read_text() for path in bench.folder.rglob("*.json"))):
        assert "s3cret" not in text


def test_variable_that_is_not_set_is_named(bench):
    bench.row["url"] += "?key=${BRAINMASKS_TOKEN}"
    with pytest.raises(FetchError, match="the environment variable BRAINMASKS_TOKEN is not set"):
        bench.run()


def test_https_is_never_left_for_http(bench, tmp_path, monkeypatch):
    import ssl
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    key, certificate = make_certificate(tmp_path, "localhost")
    target = bench.row["url"]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", target)
            self.end_headers()

        def log_message(self, *args) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        plain = server.socket
        server.socket = context.wrap_socket(plain, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        bench.row["url"] = f"https://localhost:{server.server_port}/x"
        with pytest.raises(FetchError, match=f"redirected from https to {target}; refused"):
            bench.run()
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        with pytest.raises(FetchError, match="no secure connection"):
            bench.run()
        server.shutdown()
    assert bench.server.asked == []
