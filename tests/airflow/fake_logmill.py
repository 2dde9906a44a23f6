"""Stands in for the binary. Environment variables decide what it prints and how it ends.

FAKE_EVENTS: lines for standard error. FAKE_STDOUT: standard output. FAKE_SUMMARY: content of --summary-json.
FAKE_SUMMARY_FILE: a file with that content, which need not be valid. FAKE_CODE: exit code. FAKE_PIDS: a file that gets
the ids of this process and of a child that it starts; both then wait to be stopped. FAKE_DEAF: the child ignores
SIGTERM. FAKE_SEEN: a file that gets command line and environment.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

GRANDCHILD = "import signal, sys; {deaf}; print(flush=True); signal.pause()"


def main() -> int:
    """Runs the whole program."""
    given = dict(word.removeprefix("--").partition("=")[::2] for word in sys.argv[2:])
    if seen := os.environ.get("FAKE_SEEN"):
        Path(seen).write_text(json.dumps({"words": sys.argv[1:], "env": dict(os.environ)}))
    if summary := os.environ.get("FAKE_SUMMARY"):
        Path(given["summary-json"]).write_text(summary)
    if content := os.environ.get("FAKE_SUMMARY_FILE"):
        Path(given["summary-json"]).write_bytes(Path(content).read_bytes())
    print(os.environ.get("FAKE_STDOUT", ""), flush=True)
    print(os.environ.get("FAKE_EVENTS", ""), file=sys.stderr, flush=True)
    if pids := os.environ.get("FAKE_PIDS"):
        wait_with_child(Path(pids))
    return int(os.environ.get("FAKE_CODE", "0"))


def wait_with_child(pids: Path) -> None:
    """Starts a child, writes both process ids, and waits. Ends with 130 on SIGTERM, as logmill does."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(130))
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)" if os.environ.get("FAKE_DEAF") else "pass"
    child = subprocess.Popen([sys.executable, "-c", GRANDCHILD.format(deaf=deaf)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    partial = pids.with_suffix(".tmp")
    partial.write_text(json.dumps([os.getpid(), child.pid]))
    partial.replace(pids)
    while True:
        signal.pause()


if __name__ == "__main__":
    sys.exit(main())
