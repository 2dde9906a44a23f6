"""Open files as the kernel sees them: which files a process opens, and a gate in front of one of them.

No clock is involved: inotify counts opened files, and a gate is a lease on a file, which makes every other
process wait in `open`.
"""

import ctypes
import fcntl
import os
import signal
import struct
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import PATIENCE

IN_OPEN, IN_ISDIR, IN_Q_OVERFLOW = 0x20, 0x40000000, 0x4000
EVENT = struct.Struct("iIII")
LIBC = ctypes.CDLL(None, use_errno=True)


class Opened:
    """Counts how often each file below a folder is opened, from its creation on."""

    def __init__(self, root: Path) -> None:
        self.queue = LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self.queue >= 0, os.strerror(ctypes.get_errno())
        self.folders: dict[int, Path] = {}
        self.found: Counter[str] = Counter()
        for folder, _, _ in os.walk(root):
            watch = LIBC.inotify_add_watch(self.queue, folder.encode(), IN_OPEN)
            assert watch >= 0, os.strerror(ctypes.get_errno())
            self.folders[watch] = Path(folder).relative_to(root)

    def so_far(self) -> Counter[str]:
        """The counts so far, by path below the folder."""
        while events := self._read():
            while events:
                watch, mask, _, length = EVENT.unpack_from(events)
                name = events[EVENT.size : EVENT.size + length].rstrip(b"\0").decode()
                events = events[EVENT.size + length :]
                assert not mask & IN_Q_OVERFLOW, "the kernel dropped events about opened files"
                if not mask & IN_ISDIR:
                    self.found[(self.folders[watch] / name).as_posix()] += 1
        return self.found

    def _read(self) -> bytes:
        try:
            return os.read(self.queue, 1 << 20)
        except BlockingIOError:
            return b""


@contextmanager
def opened(root: Path) -> Iterator[Opened]:
    """Watches a folder."""
    watcher = Opened(root)
    try:
        yield watcher
    finally:
        os.close(watcher.queue)


class Gate:
    """A file that no process can open until the gate is lifted."""

    def __init__(self, path: Path) -> None:
        self.file = os.open(path, os.O_RDONLY)
        # SIGURG is ignored by default; it reports that a process waits.
        fcntl.fcntl(self.file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(self.file, fcntl.F_SETLEASE, fcntl.F_WRLCK)

    def wait(self, process: subprocess.Popen[str]) -> None:
        """Returns once the process waits at the gate."""
        until = time.monotonic() + PATIENCE
        while fcntl.fcntl(self.file, fcntl.F_GETLEASE) == fcntl.F_WRLCK:
            assert process.poll() is None, f"ended before the gate: {process.communicate()[1][-2000:]}"
            assert time.monotonic() < until, "the process did not reach the gate"
            time.sleep(0.002)

    def lift(self) -> None:
        """Lets every process pass."""
        if self.file >= 0:
            fcntl.fcntl(self.file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            os.close(self.file)
            self.file = -1


@contextmanager
def gate(path: Path) -> Iterator[Gate]:
    """A gate that is lifted at the end."""
    gate = Gate(path)
    try:
        yield gate
    finally:
        gate.lift()
