//! gzip to bytes, with the reader that a run uses for objects.

use std::io::{Cursor, Read};

use divan::Bencher;
use logmill::store::unpack::Unpacked;

use crate::logs::RawLogs;

/// The number of bytes that a run reads at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Unpacks objects from memory and drops the bytes. Counts unpacked bytes.
#[divan::bench]
fn gunzip(bencher: Bencher) {
    let logs = RawLogs::of("cloudtrail");
    let mut chunk = vec![0; CHUNK_BYTES];
    bencher.counter(logs.bytes()).with_inputs(|| logs.objects.clone()).bench_local_values(|objects| {
        objects.into_iter().map(|object| unpacked(object, &mut chunk)).sum::<usize>()
    });
}

/// Reads an object to its end and returns its length.
fn unpacked(object: Vec<u8>, chunk: &mut [u8]) -> usize {
    let mut content = Unpacked::new(Box::new(Cursor::new(object))).expect("it is in memory");
    let mut total = 0;
    loop {
        match content.read(chunk).expect("a generated object can be unpacked") {
            0 => return total,
            count => total += count,
        }
    }
}
