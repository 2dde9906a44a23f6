"""Installs the packages of `make dist` in empty places, runs them and removes them.

`make test-install` runs it. The name keeps it out of `make test`, which builds no packages.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from harness import REPOSITORY, SAMPLE_DATA, SAMPLE_DAY, Lake, environment, run_day, sha256

PACKAGES = REPOSITORY / "target" / "packages"
AIRFLOW = REPOSITORY / "airflow"
PINNED_AIRFLOW = REPOSITORY / "tests" / "airflow" / "requirements.txt"
UV = Path(sys.executable).with_name("uv")
MEGABYTE = 1_000_000
MOST_BYTES = {"binary": 75 * MEGABYTE, "wheel": 28 * MEGABYTE}
# manylinux_2_28.
GLIBC = (2, 28)
# What every machine has. No Rust, and no logmill.
SYSTEM = "/usr/bin:/bin"


def only(pattern: str) -> Path:
    """The only package of a kind for this machine."""
    found = list(PACKAGES.glob(pattern))
    assert len(found) == 1, f"{pattern}: {found}; run `make dist` in an empty target/packages"
    return found[0]


MACHINE = os.uname().machine


def wheel() -> Path:
    """The wheel."""
    return only(f"logmill-*_{MACHINE}.whl")


def run(*words: str | Path, path: str = SYSTEM, env: dict[str, str] | None = None) -> str:
    """Runs a command, and returns its standard output."""
    variables = environment() | {"PATH": path} | (env or {})
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, env=variables, cwd=REPOSITORY)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def publishes_the_sample(program: Path, lake: Path, expected: Lake) -> None:
    """Asserts that the program publishes the bytes of the binary under test."""
    run(program, "run", "--day", SAMPLE_DAY, "--input", SAMPLE_DATA, "--output", lake)
    assert Lake(lake).digests() == expected.digests()
    statement = "SELECT count(*) AS n FROM cloudtrail"
    assert run(program, "query", "--output", lake, "--format", "csv", statement) == "n\n1430\n"


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The sample day, published by the binary under test."""
    return run_day(tmp_path_factory.mktemp("expected") / "lake").lake


@pytest.fixture(scope="module")
def number() -> str:
    """The version of the packages."""
    return run("make", "--silent", "version").strip()


def test_pip_installs_the_program_without_rust(tmp_path: Path, expected: Lake, number: str) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    run(tmp_path / "venv" / "bin" / "pip", "install", "--no-index", wheel())
    program = tmp_path / "venv" / "bin" / "logmill"
    publishes_the_sample(program, tmp_path / "lake", expected)
    details = run(program, "-vV")
    commit = run("git", "rev-parse", "HEAD").strip()
    assert details.startswith(f"logmill {number}\ncommit: {commit}")
    assert details.endswith(f"features: aws, query\ntarget: {MACHINE}-unknown-linux-gnu\nprofile: dist\n")
    run(tmp_path / "venv" / "bin" / "pip", "uninstall", "--yes", "logmill")
    assert not program.exists()


def test_uv_installs_the_command(tmp_path: Path, number: str) -> None:
    folders = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    run(UV, "tool", "install", "--no-index", "--python", sys.executable, wheel(), env=folders)
    assert run("logmill", "--version", path=f"{tmp_path / 'bin'}:{SYSTEM}") == f"logmill {number}\n"


def test_the_binary_is_small_and_needs_only_an_old_glibc(tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel()) as files:
        names = files.namelist()
        (script,) = (name for name in names if name.endswith("/scripts/logmill"))
        binary = Path(files.extract(script, tmp_path))
    assert wheel().stat().st_size <= MOST_BYTES["wheel"]
    assert binary.stat().st_size <= MOST_BYTES["binary"]
    needed = re.findall(rb"\bGLIBC_(\d+)\.(\d+)", binary.read_bytes())
    assert needed
    assert max((int(major), int(minor)) for major, minor in needed) <= GLIBC
    assert str(REPOSITORY).encode() not in binary.read_bytes()
    kept = [name.rsplit("/", 1)[1] for name in names if "/licenses/" in name or "/sboms/" in name]
    assert sorted(kept) == ["LICENSE", "THIRD-PARTY-LICENSES.txt", "logmill.cyclonedx.json"]


def test_one_command_equips_a_worker_of_airflow(tmp_path: Path, expected: Lake) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    run(UV, "venv", "--python", sys.executable, tmp_path / "venv")
    options = ("--python", python, "--find-links", PACKAGES, "-c", PINNED_AIRFLOW)
    run(UV, "pip", "install", *options, f"{AIRFLOW}[binary]")
    task = (
        "from logmill_airflow.operators import LogmillOperator;"
        f"options = {{'input': '{SAMPLE_DATA}', 'output': '{tmp_path / 'lake'}'}};"
        f"LogmillOperator(task_id='run', verb='run', day='{SAMPLE_DAY}', options=options).execute({{}})"
    )
    home = {"AIRFLOW_HOME": str(tmp_path / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    run(python, "-W", "ignore", "-c", task, env=home)
    assert Lake(tmp_path / "lake").digests() == expected.digests()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root folder with an empty database of packages, except for what logmill depends on."""
    database = tmp_path / "root" / "var" / "lib" / "dpkg"
    (database / "info").mkdir(parents=True)
    (database / "updates").mkdir()
    architecture = run("dpkg", "--print-architecture").strip()
    installed = [("libc6", "2.28-10"), ("ca-certificates", "20200601")]
    stanza = "Package: {}\nStatus: install ok installed\nVersion: {}\nArchitecture: {}\n"
    stanzas = (stanza.format(*package, architecture) for package in installed)
    (database / "status").write_text(
        "\n".join(text + "Maintainer: none\nDescription: none\n" for text in stanzas)
    )
    return tmp_path / "root"


def dpkg(root: Path, *words: str | Path) -> str:
    """Runs dpkg on the root folder. Its scripts run outside of it, with DPKG_ROOT."""
    before = () if os.geteuid() == 0 else ("fakeroot",)
    options = ("--root", root, "--force-script-chrootless")
    return run(*before, "dpkg", *options, *words, path=f"/usr/sbin:/sbin:{SYSTEM}")


def left_in(root: Path) -> list[str]:
    """The files in the root folder that are not dpkg's own."""
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if path.parts[:3] != ("var", "lib", "dpkg"))


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="needs dpkg")
def test_the_debian_package_is_installed_and_removed(root: Path, tmp_path: Path, expected: Lake) -> None:
    dpkg(root, "--install", only(f"logmill_*_{run('dpkg', '--print-architecture').strip()}.deb"))
    publishes_the_sample(root / "usr" / "bin" / "logmill", tmp_path / "lake", expected)
    names = left_in(root)
    for name in (
        "etc/logmill.toml",
        "usr/lib/systemd/system/logmill.service",
        "usr/lib/systemd/system/logmill.timer",
        "usr/share/bash-completion/completions/logmill",
        "usr/share/doc/logmill/THIRD-PARTY-LICENSES.txt",
        "usr/share/doc/logmill/copyright",
        "usr/share/fish/vendor_completions.d/logmill.fish",
        "usr/share/man/man1/logmill-backfill.1.gz",
        "usr/share/man/man1/logmill.1.gz",
        "usr/share/zsh/vendor-completions/_logmill",
    ):
        assert name in names, name
    settings = root / "etc" / "logmill.toml"
    settings.write_text(settings.read_text() + "threads = 1\n")
    dpkg(root, "--remove", "logmill")
    # Notes of systemd about the timer also remain.
    assert [name for name in left_in(root) if "systemd" not in name] == ["etc/logmill.toml"]
    dpkg(root, "--purge", "logmill")
    assert left_in(root) == []


def test_the_tarball_holds_everything_and_the_sums_are_right(
    tmp_path: Path, expected: Lake, number: str
) -> None:
    name = f"logmill-{number}-{MACHINE}-unknown-linux-gnu"
    with tarfile.open(PACKAGES / f"{name}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    publishes_the_sample(tmp_path / name / "logmill", tmp_path / "lake", expected)
    for file in (
        "CHANGELOG.md",
        "LICENSE",
        "THIRD-PARTY-LICENSES.txt",
        "completions/_logmill",
        "logmill.toml",
        "man/logmill-query.1",
        "man/logmill.1",
        "systemd/logmill.timer",
    ):
        assert (tmp_path / name / file).is_file(), file
    sums = dict(reversed(line.split("  ")) for line in (PACKAGES / f"{name}.sha256").read_text().splitlines())
    assert len(sums) == 4
    assert all(sha256(PACKAGES / file) == digest for file, digest in sums.items())


def test_the_sbom_names_the_crates_of_the_binary(number: str) -> None:
    sbom = json.loads(only(f"logmill-{number}-{MACHINE}-*.cyclonedx.json").read_text("utf-8"))
    versions = {part["name"]: part["version"] for part in sbom["components"]}
    assert sbom["metadata"]["component"]["version"] == number
    assert {"parquet", "datafusion", "aws-sdk-s3", "zstd-sys"} <= versions.keys()


def test_the_licences_name_crates_and_their_texts() -> None:
    text = (PACKAGES / "THIRD-PARTY-LICENSES.txt").read_text("utf-8")
    for crate in ("parquet", "ring", "zstd-sys", "datafusion"):
        assert re.search(rf"^ +{crate} \d", text, re.MULTILINE), crate
    assert "Apache License" in text
