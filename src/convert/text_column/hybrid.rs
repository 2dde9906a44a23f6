//! Parquet's hybrid of repeated and bit-packed values, for keys and definition levels.
//!
//! The choice between both is that of the crate `parquet`, so that its writer and ours produce the same pages. The
//! format is described at <https://parquet.apache.org/docs/file-format/data-pages/encodings/>.

/// Number of values that are packed together.
const GROUP: usize = 8;

/// Number of groups in a run of packed values: its header is one byte.
const MAX_GROUPS: usize = 63;

/// Returns the number of bits that values up to `max` need.
pub(super) fn width_of(max: usize) -> u8 {
    u8::try_from(usize::BITS - max.leading_zeros()).unwrap_or(u8::MAX)
}

/// Appends values of `width` bits.
pub(super) fn put(values: &[u32], width: u8, page: &mut Vec<u8>) {
    let mut rest = values;
    while let Some(first) = rest.first() {
        let equal = rest.iter().take_while(|value| *value == first).count();
        let taken = if equal >= GROUP || equal == rest.len() {
            put_repeated(*first, equal, width, page);
            equal
        } else {
            put_packed(rest, width, page)
        };
        rest = &rest[taken..];
    }
}

/// Appends one value that is repeated `count` times.
pub(super) fn put_repeated(value: u32, count: usize, width: u8, page: &mut Vec<u8>) {
    let mut header = count << 1;
    while header >= 0x80 {
        page.push(header.to_le_bytes()[0] | 0x80);
        header >>= 7;
    }
    page.push(header.to_le_bytes()[0]);
    page.extend_from_slice(&value.to_le_bytes()[..usize::from(width.div_ceil(8))]);
}

/// Appends a run of packed values, up to a group of equal ones. Returns the number of values in it.
fn put_packed(values: &[u32], width: u8, page: &mut Vec<u8>) -> usize {
    let header = page.len();
    page.push(0);
    let is_packed = |group: &&[u32]| group.len() < GROUP || group.iter().any(|value| *value != group[0]);
    let mut groups = 0;
    for group in values.chunks(GROUP).take(MAX_GROUPS).take_while(is_packed) {
        put_group(group, width, page);
        groups += 1;
    }
    page[header] = (groups << 1 | 1_usize).to_le_bytes()[0];
    values.len().min(groups * GROUP)
}

/// Appends a group, which is filled up with zeros.
fn put_group(group: &[u32], width: u8, page: &mut Vec<u8>) {
    let mut padded = [0; GROUP];
    padded[..group.len()].copy_from_slice(group);
    let (mut bits, mut filled) = (0_u64, 0);
    for value in padded {
        bits |= u64::from(value) << filled;
        filled += width;
        if filled >= 32 {
            page.extend_from_slice(&bits.to_le_bytes()[..4]);
            bits >>= 32;
            filled -= 32;
        }
    }
    page.extend_from_slice(&bits.to_le_bytes()[..usize::from(filled / 8)]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Decodes one value after the other, as the format describes it.
    fn decoded(mut page: &[u8], width: u8, count: usize) -> Vec<u32> {
        let mut values = Vec::new();
        while values.len() < count {
            let (mut header, mut shift) = (0_usize, 0);
            loop {
                let byte = page[0];
                page = &page[1..];
                header |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let packed = header & 1 == 1;
            let bytes =
                if packed { (header >> 1) * usize::from(width) } else { usize::from(width.div_ceil(8)) };
            let bit = |place: usize| u32::from(page[place / 8] >> (place % 8) & 1);
            let value =
                |from: usize| (0..usize::from(width)).fold(0, |value, at| value | bit(from + at) << at);
            if packed {
                values.extend((0..(header >> 1) * GROUP).map(|place| value(place * usize::from(width))));
            } else {
                values.extend(std::iter::repeat_n(value(0), header >> 1));
            }
            page = &page[bytes..];
        }
        assert!(page.is_empty(), "nothing follows the last value");
        values.truncate(count);
        values
    }

    proptest! {
        #[test]
        fn values_can_be_decoded(
            width in 0_u8..=20,
            runs in prop::collection::vec((any::<u32>(), prop_oneof![1_usize..4, 1_usize..40, 1_usize..600]), 0..60),
        ) {
            let mask = (1_u32 << width) - 1;
            let values: Vec<u32> =
                runs.iter().flat_map(|(value, count)| std::iter::repeat_n(value & mask, *count)).collect();
            let mut page = Vec::new();
            put(&values, width, &mut page);
            prop_assert_eq!(decoded(&page, width, values.len()), values);
        }
    }
}
