"""Logging of one job: everything into its log, one line on the console if it fails."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import MaskError
from .paths import StrPath
from .urls import redact

FORMAT = "%(asctime)s %(levelname)s %(message)s"

log = logging.getLogger(__package__)


class Redacted(logging.Formatter):
    """Writes no credentials of a URL, wherever in a message or a traceback they stand."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


@contextmanager
def job_log(path: StrPath, subject: str) -> Iterator[None]:
    """Send what the package logs to a file, and what a user must know to the console.

    An expected failure ends the script with status 1 and one line; anything else is a defect,
    whose traceback goes to the file.

    Parameters
    ----------
    path
        The log file; its folder is made if need be.
    subject
        What the job is about, such as "mask MNI152NLin6Asym_2mm".
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    to_file = logging.FileHandler(path, mode="w", encoding="utf-8")
    to_file.setFormatter(Redacted(FORMAT))
    to_console = logging.StreamHandler()
    to_console.setLevel(logging.WARNING)
    to_console.setFormatter(Redacted("%(levelname)s: %(message)s"))
    log.setLevel(logging.INFO)
    log.propagate = False
    log.handlers[:] = [to_file, to_console]
    try:
        yield
    except MaskError as err:
        log.error("%s", err)
        sys.exit(1)
    except OSError as err:
        # A full disk or a folder without write permission: the user's to mend, no defect.
        log.error("%s: %s", subject, err)
        sys.exit(1)
    except KeyboardInterrupt:
        log.error("%s: interrupted", subject)
        sys.exit(130)  # as a shell reports it: 128 + SIGINT
    except Exception as err:
        to_console.setLevel(logging.CRITICAL)
        log.exception("%s: unexpected failure", subject)
        to_console.setLevel(logging.WARNING)
        message = f"{subject}: unexpected {type(err).__name__}: {err}; the traceback is in {path}"
        to_console.stream.write(redact(f"ERROR: {message}\n"))
        sys.exit(1)
    finally:
        log.handlers.clear()
        to_file.close()
