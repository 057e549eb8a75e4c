# SPDX-License-Identifier: MIT
"""`python -m brainmasks` is `brainmasks`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
