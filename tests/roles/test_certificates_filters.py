"""Which certificates are wanted, found and issued."""

from typing import Any

import pytest

from tests.roles import filters

FILTERS = filters("certificates")
LATER, SOON, PAST = "20400101000000Z", "20300115000000Z", "20290101000000Z"
NOW, RENEW_BEFORE, CA_END = "20300101000000Z", "20300131000000Z", "20390101000000Z"


def spec(name: str, version: int = 1, not_after: str = LATER, **labels: str) -> dict[str, Any]:
    """Return a certificate's Docker secret as ``docker inspect`` shows it."""
    given = {
        "certificate": name,
        "version": str(version),
        "names": "DNS:localhost",
        "issuer": "ca-1",
        "fingerprint": f"{name}-{version}",
        "not-after": not_after,
    } | labels
    return {
        "Name": f"tls_{name}_v{version}",
        "Labels": {"secret-manager.kind": "tls"}
        | {f"secret-manager.{key}": value for key, value in given.items()},
    }


def issued(found: dict[str, Any], **options: Any) -> list[tuple[str, int]]:
    """Return name and version of what is issued beside ``found``; one certificate, of the API, is wanted."""
    wanted = [{"name": "api", "names": ["DNS:localhost"], "usage": ["serverAuth"]}]
    given = {"ca_fingerprint": "ca-1", "ca_end": CA_END, "renew_before": RENEW_BEFORE} | options
    return [(one["name"], one["version"]) for one in FILTERS["certificates_to_issue"](wanted, found, **given)]


def newest(*specs: dict[str, Any]) -> dict[str, Any]:
    """Return what the labels tell."""
    found: dict[str, Any] = FILTERS["certificates_newest"](specs)
    return found


def test_api_members_and_clients_get_a_certificate() -> None:
    """A member is a server and a client; addresses are told from names."""
    wanted = FILTERS["certificates_wanted"](
        ["localhost", "127.0.0.1", "::1", "1.example"], [{"name": "mongodb-1"}], "mongodb"
    )

    assert [
        {
            "name": "api",
            "names": ["DNS:localhost", "IP:127.0.0.1", "IP:::1", "DNS:1.example"],
            "usage": ["serverAuth"],
        },
        {
            "name": "mongodb-1",
            "names": ["DNS:mongodb-1", "DNS:mongodb", "DNS:localhost", "IP:127.0.0.1"],
            "usage": ["serverAuth", "clientAuth"],
        },
        {"name": "client", "names": [], "usage": ["clientAuth"]},
    ] == wanted


def test_without_members_only_the_api_gets_a_certificate() -> None:
    """The user's own database has its own."""
    wanted = FILTERS["certificates_wanted"](["localhost"], [], "mongodb")

    assert ["api"] == [one["name"] for one in wanted]


def test_the_newest_version_counts() -> None:
    """By its number: 10 is newer than 9."""
    found = newest(spec("api", 9), spec("api", 10), spec("api", 2), spec("client"))

    assert {"api": "tls_api_v10", "client": "tls_client_v1"} == {
        name: one["secret"] for name, one in found.items()
    }
    assert "" == found["api"]["data"]


def test_only_the_ca_can_be_read_back() -> None:
    """Its Docker config has the certificate as base64."""
    assert "UEVN" == newest({**spec("ca"), "Data": "UEVN"})["ca"]["data"]


@pytest.mark.parametrize(
    ("specs", "expired"),
    [
        ([], False),
        ([spec("mongodb-1"), spec("ca")], False),
        ([spec("mongodb-1", not_after=PAST)], True),
        ([spec("ca", not_after=PAST)], True),
        # A replaced version may still be in use.
        ([spec("mongodb-2", 1, PAST), spec("mongodb-2", 2)], True),
        # Members do not look at the API's.
        ([spec("api", not_after=PAST), spec("client", not_after=PAST)], False),
    ],
)
def test_an_expired_certificate_of_a_member_is_noticed(specs: list[dict[str, Any]], expired: bool) -> None:
    """Members then refuse each other's connections."""
    assert expired is FILTERS["certificates_expired"](specs, NOW)


def test_what_is_as_it_should_be_is_not_issued_again() -> None:
    """A second run changes nothing."""
    assert [] == issued(newest(spec("api")))


def test_a_missing_certificate_is_issued() -> None:
    """As version 1."""
    assert [("api", 1)] == issued({})


@pytest.mark.parametrize(
    "labels", [{"names": "DNS:other"}, {"issuer": "ca-2"}, {"issuer": "own"}], ids=lambda labels: str(labels)
)
def test_another_name_or_ca_is_replaced(labels: dict[str, str]) -> None:
    """By the next version."""
    assert [("api", 4)] == issued(newest(spec("api", 3, **labels)))


def test_a_certificate_that_ends_soon_is_renewed() -> None:
    """Unless it ends together with its CA, as the new one would."""
    found = newest(spec("api", not_after=SOON))

    assert [("api", 2)] == issued(found)
    assert [] == issued(found, ca_end=SOON)


def test_all_certificates_can_be_renewed() -> None:
    """Whatever their age."""
    assert [("api", 2)] == issued(newest(spec("api")), renew_all=True)


def test_a_provided_certificate_is_only_compared() -> None:
    """Its names, issuer and end are the user's business."""
    found = newest(spec("api", issuer="own", names="DNS:other", not_after=PAST, fingerprint="given"))

    assert [] == issued(found, provided_fingerprint="given", renew_all=True)
    assert [("api", 2)] == issued(found, provided_fingerprint="newer")


def test_a_check_without_a_ca_shows_what_would_be_issued() -> None:
    """There is nothing to compare with yet."""
    assert [("api", 1)] == issued({}, ca_fingerprint="", ca_end="")


@pytest.mark.parametrize(
    ("name", "covered"),
    [
        ("vault.example.test", True),
        ("other.vault.example.test", False),
        ("plain.test", True),
        ("example.test", False),
        (".example.test", False),
        ("localhost", False),
    ],
)
def test_a_wildcard_stands_for_one_label(name: str, covered: bool) -> None:
    """As clients read it."""
    uncovered = FILTERS["certificates_uncovered"]([name], ["*.example.test", "plain.test"])

    assert ([] if covered else [name]) == uncovered


def test_labels_are_read_as_they_were_written() -> None:
    """Any controller can go on from them."""
    values = {
        "certificate": "api",
        "version": 7,
        "names": ["DNS:a", "IP:::1"],
        "issuer": "ca-1",
        "fingerprint": "f",
        "not_after": LATER,
    }
    arguments = FILTERS["certificates_labels"](values)
    labels = dict(argument.removeprefix("--label=").split("=", 1) for argument in arguments)

    assert "tls" == labels["secret-manager.kind"]
    assert {
        "name": "api",
        "version": 7,
        "secret": "tls_api_v7",
        "data": "",
        "names": "DNS:a,IP:::1",
        "issuer": "ca-1",
        "fingerprint": "f",
        "not_after": LATER,
    } == newest({"Name": "tls_api_v7", "Labels": labels})["api"]
