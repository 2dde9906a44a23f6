"""A child process that ends when its task ends: stopped, timed out, or killed without a word. Knows no Airflow."""

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
    """A process in a session of its own, so that all it starts can be stopped with it.

    Where the worker itself is killed, the kernel sends SIGTERM to the child (on Linux): it would otherwise go on, hold
    the lock of the day, and be in the way of the retry.
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
            preexec_fn=dies_with_parent(),
        )

    def lines(self) -> Iterator[str]:
        """The lines of standard error as they come, until all who could write one have ended."""
        assert self.process.stderr is not None
        yield from self.process.stderr

    def wait(self) -> int:
        """The exit code, once the process has ended; negative where a signal ended it."""
        return self.process.wait()

    def stop(self) -> None:
        """Asks the whole session to end, and kills what is left of it after the grace. Does not wait.

        It is called from a signal handler that may have interrupted `lines` or `wait`: those go on and see the end.
        """
        if self.stopped:
            return
        self.stopped = True
        self.signal(signal.SIGTERM)
        self.killer = threading.Timer(self.grace, self.signal, [signal.SIGKILL])
        self.killer.daemon = True
        self.killer.start()

    def close(self) -> None:
        """Leaves nothing behind: whatever still runs is stopped, and then killed."""
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
            # Who was started by the child and did not heed SIGTERM.
            self.signal(signal.SIGKILL)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the session, if there is somebody left."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def dies_with_parent() -> Callable[[], None] | None:
    """What the child does before it becomes logmill; the library is found before the fork: nothing is loaded after."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            # The parent was gone before the kernel was asked.
            os._exit(128 + signal.SIGTERM)

    return ask
