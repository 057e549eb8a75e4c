# SPDX-License-Identifier: MIT
"""The steps of one tiny mask, and whole runs, in working folders that can be broken."""

import json
import shutil
from pathlib import Path

from forks import Forks, printed
from support import Workflow, entry_of, sha256, tiny_mask

DATA, ROW = tiny_mask("A")
NAME = "A_2mm"
ENTRY = entry_of(ROW).name
NOTE = ENTRY.replace(".nii.gz", ".source.json")
MASKS = (f"cache/{ENTRY}", f"resources/masks/{NAME}.nii.gz", f"masks/{NAME}.nii.gz")


def names(folder: Path) -> set[str]:
    """Return the names in a folder, hidden ones included."""
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def leftovers(folder: Path) -> list[str]:
    """Return the temporary files and locks in the folders of results."""
    return sorted(
        f"{part}/{name}"
        for part in ("cache", "resources/masks", "masks", "checks")
        for name in names(folder / part)
        if name.startswith(".") or name.endswith((".part", ".lock"))
    )


def wrong(folder: Path) -> list[str]:
    """Return what stands under a final name, and is not what should."""
    found = [
        path
        for path in MASKS
        if (folder / path).exists() and sha256(folder / path) != ROW["sha256"]
    ]
    for path, key, value in (
        (f"cache/{NOTE}", "sha256", ROW["sha256"]),
        (f"resources/masks/{NAME}.origin.json", "verified_by", "sha256"),
        (f"masks/{NAME}.json", "SHA256", ROW["sha256"]),
    ):
        if (folder / path).exists() and json.loads((folder / path).read_text())[key] != value:
            found.append(path)
    if (folder / MASKS[2]).exists() and not (folder / f"masks/{NAME}.json").exists():
        found.append(f"{MASKS[2]} without its sidecar")
    return found


class Case:
    """A working folder and a cache, and the steps on them in a process that may be killed."""

    def __init__(self, forks: Forks, folder: Path, url: str) -> None:
        self.forks = forks
        self.folder = folder
        self.url = url
        folder.mkdir(parents=True)

    def arguments(self, step: str) -> dict:
        files = {
            "asked": NAME,
            "mask_path": f"resources/masks/{NAME}.nii.gz",
            "origin_path": f"resources/masks/{NAME}.origin.json",
        }
        if step == "validate":
            return files | {
                "mask": ROW | {"url": self.url},
                "code": "0",
                "published_path": f"masks/{NAME}.nii.gz",
                "sidecar_path": f"masks/{NAME}.json",
            }
        sources = {"folder": "", "cache_dir": "cache", "site_caches": [], "mirrors": []}
        return files | {
            "fetcher": sources | {"row": ROW, "url": self.url, "offline": False, "registered": {}}
        }

    def run(self, step: str, **request) -> int:
        return self.forks.run(self.folder, step=step, arguments=self.arguments(step), **request)

    def succeed(self, step: str, **request) -> None:
        assert self.run(step, **request) == 0, printed(self.folder)

    def prepare(self, start: str) -> None:
        """Bring the folder into the state in which a step finds it."""
        if start != "an empty folder":
            self.succeed("download")
        if start == "a filled cache":
            shutil.rmtree(self.folder / "resources")


class Run:
    """A working folder for whole runs, with a cache of its own."""

    def __init__(self, folder: Path, registry: Path, start: str, template: Path | None) -> None:
        self.folder = folder
        if start == "published":
            shutil.copytree(template, folder)
        else:
            folder.mkdir()
        if start == "cached":
            (folder / "cache").mkdir()
            (folder / "cache" / ENTRY).write_bytes(DATA)
        self._workflow = Workflow(folder)
        self._workflow.config = {
            "registry": str(registry),
            "mirrors": False,
            "masks": [NAME],
            "cache_dir": str(folder / "cache"),
        }

    def run(self, forks: Forks, *args, **request) -> int:
        """Return the exit status of a run."""
        # Without the interpreter's own `-m snakemake`.
        arguments = self._workflow.command(*args)[3:]
        return forks.run(self.folder, arguments=arguments, **request)

    def succeed(self, forks: Forks, *args) -> None:
        assert self.run(forks, *args) == 0, printed(self.folder)

    def recover(self, forks: Forks, *args: str) -> None:
        """Do what a user does after a kill: unlock where Snakemake asks for it, and run again."""
        self.unlock(forks)
        self.succeed(forks, *args)

    def unlock(self, forks: Forks) -> None:
        if names(self.folder / ".snakemake" / "locks"):
            self.succeed(forks, "--unlock")
