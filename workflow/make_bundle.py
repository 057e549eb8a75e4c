#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write workflow/files.json, all that rules and jobs need in one file, or check that it is right.

A workflow that is loaded from a plain URL asks for it instead of more than 150 files: public
servers refuse who asks for so many. Everything else reads the files themselves. Each of them is one
line of it.
"""

import argparse
import json
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
LIST = REPO / "workflow" / "files.txt"
BUNDLE = REPO / "workflow" / "files.json"


def bundle() -> str:
    """Return the text of the bundle: what each file holds, by its path in the repository."""
    names = LIST.read_text(encoding="utf-8").split()
    names += [str(path.relative_to(REPO)) for path in (REPO / "workflow" / "rules").glob("*.smk")]
    names.append(str(LIST.relative_to(REPO)))
    texts = {name: (REPO / name).read_text(encoding="utf-8") for name in sorted(names)}
    return json.dumps(texts, indent=0, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the bundle, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it is old")
    if not parser.parse_args().check:
        BUNDLE.write_text(bundle(), encoding="utf-8")
    elif not BUNDLE.is_file() or BUNDLE.read_text(encoding="utf-8") != bundle():
        sys.exit("workflow/files.json is not what the files hold: run workflow/make_bundle.py")


if __name__ == "__main__":
    main()
