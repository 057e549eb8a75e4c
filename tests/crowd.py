# SPDX-License-Identifier: MIT
"""Processes that fetch one mask at once, each as the user and with the umask that it is told."""

import json
import os
import subprocess
import sys
from pathlib import Path

from support import REPO

# Groups that no machine has; its users need not be known by name either.
GROUP = 61000

PROGRAM = """
import hashlib, json, logging, os, sys, tempfile, traceback
import nibabel, numpy
from brainmasks.fetching.cache import Cache
from brainmasks.errors import FetchError
from brainmasks.fetching import Fetcher
from brainmasks.registry import BrainMaskMetadata
from brainmasks.fetching import Limits

told = json.loads(sys.argv[1])
mask = BrainMaskMetadata.from_row(told["row"])
# Import what a fetch imports, before becoming a user who may not read where it is installed.
with tempfile.TemporaryDirectory() as folder:
    row = told["row"] | {"url": "http://127.0.0.1:1/nobody"}
    nobody = Fetcher(
        BrainMaskMetadata.from_row(row), Cache(folder), limits=Limits(retries=0)
    )
    try:
        nobody.fetch()
    except FetchError:
        pass
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
barrier, release = os.pipe()
children = []
for user, umask in told["people"]:
    child = os.fork()
    if not child:
        try:
            os.close(release)
            if user is not None:
                os.setgroups([told["group"]])
                os.setgid(user)
                os.setuid(user)
            os.umask(umask)
            os.read(barrier, 1)  # until the last of them is there, and the parent hangs up
            cache = Cache(told["cache"], told["site_caches"])
            data = Fetcher(mask, cache, limits=Limits(**told["limits"])).fetch().data
            right = hashlib.sha256(data).hexdigest() == told["row"]["sha256"]
            sys.stdout.flush()
            os._exit(0 if right else 3)
        except BaseException:
            traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
            os._exit(4)
    children.append(child)
os.close(barrier)
os.close(release)
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


def fetch_at_once(
    row: dict, cache: Path, people: list[tuple], site_caches=(), env=None, **limits: float
) -> str:
    """Let each of `people`, a user (None: as is) and a umask, fetch a mask; return what they say.

    Every one must end with the right bytes.
    """
    told = {
        "row": row,
        "cache": str(cache),
        "site_caches": [str(site) for site in site_caches],
        "people": people,
        "group": GROUP,
        "limits": limits,
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(told)],
        env=os.environ
        | {"PYTHONPATH": str(REPO / "scripts"), "OPENBLAS_NUM_THREADS": "1"}
        | (env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
