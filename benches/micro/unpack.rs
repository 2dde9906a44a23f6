//! gzip to bytes, through the reader that objects are read with.

use std::io::{Cursor, Read};

use divan::Bencher;
use logmill::store::unpack::Unpacked;

use crate::made::MadeLogs;

/// As many bytes as a run asks for at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Objects in memory to bytes that are dropped. Unpacked bytes are counted.
#[divan::bench]
fn gunzip(bencher: Bencher) {
    let made = MadeLogs::of("cloudtrail");
    let mut chunk = vec![0; CHUNK_BYTES];
    bencher.counter(made.bytes()).with_inputs(|| made.objects.clone()).bench_local_values(|objects| {
        objects.into_iter().map(|object| unpacked(object, &mut chunk)).sum::<usize>()
    });
}

/// Reads an object to its end; gives its length.
fn unpacked(object: Vec<u8>, chunk: &mut [u8]) -> usize {
    let mut content = Unpacked::new(Box::new(Cursor::new(object))).expect("it is in memory");
    let mut total = 0;
    loop {
        match content.read(chunk).expect("what was packed can be unpacked") {
            0 => return total,
            count => total += count,
        }
    }
}
