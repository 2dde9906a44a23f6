//! Objects to sorted runs of rows: the first half of a run.

use std::path::Path;

use divan::Bencher;
use logmill::convert::{self, DayTarget, Leg, Scattered};
use logmill::road::Silent;

use crate::logs::{DATASETS, RawLogs, connector, day, folder, one_thread, options};

/// Reads, unpacks and decodes files, masks secrets with the default rules, and sorts the rows and their hashes.
#[divan::bench(args = DATASETS)]
fn to_runs(bencher: Bencher, dataset: &str) {
    let (logs, thread) = (RawLogs::of(dataset), one_thread());
    assert_eq!(scattered(logs, &folder()).rows_read(), logs.rows, "every object should be read");
    bencher.counter(logs.bytes()).bench_local(|| thread.install(|| scattered(logs, &folder())));
}

/// Reads the rows of all objects into memory.
pub(crate) fn scattered(logs: &RawLogs, scratch: &Path) -> Scattered {
    let leg = Leg::of_plan(&logs.plan, DayTarget { day: day(), scratch }, [0; 4], None);
    let options = options();
    let found = convert::scatter(&leg, &options.residency(), &options, &connector(), &Silent);
    found.expect("the objects are whole").pop().expect("the leg has one day")
}
