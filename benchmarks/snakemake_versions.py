# SPDX-License-Identifier: MIT
"""Try every form of this workflow as a module, with each of several versions of Snakemake.

Each version gets an environment of its own, each form a fresh folder: a tiny mask is made from a
server on loopback, its SHA-256 is compared, and a second run must have nothing to do. Prints the
Markdown table of docs/versions.md, and writes it to a file if one is named:

    python benchmarks/snakemake_versions.py [--versions 9.14.6 9.27.1] [--write TABLE.md]

It installs packages. GitHub and GitLab are bare repositories on this machine, to which git is led.
Versions that are older than the workflow allows are tried with its check taken out.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPO / name) for name in ("scripts", "tests")]

from support import Server, copied_repository, sha256, tiny_mask, write_table  # noqa: E402

VERSIONS = ["9.12.0", "9.14.6", "9.19.0", "9.23.1", "9.27.1"]
# How many forms are tried at once, and the seconds after which one counts as failed.
WORKERS = 2
PATIENCE = 300
CHECK = re.compile(r'^min_version\("([0-9.]+)"\)$', re.MULTILINE)
MASK = "A_2mm.nii.gz"


def module(snakefile: str, name: str = "bm", **options: str) -> str:
    """Return the statements that take in a module; options are expressions."""
    lines = [f"module {name}:", f"    snakefile: {snakefile}"]
    lines += [f"    {key}: {value}" for key, value in ({"config": "config"} | options).items()]
    return "\n".join([*lines, f"use rule * from {name} as {name}_*", ""])


def host(target: str, *statements: str) -> str:
    """Return a host workflow that asks for one file."""
    return "\n".join([f"rule all:\n    input: {target!r}\n", *statements])


# Each form: the target; the Snakefile of the host, if there is one; more of the command line.
# {copy} is a copy of this repository, {url} a server that has it.
HERE = f"masks/{MASK}"
FORMS = {
    "alone, in its own folder": (HERE, None, ["--directory", "{copy}"]),
    "`--snakefile` of a path": (HERE, None, ["--snakefile", "{copy}/Snakefile"]),
    "`--snakefile` of a path, `--directory`": (
        f"elsewhere/{HERE}",
        None,
        ["--snakefile", "{copy}/Snakefile", "--directory", "elsewhere"],
    ),
    "`--snakefile` of a URL": (HERE, None, ["--snakefile", "{url}/Snakefile"]),
    "module, absolute path": (HERE, host(HERE, module("'{copy}/workflow/Snakefile'")), []),
    "module, relative path": (HERE, host(HERE, module("'../copy/Snakefile'")), []),
    "module, URL": (HERE, host(HERE, module("'{url}/workflow/Snakefile'")), []),
    **{
        f"module, `{forge}(…, {version}=…)`": (
            HERE,
            host(
                HERE,
                module(f"{forge}('owner/masks', path='workflow/Snakefile', {version}={value!r})"),
            ),
            [],
        )
        for forge in ("github", "gitlab")
        for version, value in (("tag", "v0"), ("branch", "main"))
    },
    "module, `prefix:`": (
        f"ext/{HERE}",
        host(f"ext/{HERE}", module("'{copy}/Snakefile'", prefix="'ext'")),
        [],
    ),
    "module, `pathvars:`": (
        f"brains/{MASK}",
        host(f"brains/{MASK}", module("'{copy}/Snakefile'", pathvars="masks='brains'")),
        [],
    ),
    "module, twice at once": (
        f"two/{HERE}",
        host(
            f"two/{HERE}",
            module("'{copy}/Snakefile'", "one", prefix="'one'"),
            module("'{url}/Snakefile'", "two", prefix="'two'"),
        ),
        [],
    ),
    "module, `use rule … with: output:`": (
        f"own/{MASK}",
        host(
            f"own/{MASK}",
            module("'{copy}/Snakefile'"),
            "use rule validate from bm as bm_validate with:\n"
            "    output: mask='own/{mask}.nii.gz', sidecar='own/{mask}.json'",
        ),
        [],
    ),
    "module, jobs on a cluster (generic)": (
        HERE,
        host(HERE, module("'{copy}/Snakefile'", config="config | dict(submit_masks=True)")),
        ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", "bash", "--jobs", "1"],
    ),
}


class Bench:
    """A mask to make, on a server, and this repository as one version of Snakemake may use it."""

    def __init__(self, folder: Path, version: str, environments: Path) -> None:
        self.folder = folder
        self.version = version
        self.python = environments / version / "bin" / "python"
        self.copy = copied_repository(folder / "copy")
        main = self.copy / "workflow" / "rules" / "main.smk"
        text = main.read_text()
        (oldest,) = CHECK.findall(text)
        self.refused = as_numbers(version) < as_numbers(oldest)
        if self.refused:
            main.write_text(CHECK.sub("", text))
        self.server = Server()
        self.server.serve_folder(self.copy)
        data, row = tiny_mask("A")
        self.sha256 = row["sha256"]
        self.server.files["/A.nii.gz"] = data
        table = write_table(folder / "masks.tsv", [row | {"url": f"{self.server.url}/A.nii.gz"}])
        self.config = folder / "config.yaml"
        self.config.write_text(f"registry: {table}\nmirrors: false\nmasks: [A_2mm]\n")
        self._publish()

    def _publish(self) -> None:
        """Put the copy where git finds it if it is led to GitHub or GitLab."""
        instead = "".join(
            f'[url "file://{self.folder}/hub/"]\n    insteadOf = https://{forge}.com/\n'
            for forge in ("github", "gitlab")
        )
        (self.folder / "gitconfig").write_text(
            f"[user]\n    name = test\n    email = test@example.org\n{instead}"
        )
        published = copied_repository(self.folder / "published")
        (published / "workflow/rules/main.smk").write_bytes(
            (self.copy / "workflow/rules/main.smk").read_bytes()
        )
        git = shutil.which("git") or sys.exit("needs git")
        for command in (
            "init --quiet --initial-branch main",
            "add --all",
            "commit --quiet --message all",
            "tag v0",
            f"clone --quiet --bare . {self.folder}/hub/owner/masks.git",
        ):
            subprocess.run([git, *command.split()], cwd=published, env=self.environ, check=True)

    @property
    def environ(self) -> dict[str, str]:
        """What git and Snakemake find in their environment: nothing of the user's."""
        return {
            "PATH": f"{self.python.parent}:{os.environ['PATH']}",
            "HOME": str(self.folder / "home"),
            "GIT_CONFIG_GLOBAL": str(self.folder / "gitconfig"),
        }

    def outcome(self, form: str) -> str:
        """Try a form twice, and say how it went."""
        target, snakefile, options = FORMS[form]
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        places = {"{copy}": str(self.copy), "{url}": self.server.url}

        def filled(text: str) -> str:
            for place, value in places.items():
                text = text.replace(place, value)
            return text

        if snakefile:
            (folder / "Snakefile").write_text(filled(snakefile))
        command = [str(self.python), "-m", "snakemake", "--cores", "1"]
        command += ["--configfile", str(self.config), *map(filled, options)]
        asked = target.removeprefix("elsewhere/")
        made = (self.copy if options[:1] == ["--directory"] else folder) / target
        printed = ""
        for _ in range(2):
            try:
                done = subprocess.run(
                    [*command, "--", asked],
                    cwd=self.copy if options[:1] == ["--directory"] else folder,
                    env=self.environ,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=PATIENCE,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return "no: no end"
            printed = done.stdout
            if done.returncode:
                sys.stderr.write(f"{self.version}, {form}:\n{printed[-1500:]}\n")
                return "no"
        if sha256(made) != self.sha256:
            return "no: another file"
        return "yes" if "Nothing to be done" in printed else "no: made again"


def as_numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers that can be compared."""
    return tuple(map(int, version.split(".")))


def installed(version: str, environments: Path) -> None:
    """Make the environment of a version, if it is not there."""
    folder = environments / version
    if folder.exists():
        return
    wanted = (REPO / "requirements.in").read_text()
    wanted = re.sub(r"^snakemake==.*$", f"snakemake=={version}", wanted, flags=re.MULTILINE)
    # As Snakemake's own environment has it.
    wanted = re.sub(r"^pandas==.*$", "pandas<3", wanted, flags=re.MULTILINE)
    file = environments / f"{version}.in"
    file.write_text(f"{wanted}\nsnakemake-executor-plugin-cluster-generic\n")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", "-r", file], check=True)


def column(version: str, environments: Path, folder: Path) -> tuple[str, list[str]]:
    """Return the head of a version's column, and its cells."""
    installed(version, environments)
    place = folder / version
    (place / "home").mkdir(parents=True)
    bench = Bench(place, version, environments)
    try:
        with ThreadPoolExecutor(WORKERS) as pool:
            return f"({version})" if bench.refused else version, list(
                pool.map(bench.outcome, FORMS)
            )
    finally:
        bench.server.close()


def main() -> None:
    """Print the table, and write it if a file is named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--versions", nargs="+", default=VERSIONS)
    parser.add_argument("--environments", type=Path, help="folder of environments to keep")
    parser.add_argument("--write", type=Path, metavar="TABLE.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        environments = options.environments or Path(scratch) / "environments"
        environments.mkdir(parents=True, exist_ok=True)
        one = partial(column, environments=environments, folder=Path(scratch))
        heads, columns = zip(*map(one, options.versions), strict=True)
    lines = [["form", *heads], ["---"] * (len(heads) + 1)]
    lines += [list(cells) for cells in zip(FORMS, *columns, strict=True)]
    table = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    print(table, end="")
    if options.write:
        options.write.write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
