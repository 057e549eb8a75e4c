# SPDX-License-Identifier: MIT
"""Files that somebody else may have put there: read up to a size, or refused in words."""

import errno
import os

import pytest

from brainmasks.storage import read_bounded


def test_file_of_the_largest_size_is_read(tmp_path):
    (tmp_path / "file").write_bytes(b"data")
    assert read_bounded(tmp_path / "file", 4) == b"data"


@pytest.mark.parametrize(
    ("make", "number", "words"),
    [
        (lambda path: path.write_bytes(b"data"), errno.EFBIG, "it has 4 bytes, more than 3"),
        (lambda path: path.mkdir(), errno.EINVAL, "it is a folder"),
        (os.mkfifo, errno.EINVAL, "it is no regular file"),
        (lambda path: None, errno.ENOENT, "No such file or directory"),
    ],
    ids=["too large", "a folder", "a pipe", "not there"],
)
def test_what_cannot_be_read_is_refused_with_number_words_and_path(tmp_path, make, number, words):
    path = tmp_path / "file"
    make(path)
    with pytest.raises(OSError, match=words) as caught:
        read_bounded(path, 3)
    assert (caught.value.errno, caught.value.strerror) == (number, words)
    assert os.fspath(caught.value.filename) == str(path)
