//! Byte search over the short distances between the marks of a line. It is inline, because a call into a vectorised search
//! takes longer than most of these distances. A loop that compilers vectorise skips chunks without a mark.

/// Number of bytes that are skipped at once.
const CHUNK: usize = 16;
/// Number of bytes that are searched for marks at once.
const WORD: usize = size_of::<u64>();

/// Returns the position of the next space at or after `at`, or the length of the line.
#[inline]
pub(super) fn next_space(line: &[u8], at: usize) -> usize {
    let mut rest = line.get(at..).unwrap_or_default();
    while let Some((word, after)) = rest.split_first_chunk::<WORD>() {
        let found = equal_bytes(*word, b' ');
        if found != 0 {
            return line.len() - rest.len() + first(found);
        }
        rest = after;
        while let Some((chunk, after)) = rest.split_first_chunk::<CHUNK>()
            && !holds(chunk, |byte| byte == b' ')
        {
            rest = after;
        }
    }
    let length = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
    line.len() - rest.len() + length
}

/// Calls `visit` with the position of every quote and every opening bracket of `line[from..to]`.
#[inline]
pub(super) fn each_quote_or_bracket(line: &[u8], from: usize, to: usize, mut visit: impl FnMut(usize)) {
    let (chunks, rest) = line.get(from..to).unwrap_or_default().as_chunks::<CHUNK>();
    let mut last = [0; CHUNK];
    last[..rest.len()].copy_from_slice(rest);
    let mut at = from;
    for chunk in chunks.iter().chain([&last]) {
        if holds(chunk, |byte| matches!(byte, b'"' | b'[')) {
            for (word, start) in chunk.as_chunks::<WORD>().0.iter().zip([at, at + WORD]) {
                let mut found = equal_bytes(*word, b'"') | equal_bytes(*word, b'[');
                while found != 0 {
                    visit(start + first(found));
                    found &= found - 1;
                }
            }
        }
        at += CHUNK;
    }
}

/// Whether all bytes are printable ASCII characters or spaces.
pub(super) fn is_printed(text: &[u8]) -> bool {
    const WIDTH: u8 = b'~' - b' ';
    let distance = |byte: &u8| byte.wrapping_sub(b' ');
    let Some(last) = text.last_chunk::<CHUNK>() else {
        return text.iter().all(|byte| distance(byte) <= WIDTH);
    };
    let mut farthest = [0; CHUNK];
    for chunk in text.as_chunks().0.iter().chain([last]) {
        farthest.iter_mut().zip(chunk).for_each(|(farthest, byte)| *farthest = distance(byte).max(*farthest));
    }
    farthest.iter().all(|distance| *distance <= WIDTH)
}

/// Whether any byte is wanted. Looks at all bytes, so that they can be compared at once.
fn holds(chunk: &[u8; CHUNK], wanted: impl Fn(u8) -> bool) -> bool {
    chunk.iter().fold(false, |any, &byte| any | wanted(byte))
}

/// Returns the top bit of each byte that equals `byte`. All other bits are zero.
const fn equal_bytes(word: [u8; WORD], byte: u8) -> u64 {
    const LOW: u64 = u64::from_ne_bytes([0x7f; WORD]);
    let difference = u64::from_le_bytes(word) ^ u64::from_ne_bytes([byte; WORD]);
    !(((difference & LOW) + LOW) | difference | LOW)
}

/// Returns the number of the byte that holds the lowest bit.
const fn first(found: u64) -> usize {
    (found.trailing_zeros() / u8::BITS) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The slow twins compare byte by byte.
        #[test]
        fn chunks_and_single_bytes_agree(line in "[ \"\\[a-c\u{80}\u{7f}!#\\\\]{0,20}|[ \"\\[a-z\u{80}]{0,70}", from in 0..70_usize, to in 0..70_usize) {
            let line = line.as_bytes();
            let (from, to) = (from.min(line.len()), to.min(line.len()));
            let space = (from..line.len()).find(|&at| line[at] == b' ');
            prop_assert_eq!(next_space(line, from), space.unwrap_or(line.len()));
            let mut marks = Vec::new();
            each_quote_or_bracket(line, from, to, |at| marks.push(at));
            let expected: Vec<usize> = (from..to).filter(|&at| matches!(line[at], b'"' | b'[')).collect();
            prop_assert_eq!(marks, expected);
            let printed = line.iter().all(|byte| matches!(byte, b' '..=b'~'));
            prop_assert_eq!(is_printed(line), printed);
            prop_assert_eq!(is_printed(&line[from..]), line[from..].iter().all(|byte| matches!(byte, b' '..=b'~')));
        }
    }
}
