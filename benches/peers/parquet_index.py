"""Reads the footer, the indexes and the bloom filters of a Parquet file, and their sizes in bytes."""

import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import xxhash

from benches.peers.thrift import Compact, Struct

INT32, INT64 = 1, 2
SALTS = (0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31)
LAYOUTS = {INT32: "<i", INT64: "<q"}
# The last eight bytes: the length of the footer, and the magic number.
TRAILER = 8
Value = int | bytes


@dataclass(frozen=True)
class Bounds:
    """The known bounds of a range of a column, or None if unknown."""

    low: Value | None
    high: Value | None
    nulls: int | None
    all_null: bool = False


@dataclass(frozen=True)
class Page:
    """A data page: its first and end row in the row group, its size in bytes and its bounds."""

    first: int
    end: int
    size: int
    bounds: Bounds


class Chunk:
    """A column chunk of a row group."""

    def __init__(self, content: bytes, chunk: Struct, rows: int) -> None:
        self.content, self.chunk, self.rows = content, chunk, rows
        self.meta: Struct = chunk[3]
        self.size: int = self.meta[7]

    @property
    def bounds(self) -> Bounds:
        """The statistics of the chunk."""
        known = self.meta.get(12, {})
        return Bounds(self.decoded(known.get(6)), self.decoded(known.get(5)), known.get(3))

    @property
    def offset_index_size(self) -> int:
        """Size of the offset index in bytes, or 0 without one."""
        return self.chunk.get(5, 0)

    @property
    def column_index_size(self) -> int:
        """Size of the column index in bytes, or 0 without one."""
        return self.chunk.get(7, 0)

    @cached_property
    def pages(self) -> list[Page]:
        """The pages. Without an index, the chunk is one page."""
        if not self.offset_index_size:
            return [Page(0, self.rows, self.size, self.bounds)]
        places = Compact(self.content, self.chunk[4]).struct()[1]
        ends = [place[3] for place in places[1:]] + [self.rows]
        bounds = self.page_bounds(len(places))
        return [
            Page(place[3], end, place[2], bound)
            for place, end, bound in zip(places, ends, bounds, strict=True)
        ]

    def page_bounds(self, count: int) -> list[Bounds]:
        """Returns the bounds of the pages."""
        if not self.column_index_size:
            return [self.bounds if count == 1 else Bounds(None, None, None)] * count
        index = Compact(self.content, self.chunk[6]).struct()
        nulls = index.get(5, [None] * count)
        return [
            Bounds(None, None, nulls[at], all_null=True)
            if empty
            else Bounds(self.decoded(index[2][at]), self.decoded(index[3][at]), nulls[at])
            for at, empty in enumerate(index[1])
        ]

    @property
    def dictionary_size(self) -> int:
        """Size of the dictionary page in bytes, or 0 without one or if the whole chunk counts as one page."""
        if not self.offset_index_size:
            return 0
        return self.size - sum(page.size for page in self.pages)

    @property
    def bloom_filter_size(self) -> int:
        """Size of the bloom filter and its header in bytes, or 0 without one."""
        if 14 not in self.meta:
            return 0
        header = Compact(self.content, self.meta[14])
        return header.struct()[1] + header.at - self.meta[14]

    def may_hold(self, value: Value) -> bool:
        """Whether the split-block bloom filter may contain a value."""
        header = Compact(self.content, self.meta[14])
        size = header.struct()[1]
        plain = value if isinstance(value, bytes) else struct.pack(LAYOUTS[self.meta[1]], value)
        hashed = xxhash.xxh64_intdigest(plain)
        block = header.at + 32 * ((hashed >> 32) * (size // 32) >> 32)
        words = struct.unpack_from("<8I", self.content, block)
        bits = (1 << ((hashed * salt & 0xFFFFFFFF) >> 27) for salt in SALTS)
        return all(word & bit for word, bit in zip(words, bits, strict=True))

    def decoded(self, plain: bytes | None) -> Value | None:
        """Decodes a bound to a comparable value. Unused types have none."""
        if plain is None:
            return None
        layout = LAYOUTS.get(self.meta[1])
        return struct.unpack(layout, plain)[0] if layout and plain else plain


class ParquetFile:
    """A file, read completely. Callers count the bytes that a reader would have to fetch."""

    def __init__(self, path: Path) -> None:
        self.path, content = path, path.read_bytes()
        length = struct.unpack("<I", content[-TRAILER:-4])[0]
        self.footer_size = length + TRAILER
        footer = Compact(content, len(content) - self.footer_size).struct()
        self.row_groups = [self.chunks(content, group) for group in footer[4]]
        self.row_counts = [group[3] for group in footer[4]]

    @staticmethod
    def chunks(content: bytes, group: Struct) -> dict[str, Chunk]:
        """Returns the flat columns of a row group by name, and lists by the name of the list."""
        return {chunk[3][3][0].decode(): Chunk(content, chunk, group[3]) for chunk in group[1]}
