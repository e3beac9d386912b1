"""access.paths: each path has exactly one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access import paths
from service.errors import InvalidFields
from tests.calls import UNKNOWN


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "team/app/db-password",
        "Team/App_1/user@host:5432",
        "a.b/..c/c../...",
        "a+b=c,d~e",
        "/".join("abcdefgh"),
        "a" * 512,
        "smt_",
    ],
)
def test_takes_names_of_every_kind(path: str) -> None:
    """Paths are segments separated by single slashes."""
    assert paths.is_path(path)
    paths.require_path(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/./b",
        "a/../b",
        "../a",
        "a/..",
        "*",
        "a/*",
        "a b",
        "a\n",
        "a\nb",
        "a\0",
        "a\\b",
        "a%2fb",
        "é",
        "а",  # Cyrillic: looks like an a
        "$where",
        "a" * 513,
        f"team/{UNKNOWN}",
    ],
    ids=ascii,
)
def test_refuses_ambiguous_or_malformed_paths(text: str) -> None:
    """The error states the rule but not the text, which may be a secret value in the wrong field."""
    assert not paths.is_path(text)
    with pytest.raises(InvalidFields) as caught:
        paths.require_path(text)
    assert {"path": [paths.RULE]} == caught.value.errors


@given(text=st.text(alphabet="a./*-_ \n", max_size=12))
def test_a_path_has_one_spelling(text: str) -> None:
    """No empty or dotted segments and no wildcards, so rules on prefixes cannot be bypassed."""
    if paths.is_path(text):
        assert text == "/".join(segment for segment in text.split("/") if segment not in ("", ".", ".."))
        assert not set("* \n") & set(text)


@pytest.mark.parametrize(
    ("text", "folder"), [("", ""), ("/", ""), ("team", "team/"), ("team/app/", "team/app/")]
)
def test_a_folder_ends_with_its_slash(text: str, folder: str) -> None:
    """The slash is added if missing; the empty string stands for all paths."""
    assert folder == paths.folder(text)


@pytest.mark.parametrize("text", ["/team", "team//", "*", "team/*"])
def test_refuses_a_malformed_folder(text: str) -> None:
    """The error states the rule."""
    with pytest.raises(InvalidFields) as caught:
        paths.folder(text)
    assert {"prefix": [paths.RULE]} == caught.value.errors
