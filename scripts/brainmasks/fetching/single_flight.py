# SPDX-License-Identifier: MIT
"""A lock that saves bandwidth, and nothing else: everything is right without it.

It is a file that only one run can create, because that holds across the nodes of a shared file
system. flock() does not everywhere: it may be missing, may hang, or may be granted by each node
for itself, without a word (NFS with local_lock, Lustre with localflock).
"""

import logging
import math
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..paths import StrPath
from ..storage import make_shared_folder, readable_as

if TYPE_CHECKING:
    from filelock import SoftFileLease

log = logging.getLogger(__name__)

# Every third of so many seconds the holder touches the file. One that has not done so, or whose
# process is gone, is replaced, where the file system can exchange two names. All runs agree on it.
LEASE = 30.0
# Where it cannot (NFS), a file that nobody has touched for so long is removed.
SILENT = 2 * LEASE
# From creating the file to writing into it takes milliseconds; who has not by now was killed.
EMPTY = 2.0
# Seconds between two looks: hundreds of nodes that wait are no load for the file server.
POLL = 0.5
# How many runs may come at once without a lock; see `polite_delay`.
CROWD = 1000


@contextmanager
def single_flight(path: StrPath, is_done: Callable[[], bool], patience: float) -> Iterator[bool]:
    """Hold a lock while one run does what the others then need not do.

    Yields whether it is held. It is not where no file can be created, or when another run held it
    for too long; work goes on without.

    Parameters
    ----------
    path
        The lock file; its folder is made if need be.
    is_done
        Returns whether what the other run does is done.
    patience
        Longest wait in seconds.
    """
    from filelock import SoftFileLease, Timeout

    path = Path(path)
    lock = None
    try:
        make_shared_folder(path.parent)
        lock = SoftFileLease(path, mode=readable_as(path.parent), lease_duration=LEASE)
        _acquire(lock, path, is_done, patience)
    except Timeout:
        if not is_done():
            log.info("no lock on %s so far; going on without", path)
    except Exception as err:  # noqa: BLE001, whatever it is, it costs only bandwidth
        log.info("no lock on %s (%s); going on without", path, err)
    try:
        yield bool(lock and lock.is_locked)
    finally:
        if lock:
            with suppress(Exception):
                lock.release()


def polite_delay(spread: float) -> float:
    """Return how many seconds to wait before asking a server without holding the lock.

    Drawn so that few are early and most are late: of hundreds that start in the same second, a few
    ask, and the others find what these have cached. With 300 runs, a transfer of 2 s and a spread
    of 10 s, 4 ask; if the delays were drawn evenly, 61 would.

    Parameters
    ----------
    spread
        Longest delay.
    """
    # 1 - random() is never 0.
    chance = 1 - random.random()  # nosec B311
    return spread * max(0.0, 1 + math.log(chance) / math.log(CROWD))


def _acquire(
    lock: "SoftFileLease", path: Path, is_done: Callable[[], bool], patience: float
) -> None:
    from filelock import Timeout

    with suppress(Timeout):
        lock.acquire(blocking=False)
        return
    owner = lock.owner
    log.info(
        "another run is fetching the same file; waiting for it, at most %.0f s (lock %s%s)",
        patience,
        path,
        f", held by process {owner.pid} on {owner.hostname}" if owner else "",
    )
    leftover = _Leftover(path)
    lock.acquire(
        timeout=patience,
        poll_interval=POLL,
        cancel_check=lambda: is_done() or leftover.is_stuck(),
    )


class _Leftover:
    """Watches a lock file for signs of life, by this machine's clock alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._since = 0.0

    def is_stuck(self) -> bool:
        """Return whether a killed run left the file, and it cannot be removed."""
        try:
            status = os.lstat(self._path)
        except OSError:
            return False
        seen = (status.st_ino, status.st_mtime_ns, status.st_size)
        if seen != self._seen:
            self._seen, self._since = seen, time.monotonic()
        if time.monotonic() - self._since < (SILENT if status.st_size else EMPTY):
            return False
        try:
            # Two that do so at once may both go on to fetch; that is all.
            self._path.unlink(missing_ok=True)
        except OSError as err:
            log.info("lock %s was left by a killed run, and stays: %s", self._path, err.strerror)
            return True
        log.info("lock %s was left by a killed run; it is removed", self._path)
        return False
