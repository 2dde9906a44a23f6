//! The raw logs of the benchmarks: a few MiB of the benchmark day of each log type, in a folder and in memory.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use divan::counter::BytesCount;
use logmill::cancel::Cancel;
use logmill::convert::ConvertOptions;
use logmill::dataset::{self, Dataset};
use logmill::kst::KstDay;
use logmill::plan::{TablePlan, TableSource, plan_table};
use logmill::store::unpack::Unpacked;
use logmill::store::{ConnectionOptions, Connector};
use logmill::table::{Naming, TableSchema};
use rayon::ThreadPool;

use crate::clock::kst_day;
use crate::rows::{BENCH, Load};
use crate::shapes::{Shape, line_shapes, record_shapes};
use crate::sources::{SITES, Source, TRAILS};
use crate::table::Table;

/// The names of the log types.
pub(crate) const DATASETS: [&str; 2] = ["cloudtrail", "s3-access"];

const DAY: &str = "2023-11-01";
const SEED: u64 = 20_231_101;
/// The logs are this fraction of the benchmark day, in objects of the same size.
const DIVISOR: u64 = 50;

static LOGS: LazyLock<[RawLogs; 2]> = LazyLock::new(|| {
    [
        RawLogs::generate("cloudtrail", BENCH[0], TRAILS, record_shapes(), SEED),
        RawLogs::generate("s3-access", BENCH[1], SITES, line_shapes(), SEED + 1),
    ]
});

/// Raw logs of one type.
pub(crate) struct RawLogs {
    pub(crate) dataset: &'static dyn Dataset,
    pub(crate) schema: TableSchema,
    /// The plan that lists the objects.
    pub(crate) plan: TablePlan,
    /// The stored bytes of the objects.
    pub(crate) objects: Vec<Vec<u8>>,
    /// The unpacked contents of the objects.
    pub(crate) contents: Vec<Vec<u8>>,
    /// The number of records or lines.
    pub(crate) rows: u64,
}

impl RawLogs {
    /// Returns the logs of a log type.
    pub(crate) fn of(dataset: &str) -> &'static Self {
        LOGS.iter()
            .find(|logs| logs.dataset.name() == dataset)
            .expect("benchmarks use only generated log types")
    }

    fn generate(
        name: &str,
        mut load: Load,
        sources: &'static [Source],
        shapes: Vec<Shape>,
        seed: u64,
    ) -> Self {
        let folder = folder().join(name);
        let _ = fs::remove_dir_all(&folder);
        (load.rows, load.objects) = (load.rows / DIVISOR, load.objects / DIVISOR);
        let midnight = kst_day(DAY).expect("the constant is a valid day");
        let mut table = Table::new(midnight, load, sources, shapes, seed);
        table.make(&folder, &[]).expect("the folder is writable");
        let dataset = dataset::named(name).expect("the log type is known");
        let plan =
            plan_table(&TableSource::new(dataset, vec![folder.display().to_string()]), day(), &connector())
                .expect("the folder can be listed");
        let read = |key: &String| fs::read(folder.join(key)).expect("a listed object can be read");
        let objects: Vec<Vec<u8>> = plan.objects.iter().map(|object| read(&object.key)).collect();
        let contents = objects.iter().map(|object| content(object)).collect();
        let schema = dataset.schema(Naming::Snake, &[]);
        Self { dataset, schema, plan, objects, contents, rows: table.tally["read"] }
    }

    /// Returns the number of unpacked raw bytes, which all benchmarks count.
    pub(crate) fn bytes(&self) -> BytesCount {
        BytesCount::new(self.contents.iter().map(Vec::len).sum::<usize>())
    }
}

/// Returns the day of all rows.
pub(crate) fn day() -> KstDay {
    DAY.parse().expect("the constant is a valid day")
}

/// Returns a folder below the build folder.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("micro")
}

/// Returns options with one worker and enough memory to spill nothing.
pub(crate) fn options() -> ConvertOptions {
    ConvertOptions::new(1, 2 << 30)
}

/// Returns a pool with one thread.
pub(crate) fn one_thread() -> ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread can be started")
}

pub(crate) fn connector() -> Connector {
    Connector::new(Cancel::default(), folder(), ConnectionOptions::default())
}

fn content(object: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    let mut unpacked =
        Unpacked::new(Box::new(std::io::Cursor::new(object.to_vec()))).expect("it is in memory");
    unpacked.read_to_end(&mut content).expect("a generated object can be unpacked");
    content
}
