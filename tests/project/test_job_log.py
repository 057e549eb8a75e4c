# SPDX-License-Identifier: MIT
"""What a job leaves in its log and on the console, and with which status it ends."""

import errno
import logging
import os

import pytest

from brainmasks import FetchError, InvalidMaskError, RegistryError, UnknownMaskError
from brainmasks.job_log import job_log
from brainmasks.telling import TOLD, size_in_words

pytestmark = pytest.mark.usefixtures("package_log")


@pytest.fixture
def path(tmp_path):
    """Return where a log belongs; its folder is not there yet."""
    return tmp_path / "logs" / "job.log"


def fail(path, error: BaseException) -> object:
    """Run a job that fails, and return its status."""
    with pytest.raises(SystemExit) as caught, job_log(path, "mask A_2mm"):
        raise error
    return caught.value.code


def test_everything_is_in_the_log_and_warnings_on_the_console(path, capsys):
    with job_log(path, "mask A_2mm"):
        log = logging.getLogger("brainmasks.masks.steps")
        log.debug("unimportant")
        log.info("found")
        log.warning("look out")
    lines = path.read_text().splitlines()
    assert [line.split(maxsplit=2)[2] for line in lines] == ["INFO found", "WARNING look out"]
    assert capsys.readouterr().err == "WARNING: look out\n"


@pytest.mark.parametrize("quiet", [False, True])
def test_what_was_made_is_a_line_without_a_level_unless_that_is_not_wanted(path, capsys, quiet):
    with job_log(path, "mask A_2mm", quiet):
        log = logging.getLogger("brainmasks.masks.steps")
        log.info("13 checks passed")
        log.info("A_2mm: verified, from %s, 1 kB", "h\x1b[2J", extra=TOLD)
        log.warning("look out")
    made = "A_2mm: verified, from h\\x1b[2J, 1 kB"
    expected = "WARNING: look out\n" if quiet else f"{made}\nWARNING: look out\n"
    assert capsys.readouterr().err == expected
    assert f" INFO {made}\n" in path.read_text()


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (28476, "28 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (12_345_678, "12.3 MB"),
    ],
)
def test_size_of_a_file_in_words(size, words):
    assert size_in_words(size) == words


def test_log_of_an_earlier_job_is_replaced(path):
    for word in ("first", "second"):
        with job_log(path, "mask A_2mm"):
            logging.getLogger("brainmasks").info(word)
    assert "second" in path.read_text()
    assert "first" not in path.read_text()


@pytest.mark.parametrize("kind", [FetchError, InvalidMaskError, RegistryError, UnknownMaskError])
def test_expected_failure_is_one_line_and_status_1(path, capsys, kind):
    assert fail(path, kind("mask A_2mm: do this")) == 1
    assert capsys.readouterr().err == "ERROR: mask A_2mm: do this\n"
    assert path.read_text().endswith(" ERROR mask A_2mm: do this\n")
    assert "Traceback" not in path.read_text()


def test_failure_of_the_system_is_one_line_with_the_subject_and_the_file(path, capsys):
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "masks/A_2mm.nii.gz")
    assert fail(path, error) == 1
    printed = capsys.readouterr().err
    assert printed == f"ERROR: mask A_2mm: {error}\n"
    assert "masks/A_2mm.nii.gz" in printed
    assert "Traceback" not in path.read_text()


def test_interrupt_ends_with_the_status_that_a_shell_reports(path, capsys):
    assert fail(path, KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "ERROR: mask A_2mm: interrupted\n"
    assert "Traceback" not in path.read_text()


def test_defect_has_its_traceback_in_the_log_alone(path, capsys):
    assert fail(path, ZeroDivisionError("by nothing")) == 1
    assert capsys.readouterr().err == (
        f"ERROR: mask A_2mm: unexpected ZeroDivisionError: by nothing; the traceback is in {path}\n"
    )
    written = path.read_text()
    assert "Traceback (most recent call last)" in written
    assert "raise error" in written
    assert "ZeroDivisionError: by nothing" in written


URL = "https://anne:pass-word@example.org/a?token=top-secret"


@pytest.mark.parametrize("kind", [FetchError, OSError, ZeroDivisionError])
def test_secrets_of_a_url_are_written_nowhere(path, capsys, kind):
    assert fail(path, kind(f"no answer from {URL}")) == 1
    for text in (capsys.readouterr().err, path.read_text()):
        assert "example.org/a" in text
        assert "pass-word" not in text
        assert "top-secret" not in text


def test_what_is_logged_about_a_url_is_without_its_secrets(path, capsys):
    with job_log(path, "mask A_2mm"):
        logging.getLogger("brainmasks").warning("asked %s", URL)
    for text in (capsys.readouterr().err, path.read_text()):
        assert "example.org/a" in text
        assert "pass-word" not in text
        assert "top-secret" not in text


def test_control_characters_reach_no_terminal(path, capsys):
    assert fail(path, FetchError("mask \x1b[2J A_2mm")) == 1
    for text in (capsys.readouterr().err, path.read_text()):
        assert "\x1b" not in text
        assert "[2J A_2mm" in text


def test_job_goes_on_where_no_log_can_be_written(tmp_path, capsys):
    (tmp_path / "logs").write_bytes(b"a file")
    done = []
    with job_log(tmp_path / "logs" / "job.log", "mask A_2mm"):
        done.append(True)
    assert done == [True]
    assert "cannot be written" in capsys.readouterr().err


def test_link_where_the_log_belongs_is_not_followed(path, tmp_path):
    path.parent.mkdir()
    (tmp_path / "mine").write_bytes(b"precious")
    path.symlink_to(tmp_path / "mine")
    with job_log(path, "mask A_2mm"):
        logging.getLogger("brainmasks").info("found")
    assert (tmp_path / "mine").read_bytes() == b"precious"
    assert "found" in path.read_text()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")  # noqa: PTH110
def test_full_disk_costs_the_log_and_not_the_job(path, capsys, package_log):
    done = []
    with job_log(path, "mask A_2mm"):
        # What a write to a full disk does.
        (handler,) = (h for h in package_log.handlers if isinstance(h, logging.FileHandler))
        with open("/dev/full", "w") as full:  # noqa: PTH123
            os.dup2(full.fileno(), handler.stream.fileno())
        package_log.info("first")
        package_log.info("second")
        done.append(True)
    assert done == [True]
    printed = capsys.readouterr().err
    assert printed.count(f"the log {path} cannot be written (No space left on device)") == 1
    assert "Traceback" not in printed


@pytest.mark.parametrize("error", [None, FetchError("x"), ValueError("x"), KeyboardInterrupt()])
def test_no_handler_is_left_behind(path, error, package_log):
    with job_log(path, "mask A_2mm"):
        handlers = package_log.handlers[:]
    if error:
        fail(path, error)
    assert len(handlers) == 2
    assert package_log.handlers == []
