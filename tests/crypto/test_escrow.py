"""crypto.escrow: only the operator's private key decrypts; other input is refused with a reason."""

import base64
import json
import subprocess
from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.crypto import escrow
from service.crypto.aead import key_id_of
from service.crypto.escrow import EscrowKind
from service.errors import ConfigurationError, Tampered
from tests.certificates import Authority
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY


@cache
def private() -> rsa.RSAPrivateKey:
    """Return the operator's key, which takes half a second to make."""
    return rsa.generate_private_key(65537, 3072)


@cache
def sealed() -> escrow.Escrowed:
    """Return a master key that is sealed for it."""
    return escrow.seal(EscrowKind.MASTER_KEY, "master_key_v2", MASTER_KEY, private().public_key())


def pem_of(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key as openssl writes it."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def private_pem(passphrase: bytes | None = None) -> bytes:
    """Return the private key as openssl writes it."""
    protection = (
        serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    )
    return private().private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def altered(**fields: object) -> bytes:
    """Return the escrowed key with changed fields; None removes one."""
    found = json.loads(sealed().dump()) | fields
    return json.dumps({name: value for name, value in found.items() if value is not None}).encode()


def test_opens_what_was_sealed() -> None:
    """Via the file format, which is one line and does not contain the plaintext key."""
    text = sealed().dump()

    assert MASTER_KEY == escrow.open_(escrow.parse(text.encode() + b"\n"), private())
    assert 1 == len(text.splitlines())
    for form in (MASTER_KEY.hex(), base64.b64encode(MASTER_KEY).decode()):
        assert form not in text
        assert form not in repr(sealed())
    assert key_id_of(MASTER_KEY).hex() == json.loads(text)["key_id"]


def test_openssl_alone_decrypts_it(tmp_path: Path) -> None:
    """The key can be recovered without this program."""
    key = tmp_path / "escrow.pem"
    key.write_bytes(private_pem())
    command = "openssl pkeyutl -decrypt -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -inkey"

    opened = subprocess.run(
        [*command.split(), str(key)], input=sealed().sealed, capture_output=True, check=True
    )

    assert MASTER_KEY == opened.stdout


def test_names_the_recipient_as_openssl_does() -> None:
    """So an operator can find the matching private key."""
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "DER"],
        input=pem_of(private().public_key()),
        capture_output=True,
        check=True,
    )
    digest = subprocess.run(["sha256sum"], input=der.stdout, capture_output=True, check=True)

    assert sealed().recipient == digest.stdout.decode().split()[0]


def test_refuses_another_private_key() -> None:
    """The error names the public key that it was sealed for."""
    stranger = rsa.generate_private_key(65537, 3072)
    with pytest.raises(ConfigurationError, match=f"sealed for the public key {sealed().recipient[:16]}"):
        escrow.open_(sealed(), stranger)
    # Also if the recipient in the file was forged.
    pretended = escrow.parse(altered(recipient=escrow.recipient(stranger.public_key())))
    with pytest.raises(Tampered, match="cannot be decrypted"):
        escrow.open_(pretended, stranger)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: b"", "not JSON"),
        (lambda: sealed().dump().encode()[:-20], "not JSON: it was cut short"),
        (lambda: b"[]", "^not an escrowed key"),
        (lambda: altered(format=None), "^not an escrowed key"),
        (lambda: altered(format=2), "unknown format"),
        (lambda: altered(name=None), "missing or not text: name"),
        (lambda: altered(key_id=7), "missing or not text: key_id"),
        (lambda: altered(sealed="?"), "is malformed"),
        (lambda: altered(kind="house-key"), "is malformed"),
        (lambda: altered(name="\x1b[2J"), "missing or not text: name"),
        (lambda: altered(signer="00"), "missing or not text: signature"),
        (lambda: altered(signature="AA=="), "missing or not text: signer"),
        (lambda: altered(signer="00", signature="?"), "is malformed"),
        (lambda: b"\xff\xfe", "not JSON"),
    ],
)
def test_refuses_a_malformed_escrowed_key(make: Callable[[], bytes], says: str) -> None:
    """Cut short, of another format version, or with a missing or malformed field."""
    content = make()
    with pytest.raises(Tampered, match=says):
        escrow.parse(content)


@pytest.mark.parametrize("bit", range(0, 384 * 8, 101))
def test_refuses_a_flipped_bit(bit: int) -> None:
    """At any position."""
    data = bytearray(sealed().sealed)
    data[bit // 8] ^= 1 << bit % 8
    damaged = escrow.parse(altered(sealed=base64.b64encode(data).decode()))

    with pytest.raises(Tampered, match="master_key_v2 cannot be decrypted"):
        escrow.open_(damaged, private())


def test_refuses_a_key_that_is_not_the_one_it_names() -> None:
    """Everyone with the public key can encrypt something else to it."""
    with pytest.raises(Tampered, match="is not the key"):
        escrow.open_(escrow.parse(altered(key_id=key_id_of(OTHER_MASTER_KEY).hex())), private())


def test_an_authentic_key_verifies(tmp_path: Path) -> None:
    """Via the file format; also against a file that has the certificates of several CAs."""
    authority, other = Authority(tmp_path, "CA"), Authority(tmp_path / "other", "another CA")
    signed = escrow.parse(escrow.sign(sealed(), authority.key).dump().encode())

    escrow.verify(signed, authority.file.read_bytes())
    escrow.verify(signed, other.file.read_bytes() + authority.file.read_bytes())
    assert MASTER_KEY == escrow.open_(signed, private())
    assert sealed() == replace(signed, signer="", signature=b"")


def test_a_program_from_before_reads_a_signed_key(tmp_path: Path) -> None:
    """The format's number and the fields of before are the same, in the same order."""
    signed = json.loads(escrow.sign(sealed(), Authority(tmp_path).key).dump())

    assert ["signer", "signature"] == list(signed)[-2:]
    assert json.loads(sealed().dump()) == dict(list(signed.items())[:-2])


@pytest.mark.parametrize(
    "field", [field.name for field in fields(escrow.Escrowed) if field.name != "signature"]
)
def test_refuses_a_signature_over_another_field(tmp_path: Path, field: str) -> None:
    """Each field that there is, so a new one cannot be forgotten."""
    authority = Authority(tmp_path)
    signed = escrow.sign(sealed(), authority.key)
    others = {"kind": EscrowKind.UNLOCK_KEY, "sealed": b"other", "signer": "ab" * 32}
    forged = replace(signed, **{field: others.get(field, "other")})

    with pytest.raises(Tampered, match=r"its signature is invalid|signed by another CA"):
        escrow.verify(forged, authority.file.read_bytes())


def test_refuses_what_another_ca_has_signed(tmp_path: Path) -> None:
    """Also where it claims to be signed by the right one, and where nobody has signed it."""
    authority, stranger = Authority(tmp_path, "CA"), Authority(tmp_path / "other", "another CA")
    certificates = authority.file.read_bytes()
    forged = escrow.sign(sealed(), stranger.key)

    with pytest.raises(Tampered, match=rf"signed by another CA .{forged.signer[:16]}…. than the given one"):
        escrow.verify(forged, certificates)
    with pytest.raises(Tampered, match="its signature is invalid"):
        escrow.verify(replace(forged, signer=escrow.sign(sealed(), authority.key).signer), certificates)
    with pytest.raises(Tampered):
        escrow.verify(sealed(), certificates)


def test_takes_long_rsa_keys_only() -> None:
    """The error contains the commands that make a suitable key."""
    assert escrow.recipient(escrow.public_key(pem_of(private().public_key()))) == sealed().recipient
    short = rsa.generate_private_key(65537, 2048).public_key()
    for pem in (b"", b"none", pem_of(short), pem_of(ec.generate_private_key(ec.SECP256R1()).public_key())):
        with pytest.raises(ConfigurationError, match="openssl genpkey -aes256 -algorithm RSA"):
            escrow.public_key(pem)


def test_reads_private_keys_with_and_without_a_passphrase() -> None:
    """The error distinguishes a wrong passphrase from a missing or superfluous one."""
    sealed_pem = private_pem(b"correct horse")
    for key in (escrow.private_key(private_pem(), None), escrow.private_key(sealed_pem, b"correct horse")):
        assert MASTER_KEY == escrow.open_(sealed(), key)

    for pem, passphrase, says in (
        (sealed_pem, None, "is encrypted: give its passphrase"),
        (private_pem(), b"correct horse", "is not encrypted: give no passphrase"),
        (sealed_pem, b"wrong horse", "wrong passphrase"),
        (b"no key", None, "cannot be read"),
    ):
        with pytest.raises(ConfigurationError, match=says) as refused:
            escrow.private_key(pem, passphrase)
        assert "horse" not in str(refused.value)
