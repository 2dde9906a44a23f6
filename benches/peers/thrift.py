"""Reads values in Thrift's compact protocol, as much of it as Parquet's footers and indexes use.

A struct becomes a dictionary of its fields by number; names are given where it is used.
"""

import struct

STOP, TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 12
Struct = dict[int, object]


class Compact:
    """A place in a buffer."""

    def __init__(self, content: bytes, at: int = 0) -> None:
        self.content, self.at = content, at

    def byte(self) -> int:
        """The next byte."""
        self.at += 1
        return self.content[self.at - 1]

    def varint(self) -> int:
        """An unsigned number, seven bits a byte."""
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def number(self) -> int:
        """A signed number."""
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def take(self, length: int) -> bytes:
        """The next bytes."""
        self.at += length
        return self.content[self.at - length : self.at]

    def struct(self) -> Struct:
        """A struct up to its end."""
        fields: Struct = {}
        field = 0
        while (head := self.byte()) != STOP:
            field = field + (head >> 4) if head >> 4 else self.number()
            kind = head & 15
            fields[field] = kind == TRUE if kind in (TRUE, FALSE) else self.value(kind)
        return fields

    def value(self, kind: int) -> object:
        """A value of a kind that is no truth value in a struct."""
        if kind == STRUCT:
            return self.struct()
        if kind in (LIST, SET):
            return self.list()
        if kind == BINARY:
            return self.take(self.varint())
        if kind == DOUBLE:
            return struct.unpack("<d", self.take(8))[0]
        if kind in (TRUE, FALSE):
            return self.byte() == TRUE
        return self.byte() if kind == BYTE else self.number()

    def list(self) -> list:
        """A list; its truth values are bytes."""
        head = self.byte()
        length = head >> 4 if head >> 4 < 15 else self.varint()
        return [self.value(head & 15) for _ in range(length)]
