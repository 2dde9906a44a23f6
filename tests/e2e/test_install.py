"""Checks the files from which packages are built. `installation.py` installs the packages."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from harness import REPOSITORY, logmill

WORKFLOW = REPOSITORY / ".github" / "workflows" / "release.yml"
PACKAGE = REPOSITORY / "deploy" / "package"
MAKEFILE = (REPOSITORY / "Makefile").read_text("utf-8")
# Documents with commands for installation or releases.
DOCUMENTS = ["docs/install.md", "CONTRIBUTING.md", "README.md"]


def toml(path: str) -> dict[str, Any]:
    """A file of the repository."""
    return tomllib.loads((REPOSITORY / path).read_text("utf-8"))


def version() -> str:
    """The version of the binary."""
    name, number = logmill("--version").stdout.split()
    assert name == "logmill"
    return number


def test_actionlint_accepts_the_release_workflow() -> None:
    actionlint = Path(sys.executable).with_name("actionlint")
    checked = subprocess.run([actionlint, WORKFLOW], capture_output=True, text=True)
    assert (checked.returncode, checked.stdout) == (0, ""), checked.stderr


@pytest.mark.parametrize("document", [".github/workflows/release.yml", *DOCUMENTS])
def test_make_targets_in_documents_exist(document: str) -> None:
    text = (REPOSITORY / document).read_text("utf-8")
    command = r"(?:`|run: |^|\$\()make (?:--silent )?([a-z][a-z0-9-]*[a-z0-9])(?![\w*-])"
    named = set(re.findall(command, text, re.MULTILINE))
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", MAKEFILE, re.MULTILINE))
    assert named <= targets, named - targets
    assert named


def test_the_packages_have_the_version_of_the_binary() -> None:
    cargo, airflow = toml("Cargo.toml"), toml("airflow/pyproject.toml")["project"]
    printed = subprocess.check_output(["make", "--silent", "version"], cwd=REPOSITORY, text=True)
    assert {cargo["package"]["version"], airflow["version"], printed.strip()} == {version()}
    assert airflow["optional-dependencies"]["binary"] == [f"logmill~={version()}"]


def test_the_changelog_describes_the_upgrade_to_this_version() -> None:
    changelog = (REPOSITORY / "CHANGELOG.md").read_text("utf-8")
    sections = re.findall(r"^## \[?(Unreleased|\d+\.\d+\.\d+)\]?.*?$(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    released = [(number, text) for number, text in sections if number != "Unreleased"]
    number, text = released[0]
    assert number == version()
    (note,) = re.findall(r"^### Upgrade$(.*?)(?=^### |\Z)", text, re.M | re.S)
    for subject in ("**Lake.**", "**Manifests.**", "**Settings.**"):
        assert subject in note, subject


def test_both_spellings_of_verbose_print_how_the_binary_was_built() -> None:
    printed = logmill("--version", "--verbose").stdout
    assert printed == logmill("-vV").stdout
    first, *others = printed.splitlines()
    assert first == f"logmill {version()}"
    assert [line.split(": ")[0] for line in others] == ["commit", "features", "target", "profile"]
    assert all(line.split(": ")[1] for line in others)


def test_every_command_has_a_manual_page() -> None:
    program = logmill("man").stdout
    assert program.startswith(".ie")
    assert ".TH logmill 1" in program
    listed = re.findall(r"^ {2}([a-z]+) ", logmill("--help").stdout, re.MULTILINE)
    pages = re.findall(r"^logmill\\-([a-z]+)\(1\)$", program, re.MULTILINE)
    assert [name for name in listed if name != "help"] == pages
    for name in pages:
        page = logmill("man", name).stdout
        for part in (f".TH logmill-{name} 1", ".SH SYNOPSIS", "\\-\\-config"):
            assert part in page, name
    assert "'rum'" in logmill("man", "rum", code=2).stderr


def test_the_packages_accept_the_licences_of_deny() -> None:
    assert toml("deploy/package/about.toml")["accepted"] == toml("deny.toml")["licenses"]["allow"]
    assert toml("deploy/package/about.toml")["targets"] == toml("deny.toml")["graph"]["targets"]


def test_the_files_of_the_debian_package_exist_or_are_generated() -> None:
    package = toml("Cargo.toml")["package"]["metadata"]["deb"]
    for source, _, _ in package["assets"]:
        is_generated = source.startswith(("target/release/", "target/packages/"))
        assert is_generated or list(REPOSITORY.glob(source)), source
    assert package["conf-files"] == ["/etc/logmill.toml"]


def test_the_wheel_is_built_by_the_pinned_maturin() -> None:
    (required,) = toml("deploy/package/pyproject.toml")["build-system"]["requires"]
    assert f":= {required}\n" in MAKEFILE


def test_the_example_settings_are_valid() -> None:
    shown = logmill("config", "--config", PACKAGE / "logmill.toml").stdout
    assert "s3://my-lake/logs" in shown
