"""Lines of standard error become lines of the task log."""

import logging

import pytest
from harness import NAMED, SAMPLE_DATA, SAMPLE_DAY, logmill
from logmill_airflow.events import read_event


@pytest.mark.parametrize(
    ("line", "level", "text"),
    [
        (
            '{"at":"x","level":"info","event":"read","run":"r","table":"t","rows":7}',
            logging.INFO,
            "read table=t rows=7",
        ),
        (
            '{"level":"warn","event":"object is damaged","object":"a b"}',
            logging.WARNING,
            "object is damaged object=a b",
        ),
        ('{"level":"error","event":"failed","error":"로그","hint":null}', logging.ERROR, "failed error=로그 hint=null"),
        ('{"level":"strange","event":"new"}', logging.INFO, "new"),
        ("thread 'main' panicked\n", logging.INFO, "thread 'main' panicked"),
        ("[1]", logging.INFO, "[1]"),
        ('{"_aws":{},"table":"t"}', logging.INFO, '{"_aws":{},"table":"t"}'),
    ],
)
def test_a_line_is_shown(line: str, level: int, text: str) -> None:
    event = read_event(line)
    assert event is not None
    assert (event.level, event.text) == (level, text)


def test_an_empty_line_is_dropped() -> None:
    assert read_event("\n") is None


def test_failed_events_have_exit_codes(tmp_path) -> None:
    words = ("run", "--day", SAMPLE_DAY, "--input", SAMPLE_DATA, "--output", tmp_path / "lake", "--log-format", "json")
    captured = logmill(*words, *NAMED, "--max-reject-ratio", "0", code=3).stderr
    events = [event for event in map(read_event, captured.splitlines()) if event]
    assert [event.failure for event in events if event.failure is not None] == [3, 3]
    assert any(event.text.startswith("planned day=2023-11-01 table=cloudtrail") for event in events)
