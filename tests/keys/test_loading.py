"""keys.loading: master keys are 32 bytes in one of two encodings; errors never contain the key."""

import base64
import os
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.environment import Environment
from service.errors import ConfigurationError
from service.keys import loading
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY

IN_BASE64 = base64.b64encode(MASTER_KEY)


def load(**variables: str) -> loading.MasterKeys:
    """Load from these variables."""
    return loading.load(Environment(variables))


@pytest.mark.parametrize("value", [MASTER_KEY, IN_BASE64, IN_BASE64 + b"\n", b" " + IN_BASE64])
def test_accepts_both_forms_in_a_file(tmp_path: Path, value: bytes) -> None:
    """Raw bytes, or base64 with the newline that editors and openssl add."""
    file = tmp_path / "key"
    file.write_bytes(value)

    assert load(MASTER_KEY_FILE=str(file)).primary == MASTER_KEY


def test_accepts_raw_bytes_in_the_environment() -> None:
    """Also if they are not valid text."""
    raw = bytes(range(224, 256))

    assert load(MASTER_KEY=os.fsdecode(raw)).keys == (raw,)


@given(value=st.binary(max_size=80))
def test_refuses_everything_else_and_reports_only_the_length(value: bytes) -> None:
    """The message names the variable and the length found, never the value."""
    assume(len(value) != 32 and len(value.strip()) != 44)

    with pytest.raises(ConfigurationError) as caught:
        loading.parse("MASTER_KEY", value)

    assert str(caught.value).startswith("MASTER_KEY takes base64 of 32 bytes or exactly 32 raw bytes")
    assert "openssl rand -base64 32" in str(caught.value)


def test_reports_the_length_of_a_key_of_the_wrong_length() -> None:
    """AES-128 keys and hexadecimal keys are common mistakes."""
    with pytest.raises(ConfigurationError, match="holds base64 of 16 bytes"):
        load(MASTER_KEY=base64.b64encode(bytes(16)).decode())
    with pytest.raises(ConfigurationError, match="holds base64 of 48 bytes"):
        load(MASTER_KEY=MASTER_KEY.hex())
    with pytest.raises(ConfigurationError, match="holds 7 bytes"):
        load(MASTER_KEY="hunter2")


def test_refuses_to_start_without_a_key() -> None:
    """The message says how to make one."""
    with pytest.raises(ConfigurationError, match="MASTER_KEY is not set; make one with"):
        load()


def test_reads_a_ring_from_a_folder(tmp_path: Path) -> None:
    """Every file that is not hidden is a key; MASTER_KEY_PRIMARY names the primary."""
    (tmp_path / "master_key_v1").write_bytes(IN_BASE64)
    (tmp_path / "master_key_v2").write_bytes(OTHER_MASTER_KEY)
    (tmp_path / "..data").write_bytes(b"no key")

    loaded = load(MASTER_KEYS_DIR=str(tmp_path), MASTER_KEY_PRIMARY="master_key_v2")

    assert loaded.primary == OTHER_MASTER_KEY
    assert {MASTER_KEY, OTHER_MASTER_KEY} == set(loaded.keys)


def test_a_single_key_is_the_primary(tmp_path: Path) -> None:
    """With one key, MASTER_KEY_PRIMARY can be omitted."""
    (tmp_path / "master_key_v1").write_bytes(IN_BASE64)

    assert load(MASTER_KEYS_DIR=str(tmp_path)).primary == MASTER_KEY


def test_refuses_an_ambiguous_ring(tmp_path: Path) -> None:
    """No key, no such folder, no primary, an unknown primary, the same key twice."""
    folder = str(tmp_path)
    with pytest.raises(ConfigurationError, match="holds no key"):
        load(MASTER_KEYS_DIR=folder)
    with pytest.raises(ConfigurationError, match="MASTER_KEYS_DIR: cannot read"):
        load(MASTER_KEYS_DIR=str(tmp_path / "missing"))

    (tmp_path / "v1").write_bytes(MASTER_KEY)
    (tmp_path / "v2").write_bytes(OTHER_MASTER_KEY)
    with pytest.raises(ConfigurationError, match=r"MASTER_KEY_PRIMARY must name .* holds v1, v2"):
        load(MASTER_KEYS_DIR=folder)
    with pytest.raises(ConfigurationError, match="MASTER_KEY_PRIMARY must name"):
        load(MASTER_KEYS_DIR=folder, MASTER_KEY_PRIMARY="v3")
    with pytest.raises(ConfigurationError, match="both set"):
        load(MASTER_KEYS_DIR=folder, MASTER_KEY=IN_BASE64.decode())
    with pytest.raises(ConfigurationError, match="MASTER_KEYS_DIR, which is not set"):
        load(MASTER_KEY=IN_BASE64.decode(), MASTER_KEY_PRIMARY="v1")

    (tmp_path / "v3").write_bytes(IN_BASE64)
    with pytest.raises(ConfigurationError, match=r"two files in .* hold the same key"):
        load(MASTER_KEYS_DIR=folder, MASTER_KEY_PRIMARY="v1")

    (tmp_path / "v3").write_bytes(b"short")
    with pytest.raises(ConfigurationError, match="v3 in MASTER_KEYS_DIR takes base64"):
        load(MASTER_KEYS_DIR=folder, MASTER_KEY_PRIMARY="v1")
