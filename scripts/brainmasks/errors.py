# SPDX-License-Identifier: MIT
"""The errors that a user may meet; each message says what to do.

Every class is also the built-in exception that callers of the Python interface expect.
"""

from .urls import escaped


class MaskError(Exception):
    """Base of all expected failures; the message is meant for the user."""

    def __str__(self) -> str:
        # KeyError would show the message in quotes, FileNotFoundError as a number and a name. What
        # a message quotes of others must not steer the terminal on which it is printed.
        return escaped(str(self.args[0]), but="\n") if self.args else ""


class RegistryError(MaskError, ValueError):
    """A table, an alias or the configuration is wrong."""


class UnknownMaskError(MaskError, KeyError):
    """No mask of that name is registered."""


class FetchError(MaskError, FileNotFoundError):
    """A mask is not available from any source."""


class InvalidMaskError(MaskError, ValueError):
    """A file is not the mask that is registered."""
