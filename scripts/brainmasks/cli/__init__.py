# SPDX-License-Identifier: MIT
"""The command line: what people type, what they read, and which status says that it went well."""

from .commands import main

__all__ = ["main"]
