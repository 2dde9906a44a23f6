"""A child process that ends when its task ends, times out or is killed. Independent of Airflow."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO

PR_SET_PDEATHSIG = 1


class Child:
    """A process in its own session, so that its descendants stop with it.

    If the worker is killed, the kernel sends SIGTERM to the child (on Linux). Otherwise the child would keep running,
    hold the lock of the day, and block the retry.
    """

    def __init__(self, words: Sequence[str], env: Mapping[str, str], stdout: IO[bytes], cwd: str | None, grace: float):
        self.grace = grace
        self.stopped = False
        self.killer: threading.Timer | None = None
        self.process = subprocess.Popen(
            list(words),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            preexec_fn=end_with_parent(),
        )

    def lines(self) -> Iterator[str]:
        """The lines of standard error as they arrive, until every process that can write to it has ended."""
        assert self.process.stderr is not None
        yield from self.process.stderr

    def wait(self) -> int:
        """The exit code, once the process has ended. Negative if a signal ended it."""
        return self.process.wait()

    def stop(self) -> None:
        """Asks the whole session to end, and kills the rest after the grace period. Does not wait.

        May be called from a signal handler that interrupted `lines` or `wait`. These then continue and see the end.
        """
        if self.stopped:
            return
        self.stopped = True
        self.signal(signal.SIGTERM)
        self.killer = threading.Timer(self.grace, self.signal, [signal.SIGKILL])
        self.killer.daemon = True
        self.killer.start()

    def close(self) -> None:
        """Stops and then kills every remaining process."""
        if self.process.poll() is None:
            self.stop()
            try:
                self.process.wait(self.grace + 1)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGKILL)
                self.process.wait()
        if self.killer is not None:
            self.killer.cancel()
        if self.stopped:
            # Descendants of the child that ignored SIGTERM.
            self.signal(signal.SIGKILL)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the session, if any process remains."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def end_with_parent() -> Callable[[], None] | None:
    """What the child runs between fork and exec. Loads the library before the fork; loading it later is unsafe."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            # The parent ended before this request.
            os._exit(128 + signal.SIGTERM)

    return ask
