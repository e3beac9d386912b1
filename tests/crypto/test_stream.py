"""crypto.stream: a stream decrypts to exactly what was sealed; every alteration is detected."""

import io
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.crypto import stream
from service.crypto.stream import CHUNK_BYTES, MAGIC
from service.errors import Tampered

PASSPHRASE = b"correct horse battery staple"
# Uses 2 KiB of memory: enough to test that scrypt is applied.
CHEAP = 1
HEADER_BYTES = 41
SEALED_CHUNK_BYTES = CHUNK_BYTES + 16
(VECTOR,) = json.loads((Path(__file__).parent / "vectors.json").read_text())["stream"]


def seal(*pieces: bytes) -> bytes:
    """Seal these pieces."""
    return b"".join(stream.seal(pieces, PASSPHRASE, cost=CHEAP))


def opened(sealed: bytes, passphrase: bytes = PASSPHRASE) -> bytes:
    """Decrypt it to the end."""
    return b"".join(stream.open_(io.BytesIO(sealed), passphrase))


def chunks(sealed: bytes) -> list[bytes]:
    """Return the header and the chunks."""
    starts = range(HEADER_BYTES, len(sealed), SEALED_CHUNK_BYTES)
    return [sealed[:HEADER_BYTES], *(sealed[start : start + SEALED_CHUNK_BYTES] for start in starts)]


def refused(sealed: bytes, passphrase: bytes = PASSPHRASE) -> str:
    """Return the message with which it is refused."""
    with pytest.raises(Tampered) as error:
        opened(sealed, passphrase)
    return str(error.value)


THREE = bytes(2 * CHUNK_BYTES + 100)
THREE_SEALED = seal(THREE)


@given(chunk=st.integers(0, 3), beside=st.integers(-2, 2), cut=st.integers(1, CHUNK_BYTES * 2))
def test_opens_what_it_sealed(chunk: int, beside: int, cut: int) -> None:
    """Streams of any length, above all around chunk borders, in pieces of any length."""
    content = (b"0123456789abcde" * (CHUNK_BYTES // 4))[: max(0, chunk * CHUNK_BYTES + beside)]
    pieces = [content[start : start + cut] for start in range(0, len(content), cut)]

    assert content == opened(seal(*pieces))


def test_holds_no_more_than_a_chunk() -> None:
    """Sealed chunks are yielded before all input is read, so memory does not limit the length."""
    taken = []

    def pieces() -> Iterable[bytes]:
        for number in range(100):
            taken.append(number)
            yield bytes(CHUNK_BYTES)

    sealed = stream.seal(pieces(), PASSPHRASE, cost=CHEAP)
    header, first = next(sealed), next(sealed)

    assert (HEADER_BYTES, SEALED_CHUNK_BYTES, [0, 1]) == (len(header), len(first), taken)


def test_never_seals_the_same_way_twice() -> None:
    """Salt and prefix are random, so equal streams do not look equal."""
    assert seal(b"same") != seal(b"same")


def test_opens_what_was_sealed_before() -> None:
    """Files in a released format stay readable."""
    plaintext = opened(bytes.fromhex(VECTOR["sealed"]), VECTOR["passphrase"].encode())

    assert VECTOR["plaintext"] == plaintext.hex()


def test_the_default_cost_is_the_recommended_one() -> None:
    """Each guess at the passphrase takes 128 MiB."""
    header = next(stream.seal([], PASSPHRASE))

    assert MAGIC + bytes([1, 17]) == header[: len(MAGIC) + 2]


def test_refuses_every_flipped_bit_of_a_short_one() -> None:
    """Every bit is authenticated, header included."""
    sealed = seal(b"payload")

    for position in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[position // 8] ^= 1 << position % 8
        # Skipped if the header then asks for up to a gibibyte, which takes seconds.
        if altered[len(MAGIC) + 1] <= 12:
            refused(bytes(altered))


def test_refuses_a_short_one_cut_anywhere() -> None:
    """A prefix of a sealed stream does not decrypt."""
    sealed = seal(b"payload")

    for length in range(len(sealed)):
        refused(sealed[:length])


@given(position=st.integers(HEADER_BYTES, len(THREE_SEALED) - 1), bit=st.integers(0, 7))
def test_refuses_a_flipped_bit_of_a_long_one(position: int, bit: int) -> None:
    """In any chunk."""
    altered = bytearray(THREE_SEALED)
    altered[position] ^= 1 << bit

    refused(bytes(altered))


@given(length=st.integers(0, len(THREE_SEALED) - 1))
def test_refuses_a_long_one_cut_anywhere(length: int) -> None:
    """In the middle of a chunk and at its border."""
    refused(THREE_SEALED[:length])


def test_refuses_rearranged_chunks() -> None:
    """Omitted, repeated, exchanged, from another stream, or after the end."""
    header, first, second, last = chunks(THREE_SEALED)
    other = chunks(seal(THREE))

    for altered in (
        [header, first, second],
        [header, first],
        [header],
        [header, second, last],
        [header, first, last],
        [header, first, first, second, last],
        [header, first, second, last, last],
        [header, second, first, last],
        [header, last],
        [header, first, second, other[3]],
        [other[0], first, second, last],
        [header, first, second, last, b"\0"],
    ):
        refused(b"".join(altered))


def test_yields_no_altered_chunk() -> None:
    """The chunks before it are intact; neither it nor those after it are yielded."""
    header, first, second, last = chunks(THREE_SEALED)
    pieces = stream.open_(io.BytesIO(header + first + bytes(len(second)) + last), PASSPHRASE)

    assert THREE[:CHUNK_BYTES] == next(pieces)
    with pytest.raises(Tampered, match=f"altered or cut short after the first {CHUNK_BYTES} bytes"):
        next(pieces)


def test_says_when_it_may_be_the_passphrase() -> None:
    """It does not blame the passphrase if a chunk has been decrypted, or if nothing was sealed at all."""
    assert "wrong passphrase" in refused(THREE_SEALED, b"another")
    assert "wrong passphrase" not in refused(THREE_SEALED[:-1])
    assert "does not start with the header" in refused(b"DB_PASSWORD=hunter2\n" * 10)
    assert "does not start with the header" in refused(b"")


@pytest.mark.parametrize(("position", "value"), [(0, 2), (0, 0), (1, 21), (1, 255), (1, 0)])
def test_refuses_an_unknown_format_or_cost(position: int, value: int) -> None:
    """A cost above the maximum is refused before any memory is allocated."""
    altered = bytearray(seal(b"payload"))
    altered[len(MAGIC) + position] = value

    assert "unknown format" == refused(bytes(altered))
