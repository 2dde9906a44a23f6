"""Which program a worker starts."""

import sys
from pathlib import Path

import pytest
from logmill_airflow.environment import program


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A virtual environment with an installed logmill, which runs this Python."""
    (tmp_path / "venv").mkdir()
    executable(tmp_path / "venv" / "logmill")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))
    return tmp_path / "venv"


def executable(file: Path) -> Path:
    """Creates an empty program."""
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def test_the_program_on_path_comes_first(python: Path, tmp_path: Path) -> None:
    executable(tmp_path / "logmill")
    assert program("logmill", {"PATH": str(tmp_path)}) == "logmill"


def test_a_program_that_pip_installed_is_found_without_path(python: Path) -> None:
    assert program("logmill", {"PATH": "/nowhere"}) == str(python / "logmill")


def test_paths_and_unknown_programs_remain(python: Path) -> None:
    for name in ("/opt/logmill", "./logmill", "ssh"):
        assert program(name, {"PATH": "/nowhere"}) == name
