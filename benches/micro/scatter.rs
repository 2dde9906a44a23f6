//! Objects to sorted runs of rows: the first half of the road.

use std::path::Path;

use divan::Bencher;
use logmill::convert::{self, DayTarget, Leg, Scattered};
use logmill::road::Silent;

use crate::made::{DATASETS, MadeLogs, connector, day, folder, one_thread, options};

/// Files read, unpacked, decoded, masked by the default rules, sorted, and the hashes of their rows sorted.
#[divan::bench(args = DATASETS)]
fn to_runs(bencher: Bencher, dataset: &str) {
    let (made, thread) = (MadeLogs::of(dataset), one_thread());
    assert_eq!(scattered(made, &folder()).rows_read(), made.rows, "every object is read");
    bencher.counter(made.bytes()).bench_local(|| thread.install(|| scattered(made, &folder())));
}

/// The rows of all objects, in memory.
pub(crate) fn scattered(made: &MadeLogs, scratch: &Path) -> Scattered {
    let leg = Leg::of_plan(&made.plan, DayTarget { day: day(), scratch }, [0; 4], None);
    let options = options();
    let found = convert::scatter(&leg, &options.residency(), &options, &connector(), &Silent);
    found.expect("the objects are whole").pop().expect("the leg has one day")
}
