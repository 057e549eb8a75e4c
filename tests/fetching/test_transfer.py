# SPDX-License-Identifier: MIT
"""One transfer from one server: limits of size, pauses between attempts, what errors mean."""

import gzip
import io
import logging
import os
import re
import time
from dataclasses import replace
from threading import Event

import pytest
import requests
from faultserver import FaultServer, first, refused_port, serve
from urllib3.exceptions import NameResolutionError

from brainmasks.errors import FetchError
from brainmasks.fetching.downloader import SessionDownloader
from brainmasks.fetching.http import _within_deadline, transfer
from brainmasks.fetching.limits import Limits
from brainmasks.fetching.session import (
    REDIRECTS,
    guard_redirect,
    innermost_cause,
    is_unknown_host,
    new_session,
    proxy_of,
)

# So long that no busy machine comes near.
LIMITS = Limits(connect=30, stall=30, deadline=30, pause=5, retries=2, backoff=0, spread=0)
DATA = gzip.compress(os.urandom(300), mtime=0)
BUSY = "503 Busy"


@pytest.fixture
def server():
    server = FaultServer(serve(DATA))
    yield server
    server.close()


@pytest.fixture
def pauses(monkeypatch) -> list[float]:
    """Return the pauses that were made; none takes time."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", lambda seconds: made.append(seconds) if seconds else None)
    return made


def downloaded(server, tmp_path, limits=LIMITS, **options) -> tuple[SessionDownloader, bytes]:
    """Return a downloader after it has downloaded, and what it has written."""
    options = {"largest": 9999} | options
    downloader = SessionDownloader(limits, **options)
    downloader(f"{server.url}/mask", tmp_path / "file", None)
    return downloader, (tmp_path / "file").read_bytes()


# --- Size ----------------------------------------------------------------------------------------


def test_body_comes_as_it_is_with_its_encoding(server):
    assert transfer(f"{server.url}/a", 9999, LIMITS) == (DATA, "")
    server.behaviour = lambda c: c.answer("200 OK", DATA, Content_Encoding="GZip")
    assert transfer(f"{server.url}/a", 9999, LIMITS) == (DATA, "gzip")


@pytest.mark.parametrize(
    ("encoding", "size", "kept"),
    [
        ({}, 5000, 5000),
        ({}, 5001, 5001),
        ({}, 5002, 5001),
        ({}, 200_000, 5001),
        ({"Content_Encoding": "gzip"}, 6124, 6124),
        ({"Content_Encoding": "gzip"}, 6125, 5001),
    ],
    ids=["at most", "one more", "two more", "many more", "encoded, at most", "encoded, one more"],
)
def test_of_a_body_that_is_too_large_one_byte_more_is_kept(server, encoding, size, kept):
    """What an encoding may add is 1024 bytes and a fiftieth."""
    body = os.urandom(size)
    server.behaviour = lambda c: c.answer("200 OK", body, **encoding)
    assert transfer(f"{server.url}/a", 5000, LIMITS)[0] == body[:kept]


@pytest.mark.parametrize("kept", [0, 1, 2, 9, 40, len(DATA) - 1])
def test_body_that_is_cut_off_is_asked_for_again_whatever_its_size(server, caplog, kept):
    caplog.set_level(logging.INFO)
    server.behaviour = first(lambda c: c.answer("200 OK", DATA[:kept]), 1, serve(DATA))
    url = f"{server.url}/a"
    assert transfer(url, 9999, LIMITS)[0] == DATA
    assert caplog.messages == [f"{url}: the body is cut off after {kept} bytes; asking again"]


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b"x", mtime=0), DATA + b"x", b"xy", b"<html>", b"\0" * 352],
    ids=["a short gzip", "followed by more", "two letters", "a page", "not compressed"],
)
def test_whole_bodies_are_not_asked_for_again_however_short(server, body):
    server.behaviour = serve(body)
    assert transfer(f"{server.url}/a", 9999, LIMITS)[0] == body
    assert len(server.asked) == 1


def test_cut_off_body_is_handed_over_in_the_end(server):
    server.behaviour = serve(DATA[:-3])
    assert transfer(f"{server.url}/a", 9999, LIMITS)[0] == DATA[:-3]
    assert len(server.asked) == LIMITS.retries + 1


def test_progress_is_drawn_only_if_it_is_asked_for(server, tmp_path, capsys):
    downloaded(server, tmp_path)
    assert capsys.readouterr().err == ""
    downloaded(server, tmp_path, progressbar=True)
    # How wide the bar is differs between versions of tqdm.
    bar = rf"100%\|█+\| {len(DATA)}/{len(DATA)} \["
    assert re.search(bar, capsys.readouterr().err)


# --- Pauses --------------------------------------------------------------------------------------


def test_pauses_double_from_the_first_on_and_are_spread_up_to_as_much_again():
    limits = replace(LIMITS, backoff=3, retries=9)
    retry = SessionDownloader(limits, 9)._retry()
    for doubled in (3, 6, 12):
        retry = retry.increment("GET", "/", error=OSError())
        drawn = [retry.get_backoff_time() for _ in range(400)]
        assert doubled <= min(drawn) < 1.1 * doubled
        assert 1.9 * doubled < max(drawn) <= 2 * doubled


def test_attempts_pause_as_backoff_says(server, tmp_path, pauses, caplog):
    caplog.set_level(logging.INFO)
    server.behaviour = first(lambda c: c.answer(BUSY), 2, serve(DATA))
    assert downloaded(server, tmp_path, replace(LIMITS, backoff=1))[1] == DATA
    first_pause, second_pause = pauses
    assert 1 <= first_pause <= 2 <= second_pause <= 4
    url = f"{server.url}/mask"
    assert caplog.messages == [f"{url}: the server answered {BUSY}; asking again"] * 2


def test_pause_beyond_the_deadline_is_not_begun(server, tmp_path, pauses):
    server.behaviour = lambda c: c.answer(BUSY)
    with pytest.raises(FetchError, match=f"^the server answered {BUSY}; gave up after 30 s$"):
        downloaded(server, tmp_path, replace(LIMITS, backoff=31))
    assert (len(server.asked), pauses) == (1, [])


def test_pause_that_the_server_asks_for_is_spread_and_extends_the_deadline(
    server, tmp_path, pauses, caplog
):
    server.behaviour = first(lambda c: c.answer(BUSY, Retry_After=4), 100, serve(DATA))
    before = time.monotonic()
    limits = replace(LIMITS, retries=100)
    downloader, body = downloaded(server, tmp_path, limits)
    assert body == DATA
    extra, asked = pauses[::2], pauses[1::2]
    assert asked == [4] * 100
    told = f"{server.url}/mask: the server answered {BUSY}; the server asks to wait 4 s"
    assert caplog.messages == [told] * 100
    assert 0 <= min(extra) < 0.2
    assert 0.8 < max(extra) <= 1
    assert before <= downloader.end - limits.deadline - sum(pauses) <= time.monotonic()


def test_longest_pause_is_obeyed_and_no_longer_one(server, tmp_path, pauses):
    server.behaviour = first(lambda c: c.answer(BUSY, Retry_After=5), 1, serve(DATA))
    assert downloaded(server, tmp_path)[1] == DATA
    assert pauses[1:] == [5]
    server.behaviour = lambda c: c.answer(BUSY, Retry_After=6)
    with pytest.raises(FetchError) as caught:
        downloaded(server, tmp_path)
    assert str(caught.value) == (
        f"the server answered {BUSY}; the server asks to wait 6 s, at most 5 s are waited"
    )


def test_pause_of_any_number_of_digits_is_a_pause_that_is_too_long(server, tmp_path):
    server.behaviour = lambda c: c.answer(BUSY, Retry_After="9" * 400)
    with pytest.raises(FetchError, match=r"asks to wait [0-9]{5,10} s, at most 5 s are waited$"):
        downloaded(server, tmp_path)


@pytest.mark.parametrize("asked", ["soon", "9" * 5000], ids=["a word", "a number of 5000 digits"])
def test_pause_that_makes_no_sense_is_ignored_and_told(server, tmp_path, caplog, asked):
    caplog.set_level(logging.INFO)
    server.behaviour = first(lambda c: c.answer(BUSY, Retry_After=asked), 1, serve(DATA))
    assert downloaded(server, tmp_path)[1] == DATA
    (ignored,) = (m for m in caplog.messages if m.startswith("Retry-After is ignored: "))
    assert len(ignored) < 400
    assert ignored.removeprefix("Retry-After is ignored: ") not in ("%s", "None")


# --- Addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fills_in", [True, False])
def test_variables_are_filled_in_unless_the_address_is_of_others(
    server, tmp_path, monkeypatch, fills_in
):
    monkeypatch.setenv("BRAINMASKS_TOKEN", "s3cret")
    downloader = SessionDownloader(LIMITS, 9999, fills_in=fills_in)
    downloader(f"{server.url}/${{BRAINMASKS_TOKEN}}", tmp_path / "file", None)
    assert ("s3cret" in server.asked[0]) == fills_in


def test_transfer_fills_in_what_an_address_names(server, monkeypatch):
    monkeypatch.setenv("BRAINMASKS_TOKEN", "s3cret")
    transfer(f"{server.url}/${{BRAINMASKS_TOKEN}}", 9999, LIMITS)
    assert server.asked == ["GET /s3cret HTTP/1.1"]


def test_proxy_is_shown_without_its_password(monkeypatch):
    assert proxy_of("http://host/a") == ""
    monkeypatch.setenv("http_proxy", "http://user:secret@proxy:1")
    assert proxy_of("http://host/a") == "http://proxy:1"
    assert proxy_of("https://host/a") == ""


def test_answer_and_failure_of_a_proxy_name_it(server, tmp_path, monkeypatch):
    proxy = FaultServer(lambda c: c.answer("403 Forbidden"))
    monkeypatch.setenv("http_proxy", proxy.url)
    with pytest.raises(FetchError) as caught:
        downloaded(server, tmp_path)
    assert str(caught.value) == f"the server answered 403 Forbidden through the proxy {proxy.url}"
    proxy.close()
    gone = f"http://127.0.0.1:{refused_port()}"
    monkeypatch.setenv("http_proxy", gone)
    with pytest.raises(FetchError, match=f"^the proxy {gone} failed: .*Connection refused"):
        downloaded(server, tmp_path)
    assert server.asked == []


def test_answer_without_words_is_told_by_its_number(server, tmp_path):
    server.behaviour = lambda c: c.answer("451 ")
    with pytest.raises(FetchError) as caught:
        downloaded(server, tmp_path)
    assert str(caught.value) == "the server answered 451"


@pytest.mark.parametrize("url", ["http://host:99999/a", "http:///a", "gopher://host/a"])
def test_address_that_cannot_be_asked_is_told_once(tmp_path, url):
    with pytest.raises(FetchError, match=r"^the request is not possible: \w+"):
        SessionDownloader(LIMITS, 9)(url, tmp_path / "file", None)


# --- Redirects -----------------------------------------------------------------------------------


def redirect(location: str, url: str = "https://host/a", status: int = 302) -> requests.Response:
    """Return an answer whose body has not been read."""
    response = requests.Response()
    response.url, response.status_code, response.raw = url, status, io.BytesIO(b"body")
    response.headers["Location"] = location
    return response


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("https://other/b", "https://host/a"),
        ("/b", "https://host/a"),
        ("http://other/b", "http://host/a"),
        ("https://other/b", "http://host/a"),
        ("/\u00c3\u00bc", "https://host/a"),
    ],
    ids=["to https", "to a path", "from http to http", "from http to https", "UTF-8"],
)
def test_body_of_a_redirect_is_not_read(location, url):
    response = redirect(location, url)
    guard_redirect(response)
    assert response.raw.closed
    assert response.content == b""


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("http://other/b", "redirected from https to http://other/b; refused"),
        ("HTTP://other/b?t=secret", "redirected from https to HTTP://other/b?***; refused"),
        ("/\u00fc", "redirected to what is no URL"),
    ],
    ids=["to http", "to HTTP", "not UTF-8"],
)
def test_redirect_into_the_open_is_refused_and_told(location, said):
    response = redirect(location)
    with pytest.raises(FetchError) as caught:
        guard_redirect(response)
    assert str(caught.value) == said
    assert response.raw.closed


def test_answer_that_is_no_redirect_is_left_alone():
    response = redirect("http://other/b", status=200)
    guard_redirect(response)
    assert response.content == b"body"


def test_session_follows_so_many_redirects(server):
    server.behaviour = first(
        lambda c: c.answer("302 Found", Location=f"/{c.number}"), REDIRECTS, serve(DATA)
    )
    assert transfer(f"{server.url}/a", 9999, LIMITS)[0] == DATA
    with new_session() as session:
        assert session.max_redirects == REDIRECTS
        assert session.hooks["response"] == [guard_redirect]


# --- What errors mean ----------------------------------------------------------------------------


class WithReason(Exception):
    """As urllib3's errors have one."""

    def __init__(self, text: str, reason: object = None) -> None:
        super().__init__(text)
        self.reason = reason


def caused(by: BaseException) -> Exception:
    error = Exception("outer")
    error.__cause__ = by
    return error


def in_context(of: BaseException) -> Exception:
    error = Exception("outer")
    error.__context__ = of
    return error


@pytest.mark.parametrize(
    "chain",
    [
        lambda inner: inner,
        caused,
        in_context,
        lambda inner: WithReason("outer", inner),
        lambda inner: caused(in_context(WithReason("middle", inner))),
    ],
    ids=["alone", "cause", "context", "reason", "all of them"],
)
def test_innermost_cause_is_told_and_an_unknown_host_is_known(chain):
    assert innermost_cause(chain(WithReason("inner\nmost", "text"))) == "inner most"
    assert is_unknown_host(chain(OSError("x"))) is False
    unknown = NameResolutionError("host", None, OSError("x"))
    assert is_unknown_host(chain(unknown)) is True


def test_cause_goes_before_context():
    error = caused(OSError("cause"))
    error.__context__ = OSError("context")
    assert innermost_cause(error) == "cause"


# --- The deadline of all -------------------------------------------------------------------------


def test_work_that_hangs_ends_with_the_deadline():
    # Waited for is a second more.
    downloader = SessionDownloader(replace(LIMITS, deadline=-0.9), 9)
    finished = Event()

    def work() -> bytes:
        finished.wait(60)
        return b""

    with pytest.raises(FetchError, match=r"^not finished within -1 s$"):
        _within_deadline(downloader, work)
    finished.set()


def test_error_of_the_work_is_that_of_the_transfer():
    def work() -> bytes:
        raise KeyboardInterrupt("x")

    with pytest.raises(KeyboardInterrupt, match="x"):
        _within_deadline(SessionDownloader(LIMITS, 9), work)
    assert _within_deadline(SessionDownloader(LIMITS, 9), lambda: b"") == b""


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("301 Moved Permanently", ["{url}/mask?*** has moved for good, to /there"]),
        ("308 Permanent Redirect", ["{url}/mask?*** has moved for good, to /there"]),
        ("302 Found", []),
        ("307 Temporary Redirect", []),
    ],
)
def test_log_says_where_to_a_url_has_moved_for_good(server, caplog, status, said):
    def answer(connection) -> None:
        if connection.path == "/there":
            connection.answer("200 OK", DATA)
        else:
            connection.answer(status, Location="/there")

    server.behaviour = answer
    caplog.set_level(logging.INFO, logger="brainmasks.fetching.session")
    assert transfer(f"{server.url}/mask?token=secret", 1000, LIMITS)[0] == DATA
    assert caplog.messages == [each.format(url=server.url) for each in said]
