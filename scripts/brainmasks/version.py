# SPDX-License-Identifier: MIT
"""Name, version and address of this project: the one place that states them."""

__version__ = "0.1.0"
PROJECT = "brainmasks"
PROJECT_URL = "https://github.com/brainmasks/brainmasks"
