"""transfer.formats.onepassword: an item has fields, some of them in sections."""

import json
from typing import Any

import pytest

from service.transfer.formats import detect, onepassword
from service.transfer.formats.detect import Format
from tests.transfer.formats.examples import one_password
from tests.transfer.formats.readings import errors, read


def test_reads_items() -> None:
    """As one object at the title, or as one secret for each field; fields without a value are left out."""
    text = json.dumps(one_password(), indent=2) + "\n" + json.dumps(one_password(title="other"))

    assert Format.ONE_PASSWORD == detect.detect(text)
    value = b'{"password":"it\'s","replica/password":"other","username":"ada"}'
    assert [("app-db", value), ("other", value)] == read(text)
    assert [
        ("app-db/username", b"ada"),
        ("app-db/password", b"it's"),
        ("app-db/replica/password", b"other"),
    ] == read(text, split=True)[:3]


def test_what_would_be_lost_must_be_left_out_on_purpose() -> None:
    """Addresses and tags are no fields."""
    text = json.dumps(one_password(urls=[{"href": "https://hunter2"}], tags=["hunter2"]))

    (error,) = errors(onepassword.read(text, split=False, values_only=False))
    assert error.startswith("app-db: its tags and its urls would be lost")
    assert ["app-db"] == [path for path, _ in read(text, values_only=True)]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"files": [{"id": "x", "name": "hunter2"}]}, "app-db: its files are not in this output"),
        ({"title": "My database"}, 'the name "My database" cannot be a path'),
        ({"title": 1}, "its title is not a text"),
        ({"fields": []}, "app-db: it has no field with a value"),
        ({"fields": [{"label": "a", "value": "hunter2"}] * 2}, 'app-db: two fields are named "a"'),
        ({"fields": [{"label": "a", "value": ["hunter2"]}]}, 'app-db: the value of "a" is not a text'),
        ({"fields": ["hunter2"]}, "app-db: a field has no label"),
        ({"fields": {}}, "it is no item as `op item get"),
    ],
)
def test_says_what_cannot_be_imported(changes: dict[str, Any], says: str) -> None:
    """With the item's title, and no value."""
    (error,) = errors(onepassword.read(json.dumps(one_password(**changes)), split=False, values_only=True))

    assert says in error
