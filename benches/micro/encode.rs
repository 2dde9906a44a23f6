//! Sorted runs of rows to Parquet part files: the second half of the road.

use std::io::{self, Write};
use std::path::Path;

use divan::Bencher;
use logmill::convert::{self, Gathered, PartFile, PartsTarget};
use logmill::error::Result;
use logmill::road::Silent;
use logmill::store::{Committed, StagedPartition, Uncommitted};

use crate::made::{DATASETS, MadeLogs, folder, one_thread, options};
use crate::scatter::scattered;

/// Runs merged, chunks gathered, columns encoded and packed, files hashed, bytes dropped. Raw bytes are counted.
#[divan::bench(args = DATASETS, sample_count = 20, sample_size = 1)]
fn to_parts(bencher: Bencher, dataset: &str) {
    let (made, thread, scratch) = (MadeLogs::of(dataset), one_thread(), folder());
    let gather = || thread.install(|| gathered(made, &scratch));
    let written: u64 = encoded(made, gather(), &scratch).iter().map(|part| part.rows).sum();
    assert_eq!(written, gather().ledger.written, "every row is written");
    bencher
        .counter(made.bytes())
        .with_inputs(gather)
        .bench_local_values(|gathered| thread.install(|| encoded(made, gathered, &scratch)));
}

fn gathered<'p>(made: &'p MadeLogs, scratch: &Path) -> Gathered<'p> {
    convert::gather(scattered(made, scratch), &made.plan, scratch).expect("the ledger balances")
}

fn encoded(made: &MadeLogs, mut gathered: Gathered<'_>, scratch: &Path) -> Vec<PartFile> {
    let target = PartsTarget { partition: &mut Dropped, folder: "run", scratch };
    let parts = gathered.write_parts(&made.plan, &made.schema, target, &options(), &Silent);
    parts.expect("nothing is in the way of bytes that are dropped")
}

/// A partition of which nothing stays.
struct Dropped;

impl StagedPartition for Dropped {
    fn replaces(&self) -> Option<&[u8]> {
        None
    }

    fn create(&mut self, _: &str) -> Result<Box<dyn Write + Send>> {
        Ok(Box::new(io::sink()))
    }

    fn commit(self: Box<Self>, _: &[u8]) -> std::result::Result<Committed, Uncommitted> {
        Ok(Committed::default())
    }
}
