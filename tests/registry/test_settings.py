# SPDX-License-Identifier: MIT
"""The configuration: defaults, refusals, and the folder of the cache."""

import copy
import os

import pytest
from support import REPO

from brainmasks import RegistryError
from brainmasks.images.verdicts import NOT_AN_IMAGE, VERDICTS
from brainmasks.registry import cache_folder, is_offline, read_settings, user_path

DEFAULTS = REPO / "config" / "config.yaml"
SCHEMA = REPO / "workflow" / "schemas" / "config.schema.json"


def read(**config) -> dict:
    """Return the settings of a configuration."""
    return read_settings(DEFAULTS, SCHEMA, config)


def refusal(config: dict) -> str:
    """Return the message with which a configuration is refused."""
    with pytest.raises(RegistryError) as failure:
        read_settings(DEFAULTS, SCHEMA, config)
    return str(failure.value)


def test_defaults():
    assert read() == {
        "masks": [
            "MNI152NLin6Asym_1mm",
            "MNI152NLin6Asym_2mm",
            "MNI152NLin2009cAsym_1mm",
            "MNI152NLin2009cAsym_2mm",
        ],
        "registry": None,
        "extra_registries": ["config/masks.tsv"],
        "mirrors": None,
        "aliases": None,
        "extra_grids": [],
        "images": None,
        "accept": ["identical", "within_tolerance"],
        "refuse": [
            "empty",
            "not_finite",
            "not_binary",
            "not_numeric",
            "mostly_outside",
            "covers_brain",
            "is_flipped_mask",
            "name_contradicts",
            "side_contradicts",
        ],
        "min_inside": 0.5,
        "resample": None,
        "cache_dir": None,
        "site_caches": [],
        "offline": False,
        "background": None,
        "interactive": False,
        "submit_masks": False,
        "host_keys": [],
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("masks", []),
        ("masks", ["A_2mm"]),
        ("registry", "own.tsv"),
        ("registry", None),
        ("extra_registries", ["a.tsv", "b.tsv"]),
        ("mirrors", "own.tsv"),
        ("mirrors", None),
        ("mirrors", False),
        ("aliases", {}),
        ("aliases", {"A": "B"}),
        ("cache_dir", "~/masks"),
        ("cache_dir", None),
    ],
)
def test_key_overrides_its_default_alone(key, value):
    assert read(**{key: value}) == read() | {key: value}


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("mask", "masks"),
        ("Masks", "masks"),
        ("registy", "registry"),
        ("extra_registry", "extra_registries"),
        ("extra-registries", "extra_registries"),
        ("mirror", "mirrors"),
        ("cachedir", "cache_dir"),
        ("cache-dir", "cache_dir"),
        ("CACHE_DIR", "cache_dir"),
        ("alias", "aliases"),
    ],
)
def test_misspelt_key_is_refused_with_a_suggestion(key, meant):
    message = refusal({key: None})
    assert f"'{key}'" in message
    assert f"did you mean '{meant}'?" in message


HOSTS = {"samples": {"sub-01": {}}, "threads": 4}


@pytest.mark.parametrize(
    ("key", "value", "meant"),
    [
        ("ofline", True, "offline"),
        ("offlin", 1, "offline"),
        ("offlnie", None, "offline"),
        ("Offline", "true", "offline"),
        ("off_line", True, "offline"),
        ("offline_mode", True, "offline"),
        ("is-offline", True, "offline"),
        ("MASKS", {}, "masks"),
        ("nasks", [], "masks"),
        ("amsks", [], "masks"),
        ("offfline", True, "offline"),
        ("cachedir", "/cache", "cache_dir"),
        ("cache-dir", "/cache", "cache_dir"),
        ("registy", "own.tsv", "registry"),
        ("extra_registry", "own.tsv", "extra_registries"),
        ("site_cache", ["/cache"], "site_caches"),
        ("site_cache", "/cache", "site_caches"),
        ("cache_dirs", ["/cache"], "cache_dir"),
        ("extra_grid", 3, "extra_grids"),
        ("submit_mask", True, "submit_masks"),
        ("mininside", 0.1, "min_inside"),
        ("mask", ["A_2mm"], "masks"),
        ("image", {"image": "l/{id}.nii.gz", "mask": "A_2mm"}, "images"),
        ("hostkeys", ["image"], "host_keys"),
    ],
)
def test_misspelt_key_is_refused_beside_keys_of_a_host_unless_that_declares_it(key, value, meant):
    message = refusal(HOSTS | {key: value})
    assert f"'{key}'; did you mean '{meant}'?" in message
    assert "name it in `host_keys`" in message
    assert read(**HOSTS, **{key: value}, host_keys=[key]) == read(host_keys=[key])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mask", "lesion.nii.gz"),
        ("mask", {"threshold": 0.5}),
        ("image", "docker://owner/tool:1.0"),
        ("image", "T1w.nii.gz"),
        ("resamples", 1000),
        ("cache", True),
        ("source", "fsl"),
        ("sources", []),
        ("tasks", ["rest"]),
        ("task", "rest"),
        ("sample", "A"),
        ("reuse", True),
        ("atlases", []),
        ("registration", {"cost": "mi"}),
        ("scratch_dir", "/tmp"),
        ("mirrored", True),
        ("accepted", []),
        ("outline", True),
        ("online", True),
        ("offset", 2),
        ("grids", []),
        ("", None),
        (1, None),
    ],
)
def test_word_of_a_host_that_resembles_a_key_is_left_alone(key, value):
    assert read_settings(DEFAULTS, SCHEMA, HOSTS | {key: value}) == read()


def test_key_of_ours_cannot_be_declared_the_hosts():
    message = refusal(HOSTS | {"images": "own.tsv", "host_keys": ["images"]})
    assert "'host_keys' lists 'images', which is a key of ours" in message


@pytest.mark.parametrize("value", ["ofline", None, {"ofline": True}])
def test_list_of_the_hosts_keys_that_is_none_is_said_before_the_keys_it_may_mean(value):
    message = refusal(HOSTS | {"ofline": True, "host_keys": value})
    assert message == (
        f"config key 'host_keys' is {value!r}; expected: a list of keys of your own workflow in "
        "this configuration that resemble one of these"
    )


@pytest.mark.parametrize(
    "key",
    [
        "samples",
        "subjects",
        "tasks",
        "threads",
        "bids_dir",
        "scratch_dir",
        "registration",
        "atlas",
        "sample",
        1,
    ],
)
def test_key_of_a_host_workflow_is_left_alone(key):
    assert read_settings(DEFAULTS, SCHEMA, {key: {"any": "thing"}}) == read()


@pytest.mark.parametrize(
    ("key", "value", "expectation"),
    [
        ("masks", "A_2mm", "a list of names"),
        ("masks", None, "a list of names"),
        ("masks", [2], "a list of names"),
        ("masks", {"A": 2}, "a list of names"),
        ("registry", "", "the path of a table of masks, or null"),
        ("registry", ["a.tsv"], "the path of a table of masks, or null"),
        ("registry", False, "the path of a table of masks, or null"),
        ("extra_registries", "a.tsv", "a list of paths"),
        ("extra_registries", None, "a list of paths"),
        ("extra_registries", [""], "a list of paths"),
        ("extra_registries", [None], "a list of paths"),
        ("mirrors", True, "or false for none"),
        ("mirrors", 0, "or false for none"),
        ("mirrors", "", "or false for none"),
        ("mirrors", [], "or false for none"),
        ("aliases", False, "a mapping from the name of a space"),
        ("aliases", ["A"], "a mapping from the name of a space"),
        ("aliases", {"A": None}, "a mapping from the name of a space"),
        ("aliases", {"A": ["B"]}, "a mapping from the name of a space"),
        ("aliases", {"a/b": "B"}, "a mapping from the name of a space"),
        ("aliases", {"": "B"}, "a mapping from the name of a space"),
        ("aliases", {2009: "B"}, "a mapping from the name of a space"),
        ("cache_dir", "", "the path of a folder, or null"),
        ("cache_dir", False, "the path of a folder, or null"),
        ("cache_dir", 7, "the path of a folder, or null"),
    ],
)
def test_wrong_type_is_refused_with_key_value_and_expectation(key, value, expectation):
    message = refusal({key: value})
    assert f"config key '{key}'" in message
    assert repr(value) in message
    assert expectation in message


def test_config_is_not_changed():
    config = {"masks": ["A_2mm"], "samples": [1], "aliases": {"A": "B"}}
    before = copy.deepcopy(config)
    read_settings(DEFAULTS, SCHEMA, config)
    assert config == before


@pytest.fixture
def places(machine, monkeypatch) -> dict:
    """Set every variable that says where the cache is; return the folder that each leads to."""
    monkeypatch.setenv("LACUNA_CACHE_DIR", str(machine / "lacuna"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(machine / "xdg"))
    return {
        "LACUNA_CACHE_DIR": machine / "lacuna" / "masks",
        "XDG_CACHE_HOME": machine / "xdg" / "lacuna" / "masks",
        None: machine / ".cache" / "lacuna" / "masks",
    }


def test_cache_dir_goes_before_every_variable(places, machine):
    assert cache_folder(str(machine / "own")) == machine / "own"


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize(
    ("absent", "decides"),
    [
        ([], "LACUNA_CACHE_DIR"),
        (["LACUNA_CACHE_DIR"], "XDG_CACHE_HOME"),
        (["LACUNA_CACHE_DIR", "XDG_CACHE_HOME"], None),
    ],
)
def test_cache_folder_follows_the_first_variable_that_is_set_and_not_empty(
    places, monkeypatch, absent, decides, nothing
):
    for name in absent:
        if nothing is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, nothing)
    assert cache_folder() == cache_folder(nothing) == places[decides]


@pytest.mark.parametrize("name", ["LACUNA_CACHE_DIR", "XDG_CACHE_HOME"])
def test_tilde_in_a_variable_is_the_home_folder(machine, monkeypatch, name):
    monkeypatch.delenv("LACUNA_CACHE_DIR")
    monkeypatch.setenv(name, "~/elsewhere")
    assert machine / "elsewhere" in cache_folder().parents


@pytest.mark.parametrize("path", ["~/a/b", "$PLACE/b", "${PLACE}/b", "$HOME/a/b"])
def test_tilde_and_variables_in_paths_are_filled_in(machine, monkeypatch, path):
    monkeypatch.setenv("PLACE", "~/a")
    assert user_path(path) == cache_folder(path) == machine / "a" / "b"


def test_plain_path_stays_as_it_is():
    assert os.fspath(user_path("a/b c/d")) == "a/b c/d"


def test_home_folder_of_nobody_is_refused():
    with pytest.raises(RegistryError, match="~nobody-of-that-name"):
        user_path("~nobody-of-that-name/masks")


@pytest.mark.parametrize(
    ("text", "value"), [("false", False), ("False", False), ("null", None), ("m.tsv", "m.tsv")]
)
def test_words_of_a_command_line_mean_what_they_mean_in_yaml(text, value):
    assert read(mirrors=text)["mirrors"] == value
    assert read(offline="true")["offline"] is True


@pytest.mark.parametrize("path", ["lesion.nii.gz", "lesions/{id}.nii", "https://host/images.tsv"])
def test_image_or_url_is_no_table_of_images(path):
    assert "the path of a table of images" in refusal({"images": path})


@pytest.mark.parametrize(
    ("stated", "offline"),
    [("1", True), ("true", True), ("Yes", True), ("ON", True), ("", False), ("0", False)],
)
def test_environment_says_whether_to_do_without_network(monkeypatch, stated, offline):
    monkeypatch.setenv("BRAINMASKS_OFFLINE", stated)
    assert is_offline() is offline
    assert is_offline(True) is True


def test_environment_that_says_neither_yes_nor_no_is_refused(monkeypatch):
    monkeypatch.setenv("BRAINMASKS_OFFLINE", "treu")
    with pytest.raises(RegistryError, match="BRAINMASKS_OFFLINE is 'treu'; expected: 1 or 0"):
        is_offline()


def test_every_verdict_of_an_image_can_be_accepted():
    for verdict in set(VERDICTS) - {NOT_AN_IMAGE}:
        assert read(accept=[verdict])["accept"] == [verdict]
    with pytest.raises(RegistryError, match="accept"):
        read(accept=[NOT_AN_IMAGE])
