//! The raw logs that are measured: some MiB of the benchmark day of each log type, in a folder and in memory.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use divan::counter::BytesCount;
use logmill::cancel::Cancel;
use logmill::convert::ConvertOptions;
use logmill::dataset::{self, Dataset, DecodeLimits};
use logmill::kst::KstDay;
use logmill::plan::{TablePlan, TableSource, plan_table};
use logmill::store::unpack::Unpacked;
use logmill::store::{ConnectionOptions, Connector};
use logmill::table::{Naming, TableSchema};
use rayon::ThreadPool;

use crate::clock::korean_day;
use crate::rows::{BENCH, Load};
use crate::shapes::{Shape, line_shapes, record_shapes};
use crate::sources::{SITES, Source, TRAILS};
use crate::table::Table;

/// The log types, by the names that benchmarks show.
pub(crate) const DATASETS: [&str; 2] = ["cloudtrail", "s3-access"];

const DAY: &str = "2023-11-01";
const SEED: u64 = 20_231_101;
/// This part of the benchmark day is made, in objects of the same size.
const PART: u64 = 50;

static MADE: LazyLock<[MadeLogs; 2]> = LazyLock::new(|| {
    [
        MadeLogs::make("cloudtrail", BENCH[0], TRAILS, record_shapes(), SEED),
        MadeLogs::make("s3-access", BENCH[1], SITES, line_shapes(), SEED + 1),
    ]
});

/// Raw logs of one type.
pub(crate) struct MadeLogs {
    pub(crate) dataset: &'static dyn Dataset,
    pub(crate) schema: TableSchema,
    /// Where the objects lie, and which there are.
    pub(crate) plan: TablePlan,
    /// The objects as they are stored.
    pub(crate) objects: Vec<Vec<u8>>,
    /// What is in them.
    pub(crate) contents: Vec<Vec<u8>>,
    /// Records or lines in them.
    pub(crate) rows: u64,
}

impl MadeLogs {
    /// The logs of a type, by its name.
    pub(crate) fn of(dataset: &str) -> &'static Self {
        MADE.iter()
            .find(|made| made.dataset.name() == dataset)
            .expect("benchmarks name log types that are made")
    }

    fn make(name: &str, mut load: Load, sources: &'static [Source], shapes: Vec<Shape>, seed: u64) -> Self {
        let folder = folder().join(name);
        let _ = fs::remove_dir_all(&folder);
        (load.rows, load.objects) = (load.rows / PART, load.objects / PART);
        let midnight = korean_day(DAY).expect("the day is one");
        let mut table = Table::new(midnight, load, sources, shapes, seed);
        table.make(&folder, &[]).expect("the folder can be written to");
        let dataset = dataset::named(name).expect("the log type is known");
        let plan =
            plan_table(&TableSource::new(dataset, vec![folder.display().to_string()]), day(), &connector())
                .expect("the folder can be listed");
        let read = |key: &String| fs::read(folder.join(key)).expect("what was listed can be read");
        let objects: Vec<Vec<u8>> = plan.objects.iter().map(|object| read(&object.key)).collect();
        let contents = objects.iter().map(|object| content(object)).collect();
        let schema = dataset.schema(Naming::Snake, &[]);
        Self { dataset, schema, plan, objects, contents, rows: table.tally["read"] }
    }

    /// Raw bytes, unpacked: what all benchmarks count.
    pub(crate) fn bytes(&self) -> BytesCount {
        BytesCount::new(self.contents.iter().map(Vec::len).sum::<usize>())
    }
}

/// The day of all rows.
pub(crate) fn day() -> KstDay {
    DAY.parse().expect("the day is one")
}

/// A folder below the build's.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("micro")
}

/// One worker, and memory for everything: nothing is spilled.
pub(crate) fn options() -> ConvertOptions {
    ConvertOptions {
        threads: 1,
        memory: 2 << 30,
        max_object_bytes: 1 << 30,
        max_quarantine_bytes: 256 << 20,
        target_file_bytes: 256 << 20,
        row_group_bytes: 128 << 20,
        limits: DecodeLimits::ATHENA,
        cancel: Cancel::default(),
    }
}

/// One thread for all that works in parallel.
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
    unpacked.read_to_end(&mut content).expect("what was packed can be unpacked");
    content
}
