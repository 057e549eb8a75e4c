# SPDX-License-Identifier: MIT
"""What may be given where a path is wanted."""

import os

StrPath = str | os.PathLike[str]
