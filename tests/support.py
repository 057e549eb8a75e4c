# SPDX-License-Identifier: MIT
"""What the tests share: a loopback server, tables of tiny masks, and real `snakemake` runs."""

import gzip
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import unicodedata
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainmasks.fetching import Cache
from brainmasks.registry import BrainMaskMetadata

REPO = Path(__file__).resolve().parents[1]
# The real masks, where a developer has them: beside the checkout, or where the variable says.
REAL = Path(os.environ.get("BRAINMASKS_REAL_MASKS", REPO.parent / "shared" / "masks"))

SCHEMA = json.loads((REPO / "workflow" / "schemas" / "registry.schema.json").read_text())
COLUMNS = SCHEMA["required"]


def tracked(*patterns: str) -> list[str]:
    """Return the files of the repository, or skip where there is none."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", *patterns],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip(f"this is no git checkout: {listed.stderr.strip()}")
    return listed.stdout.splitlines()


class Server:
    """A loopback server; `files` are what it serves by path, `asked` what it was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                data = server.files.get(self.path)
                self.send_response(404 if data is None else 200)
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()
                self.wfile.write(data or b"")

            def log_message(self, *args) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def serve_folder(self, folder: Path) -> str:
        """Serve the files of a folder, and return its URL."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.files[f"/{path.relative_to(folder)}"] = path.read_bytes()
        return self.url

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@contextmanager
def time_bound(seconds: int):
    """End what hangs for longer."""

    def end(*_) -> None:
        raise TimeoutError(f"not finished within {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def make_certificate(folder: Path, *hosts: str) -> tuple[Path, Path]:
    """Return the files of a key and a certificate of servers of these names."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl here to make a certificate with")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    names = ",".join(f"DNS:{host}" for host in hosts)
    subprocess.run(
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={hosts[0]} -keyout {key} "
        f"-addext subjectAltName={names} -out {certificate}",
        shell=True,
        check=True,
        capture_output=True,
    )
    return key, certificate


def packed(content: bytes) -> bytes:
    """Return the content of an image in a gzip file, as nibabel makes it."""
    file = io.BytesIO()
    with gzip.GzipFile("", "wb", 1, file, mtime=0) as stream:
        stream.write(content)
    return file.getvalue()


def tiny_mask(space: str = "TestSpace", resolution: float = 2, seed: int = 0):
    """Return the bytes of a small canonical mask and the cells of its row, without a URL.

    Another seed gives another mask on the same grid.
    """
    shape, origin = (6, 7, 5), (-6.0, -8.0, -4.0)
    voxels = (np.random.default_rng(seed).random(shape) > 0.5).astype(np.uint8)
    affine = np.diag([resolution] * 3 + [1.0])
    affine[:3, 3] = origin
    image = nib.Nifti1Image(voxels, affine)
    content = image.to_bytes()
    data = packed(content)
    row = {
        "space": space,
        "resolution": f"{resolution:g}",
        "url": "",
        "sha256": hashlib.sha256(data).hexdigest(),
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "bytes": str(len(data)),
        "shape": "6x7x5",
        "origin": "-6,-8,-4",
        "voxels": str(int(voxels.sum())),
        "source": "test",
        "description": "a tiny mask",
        "license": "CC0",
        "citation": "unknown",
    }
    return data, row


def entry_of(row: dict, folder: Path | str = "") -> Path:
    """Return where a cache in a folder keeps the mask of a row."""
    return Cache(folder).path(BrainMaskMetadata.from_row(row))


# Of the grid of the tiny masks.
TINY_AFFINE = np.array([[2.0, 0, 0, -6], [0, 2, 0, -8], [0, 0, 2, -4], [0, 0, 0, 1]])


def save_image(path, voxels, affine=TINY_AFFINE, **codes) -> str:
    """Save an image, with codes of sform and qform if they are given; return its path."""
    image = nib.Nifti1Image(voxels, affine)
    if codes:
        image.set_sform(affine, codes.get("sform", 2))
        image.set_qform(affine, codes.get("qform", 0))
    nib.save(image, path)
    return str(path)


def write_table(path: Path, rows: list[dict], columns=COLUMNS) -> Path:
    """Write a tab-separated table and return its path."""
    lines = ["\t".join(columns)] + ["\t".join(str(row[c]) for c in columns) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def shipped_rows() -> list[dict]:
    """Return the rows of the first table of the shipped registry."""
    return table_rows(REPO / "config" / "masks.tsv")


def table_rows(path: Path) -> list[dict]:
    """Return the rows of a shipped table, unchecked."""
    columns, *lines = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return [dict(zip(columns, cells, strict=True)) for cells in lines]


class Workflow:
    """A working folder, and the command `snakemake` run in it."""

    program = ("-m", "snakemake")
    # What a run is given beside a configuration.
    options = ("--cores", "2")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.snakefile = REPO / "Snakefile"
        self.config: dict = {}

    def command(self, *args) -> list[str]:
        """Return the command line of a run."""
        command = [sys.executable, *self.program]
        if self.snakefile:
            command += ["--snakefile", str(self.snakefile)]
        if self.config:
            # One file instead of --config: it takes lists and mappings, and eats no target.
            path = self.folder / "test-config.json"
            path.write_text(json.dumps(self.config))
            command += ["--configfile", str(path), *self.options]
        return command + [str(arg) for arg in args]

    def run(self, *args, **env) -> subprocess.CompletedProcess:
        """Run snakemake and return what it did, both streams in `stdout`."""
        return subprocess.run(
            self.command(*args),
            cwd=self.folder,
            env=os.environ | {key: str(value) for key, value in env.items()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )

    def succeed(self, *args, **env) -> str:
        """Run snakemake, insist on success, and return what it printed."""
        done = self.run(*args, **env)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def fail(self, *args, **env) -> str:
        """Run snakemake, insist on an honest failure, and return what it printed."""
        done = self.run(*args, **env)
        assert done.returncode != 0, done.stdout
        assert "Traceback (most recent call last)" not in done.stdout, done.stdout
        return done.stdout

    def jobs(self, *args) -> set[str]:
        """Return what a dry run would do: ``rule:mask`` of each job."""
        printed = self.succeed("--dry-run", *args)
        jobs, rule = set(), None
        for line in printed.splitlines():
            words = line.split()
            if words[:1] in (["rule"], ["localrule"]):
                rule = words[1].rstrip(":")
            elif words[:1] == ["wildcards:"] and rule:
                jobs.add(f"{rule}:{words[1].removeprefix('mask=')}")
                rule = None
        assert jobs or "Nothing to be done" in printed, printed
        return jobs

    def mask(self, name: str) -> Path:
        """Return the path of a published mask."""
        return self.folder / "masks" / f"{name}.nii.gz"

    def sidecar(self, name: str) -> dict:
        """Return the sidecar of a published mask."""
        return json.loads((self.folder / "masks" / f"{name}.json").read_text())


def served_registry(server: Server, folder: Path, path: Path) -> Path:
    """Write the shipped registry with its URLs led to a loopback server that has the files."""
    rows = []
    for row in shipped_rows():
        name = f"{row['space']}_{row['resolution']}mm"
        file = f"{name}_desc-brain_mask.nii.gz"
        server.files[f"/{name}"] = (folder / file).read_bytes()
        rows.append(row | {"url": f"{server.url}/{name}"})
    return write_table(path, rows)


def sha256(path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def module(snakefile: str, name: str = "brain_masks", short: str = "bm", **options) -> str:
    """Return the statements that take in a module; `snakefile` and options are expressions."""
    lines = [f"module {name}:", f"    snakefile: {snakefile}"]
    lines += [f"    {key}: {value}" for key, value in options.items()]
    return "\n".join([*lines, f"use rule * from {name} as {short}_*"])


def rule_all(*targets: str) -> str:
    """Return a default rule that asks for files."""
    return f"rule all:\n    input: {list(targets)!r}"


def copied_repository(folder: Path) -> Path:
    """Copy what belongs to the repository, with new modification times."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=REPO,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in listed:
        if (REPO / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPO / name, folder / name)
    return folder


def served_repository(server: Server, folder: Path) -> str:
    """Serve a copy of the repository, with the bundle of its files as it is now; return the URL."""
    copied_repository(folder)
    subprocess.run([sys.executable, folder / "workflow" / "make_bundle.py"], check=True)
    return server.serve_folder(folder)


def spelled(text: str) -> str:
    """Return a short name of a text, in which letters that a console cannot show are spelled."""

    def name(letter: str) -> str:
        if " " <= letter <= "~" and letter != "\\":
            return letter
        return f"<{unicodedata.name(letter, f'U+{ord(letter):04X}').lower()}>"

    shown = "".join(map(name, text))
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
