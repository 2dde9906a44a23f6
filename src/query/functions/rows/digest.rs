//! Digests and checksums of bytes.

use md5::{Digest, Md5};
use ring::{digest, hmac};

use super::{RowFunction, Value, bytes, row};

pub(super) const FUNCTIONS: &[RowFunction] = &[
    row("crc32(varbinary) -> bigint", |of, _| Ok(Value::Whole(crc32(bytes(of, 0))))),
    row("hmac_md5(varbinary, varbinary) -> varbinary", |of, _| {
        Ok(hmac_md5(bytes(of, 0), bytes(of, 1)).into())
    }),
    row("hmac_sha1(varbinary, varbinary) -> varbinary", |of, _| {
        Ok(signed(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, of))
    }),
    row("hmac_sha256(varbinary, varbinary) -> varbinary", |of, _| Ok(signed(hmac::HMAC_SHA256, of))),
    row("hmac_sha512(varbinary, varbinary) -> varbinary", |of, _| Ok(signed(hmac::HMAC_SHA512, of))),
    row("md5(varbinary) -> varbinary", |of, _| Ok(Md5::digest(bytes(of, 0)).to_vec().into())),
    row("sha1(varbinary) -> varbinary", |of, _| Ok(digested(&digest::SHA1_FOR_LEGACY_USE_ONLY, of))),
    row("sha256(varbinary) -> varbinary", |of, _| Ok(digested(&digest::SHA256, of))),
    row("sha512(varbinary) -> varbinary", |of, _| Ok(digested(&digest::SHA512, of))),
    row("xxhash64(varbinary) -> varbinary", |of, _| Ok(xxh64(bytes(of, 0)).to_be_bytes().to_vec().into())),
];

fn digested(algorithm: &'static digest::Algorithm, of: &[Value]) -> Value {
    digest::digest(algorithm, bytes(of, 0)).as_ref().to_vec().into()
}

fn signed(algorithm: hmac::Algorithm, of: &[Value]) -> Value {
    hmac::sign(&hmac::Key::new(algorithm, bytes(of, 1)), bytes(of, 0)).as_ref().to_vec().into()
}

/// HMAC over MD5 (RFC 2104), which `ring` does not have.
fn hmac_md5(message: &[u8], key: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 64;
    let mut block = if key.len() > BLOCK { Md5::digest(key).to_vec() } else { key.to_vec() };
    block.resize(BLOCK, 0);
    let with = |pad: u8, rest: &[u8]| {
        let mut bytes: Vec<u8> = block.iter().map(|byte| byte ^ pad).collect();
        bytes.extend_from_slice(rest);
        Md5::digest(bytes).to_vec()
    };
    with(0x5c, &with(0x36, message))
}

/// The checksum of gzip and zip.
fn crc32(bytes: &[u8]) -> i64 {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| sum >> 1 ^ if sum & 1 == 1 { POLYNOMIAL } else { 0 })
    };
    i64::from(!bytes.iter().fold(u32::MAX, step))
}

const PRIMES: [u64; 5] = [
    0x9e37_79b1_85eb_ca87,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
    0x85eb_ca77_c2b2_ae63,
    0x27d4_eb2f_1656_67c5,
];

/// XXH64 with the seed 0.
pub(super) fn xxh64(bytes: &[u8]) -> u64 {
    let [p1, p2, p3, p4, p5] = PRIMES;
    let round =
        |sum: u64, lane: u64| sum.wrapping_add(lane.wrapping_mul(p2)).rotate_left(31).wrapping_mul(p1);
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let blocks = bytes.chunks_exact(32);
    let rest = blocks.remainder();
    let mut sum = if bytes.len() < 32 {
        p5
    } else {
        let mut lanes = [p1.wrapping_add(p2), p2, 0, p1.wrapping_neg()];
        for block in blocks {
            for (lane, bytes) in lanes.iter_mut().zip(block.chunks(8)) {
                *lane = round(*lane, number(bytes));
            }
        }
        let rotated = lanes.iter().zip([1, 7, 12, 18]).map(|(lane, by)| lane.rotate_left(by));
        let start = rotated.fold(0_u64, u64::wrapping_add);
        lanes.iter().fold(start, |sum, lane| (sum ^ round(0, *lane)).wrapping_mul(p1).wrapping_add(p4))
    };
    sum = sum.wrapping_add(bytes.len() as u64);
    let words = rest.chunks_exact(8);
    let mut tail = words.remainder();
    for word in words {
        sum = (sum ^ round(0, number(word))).rotate_left(27).wrapping_mul(p1).wrapping_add(p4);
    }
    if let Some((half, behind)) = tail.split_at_checked(4) {
        sum = (sum ^ number(half).wrapping_mul(p1)).rotate_left(23).wrapping_mul(p2).wrapping_add(p3);
        tail = behind;
    }
    for byte in tail {
        sum = (sum ^ u64::from(*byte).wrapping_mul(p5)).rotate_left(11).wrapping_mul(p1);
    }
    sum = (sum ^ sum >> 33).wrapping_mul(p2);
    sum = (sum ^ sum >> 29).wrapping_mul(p3);
    sum ^ sum >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::functions::rows::bytes::to_hex;

    #[test]
    fn checksums_match_their_standards() {
        // The check value of CRC-32, and the second case of RFC 2202.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        // From the tests of the reference implementation of XXH64.
        for (text, sum) in
            [("", 0xef46_db37_51d8_e999), ("a", 0xd24e_c4f1_a98c_6e5b), ("abc", 0x44bc_2cf5_ad77_0999)]
        {
            assert_eq!(xxh64(text.as_bytes()), sum, "{text}");
        }
        assert_eq!(
            to_hex(&hmac_md5(b"what do ya want for nothing?", b"Jefe")),
            "750C783E6AB0B503EAA86E310A5DB738"
        );
    }
}
