# SPDX-License-Identifier: MIT
"""What others wrote, as it may be shown: no secret, no control character, not too long."""

import pytest

from brainmasks.urls import escaped, filled_in, is_possible, one_line, redact, shown_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pw@host:80/p/q?versionId=ab.C_-9", "https://host:80/p/q?versionId=ab.C_-9"),
        ("https://host/p?versionId=ab&token=SECRET", "https://host/p?versionId=ab&***"),
        ("https://host/p?SECRET", "https://host/p?***"),
        ("https://host/p?name=SECRET&id=SECRET", "https://host/p?***"),
        ("https://host/p?a=SEC'RET;SECRET", "https://host/p?***"),
        ("https://host/p#SECRET", "https://host/p?***"),
        (f"https://host/p?versionId={'S' * 65}", "https://host/p?***"),
        ("https://host?SECRET", "https://host?***"),
        ("https://host/p?to=SECRET://other", "https://host/p?***"),
        ("user:SECRET@proxy:3128", "proxy:3128"),
        ("https://bob:SEC/RET@host/x", "https://***"),
        ("https://bob:SEC#RET@host/x", "https://***"),
        ("//user:SECRET@host/x", "//host/x"),
        ("doi:10.5281/zenodo.1/x.nii.gz", "doi:10.5281/zenodo.1/x.nii.gz"),
    ],
)
def test_of_a_url_is_shown_what_is_harmless(url, shown):
    assert shown_url(url) == shown


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("see https://u:SECRET@h/x?t=S'E;C, please", "see https://h/x?***, please"),
        ("exceeded with url: /p?tok=SECRET (caused", "exceeded with url: /p?*** (caused"),
        ("http://a/,http://u:SECRET@b/c?S", "http://***"),
        ("http://a/,http://b/c?S", "http://a/,http://b/c?***"),
        ("did you mean A_2mm? Or B_2mm?", "did you mean A_2mm? Or B_2mm?"),
        ("xhttps://u:SECRET@h/ z", "xhttps://h/ z"),
        ("http://a/?versionId=1.", "http://a/?versionId=1."),
        ("http://a/?versionId=1://b", "http://a/?versionId=1&***"),
        ("***://a/?versionId=1://b", "***://a/?versionId=1&***"),
        ("http://a/?SECRET://b", "http://a/?***"),
        ("http://a,http://b?SECRET://c", "http://a,http://b?***"),
        ("http://a,http://b?versionId=1://c", "http://a,http://b?versionId=1&***"),
    ],
)
def test_secrets_of_urls_in_a_text_are_hidden(text, redacted):
    assert redact(text) == redacted


def test_variables_of_this_package_are_filled_in_and_no_others(monkeypatch):
    monkeypatch.setenv("BRAINMASKS_A", "one")
    monkeypatch.setenv("BRAINMASKS_B", "${BRAINMASKS_A}")
    monkeypatch.setenv("OTHER", "three")
    url = "https://host/${BRAINMASKS_A}/${BRAINMASKS_B}?o=${OTHER}&p=$BRAINMASKS_A"
    assert filled_in(url) == "https://host/one/${BRAINMASKS_A}?o=${OTHER}&p=$BRAINMASKS_A"
    with pytest.raises(KeyError, match="BRAINMASKS_C"):
        filled_in("https://host/${BRAINMASKS_C}")


@pytest.mark.parametrize(
    ("url", "possible"),
    [
        ("https://host/p", True),
        ("http://host:1/p", True),
        ("http://host:65535/p", True),
        ("http://host:65536/p", False),
        ("http://host:0/p", False),
        ("http://host:x/p", False),
        ("http://[::1/p", False),
        ("https:///p", False),
        ("p", False),
    ],
)
def test_url_without_a_host_or_with_an_impossible_port_is_not_possible(url, possible):
    assert is_possible(url) is possible


def test_control_characters_and_lone_surrogates_are_spelled_out():
    text = "\x1b[31mred\x07 \ud800 \u202e a\nb"
    shown = one_line(text)
    assert shown == r"\x1b[31mred\x07 \ud800 \u202e a b"
    assert escaped("a\nb", but="\n") == "a\nb"


@pytest.mark.parametrize(
    ("text", "longest", "shown"),
    [
        ("a" * 10, 10, "a" * 10),
        ("a" * 11, 10, "a" * 9 + "…"),
        ("a" * 1000, 10, "a" * 9 + "…"),
        ("a b " * 1000, 10, "a b a b a…"),
        (" " * 45 + "word", 10, "…"),
        ("aa" + " " * 16 + "b more", 5, "aa…"),
        ("u:SECRET@" + "x" * 50, 10, "…"),
        ("SECRET/" + "x" * 50, 10, "…"),
        ("a " + "x" * 50, 10, "a…"),
    ],
    ids=[
        "not cut",
        "one letter too long",
        "a long word",
        "many words",
        "a word behind what is looked at",
        "the last word is cut",
        "with a password",
        "with a path",
        "a long word behind another",
    ],
)
def test_text_is_cut_to_a_length_and_says_so(text, longest, shown):
    assert one_line(text, longest) == shown


def test_a_secret_that_is_cut_is_not_shown():
    for before in range(1150, 1250):
        assert "SECRET" not in one_line("a " * (before // 2) + "http://user:SECRET@host/path " * 9)
    assert "SECRET" not in one_line("http://u:SECRET" + "x" * 5000 + "@host/")


@pytest.mark.parametrize(
    "piece", ["a", "a@", "http://", "://", "?", "&x=1", "a://b?c ", "<", "\x1b", "//" + "a@" * 50]
)
def test_length_is_bounded_whatever_the_text(piece):
    """Were the time not in proportion to the length, this would not come to an end."""
    text = piece * (2_000_000 // len(piece))
    assert len(one_line(text)) <= 300
    assert len(redact(text)) <= 2 * len(text)
    assert len(shown_url(text)) <= 2 * len(text)
