# SPDX-License-Identifier: MIT
"""Logging of one job: everything into its log; what was made, and what failed, on the console."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import MaskError
from .paths import StrPath
from .telling import is_told
from .urls import escaped, redact

FORMAT = "%(asctime)s %(levelname)s %(message)s"

log = logging.getLogger(__package__)


class Redacted(logging.Formatter):
    """Writes no secret of a URL and no control character, wherever in a message they stand."""

    def format(self, record: logging.LogRecord) -> str:
        return _shown(super().format(record))


class ForPeople(Redacted):
    """Writes no level before what was made: that is no warning."""

    def format(self, record: logging.LogRecord) -> str:
        shown = super().format(record)
        return shown if is_told(record) else f"{record.levelname}: {shown}"


class Console(logging.StreamHandler):  # type: ignore[type-arg]  # no parameter before Python 3.11
    """Writes on the console; where there is none any more, the job goes on.

    Parameters
    ----------
    quiet
        Whether to write warnings and errors alone, and not what was made.
    """

    def __init__(self, quiet: bool) -> None:
        super().__init__()
        self.setFormatter(ForPeople("%(message)s"))
        self.addFilter(
            lambda record: record.levelno >= logging.WARNING or (is_told(record) and not quiet)
        )

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing: there is nowhere to say it."""


class LogFile(logging.FileHandler):
    """Writes the log; a disk that refuses costs the log and one line, and not the job.

    Parameters
    ----------
    path
        The log file; its folder is made if need be.

    Raises
    ------
    OSError
        If it cannot be opened.
    """

    def __init__(self, path: StrPath) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        # A new file, whatever stood there: a link or a pipe would lead elsewhere, or block.
        Path(path).unlink(missing_ok=True)
        super().__init__(path, mode="x", encoding="utf-8")
        self._given_up = False

    def handleError(self, record: logging.LogRecord) -> None:
        """Give the log up, with one line."""
        self._give_up(sys.exc_info()[1])

    def close(self) -> None:
        """Close the file; what it could not be told by then costs one line, too."""
        try:
            super().close()
        except OSError as err:
            self._give_up(err)

    def _give_up(self, err: BaseException | None) -> None:
        if not self._given_up:
            self._given_up = True
            log.removeHandler(self)
            _without_log(self.baseFilename, err)


@contextmanager
def job_log(path: StrPath, subject: str, quiet: bool = False) -> Iterator[None]:
    """Send what the package logs to a file, and what a user must know to the console.

    An expected failure ends the script with status 1 and one line; anything else is a defect,
    whose traceback goes to the file.

    Parameters
    ----------
    path
        The log file; its folder is made if need be. If it cannot be written, the job goes on
        without it.
    subject
        What the job is about, such as "mask MNI152NLin6Asym_2mm".
    quiet
        Whether to keep the line on what the job has made to the log.
    """
    to_console = Console(quiet)
    log.setLevel(logging.INFO)
    log.propagate = False
    log.handlers[:] = [to_console]
    to_file = None
    try:
        to_file = LogFile(path)
        to_file.setFormatter(Redacted(FORMAT))
        log.addHandler(to_file)
    except OSError as err:
        _without_log(path, err)
    try:
        yield
    except MaskError as err:
        log.error("%s", err)
        sys.exit(1)
    except OSError as err:
        # A full disk or a folder without write permission: the user's to fix, no defect.
        log.error("%s: %s", subject, err)
        sys.exit(1)
    except KeyboardInterrupt:
        log.error("%s: interrupted", subject)
        sys.exit(130)  # as a shell reports it: 128 + SIGINT
    except Exception as err:
        to_console.setLevel(logging.CRITICAL)
        log.exception("%s: unexpected failure", subject)
        message = f"{subject}: unexpected {type(err).__name__}: {err}; the traceback is in {path}"
        with suppress(OSError):
            to_console.stream.write(f"ERROR: {_shown(message)}\n")
        sys.exit(1)
    finally:
        # While there is a console still: closing may fail, and says so there.
        if to_file:
            to_file.close()
        log.handlers.clear()


def _shown(text: str) -> str:
    return escaped(redact(text), but="\n\t")


def _without_log(path: StrPath, err: BaseException | None) -> None:
    reason = getattr(err, "strerror", None) or str(err)
    log.warning("the log %s cannot be written (%s); the job goes on without it", path, reason)
