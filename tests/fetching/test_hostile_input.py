# SPDX-License-Identifier: MIT
"""Registry and mirrors may come from elsewhere: nothing outside is written, and limits hold."""

import gzip
import os
import struct
import tracemalloc
import zlib

import pytest
from faultserver import first, serve

from brainmasks import FetchError
from brainmasks.nifti import content_limit


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(1 << 20)
    pieces = [packer.compress(zeros) for _ in range(size >> 20)]
    return b"".join([*pieces, packer.flush()])


def claims(voxels: int, content: bytes) -> bytes:
    """Return an image whose header states this many voxels along x."""
    changed = bytearray(content)
    changed[40:56] = struct.pack("<8h", 3, voxels, 32767, 32767, 1, 1, 1, 1)
    return gzip.compress(bytes(changed))


HOSTILE = {
    "gzip that inflates to 1 GB": lambda content: bomb(1 << 30),
    "header that claims 2^45 voxels": lambda content: claims(32767, content),
    "header that claims negative sizes": lambda content: claims(-1, content),
    "header that claims no voxels": lambda content: claims(0, content),
    "extension of 2 GB": lambda content: gzip.compress(
        content[:348] + b"\1\0\0\0" + struct.pack("<ii", 2**31 - 16, 6) + content[352:]
    ),
    "10 GB of nothing": lambda content: None,
}


@pytest.mark.parametrize("route", ["mirror", "local copy", "cache"])
@pytest.mark.parametrize("name", HOSTILE)
def test_memory_is_bounded_by_the_registered_grid(bench, tmp_path, name, route):
    data = HOSTILE[name](gzip.decompress(bench.data))
    path = bench.entry if route == "cache" else tmp_path / "copy.nii.gz"
    path.parent.mkdir(exist_ok=True)
    if data is None:
        if route == "mirror":
            pytest.skip("an endless body is among the faults of servers")
        with path.open("wb") as file:
            file.truncate(10 << 30)
    elif route == "mirror":
        bench.server.behaviour = first(lambda c: c.answer("404 Not Found"), 1, serve(data))
        bench.mirrors = [f"{bench.server.url}/mirror"]
    else:
        path.write_bytes(data)
    if route != "cache":
        bench.row["url"] = f"{bench.server.url}/x"
    if route == "local copy":
        bench.mirrors = [str(path)]
        bench.server.behaviour = lambda c: c.answer("404 Not Found")
    tracemalloc.start()
    try:
        if route == "cache":
            bench.run()
            bench.assert_published()
        else:
            with pytest.raises(FetchError):
                bench.run()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The limit for a content, a copy or two of it, and what the libraries themselves take.
    assert peak < 4 * content_limit(bench.metadata.size) + (len(data or b"") * 3) + (32 << 20)
    bench.assert_nothing_wrong()


def test_local_copy_that_is_a_pipe_or_folder_is_passed_over(bench, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    bench.mirrors = [str(tmp_path / "pipe"), str(tmp_path), "/dev/zero"]
    bench.run()
    bench.assert_published()


def test_nothing_is_written_outside_of_cache_and_working_folder(bench, tmp_path):
    """Names of masks and spaces that could lead elsewhere are refused before anything runs."""
    from brainmasks import RegistryError
    from brainmasks.registry import read_registry
    from brainmasks.registry.shipped import REGISTRY_SCHEMA, shipped

    columns = list(bench.row)
    for space in ("../A", "..", "/etc/A", "A/B", "A\\B", "~", "A\x00B"):
        table = tmp_path / "masks.tsv"
        row = bench.row | {"space": space}
        table.write_text("\t".join(columns) + "\n" + "\t".join(row[c] for c in columns) + "\n")
        with pytest.raises(RegistryError, match="column 'space'"):
            read_registry([table], shipped(REGISTRY_SCHEMA), {})


@pytest.mark.parametrize("published", [False, True], ids=["SHA-256", "MD5"])
@pytest.mark.parametrize("form", ["file://{}", "{}", "../secret.txt"])
def test_registered_path_of_a_file_that_is_not_the_mask_goes_nowhere(
    bench, tmp_path, form, published
):
    """A table of others may name any file that its reader may read: it is not copied anywhere."""
    secret = tmp_path / "secret.txt"
    secret.write_text("pass-word of Anne\n" * 20)
    (tmp_path / "tables").mkdir()
    if published:
        bench.register_md5(bench.data)
    bench.row |= {"url": form.format(secret), "folder": str(tmp_path / "tables")}
    with pytest.raises(FetchError, match=r"registered file .*a text file"):
        bench.run()
    for path in bench.folder.rglob("*"):
        assert not path.is_file() or b"Anne" not in path.read_bytes(), path
    bench.assert_nothing_wrong()


@pytest.mark.parametrize("special", ["pipe", "folder", "zero", "nothing"])
def test_registered_path_of_what_is_no_file_is_told_and_not_waited_for(bench, tmp_path, special):
    path = tmp_path / special
    if special == "pipe":
        os.mkfifo(path)
    if special == "folder":
        path.mkdir()
    if special == "zero":
        path.symlink_to("/dev/zero")
    bench.row["url"] = str(path)
    with pytest.raises(FetchError, match=f"registered file {path}: "):
        bench.run()
    bench.assert_nothing_wrong()
