"""What a terminal shows: tables that fit, colours, progress, next steps. A pipe gets none of it."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from harness import REPOSITORY, SAMPLE_DATA, SAMPLE_DAY, Published, binary, environment, logmill
from terminal import COLOUR, Seen, on_terminal

WIDTHS = [60, 80, 120, 200]
INPUT = REPOSITORY / SAMPLE_DATA


def run_day(lake: Path, *options: str, **terminal: object) -> Seen:
    """Publishes the sample day on a terminal."""
    seen = on_terminal("run", "--day", SAMPLE_DAY, "--input", INPUT, "--output", lake, *options, **terminal)
    assert seen.code == 0, seen.text
    return seen


def status(lake: Path, *options: str, **terminal: object) -> Seen:
    """Shows the days around the sample day on a terminal."""
    days = ("--from", "2023-10-30", "--to", "2023-11-02")
    return on_terminal("status", *days, "--input", INPUT, "--output", lake, *options, **terminal)


def table(text: str, first: str) -> list[str]:
    """The lines of the table whose header begins with a name."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{first} "))
    end = next(number for number in range(start, len(lines)) if not lines[number].strip())
    return lines[start:end]


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_tables_of_a_run_fit_the_terminal(tmp_path: Path, sample: Published, columns: int) -> None:
    seen = run_day(tmp_path / "lake", columns=columns)
    lines = table(seen.text, "table")
    assert max(map(len, lines)) <= columns, "\n".join(lines)
    written = [f"{entry['written']:,}" for entry in sample.summary["tables"]]
    assert [line for line, count in zip(lines[1:], written, strict=False) if count in line.split()], lines
    is_complete = "MB/s" in lines[0]
    assert is_complete == (columns == 200)
    assert is_complete != any(line.startswith("hidden at this width: ") for line in lines)


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_tables_of_status_fit_the_terminal(sample: Published, columns: int) -> None:
    lines = table(status(sample.lake.root, columns=columns).text, "day")
    assert max(map(len, lines)) <= columns, "\n".join(lines)
    header = lines[0].split()
    assert {"day", "state", "rows", "note"} <= set(header)
    assert ("run" in header) == (columns == 200)
    assert any(line.startswith(f"{SAMPLE_DAY}  published") for line in lines)


def tables_of(lake: Path) -> dict[str, tuple[str | Path, ...]]:
    """Commands that print tables or sentences about the sample day."""
    of_day = ("--day", SAMPLE_DAY, "--output", lake)
    absent = ("--event-id", "00000000-0000-0000-0000-000000000000")
    return {
        "discover": ("--input", INPUT),
        "why": (*of_day, *absent, "--input", INPUT),
        "diff": (*of_day, "live", "live"),
        "config": ("--output", lake),
        "schema": (),
        "certify": of_day,
        "doctor": ("--from", "2023-10-31", "--to", "2023-11-01", "--input", INPUT, "--output", lake),
        "plan": ("--day", SAMPLE_DAY, "--input", INPUT),
    }


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("command", tables_of(Path()))
def test_what_other_commands_print_fits_the_terminal(sample: Published, command: str, columns: int) -> None:
    """Only words that no line can hold are wider, and commands, which the terminal wraps so that they can be pasted."""
    seen = on_terminal(command, *tables_of(sample.lake.root)[command], columns=columns)
    lines = [line for line in seen.text.splitlines() if "logmill " not in line]
    assert len(lines) > 3, seen.text
    wide = [line for line in lines if len(line) > columns and max(map(len, line.split())) < columns - 24]
    assert not wide, "\n".join(wide)


@pytest.mark.parametrize("command", tables_of(Path()))
def test_a_pipe_gets_the_same_output_at_any_width(sample: Published, command: str) -> None:
    given = tables_of(sample.lake.root)[command]
    outputs = {on_terminal(command, *given, columns=columns, pipes_stdout=True).piped for columns in (60, 200)}
    # The time of issue and the pace of a forecast differ between calls.
    outputs = {re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "INSTANT", output) for output in outputs}
    assert len(outputs) == 1
    assert "hidden at this width" not in outputs.pop()


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}])
def test_a_day_with_altered_files_is_marked(tmp_path: Path, variables: dict[str, str]) -> None:
    trail, lake = REPOSITORY / "sample-trail", tmp_path / "lake"
    given = ("--day", SAMPLE_DAY, "--dataset", "cloudtrail", "--input", trail / "damaged", "--output", lake)
    given = (*given, "--public-keys", trail / "keys.json")
    logmill("run", *given)
    seen = on_terminal("status", *given, "--check", env=variables)
    assert seen.code == 4, seen.text
    for mark in ("!", "altered", "1 day whose logs or digests were altered or are missing:"):
        assert (f"\x1b[1;31m{mark}\x1b[0m" in seen.sent) == (not variables)
        assert mark in seen.text
    assert f"\n  logmill certify --lake {lake} --day {SAMPLE_DAY}\n" in seen.text


def test_columns_overrides_the_width_of_the_terminal(sample: Published) -> None:
    narrow = status(sample.lake.root, columns=200, env={"COLUMNS": "60"})
    assert max(map(len, table(narrow.text, "day"))) <= 60


def test_a_terminal_too_narrow_for_a_table_shows_lists(sample: Published) -> None:
    seen = status(sample.lake.root, columns=20)
    assert f"{SAMPLE_DAY}\n  state         published\n" in seen.text


def test_states_have_colours_that_suit_any_background(sample: Published) -> None:
    sent = status(sample.lake.root).sent
    assert "\x1b[32mpublished\x1b[0m" in sent
    # Default, bold, dim, red, green and magenta: readable on black and on white.
    assert set(COLOUR.findall(sent)) <= {f"\x1b[{code}m" for code in ("0", "1", "2", "32", "1;31", "1;35")}


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"CLICOLOR": "0"}])
def test_colours_can_be_turned_off(tmp_path: Path, variables: dict[str, str]) -> None:
    lake = tmp_path / "lake"
    for seen in [run_day(lake, env=variables), status(lake, env=variables)]:
        assert not COLOUR.search(seen.sent)
    refused = on_terminal("run", "--fly", env=variables)
    assert (refused.code, COLOUR.search(refused.sent)) == (2, None)
    failed = on_terminal("verify", "--day", SAMPLE_DAY, "--output", tmp_path / "none", env=variables)
    assert failed.code != 0
    assert not COLOUR.search(failed.sent)


def test_errors_and_help_have_colours_on_a_terminal(tmp_path: Path) -> None:
    failed = on_terminal("verify", "--day", SAMPLE_DAY, "--output", tmp_path / "none")
    assert "\x1b[1;31mlogmill:\x1b[0m " in failed.sent
    assert "\x1b[1mhint:\x1b[0m " in failed.sent
    assert COLOUR.search(on_terminal("run", "--help").sent)
    assert "\x1b" not in logmill("run", "--help").stdout


@pytest.mark.parametrize("command", ["run", "query", "publish", "doctor", "why"])
def test_the_examples_of_help_keep_their_lines(command: str) -> None:
    """Each line of an example either is a whole command or ends with a backslash, so that it can be pasted."""
    examples = on_terminal(command, "--help", columns=80).text.split("Examples:\n")[1].strip("\n").split("\n")
    begins = [line for line in examples if line.startswith("  logmill ")]
    continued = [before for before, line in zip(examples, examples[1:], strict=False) if line not in begins]
    assert len(begins) > 1
    assert all(line.endswith(" \\") for line in continued), examples


def test_a_dumb_terminal_gets_no_escape_sequence(tmp_path: Path) -> None:
    seen = run_day(tmp_path / "lake", env={"TERM": "dumb"})
    assert "\x1b" not in seen.sent
    assert "Next:" in seen.sent


def test_progress_is_drawn_and_cleared(tmp_path: Path) -> None:
    seen = run_day(tmp_path / "lake", columns=120)
    for step in ("reading", "writing"):
        assert f" {SAMPLE_DAY}  {step}  [" in seen.sent
        assert f"  {step}  [" not in seen.text, seen.text
    assert f"\nKST day {SAMPLE_DAY}, run " in seen.text, seen.text


def test_a_backfill_shows_its_days(tmp_path: Path) -> None:
    days = ("--from", SAMPLE_DAY, "--to", SAMPLE_DAY)
    seen = on_terminal("backfill", *days, "--input", INPUT, "--output", tmp_path / "lake", columns=120)
    assert seen.code == 0, seen.text
    assert "cloudtrail  all days  [" in seen.sent
    assert "0 of 1 day" in seen.sent
    assert "all days" not in seen.text
    assert re.search(r"\d table-days? published", seen.text), seen.text


def test_messages_stand_above_the_progress(tmp_path: Path) -> None:
    seen = run_day(tmp_path / "lake", "-v", columns=120)
    steps = [line for line in seen.text.splitlines() if line.startswith("info: ")]
    assert [line for line in steps if line.startswith("info: published table=")], seen.text
    assert not [line for line in seen.text.splitlines() if "[" in line and "info:" in line.split("[")[1]]


@pytest.mark.parametrize("options", [("--quiet",), ("--log-format", "json")])
def test_scripts_get_neither_progress_nor_advice(tmp_path: Path, options: tuple[str, ...]) -> None:
    seen = run_day(tmp_path / "lake", *options, pipes_stdout=True)
    assert "\x1b" not in seen.sent
    assert "Next:" not in seen.sent
    assert (seen.sent == "") == (options == ("--quiet",))


def test_a_pipe_gets_the_whole_table_and_nothing_else(tmp_path: Path) -> None:
    seen = run_day(tmp_path / "lake", columns=60, pipes_stdout=True)
    assert "\x1b" not in seen.piped
    assert "Next:" in seen.text
    assert "Next:" not in seen.piped
    piped = logmill("run", "--day", SAMPLE_DAY, "--input", INPUT, "--output", tmp_path / "other")
    assert "\x1b" not in piped.stdout + piped.stderr
    assert "Next:" not in piped.stderr
    header = table(piped.stdout, "table")[0]
    assert table(seen.piped, "table")[0].split() == header.split()
    assert header.split()[-3:] == ["seconds", "MB/s", "state"]


def test_the_next_steps_work_as_they_are_printed(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "logmill").symlink_to(binary())
    name = "it's a lake"
    seen = run_day(Path(name), cwd=tmp_path, columns=200)
    lines = seen.text.splitlines()
    published, following = lines.index("Published:"), lines.index("Next:")
    places = [Path(line.strip()) for line in lines[published + 1 : following - 1]]
    assert places
    assert all(list((tmp_path / place).iterdir()) for place in places)
    commands = [line.strip() for line in lines[following + 1 :] if line.strip()]
    programs = [" ".join(command.split()[:2]) for command in commands]
    assert programs[:3] == ["logmill query", "logmill report", "logmill status"], commands
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for command in commands:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=tmp_path,
            env=environment() | {"PATH": path},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert done.stdout or list(tmp_path.glob("*.html")), command
