//! Both gzip decoders give the same bytes, and so do pieces and the whole.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use logmill::store::unpack::{
    Unpacked, WholeGunzip, is_damage, is_gzip, unpack_single, without_byte_order_mark,
};

use super::choice;

/// The most bytes that are unpacked.
const MOST: usize = 1 << 20;

/// The first letter chooses the number of members; none means that the input is packed already. The second one chooses
/// whether a byte is changed.
pub(crate) fn check(mut data: &[u8]) {
    let (members, change) = (choice(&mut data, 4), choice(&mut data, 4));
    let mut packed = if members == 0 { data.to_vec() } else { pack(data, members) };
    if change == 3 && !packed.is_empty() {
        let place = data.len() * 31 % packed.len();
        packed[place] ^= 1 << (data.len() % 8);
    }
    agree(&packed);
    if members > 0 && change < 3 {
        let (content, end) = read(&packed, usize::MAX);
        assert_eq!(end, None, "intact members can be read");
        assert_eq!(content, without_byte_order_mark(data));
    }
}

/// Packs content into members, each followed by as many zeros as its number.
fn pack(content: &[u8], members: usize) -> Vec<u8> {
    let mut packed = Vec::new();
    for (number, part) in content.chunks(content.len().div_ceil(members).max(1)).enumerate() {
        let mut member = GzEncoder::new(Vec::new(), Compression::fast());
        member.write_all(part).unwrap();
        packed.extend(member.finish().unwrap());
        packed.resize(packed.len() + number, 0);
    }
    packed
}

fn agree(packed: &[u8]) {
    let (content, end) = read(packed, usize::MAX);
    let (in_pieces, its_end) = read(packed, 7);
    assert_eq!(its_end, end, "pieces are as sound as the whole");
    // How much of damaged content is decoded depends on the pieces, but never what it is.
    let is_same = if end.is_some() {
        in_pieces.starts_with(&content) || content.starts_with(&in_pieces)
    } else {
        in_pieces == content
    };
    assert!(is_same, "pieces give the content of the whole");
    let is_whole = end.is_none() && content.len() < MOST;
    let mut decoder = WholeGunzip::default();
    if let Some(whole) = decoder.unpack(packed, MOST) {
        // Bytes behind a member can end like it. They are then overlooked.
        let (before, trailer) = packed.split_at(packed.len() - 8);
        let is_repeated = before.windows(8).any(|window| window == trailer);
        assert!(is_whole || is_repeated, "libdeflate accepts only sound members");
        if !is_whole {
            return;
        }
        assert_eq!(without_byte_order_mark(whole), content, "both decoders give the same bytes");
        let single = unpack_single(packed, MOST as u64);
        assert_eq!(single.as_deref(), Ok(whole), "the member is alone");
    }
    if let Ok(single) = unpack_single(packed, MOST as u64) {
        assert!(is_gzip(packed) && (end.is_none() || single.len() >= MOST));
        assert_eq!(without_byte_order_mark(&single).get(..content.len()), Some(&content[..]));
    }
}

/// Reads content in pieces of at most `size` bytes, and returns the kind of the error at its end.
fn read(packed: &[u8], size: usize) -> (Vec<u8>, Option<io::ErrorKind>) {
    let mut unpacked = Unpacked::new(Pieces(packed, size)).unwrap().hashed(true);
    let mut content = Vec::new();
    let end = unpacked.by_ref().take(MOST as u64).read_to_end(&mut content).err();
    if let Some(error) = &end {
        assert!(is_damage(error), "bytes in memory can only be damaged: {error}");
    }
    (content, end.map(|error| error.kind()))
}

/// Bytes that arrive in pieces.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.1);
        self.0.read(&mut buffer[..most])
    }
}
