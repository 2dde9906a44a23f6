//! Decodes the objects of a table in parallel into sorted runs.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::dedupe::IdentityRun;
use super::object::read_object;
use super::quarantine::Quarantine;
use super::run::Run;
use super::{ConvertOptions, Observer};
use crate::dataset::{self, Dataset, RowBatch, Rows, TableSchema};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::ledger::RowLedger;
use crate::plan::{PlannedObject, TablePlan};
use crate::store::{Connector, ObjectFeed, ObjectMeta, Scratch, Store};

/// What came of one object; duplicates still count as written.
#[derive(Debug, Clone, Copy)]
pub(super) struct ObjectCount {
    /// Index in the plan.
    pub(super) object: u32,
    pub(super) ledger: RowLedger,
    /// Whether a part of it could not be decoded at all.
    pub(super) damaged: bool,
}

/// The rows of a table and day, sorted run by run, and what became of the others.
#[derive(Debug, Default)]
pub struct Scattered {
    pub(super) runs: Vec<Run>,
    pub(super) identities: Vec<IdentityRun>,
    pub(super) counts: Vec<ObjectCount>,
    pub(super) quarantines: Vec<Quarantine>,
}

impl Scattered {
    /// Records and lines that were found.
    #[must_use]
    pub fn rows_read(&self) -> u64 {
        self.counts.iter().map(|count| count.ledger.read).sum()
    }
}

/// Which rows of a plan are wanted, of which objects.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    /// The day.
    pub day: KstDay,
    /// The secret of the row identities.
    pub identity_key: [u64; 4],
    /// One shard, or all objects.
    pub shard: Option<u32>,
}

/// Reads the objects of a plan, or of one of its shards. Runs that do not fit into memory are spilled to `scratch`; those
/// of a shard all are, since another process will read them.
pub fn scatter(
    plan: &TablePlan,
    share: Share,
    scratch: &Scratch,
    options: &ConvertOptions,
    connector: &Connector,
    observer: &dyn Observer,
) -> Result<Scattered> {
    let Share { day, identity_key, shard } = share;
    let dataset = dataset::named(&plan.dataset).ok_or_else(|| {
        Error::new(ErrorKind::Usage, "the plan is for a log type that this version does not know")
            .with("dataset", &plan.dataset)
    })?;
    let open = |input: &String| connector.store(input, &plan.access);
    let stores = plan.inputs.iter().map(open).collect::<Result<Vec<_>>>()?;
    let objects: Vec<(u32, &PlannedObject)> =
        (0..).zip(&plan.objects).filter(|(_, object)| shard.is_none_or(|own| own == object.shard)).collect();
    let work = Work {
        dataset,
        schema: dataset.schema(plan.naming, &plan.promote),
        inputs: feeds(&stores, &objects, options.read_ahead_bytes()),
        day,
        identity_key,
        scratch,
        options,
        observer,
        objects: with_places(&objects, stores.len()),
        next: AtomicUsize::new(0),
        resident: AtomicUsize::new(if shard.is_some() { usize::MAX / 2 } else { 0 }),
        spilled: AtomicUsize::new(0),
        result: Mutex::default(),
    };
    (0..options.threads).into_par_iter().with_max_len(1).try_for_each(|worker| {
        // What one worker cannot do, the others need not go on for.
        work.run_worker(worker).inspect_err(|_| work.next.store(work.objects.len(), Ordering::Relaxed))
    })?;
    let mut scattered = work.result.into_inner().expect("a worker that panics takes the process with it");
    scattered.counts.sort_by_key(|count| count.object);
    Ok(scattered)
}

/// A store, and its objects on their way.
struct Input<'a> {
    store: &'a dyn Store,
    feed: Box<dyn ObjectFeed + 'a>,
}

/// Tells each store which objects will be read, in their order.
fn feeds<'a>(
    stores: &'a [Box<dyn Store>],
    objects: &[(u32, &PlannedObject)],
    memory: usize,
) -> Vec<Input<'a>> {
    let of_input = |input: usize| {
        let own = objects.iter().filter(move |(_, object)| object.input as usize == input);
        own.map(|(_, object)| object.meta()).collect::<Vec<ObjectMeta>>()
    };
    let memory = memory / stores.len().max(1);
    let stores = stores.iter().map(AsRef::as_ref).enumerate();
    stores
        .map(|(input, store): (usize, &dyn Store)| Input { store, feed: store.feed(of_input(input), memory) })
        .collect()
}

/// An object to read: its index in the plan, and its place in the feed of its store.
struct Wanted<'a> {
    index: u32,
    object: &'a PlannedObject,
    place: usize,
}

fn with_places<'a>(objects: &[(u32, &'a PlannedObject)], stores: usize) -> Vec<Wanted<'a>> {
    let mut next = vec![0; stores];
    let mut place_of = |input: u32| {
        let place = &mut next[input as usize];
        *place += 1;
        *place - 1
    };
    objects
        .iter()
        .map(|(index, object)| Wanted { index: *index, object, place: place_of(object.input) })
        .collect()
}

/// What the workers share.
struct Work<'a> {
    dataset: &'static dyn Dataset,
    schema: TableSchema,
    inputs: Vec<Input<'a>>,
    day: KstDay,
    identity_key: [u64; 4],
    scratch: &'a Scratch,
    options: &'a ConvertOptions,
    observer: &'a dyn Observer,
    objects: Vec<Wanted<'a>>,
    /// The next object that nobody has taken.
    next: AtomicUsize,
    /// Bytes of rows that wait in memory.
    resident: AtomicUsize,
    /// Number of runs that do not.
    spilled: AtomicUsize,
    result: Mutex<Scattered>,
}

impl Work<'_> {
    /// Takes objects until none is left.
    fn run_worker(&self, worker: usize) -> Result<()> {
        let mut decoder = self.dataset.decoder(&self.schema, self.options.limits);
        let mut rows = Rows::new(self.schema.decoded(), self.day.window(), self.identity_key);
        let mut quarantine = Quarantine::new(self.scratch_path("rejected", worker));
        let mut counts = Vec::new();
        while let Some(wanted) = self.objects.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let Wanted { index, object, place } = wanted;
            rows.begin_object(*index);
            let input = &self.inputs[object.input as usize];
            let max_bytes = self.options.max_object_bytes;
            let opened = input.feed.open(*place);
            read_object(input.store, opened, max_bytes, decoder.as_mut(), &mut rows, |rows| {
                self.options.cancel.check()?;
                rows.take_rejections()
                    .iter()
                    .try_for_each(|rejected| quarantine.add(rejected, &object.address))?;
                self.hand_over(rows, self.options.open_rows_bytes())
            })?;
            let (ledger, damaged) = (rows.ledger(), rows.is_damaged());
            counts.push(ObjectCount { object: *index, ledger, damaged });
            self.observer.object_done(object.bytes, ledger.read);
        }
        self.hand_over(&mut rows, 0)?;
        self.with_result(|result| {
            result.counts.append(&mut counts);
            result.quarantines.push(quarantine);
        });
        Ok(())
    }

    /// Turns the rows of a worker into a run once they take more than `limit` bytes.
    fn hand_over(&self, rows: &mut Rows, limit: usize) -> Result<()> {
        let bytes = rows.memory_bytes();
        if rows.is_empty() || bytes <= limit {
            return Ok(());
        }
        self.keep(rows.take_batch(), bytes)
    }

    fn keep(&self, batch: RowBatch, bytes: usize) -> Result<()> {
        let (run, identities) = Run::sort(batch);
        let fits = self.resident.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.options.resident_bytes();
        let (run, identities) = if fits {
            (run, IdentityRun::resident(identities))
        } else {
            self.resident.fetch_sub(bytes, Ordering::Relaxed);
            let number = self.spilled.fetch_add(1, Ordering::Relaxed);
            let identities = IdentityRun::spilled(identities, &self.scratch_path("identities", number))?;
            (run.spill(&self.scratch_path("rows", number))?, identities)
        };
        self.with_result(|result| {
            result.runs.push(run);
            result.identities.push(identities);
        });
        Ok(())
    }

    fn scratch_path(&self, what: &str, number: usize) -> PathBuf {
        self.scratch.path().join(format!("{what}-{number}"))
    }

    fn with_result<T>(&self, change: impl FnOnce(&mut Scattered) -> T) -> T {
        change(&mut self.result.lock().expect("a worker that panics takes the process with it"))
    }
}
