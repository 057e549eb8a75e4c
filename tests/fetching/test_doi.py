# SPDX-License-Identifier: MIT
"""A mask that a DOI names: looked up as pooch does, within limits whatever the servers answer."""

import gzip
import json
import resource

import pytest
from internet import answer, internet_of

from brainmasks.errors import FetchError
from brainmasks.fetching.doi import LARGEST
from brainmasks.fetching.http import transfer

DATA = b"the file of a mask"
RECORD = "https://zenodo.org/records/1"


def record(**file) -> bytes:
    content = {"id": 1, "files": [{"filename": "mask.nii.gz"} | file]}
    return answer("200 OK", json.dumps(content).encode())


RIGHT = {
    "doi.org/10.5281/zenodo.1": answer("302 Found", b"", f"Location: {RECORD}"),
    "zenodo.org/records/1": answer("200 OK", b"<html>"),
    "zenodo.org/api/records/1": record(),
    "zenodo.org/records/1/files/mask.nii.gz?download=1": answer("200 OK", DATA),
}


@pytest.fixture
def internet(tmp_path, machine):
    """Return what servers answer by host and path: a proxy stands for all of them."""
    with internet_of(["doi.org", "zenodo.org"], tmp_path) as answers:
        answers.update(RIGHT)
        yield answers


@pytest.mark.parametrize("scheme", ["doi:", "DOI:"])
def test_doi_leads_to_its_file(internet, scheme):
    body, _ = transfer(f"{scheme}10.5281/zenodo.1/mask.nii.gz", 1000)
    assert body == DATA
    assert len(internet.asked) == len(RIGHT)
    assert all("Accept-Encoding: identity" in headers for headers in internet.asked)


def test_answer_that_is_packed_all_the_same_is_not_unpacked(internet):
    packed = gzip.compress(RIGHT["zenodo.org/api/records/1"].partition(b"\r\n\r\n")[2])
    internet["zenodo.org/api/records/1"] = answer("200 OK", packed, "Content-Encoding: gzip")
    with pytest.raises(FetchError, match="the DOI does not lead to the file"):
        transfer("doi:10.5281/zenodo.1/mask.nii.gz", 1000)


def test_doi_leads_to_its_file_past_a_page_of_the_largest_size(internet):
    internet["zenodo.org/records/1"] = answer("200 OK", bytes(LARGEST))
    assert transfer("doi:10.5281/zenodo.1/mask.nii.gz", 1000)[0] == DATA


def test_address_of_a_repository_names_no_variable_of_the_user(internet, monkeypatch):
    monkeypatch.setenv("BRAINMASKS_TOKEN", "mask")
    internet["zenodo.org/api/records/1"] = record(filename="${BRAINMASKS_TOKEN}.nii.gz")
    with pytest.raises(FetchError, match="404"):
        transfer("doi:10.5281/zenodo.1/${BRAINMASKS_TOKEN}.nii.gz", 1000)


@pytest.mark.parametrize(
    ("place", "sent", "said"),
    [
        ("doi.org/10.5281/zenodo.1", answer("404 Not Found"), "404"),
        (
            "doi.org/10.5281/zenodo.1",
            answer("302 Found", b"", "Location: http://zenodo.org/records/1"),
            "redirected from https to http://zenodo.org/records/1; refused",
        ),
        (
            "doi.org/10.5281/zenodo.1",
            answer("302 Found", b"", "Location: https://doi.org/10.5281/zenodo.1"),
            "Exceeded 30 redirects",
        ),
        ("zenodo.org/records/1", answer("200 OK", bytes(LARGEST + 1)), "bytes of answer"),
        ("zenodo.org/api/records/1", answer("200 OK", b"[]"), "does not lead to the file"),
        ("zenodo.org/api/records/1", answer("200 OK", b"{}"), "does not lead to the file"),
        ("zenodo.org/api/records/1", answer("200 OK", b"no JSON"), "does not lead to the file"),
        ("zenodo.org/api/records/1", record(filename="x"), "'mask.nii.gz' not found"),
    ],
    ids=[
        "unknown DOI",
        "to http",
        "redirect loop",
        "endless page",
        "list",
        "no files",
        "no JSON",
        "other file",
    ],
)
def test_doi_that_does_not_lead_to_the_file_is_one_error(internet, place, sent, said):
    internet[place] = sent
    with pytest.raises(FetchError, match=said) as caught:
        transfer("doi:10.5281/zenodo.1/mask.nii.gz", 1000)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("place", [place for place in RIGHT if "files" not in place])
def test_bomb_in_a_look_up_takes_no_memory(internet, place):
    head = RIGHT[place].split(b"Content-Length")[0]
    body = gzip.compress(bytes(1 << 30), 1)
    location = [f"Location: {RECORD}"] if b"302" in head else []
    status = head.split(b" ", 1)[1].decode().strip()
    internet[place] = answer(status, body, "Content-Encoding: gzip", *location)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        transfer("doi:10.5281/zenodo.1/mask.nii.gz", 1000)
    except FetchError:
        assert "api" in place
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
