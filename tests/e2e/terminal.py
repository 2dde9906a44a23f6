"""Runs the binary on a pseudo-terminal, and shows what a person sees there."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from dataclasses import dataclass
from pathlib import Path

from harness import PATIENCE, REPOSITORY, binary, environment

# Cursor movements and colours: one argument at most is needed here.
SEQUENCE = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Variables of this machine that would change the output.
STEERING = ("NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "CI")


@dataclass(frozen=True)
class Seen:
    """The outcome of a command."""

    code: int
    # Width of the terminal.
    columns: int
    # All that the terminal received.
    sent: str
    # Standard output, if it went into a pipe.
    piped: str

    @property
    def text(self) -> str:
        """What remains on the screen, with its colours removed."""
        return screen(self.sent, self.columns)


def on_terminal(
    *arguments: str | Path,
    columns: int = 80,
    env: dict[str, str] | None = None,
    cwd: Path = REPOSITORY,
    pipes_stdout: bool = False,
) -> Seen:
    """Runs the binary with standard error, and usually standard output, on a terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    base = {name: value for name, value in environment().items() if name not in STEERING}
    process = subprocess.Popen(
        [str(binary()), *map(str, arguments)],
        cwd=cwd,
        env=base | {"TERM": "xterm-256color"} | (env or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if pipes_stdout else theirs,
        stderr=theirs,
    )
    os.close(theirs)
    sent = received(ours)
    os.close(ours)
    piped = process.stdout.read().decode() if process.stdout else ""
    return Seen(process.wait(PATIENCE), columns, sent, piped)


class Typing:
    """A command whose terminal a person types into."""

    def __init__(self, *arguments: str | Path, env: dict[str, str] | None = None, columns: int = 200) -> None:
        self.terminal, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        base = {name: value for name, value in environment().items() if name not in STEERING}
        self.process = subprocess.Popen(
            [str(binary()), *map(str, arguments)],
            cwd=REPOSITORY,
            env=base | {"TERM": "xterm-256color"} | (env or {}),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            preexec_fn=lambda: own_terminal(theirs),
        )
        os.close(theirs)
        # What was sent since the last call of `until`.
        self.sent = ""

    def until(self, expected: str) -> str:
        """Reads until a text appears, and returns everything up to its end."""
        end = time.monotonic() + PATIENCE
        while expected not in self.sent:
            assert select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0], (
                f"{expected!r} did not appear: {self.sent!r}"
            )
            try:
                chunk = os.read(self.terminal, 65536)
            except OSError as cause:
                # Linux reports the end of a terminal as an error.
                raise AssertionError(f"ended before {expected!r}: {self.sent!r}") from cause
            self.sent += chunk.decode(errors="replace")
        seen, _, self.sent = self.sent.partition(expected)
        return seen + expected

    def type(self, keys: str) -> None:
        """Types text and control characters."""
        os.write(self.terminal, keys.encode())

    def ends(self) -> int:
        """Reads to the end, and returns the exit code."""
        self.sent += received(self.terminal)
        os.close(self.terminal)
        return self.process.wait(PATIENCE)


def own_terminal(terminal: int) -> None:
    """Makes a terminal the one of this process, so that Ctrl-C reaches it."""
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


def received(terminal: int) -> str:
    """Reads until the last writer closes the terminal."""
    chunks = []
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            # Linux reports the end of a terminal as an error.
            break
        if not chunk:
            break
        chunks.append(chunk)
    return b"".join(chunks).decode()


def screen(sent: str, columns: int) -> str:
    """The lines that a terminal of this width shows, without colours. Wrapped lines are joined."""
    lines, row, column, place = [""], 0, 0, 0
    wrapped: set[int] = set()
    while place < len(sent):
        letter = sent[place]
        if found := SEQUENCE.match(sent, place):
            place = found.end()
            number = int(found[1]) if found[1].isdigit() else 1
            match found[2]:
                case "A":
                    row = max(0, row - number)
                case "B":
                    row += number
                case "K":
                    lines[row] = "" if found[1] == "2" else lines[row][:column]
                case "m" | "h" | "l":
                    pass
                case other:
                    raise AssertionError(f"unexpected sequence {found[0]!r} {other}")
            continue
        place += 1
        assert letter != "\x1b", f"unexpected sequence {sent[place : place + 10]!r}"
        if letter == "\r":
            column = 0
        elif letter == "\n":
            row += 1
            wrapped.discard(row)
        else:
            if column == columns:
                row, column = row + 1, 0
                wrapped.add(row)
                lines += [""] * (row + 1 - len(lines))
            line = lines[row].ljust(column)
            lines[row] = line[:column] + letter + line[column + 1 :]
            column += 1
        lines += [""] * (row + 1 - len(lines))
    ends = ["" if number + 1 in wrapped else "\n" for number in range(len(lines))]
    return re.sub(" +\n", "\n", "".join(line + end for line, end in zip(lines, ends, strict=True)))
