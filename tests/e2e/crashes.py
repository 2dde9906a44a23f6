"""Every state in which a crash can leave the files of a command.

strace records the system calls of the real binary. A model replays them: it knows which names and bytes the
disk must have stored, because they were synced, and which it may have lost. From this model, the files after
a crash at any call are written into a folder, for the real binary to open.

The model promises less than a journal does:

* The changes of one name in a folder reach the disk in their order. Those of different names do so in any.
* A rename or an exchange is one change of two names. It reaches the disk as a whole.
* A sync of a folder stores the changes of its names so far, and what they depend on. It does not store the
  name of the folder itself.
* A sync of a file stores its bytes, but not its name. Bytes that are not synced are lost, kept or torn.
"""

import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Literal

# The calls that the model knows.
NAMES = "openat,mkdir,rename,renameat,renameat2,unlink,unlinkat,rmdir"
DATA = "read,write,pwrite64,lseek,ftruncate,fsync,fdatasync"
# Calls that it does not know. They may not touch the files.
UNKNOWN = (
    "open,creat,mkdirat,link,linkat,symlink,symlinkat,"
    "writev,pwritev,truncate,fallocate,copy_file_range,sendfile,mmap"
)
STRACE = ("strace", "-f", "-y", "-xx", "-s", "1000000", "-e", f"trace={NAMES},{DATA},{UNKNOWN}")
CALL = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)")
BEGUN = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>")
RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)")

Bytes = Literal["kept", "lost", "torn"]
# Content by path; `None` for a folder.
Tree = dict[str, bytes | None]


@dataclass(eq=False)
class Node:
    """A file or folder, whatever its name."""

    names: dict[str, "Node"] | None = None
    # Number of the change, offset and bytes; `None` for a new length.
    writes: list[tuple[int, int, bytes | None]] = field(default_factory=list)
    synced: list[int] = field(default_factory=list)
    known: dict[tuple[int, int, Bytes], bytes] = field(default_factory=dict)

    def content(self, until: int, fate: Bytes) -> bytes:
        """The bytes of a file after a crash."""
        durable = max((number for number in self.synced if number < until), default=-1)
        made = sum(number < until for number, _, _ in self.writes)
        state = (made, durable, fate)
        if state not in self.known:
            self.known[state] = self.replayed(made, durable, fate)
        return self.known[state]

    def replayed(self, made: int, durable: int, fate: Bytes) -> bytes:
        """The bytes after a number of writes."""
        content = bytearray()
        for number, offset, written in self.writes[:made]:
            if number > durable and fate == "lost":
                break
            if written is None:
                del content[offset:]
                continue
            piece = written[: len(written) // 2] if number > durable and fate == "torn" else written
            content[len(content) :] = bytes(max(0, offset - len(content)))
            content[offset : offset + len(piece)] = piece
        return bytes(content)


Name = tuple[Node, str]


@dataclass(frozen=True, eq=False)
class Change:
    """A change of one name or two, each with what it then names."""

    number: int
    targets: tuple[tuple[Node, str, Node | None], ...]

    @cached_property
    def names(self) -> frozenset[Name]:
        """The changed names, each with its folder."""
        return frozenset((folder, name) for folder, name, _ in self.targets)


@dataclass
class Opened:
    """An open file."""

    node: Node
    offset: int = 0
    appends: bool = False


@dataclass
class Crash:
    """The files after a crash."""

    # Number of the call before which the crash happened.
    at: int
    tree: Tree

    @cached_property
    def signature(self) -> frozenset[tuple[str, bytes | None]]:
        """The same for crashes that leave the same files."""
        return frozenset(self.tree.items())

    def write(self, root: Path) -> None:
        """Writes the files into a new folder."""
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        for path, content in sorted(self.tree.items()):
            if content is None:
                (root / path).mkdir()
            else:
                (root / path).write_bytes(content)


class Recording:
    """The calls of a command that change the files below a folder."""

    def __init__(self, root: Path, before: Tree, trace: str) -> None:
        self.root = root
        self.top = Node({})
        self.changes: list[Change] = []
        # The syncs of folders: number and folder.
        self.syncs: list[tuple[int, Node]] = []
        # What the command wrote elsewhere, such as to standard error.
        self.messages: list[tuple[int, bytes]] = []
        self.calls: list[str] = []
        self.files: list[Node] = []
        self.open: dict[int, Opened] = {}
        for path, content in sorted(before.items()):
            folder, name = self.place(str(root / path))
            folder.names[name] = Node({}) if content is None else Node(writes=[(-2, 0, content)], synced=[-1])
        self.base = snapshot(self.top)
        for call, arguments, result in calls(trace):
            self.replay(call, arguments, result)

    @property
    def end(self) -> int:
        """The number of calls."""
        return len(self.calls)

    def place(self, path: str) -> tuple[Node, str] | None:
        """The folder and name of a path; `None` outside of the root."""
        parts = Path(path).relative_to(self.root).parts if Path(path).is_relative_to(self.root) else ()
        folder = self.top
        for part in parts[:-1]:
            folder = (folder.names or {}).get(part) if folder else None
        return (folder, parts[-1]) if folder and parts else None

    def replay(self, call: str, arguments: list[str], result: int) -> None:
        """Notes a call."""
        if result < 0:
            return
        if call in DATA.split(","):
            self.replay_data(call, arguments, result)
        elif call in NAMES.split(","):
            self.replay_names(call, paths(arguments), arguments, result)
        else:
            assert not any(self.place(path) for path in paths(arguments)), f"the model does not know {call}"

    def replay_names(self, call: str, found: list[str], arguments: list[str], result: int) -> None:
        places = [self.place(path) for path in found]
        if not any(places):
            return
        number, (folder, name) = self.end, places[0]
        node = folder.names.get(name)
        match call:
            case "openat":
                flags = arguments[2]
                if node is None:
                    if "O_CREAT" not in flags:
                        return
                    node = Node()
                    self.files.append(node)
                    self.change(call, (folder, name, node))
                elif "O_TRUNC" in flags:
                    node.writes.append((number, 0, None))
                    self.calls.append(f"truncate {name}")
                self.open[result] = Opened(node, appends="O_APPEND" in flags)
            case "mkdir":
                self.change(call, (folder, name, Node({})))
            case "unlink" | "unlinkat" | "rmdir":
                self.change(call, (folder, name, None))
            case _:
                assert places[1], f"{found} leaves the folder"
                other, target = places[1]
                swapped = other.names.get(target) if "EXCHANGE" in arguments[-1] else None
                self.change(call, (folder, name, swapped), (other, target, node))

    def change(self, call: str, *targets: tuple[Node, str, Node | None]) -> None:
        """Notes a change of names, and makes it."""
        self.changes.append(Change(self.end, targets))
        self.calls.append(f"{call} {' '.join(name for _, name, _ in targets)}")
        for folder, name, node in targets:
            folder.names.pop(name, None)
            if node:
                folder.names[name] = node

    def replay_data(self, call: str, arguments: list[str], result: int) -> None:
        number, path = self.end, of_descriptor(arguments[0])
        opened = self.open.get(int(arguments[0].partition("<")[0]))
        is_ours = Path(path).is_relative_to(self.root)
        if call == "write" and not is_ours:
            self.messages.append((number, text(arguments[1])))
            return
        if not is_ours:
            return
        if call in ("fsync", "fdatasync"):
            # strace gives an open file the name that it has now.
            node = self.top if path == str(self.root) else opened.node
            if node.names is not None:
                self.syncs.append((number, node))
            else:
                node.synced.append(number)
            self.calls.append(f"{call} {path.removeprefix(str(self.root))}")
            return
        if opened is None:
            return
        if call == "read":
            opened.offset += result
        elif call == "lseek":
            opened.offset = result
        else:
            self.replay_write(call, arguments, opened, result)

    def replay_write(self, call: str, arguments: list[str], opened: Opened, result: int) -> None:
        node, number = opened.node, self.end
        if call == "ftruncate":
            node.writes.append((number, int(arguments[1]), None))
        elif call == "pwrite64":
            node.writes.append((number, int(arguments[3]), text(arguments[1])[:result]))
        else:
            offset = len(node.content(number, "kept")) if opened.appends else opened.offset
            node.writes.append((number, offset, text(arguments[1])[:result]))
            opened.offset = offset + result
        self.calls.append(call)

    @contextmanager
    def without_sync(self, number: int) -> Iterator[None]:
        """Ignores a sync for a while."""
        syncs, files = self.syncs, [node for node in self.files if number in node.synced]
        self.syncs = [sync for sync in syncs if sync[0] != number]
        for node in files:
            node.synced.remove(number)
        yield
        self.syncs = syncs
        for node in files:
            node.synced.append(number)

    def crashes(self, since: int = 0, fates: int | None = None) -> Iterator[Crash]:
        """The files after a crash before each call, and after the last one: each set once for each call.

        A number limits the fates: 2 are a kill and the worst power cut.
        """
        for at in range(since, self.end + 1):
            seen = set()
            for numbers, fate in islice(self.fates(at), fates):
                crash = Crash(at, self.tree(at, numbers, fate))
                if crash.signature not in seen:
                    seen.add(crash.signature)
                    yield crash

    def fates(self, at: int) -> Iterator[tuple[set[int], Bytes]]:
        """Sets of changes of names that the disk may have stored, and what happened to bytes."""
        made = [change for change in self.changes if change.number < at]
        everything = {change.number for change in made}
        bounds = {folder: number for number, folder in self.syncs if number < at}
        forced = closure(made, bounds)
        # A kill loses nothing, and a power cut the most.
        yield everything, "kept"
        yield forced, "lost"
        yield everything, "lost"
        yield everything, "torn"
        pending = {name: None for change in made if change.number not in forced for name in change.names}
        for name in pending:
            yield closure(made, bounds, {name}), "lost"
            yield without(made, forced, name), "lost"

    def tree(self, at: int, numbers: set[int], fate: Bytes) -> Tree:
        """The files, if these changes of names are stored."""
        names = {folder: dict(found) for folder, found in self.base.items()}
        for change in self.changes:
            if change.number in numbers:
                for folder, name, node in change.targets:
                    found = names.setdefault(folder, {})
                    found.pop(name, None)
                    if node:
                        found[name] = node
        tree: Tree = {}
        below = [("", self.top)]
        while below:
            prefix, folder = below.pop()
            for name, node in names.get(folder, {}).items():
                path = f"{prefix}{name}"
                if node.names is None:
                    tree[path] = node.content(at, fate)
                else:
                    tree[path] = None
                    below.append((f"{path}/", node))
        return tree


def closure(made: list[Change], bounds: dict[Node, int], early: Iterable[Name] = ()) -> set[int]:
    """The changes that the disk has stored, if it has stored those of some folders up to a number, and all of
    some names."""
    stored, needed = set(), set(early)
    for change in reversed(made):
        is_synced = any(bounds.get(folder, -1) > change.number for folder, _ in change.names)
        if is_synced or change.names & needed:
            stored.add(change.number)
            needed |= change.names
    return stored


def without(made: list[Change], forced: set[int], late: Name) -> set[int]:
    """All changes but those of a name that need not be stored, and later ones that depend on them."""
    stored, blocked = set(), {late}
    for change in made:
        if change.number in forced or not change.names & blocked:
            stored.add(change.number)
        else:
            blocked |= change.names
    return stored


def snapshot(top: Node) -> dict[Node, dict[str, Node]]:
    """The names in each folder."""
    found, below = {}, [top]
    while below:
        folder = below.pop()
        found[folder] = dict(folder.names)
        below.extend(node for node in folder.names.values() if node.names is not None)
    return found


def read_tree(root: Path) -> Tree:
    """The files and folders below a folder."""
    paths = sorted(root.rglob("*"))
    return {str(path.relative_to(root)): None if path.is_dir() else path.read_bytes() for path in paths}


def calls(trace: str) -> Iterator[tuple[str, list[str], int]]:
    """The calls of a trace, with their arguments and results, in the order in which they ended."""
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        if unfinished := BEGUN.match(line):
            begun[unfinished[1]] = unfinished[3]
            continue
        if resumed := RESUMED.match(line):
            line = f"{resumed[1]} {resumed[2]}({begun.pop(resumed[1])}{resumed[3]}"
        if found := CALL.match(line):
            yield found[2], found[3].split(", "), int(found[4])


def text(argument: str) -> bytes:
    """A text that strace has written in hexadecimal."""
    return bytes.fromhex(argument.strip('"').replace("\\x", ""))


def of_descriptor(argument: str) -> str:
    """The path of a descriptor, as strace shows it."""
    found = re.search(r"<(.*?)>", argument)
    return text(found[1]).decode() if found and found[1].startswith("\\x") else ""


def paths(arguments: list[str]) -> list[str]:
    """The absolute paths among the arguments of a call."""
    found, base = [], ""
    for argument in arguments:
        if argument.startswith('"'):
            path = text(argument).decode()
            found.append(str(Path(base, path)) if base else path)
        elif "<" in argument:
            base = of_descriptor(argument)
    return found
