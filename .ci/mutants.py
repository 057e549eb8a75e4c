#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mutation score: small changes of the code, and which of them no test notices.

`.ci/mutants.py` takes each section of tests/mutants.cfg in turn, `.ci/mutants.py nifti` one. It
ends with 1 if a mutant lives that tests/mutants.md does not name. Literal strings are not mutated:
most of them are words of messages, of which no test should pin every letter.
"""

import collections
import configparser
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
SECTIONS = configparser.ConfigParser()
KILLED = {"killed", "timeout", "segfault", "suspicious"}


def copy_to(folder: Path) -> None:
    """Copy the repository as mutmut wants it: the names of modules begin below `src`."""
    listed = ["git", "ls-files", "-coz", "--exclude-standard"]
    names = subprocess.run(listed, cwd=TOP, stdout=subprocess.PIPE, check=True).stdout
    for name in names.decode().split("\0"):
        if name and (TOP / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((TOP / name).read_bytes())
    (folder / "scripts").rename(folder / "src")
    # Tests look for the package in `scripts`.
    (folder / "mutants").mkdir()
    (folder / "mutants" / "scripts").symlink_to("src")


def run(names: list[str]) -> list[tuple[str, str, str, str]]:
    """Run the mutants in the working folder; return of each function, change, status, file."""
    from mutmut import __main__ as mutmut
    from mutmut.mutation import mutators

    mutators.mutation_operators.remove((mutators.cst.BaseString, mutators.operator_string))
    console, process = sys.__stdout__, os.getpid()
    # It draws its progress here, many times a second.
    with Path("mutmut.log").open("w", buffering=1) as log:
        sys.stdout = sys.__stdout__ = log
        try:
            mutmut._run(names, max_children=2)
        except BaseException:
            if os.getpid() != process:
                # Of a mutant that no test could even be collected with. What is registered for the
                # end of a process would remove the folders of other mutants' tests.
                os._exit(1)
            console.write(Path("mutmut.log").read_text()[-2000:])
            raise
        finally:
            sys.stdout = sys.__stdout__ = console
    found = []
    for data, name, code in mutmut.collect_source_file_mutation_data(mutant_names=names)[0]:
        function = name.partition("__mutmut_")[0].removeprefix("brainmasks.")
        function = re.sub(r"x_(\w+)$|xǁ(\w+)ǁ(\w+)$", r"\1\2.\3", function).removesuffix(".")
        diff = mutmut.get_diff_for_mutant(name, path=data.path).splitlines()[2:]
        lines = {
            sign: " ".join(each[1:].strip() for each in diff if each.startswith(sign) and each[1:])
            for sign in "+-"
        }
        change = lines["+"] or f"without {lines['-']}"
        found.append((function, change, mutmut.status_by_exit_code[code], str(data.path)))
    return found


def report(section: str) -> bool:
    """Run one section in the working folder; return whether every mutant that lives is named."""
    options = dict(SECTIONS[section])
    names = options.pop("mutants", "").split()
    config = configparser.ConfigParser()
    config["mutmut"] = options
    with Path("setup.cfg").open("w") as file:
        config.write(file)
    found = run(names)
    text = (TOP / "tests" / "mutants.md").read_text()
    named = set(re.findall(r"^- `(.+?)`: `(.+?)`", text, re.MULTILINE))
    alive = [mutant[:2] for mutant in found if mutant[2] not in KILLED]
    unnamed = [mutant for mutant in alive if mutant not in named]
    for function, change in unnamed:
        print(f"- `{function}`: `{change}`")
    # On a busy machine a test may be too late that noticed nothing: timeouts are told apart.
    for path in sorted({mutant[3] for mutant in found}):
        counts = collections.Counter(mutant[2] for mutant in found if mutant[3] == path)
        print(f"{path}: {', '.join(f'{n} {status}' for status, n in counts.most_common())}")
    print(
        f"{section}: {len(found)} mutants, {len(found) - len(alive)} killed, "
        f"{len(alive) - len(unnamed)} named in tests/mutants.md, {len(unnamed)} alive"
    )
    return not unnamed


def report_from_copy(section: str) -> bool:
    """Do as `report` does, in a copy, and in a process whose end harms nobody."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        # A test that was ended may leave a mount. Some run as other users, who write here, too.
        Path(folder).chmod(0o1777)
        copy = Path(folder, "copy")
        copy.mkdir()
        copy_to(copy)
        # Nobody's own masks or settings change the score.
        env = {"BRAINMASKS_REAL_MASKS": os.devnull, "PYTHONHASHSEED": "0", "TMPDIR": folder}
        command = [sys.executable, ".ci/mutants.py", section, "here"]
        return not subprocess.run(command, cwd=copy, env=os.environ | env).returncode


if __name__ == "__main__":
    SECTIONS.read(TOP / "tests" / "mutants.cfg")
    if sys.argv[2:]:
        sys.exit(not report(sys.argv[1]))
    unnamed = [name for name in sys.argv[1:] or SECTIONS.sections() if not report_from_copy(name)]
    sys.exit(f"alive in: {', '.join(unnamed)}" if unnamed else 0)
