"""Reads values in Thrift's compact protocol, as far as Parquet's footers and indexes use it.

A struct becomes a dictionary of its fields by number. The users of this module name the fields.
"""

import struct

STOP, TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 12
Struct = dict[int, object]


class Compact:
    """A reader at a position in a buffer."""

    def __init__(self, content: bytes, at: int = 0) -> None:
        self.content, self.at = content, at

    def byte(self) -> int:
        """Reads the next byte."""
        self.at += 1
        return self.content[self.at - 1]

    def varint(self) -> int:
        """Reads an unsigned number with seven bits per byte."""
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def number(self) -> int:
        """Reads a signed number."""
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def take(self, length: int) -> bytes:
        """Reads the next bytes."""
        self.at += length
        return self.content[self.at - length : self.at]

    def struct(self) -> Struct:
        """Reads a struct to its end."""
        fields: Struct = {}
        field = 0
        while (head := self.byte()) != STOP:
            field = field + (head >> 4) if head >> 4 else self.number()
            kind = head & 15
            fields[field] = kind == TRUE if kind in (TRUE, FALSE) else self.value(kind)
        return fields

    def value(self, kind: int) -> object:
        """Reads a value, except for a boolean field of a struct."""
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
        """Reads a list. Its booleans are bytes."""
        head = self.byte()
        length = head >> 4 if head >> 4 < 15 else self.varint()
        return [self.value(head & 15) for _ in range(length)]
