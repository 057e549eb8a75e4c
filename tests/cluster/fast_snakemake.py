# SPDX-License-Identifier: MIT
"""The command `snakemake`, looking after its cluster jobs every second, to keep tests short.

The executor plugins wait ten seconds longer after each look at which nothing had finished.
"""

import asyncio
import sys

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor


async def sleep(executor: RemoteExecutor) -> None:
    """Wait a second, whatever the plugin wants."""
    await asyncio.sleep(1)


RemoteExecutor.sleep = sleep

if __name__ == "__main__":
    sys.exit(main())
