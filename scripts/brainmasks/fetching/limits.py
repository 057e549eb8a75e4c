# SPDX-License-Identifier: MIT
"""How long a fetch may take, and how often a server is asked."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How long to wait for a server or another run, in seconds, and how often to ask a server.

    Attributes
    ----------
    connect, stall
        Longest wait for a connection, and for the next byte.
    deadline
        Longest time for all attempts at one URL, without the pauses that the server asked for.
    pause
        Longest pause that a server may ask for (Retry-After).
    retries
        How often to ask again after a transient failure.
    backoff
        First pause between attempts; it doubles, and up to as much is added at random.
    patience
        Longest wait for another run that fetches the same mask.
    spread
        Longest random delay before a server is asked without the lock that keeps others from
        doing so at the same time.
    """

    connect: float = 10
    stall: float = 20
    deadline: float = 120
    pause: float = 120
    retries: int = 3
    backoff: float = 0.25
    patience: float = 180
    spread: float = 10


DEFAULT_LIMITS = Limits()
