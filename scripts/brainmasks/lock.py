"""A lock that saves bandwidth, and nothing else: everything is right without it."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .modes import umask

log = logging.getLogger(__name__)

# Seconds to wait for another run that fetches the same mask.
PATIENCE = 180.0


@contextmanager
def single_flight(path, patience: float = PATIENCE) -> Iterator[None]:
    """Hold a lock while one run does what the others need not do, if locks work here.

    Where they do not (ENOSYS, a read-only folder, a call that hangs), or another run holds it for
    too long, work goes on without.

    Parameters
    ----------
    path
        The lock file; its folder is made if need be.
    patience
        Longest wait in seconds.
    """
    from filelock import FileLock

    lock = FileLock(path, mode=0o666 & ~umask(), thread_local=False)
    answer = threading.Event()
    given_up = threading.Event()
    reason: list[BaseException] = []

    def acquire() -> None:
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=patience, poll_interval=0.1)
        except Exception as err:  # noqa: BLE001, whatever it is, it costs only bandwidth
            reason.append(err)
        answer.set()
        if given_up.is_set():
            lock.release()

    # In a thread of its own: on some network file systems the call itself never returns.
    threading.Thread(target=acquire, daemon=True).start()
    if not answer.wait(patience + 1):
        given_up.set()
        log.info("no lock on %s within %.0f s; going on without", path, patience)
    elif reason:
        log.info("no lock on %s (%s); going on without", path, reason[0])
    try:
        yield
    finally:
        with suppress(Exception):
            if lock.is_locked:
                # Whoever comes in between finds the mask in the cache.
                Path(path).unlink(missing_ok=True)
            lock.release()
