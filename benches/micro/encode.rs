//! Sorted runs of rows to Parquet part files: the second half of a run.

use std::io::{self, Write};
use std::path::Path;

use divan::Bencher;
use logmill::convert::{self, Gathered, PartFile, PartsTarget};
use logmill::error::Result;
use logmill::road::Silent;
use logmill::store::lake::StoredManifest;
use logmill::store::{Committed, StagedPartition, Uncommitted};

use crate::logs::{DATASETS, RawLogs, folder, one_thread, options};
use crate::scatter::scattered;

/// Merges runs, gathers chunks, encodes and compresses columns, hashes files, and drops the bytes. Counts raw bytes.
#[divan::bench(args = DATASETS, sample_count = 20, sample_size = 1)]
fn to_parts(bencher: Bencher, dataset: &str) {
    let (logs, thread, scratch) = (RawLogs::of(dataset), one_thread(), folder());
    let gather = || thread.install(|| gathered(logs, &scratch));
    let written: u64 = encoded(logs, gather(), &scratch).iter().map(|part| part.rows).sum();
    assert_eq!(written, gather().ledger.written, "every row should be written");
    bencher
        .counter(logs.bytes())
        .with_inputs(gather)
        .bench_local_values(|gathered| thread.install(|| encoded(logs, gathered, &scratch)));
}

fn gathered<'p>(logs: &'p RawLogs, scratch: &Path) -> Gathered<'p> {
    convert::gather(scattered(logs, scratch), &logs.plan, scratch).expect("the ledger balances")
}

fn encoded(logs: &RawLogs, mut gathered: Gathered<'_>, scratch: &Path) -> Vec<PartFile> {
    let target = PartsTarget { partition: &mut Dropped, folder: "run", scratch };
    let parts = gathered.write_parts(&logs.plan, &logs.schema, target, &options(), &Silent);
    parts.expect("dropping bytes does not fail")
}

/// A partition that drops everything.
struct Dropped;

impl StagedPartition for Dropped {
    fn replaces(&self) -> Option<&StoredManifest> {
        None
    }

    fn create(&mut self, _: &str) -> Result<Box<dyn Write + Send>> {
        Ok(Box::new(io::sink()))
    }

    fn commit(self: Box<Self>, _: &str, _: &[u8]) -> std::result::Result<Committed, Uncommitted> {
        Ok(Committed::default())
    }
}
