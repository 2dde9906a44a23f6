"""JSON values as verbatim text, so that 1e400 and 9007199254740993 survive."""

import json
import re
from collections.abc import Iterator

SPACE = re.compile(r"[ \t\r\n]*")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


DECODER = json.JSONDecoder(parse_constant=_refuse)


class Scanner:
    """Scans one JSON text and returns every value as its verbatim slice."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def at_end(self) -> bool:
        """Whether only white space is left."""
        return self._next() == ""

    def value(self) -> str:
        """The next value, verbatim."""
        self._skip_space()
        start = self.at
        _, self.at = DECODER.raw_decode(self.text, start)
        return self.text[start : self.at]

    def names(self) -> Iterator[str]:
        """Each name of the next object. The caller reads the value before continuing."""
        for _ in self._items("{", "}"):
            if self._next() != '"':
                raise ValueError(f"a name expected at character {self.at}")
            name = json.loads(self.value())
            self._take(":")
            yield name

    def elements(self) -> Iterator[str]:
        """Each verbatim value of the next array."""
        for _ in self._items("[", "]"):
            yield self.value()

    def _items(self, opening: str, closing: str) -> Iterator[None]:
        self._take(opening)
        if self._next() == closing:
            self._take(closing)
            return
        while True:
            yield
            if self._next() == closing:
                self._take(closing)
                return
            self._take(",")

    def _next(self) -> str:
        self._skip_space()
        return self.text[self.at : self.at + 1]

    def _take(self, expected: str) -> None:
        if self._next() != expected:
            raise ValueError(f"{expected!r} expected at character {self.at}")
        self.at += 1

    def _skip_space(self) -> None:
        self.at = SPACE.match(self.text, self.at).end()


def members(raw: str) -> dict[str, str]:
    """Names and verbatim values of an object. If a name repeats, the last value counts."""
    scanner = Scanner(raw)
    return {name: scanner.value() for name in scanner.names()}


def elements(raw: str) -> list[str]:
    """Verbatim values of an array."""
    return list(Scanner(raw).elements())
