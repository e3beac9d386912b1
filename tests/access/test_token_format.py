"""access.token_format: tokens are recognized, and mistyped ones rejected, by their format alone."""

import hashlib
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access import token_format
from service.access.token_format import Credential
from service.errors import MalformedToken
from tests.calls import UNKNOWN

CREDENTIAL = Credential("0f3a5b7c9d1e2f40", bytes(range(32)))
TEXT = UNKNOWN
# The pattern documented for secret scanners.
SCANNED = re.compile(r"smt_[0-9a-f]{16}_[0-9a-f]{72}")


def test_the_format_is_stable() -> None:
    """Existing tokens must keep working: prefix, id, secret, CRC-32."""
    assert TEXT == CREDENTIAL.text
    assert CREDENTIAL == token_format.parse(TEXT)


@given(token_id=st.binary(min_size=8, max_size=8), secret=st.binary(min_size=32, max_size=32))
def test_parses_what_it_prints(token_id: bytes, secret: bytes) -> None:
    """This holds for all bytes, and secret scanners find every token."""
    credential = Credential(token_id.hex(), secret)

    assert credential == token_format.parse(credential.text)
    assert SCANNED.fullmatch(credential.text)
    assert hashlib.sha256(secret).digest() == credential.digest


@given(accessor=st.binary(min_size=8, max_size=8), secret=st.binary(min_size=32, max_size=32))
def test_a_secret_id_is_no_token(accessor: bytes, secret: bytes) -> None:
    """Nor a token a secret id, so that neither is ever taken for the other."""
    secret_id = Credential(accessor.hex(), secret, token_format.SECRET_ID)
    token = Credential(accessor.hex(), secret)

    assert secret_id == token_format.parse(secret_id.text, token_format.SECRET_ID)
    assert token_format.is_within(f"x{secret_id.text}x")
    for text, prefix in ((secret_id.text, token_format.TOKEN), (token.text, token_format.SECRET_ID)):
        with pytest.raises(MalformedToken):
            token_format.parse(text, prefix)


@pytest.mark.parametrize("place", range(len(TEXT)))
def test_a_wrong_character_is_detected(place: int) -> None:
    """In the prefix, the id, the secret or the checksum."""
    for wrong in "0123456789abcdefg_A":
        if wrong != TEXT[place]:
            with pytest.raises(MalformedToken):
                token_format.parse(TEXT[:place] + wrong + TEXT[place + 1 :])


@pytest.mark.parametrize("place", [place for place in range(len(TEXT) - 1) if TEXT[place] != TEXT[place + 1]])
def test_two_exchanged_characters_are_detected(place: int) -> None:
    """The other common typing error."""
    with pytest.raises(MalformedToken):
        token_format.parse(TEXT[:place] + TEXT[place + 1] + TEXT[place] + TEXT[place + 2 :])


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[:-1],
        TEXT + "0",
        TEXT + "\n",
        " " + TEXT,
        TEXT.upper(),
        TEXT.replace("0", "٠"),
        TEXT.replace("_", "-"),
        f"{TEXT},{TEXT}",
        "eyJhbGciOiJIUzI1NiJ9.e30.ZRrHA1JJJW8opsbCGfG_HACGpVUMN_a9IV7pAx_Zmeo",
    ],
)
def test_refuses_other_text(text: str) -> None:
    """Cut short, too long, other digits, other kinds of tokens."""
    with pytest.raises(MalformedToken):
        token_format.parse(text)


@given(text=st.text() | st.from_regex(SCANNED, fullmatch=True))
def test_refuses_with_one_error_only(text: str) -> None:
    """No text causes another exception."""
    with suppress(MalformedToken):
        assert text == token_format.parse(text).text


def test_new_tokens_are_unique() -> None:
    """Ids and secrets do not repeat."""
    created = [token_format.new() for _ in range(1000)]

    assert 1000 == len({each.token_id for each in created}) == len({each.secret for each in created})


def test_shows_no_secret_when_printed() -> None:
    """The error for a malformed token does not show it either."""
    for form in (CREDENTIAL.secret.hex(), repr(CREDENTIAL.secret)[2:-1]):
        assert form not in repr(CREDENTIAL)
    with pytest.raises(MalformedToken) as caught:
        token_format.parse(TEXT[:-1])
    assert TEXT[21:40] not in str(caught.value)


def test_recognizes_ids_and_text_that_contains_a_token() -> None:
    """An id may be logged; a token, or most of one, may not."""
    assert token_format.is_id("0f3a5b7c9d1e2f40")
    for no_id in (TEXT, "0f3a", "0F3A5B7C9D1E2F40", "0f3a5b7c9d1e2f40\n", ""):
        assert not token_format.is_id(no_id)
    for text in (TEXT, TEXT[:-20], f"team/{TEXT}", TEXT.upper()):
        assert token_format.is_within(text)
    for text in ("smt_0f3a5b7c9d1e2f40", "team/smt_token", CREDENTIAL.secret.hex()):
        assert not token_format.is_within(text)
