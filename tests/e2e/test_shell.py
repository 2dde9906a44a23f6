"""The shell of `logmill query`: what a person types, and what the terminal shows."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from harness import PATIENCE, Published, binary, environment, logmill
from terminal import Typing

PROMPT = "logmill> "
CTRL_C, CTRL_D, TAB, ENTER = "\x03", "\x04", "\t", "\r"


@pytest.fixture
def lake(sample: Published, tmp_path: Path) -> Path:
    """A lake with the sample day that a test may change."""
    return Path(shutil.copytree(sample.lake.root, tmp_path / "lake"))


def answer(shell: Typing, statement: str) -> str:
    """Types a statement, and returns what is shown before the next prompt."""
    shell.type(statement + ENTER)
    # The line editor can show the prompt again while it echoes keys, but not on a new line.
    shell.until("\n")
    return shell.until(PROMPT)


def test_statements_and_commands(lake: Path, tmp_path: Path) -> None:
    """One shell for all, because each takes a second to open."""
    state = tmp_path / "state"
    shell = Typing("query", "--lake", lake, env={"XDG_STATE_HOME": str(state), "PAGER": ""})
    shell.until(PROMPT)

    # Several lines, up to the semicolon.
    shell.type("SELECT 40 + 2" + ENTER)
    assert "42" not in shell.until("\n")
    assert "42" in answer(shell, "AS answer;")

    # An error does not end the shell.
    assert "unknown table or view 'nothing'" in answer(shell, "SELECT * FROM nothing;")
    assert "unknown command '.tabels'" in (shown := answer(shell, ".tabels"))
    assert "did you mean .tables?" in shown

    # Completion of a view, a column and a function.
    shell.type("SELECT count(*) AS logins FROM console_lo" + TAB)
    shell.until("console_logins")
    shell.type(" WHERE mfa_us" + TAB)
    shell.until("mfa_used")
    assert "logins" in answer(shell, " = 'Yes';")
    shell.type("SELECT json_extract_sc" + TAB)
    shell.until("json_extract_scalar")
    shell.type(CTRL_C)
    shell.until(PROMPT)

    # Ctrl-C stops the statement only.
    shell.type(
        "SELECT sum(a.value * b.value) FROM generate_series(1, 9000000) a, generate_series(1, 9000000) b;"
        + ENTER
    )
    shell.until("\n")
    shell.type(CTRL_C)
    assert "interrupted" in shell.until(PROMPT)
    assert "43" in answer(shell, "SELECT 42 + 1;")

    # Commands.
    assert "console_logins" in answer(shell, ".tables")
    assert "varchar" in answer(shell, ".schema console_logins")
    assert "most_requested_objects" in answer(shell, ".examples")
    answer(shell, ".timer off")
    answer(shell, ".format csv")
    assert "a,b\r\n1,x\r\n" in (shown := answer(shell, "SELECT 1 AS a, 'x' AS b;"))
    assert "scanned" not in shown
    assert ".quit" in answer(shell, ".help")

    # A day that was published since the shell opened.
    days = "SELECT count(DISTINCT proc_ymd) AS days FROM cloudtrail;"
    assert "days\r\n1\r\n" in answer(shell, days)
    logmill(
        "run", "--day", "2023-10-31", "--dataset", "cloudtrail", "--input", "sample-data", "--output", lake
    )
    assert "days\r\n2\r\n" in answer(shell, days)

    shell.type(CTRL_D)
    assert shell.ends() == 0
    history = state / "logmill" / "query_history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert days in history.read_text("utf-8")


def test_a_wide_table_goes_through_the_pager(lake: Path, tmp_path: Path) -> None:
    """Without history, because its variable is empty."""
    paged = tmp_path / "paged.txt"
    home = {"HOME": str(tmp_path / "home"), "XDG_STATE_HOME": ""}
    shell = Typing("query", "--lake", lake, env=home | {"PAGER": f"cat > '{paged}'"}, columns=80)
    shell.until(PROMPT)
    answer(shell, "SELECT * FROM cloudtrail LIMIT 3;")
    assert "user_identity_arn" in paged.read_text("utf-8").splitlines()[0]
    assert "1 row in" in answer(shell, "SELECT 1 AS narrow;")
    assert "narrow" not in paged.read_text("utf-8")
    shell.type(".quit" + ENTER)
    assert shell.ends() == 0
    assert not (tmp_path / "home").exists()


def test_a_pipe_gets_no_prompt(lake: Path) -> None:
    command = [str(binary()), "query", "--lake", str(lake), "--quiet"]
    piped = subprocess.run(
        command,
        input=b"SELECT 1 AS one;\n",
        env=environment(),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (piped.returncode, piped.stdout, piped.stderr) == (0, b"one\n1\n", b"")
