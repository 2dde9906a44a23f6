//! Decodes objects in parallel into sorted runs of rows, each for one day.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;

use super::budget::Budget;
use super::dedupe::IdentityRun;
use super::leg::{DayTarget, Leg, Reading};
use super::object::{ObjectReader, Opened};
use super::outlook::Outlook;
use super::quarantine::{OpenQuarantine, Quarantine, quarantine_rows};
use super::run::Run;
use super::scattered::{ObjectCount, Scattered};
use super::shared_room::SharedRoom;
use super::{ConvertOptions, Progress, Residency};
use crate::dataset::LogType;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::ledger::RowLedger;
use crate::plan::PlannedObject;
use crate::rules::RowRules;
use crate::store::{Connector, ObjectFeed, ObjectMeta, Store};
use crate::table::{IdentityKey, Rejection, RowBatch, Rows, TableSchema};

/// Reads the objects of a leg; returns the results of its days in the order of these. Runs that do not fit into memory are
/// spilled to the folder of their day.
pub fn scatter(
    leg: &Leg<'_>,
    residency: &Residency,
    options: &ConvertOptions,
    connector: &Connector,
    progress: &dyn Progress,
) -> Result<Vec<Scattered>> {
    let Leg { spec, readings, days, identity_key, .. } = leg;
    let (stores, schema) = (spec.open_inputs(connector)?, spec.schema());
    let outlook = leg.max_reject_ratio.map(|ratio| {
        let sizes = readings.iter().map(|reading| reading.object.bytes);
        Outlook::new(sizes, ratio, spec.dataset.min_row_bytes(), options.max_object_bytes)
    });
    let budget = Budget::of(options);
    let work = Work {
        dataset: spec.dataset,
        rules: spec.row_rules(&schema)?,
        schema,
        inputs: feeds(&stores, readings, budget.read_ahead_bytes()),
        days,
        identity_key: *identity_key,
        leg: leg.number,
        options,
        budget: &budget,
        progress,
        objects: with_places(readings, stores.len()),
        next: AtomicUsize::new(0),
        residency,
        spilled: AtomicUsize::new(0),
        found: days.iter().map(|_| Mutex::default()).collect(),
        rooms: days.iter().map(|_| SharedRoom::new(options.max_quarantine_bytes)).collect(),
        outlook,
        is_cut_short: AtomicBool::new(false),
    };
    (0..budget.workers()).into_par_iter().with_max_len(1).try_for_each(|worker| {
        // If one worker fails, the others stop as well.
        work.run_worker(worker).inspect_err(|_| work.next.store(work.objects.len(), Ordering::Relaxed))
    })?;
    let is_cut_short = work.is_cut_short.into_inner();
    let found = work.found.into_iter();
    found
        .map(|found| {
            let found = found.into_inner().expect("a worker that panics ends the process");
            Scattered { is_cut_short, ..found }.settle_counts()
        })
        .collect()
}

/// A store, and the feed of its objects.
struct Input<'a> {
    store: &'a dyn Store,
    feed: Box<dyn ObjectFeed + 'a>,
}

/// Gives each store the list of objects that will be read, in order.
fn feeds<'a>(stores: &'a [Box<dyn Store>], readings: &[Reading<'_>], memory: usize) -> Vec<Input<'a>> {
    let of_input = |input: usize| {
        let own = readings.iter().map(|reading| reading.object);
        let own = own.filter(move |object| object.input as usize == input);
        own.map(PlannedObject::meta).collect::<Vec<ObjectMeta>>()
    };
    let memory = memory / stores.len().max(1);
    let stores = stores.iter().map(AsRef::as_ref).enumerate();
    stores
        .map(|(input, store): (usize, &dyn Store)| Input { store, feed: store.feed(of_input(input), memory) })
        .collect()
}

/// An object, and its index in the feed of its store.
struct Placed<'a> {
    reading: Reading<'a>,
    place: usize,
}

fn with_places<'a>(readings: &[Reading<'a>], stores: usize) -> Vec<Placed<'a>> {
    let mut next = vec![0; stores];
    let mut place_of = |input: u32| {
        let place = &mut next[input as usize];
        *place += 1;
        *place - 1
    };
    readings
        .iter()
        .map(|reading| Placed { reading: *reading, place: place_of(reading.object.input) })
        .collect()
}

/// The state that the workers share.
struct Work<'a> {
    dataset: LogType,
    schema: TableSchema,
    rules: RowRules,
    inputs: Vec<Input<'a>>,
    days: &'a [DayTarget<'a>],
    identity_key: IdentityKey,
    leg: usize,
    options: &'a ConvertOptions,
    budget: &'a Budget,
    progress: &'a dyn Progress,
    objects: Vec<Placed<'a>>,
    /// The next object that no worker has taken.
    next: AtomicUsize,
    residency: &'a Residency,
    /// Number of runs that are not in memory.
    spilled: AtomicUsize,
    /// The results for each day.
    found: Vec<Mutex<Scattered>>,
    /// The room left in the quarantine of each day.
    rooms: Vec<SharedRoom>,
    /// Whether the day can still be published, if that decides about reading.
    outlook: Option<Outlook>,
    /// Whether reading has stopped because the day can no longer be published.
    is_cut_short: AtomicBool,
}

impl Work<'_> {
    /// Takes objects until no object is left.
    fn run_worker(&self, worker: usize) -> Result<()> {
        let mut decoder = self.dataset.decoder(&self.schema, self.options.limits);
        let mut rows = Rows::new(self.schema.decoded(), self.identity_key);
        let mut reader = ObjectReader::within(self.budget.unpack_bytes());
        let mut yields: Vec<DayYield> =
            self.days.iter().zip(&self.rooms).map(|(day, room)| self.day_yield(day, room, worker)).collect();
        while let Some(placed) = self.next_object() {
            let Placed { reading: Reading { number, object, days }, place } = placed;
            rows.begin_object(*number, *days);
            if let Some(until) = object.events_until_ms {
                rows.expect_events_until(UtcInstant(until));
            }
            let input = &self.inputs[object.input as usize];
            let max_bytes = self.options.max_object_bytes;
            let opened = Opened { key: &object.key, content: input.feed.open(*place) };
            reader.hash_next(object.named);
            let read = reader.read(input.store, opened, max_bytes, decoder.as_mut(), &mut rows, |rows| {
                self.options.cancel.check()?;
                self.quarantine_rows(rows.take_rejections(), &placed.reading, &mut yields)?;
                self.hand_over(rows, self.budget.open_rows_bytes())?;
                self.check_outlook()
            });
            read.or_else(|error| if is_cut_short(&error) { Ok(()) } else { Err(error) })?;
            for found in yields.iter_mut().filter(|found| days.contains(found.day)) {
                found.counts.push(ObjectCount { text: reader.text(), ..count_of(&rows, *number, found.day) });
            }
            if let Some(outlook) = &self.outlook {
                outlook.object_done(object.bytes, rows.ledger(), rows.damage());
            }
            self.progress.object_done(object.bytes, rows.ledger().read);
        }
        self.hand_over(&mut rows, 0)?;
        for (place, found) in yields.into_iter().enumerate() {
            let quarantine: Quarantine = found.quarantine.close()?;
            self.note(place, |scattered| {
                scattered.counts.extend(found.counts);
                scattered.quarantines.push(quarantine);
            });
        }
        Ok(())
    }

    fn next_object(&self) -> Option<&Placed<'_>> {
        let is_cut_short = self.is_cut_short.load(Ordering::Relaxed);
        if is_cut_short { None } else { self.objects.get(self.next.fetch_add(1, Ordering::Relaxed)) }
    }

    fn day_yield<'w>(&self, target: &DayTarget<'_>, room: &'w SharedRoom, worker: usize) -> DayYield<'w> {
        let path = self.scratch_path(target, "rejected", worker);
        let quarantine = OpenQuarantine::new(&path, self.options.max_quarantine_bytes, room);
        DayYield { day: target.day, counts: Vec::new(), quarantine }
    }

    /// Takes rejected rows of an object for the days that it feeds. Stops the reading if they make the day unpublishable and no
    /// later row can be kept.
    fn quarantine_rows(
        &self,
        rejections: Vec<Rejection>,
        reading: &Reading<'_>,
        yields: &mut [DayYield<'_>],
    ) -> Result<()> {
        if rejections.is_empty() {
            return Ok(());
        }
        let (count, Reading { number, object, days }) = (rejections.len() as u64, reading);
        let fed = yields.iter_mut().filter(|found| days.contains(found.day));
        let mut fed: Vec<_> = fed.map(|found| &mut found.quarantine).collect();
        quarantine_rows(rejections, (*number, &object.address), &self.rules, &mut fed)?;
        let is_lost = self.outlook.as_ref().is_some_and(|outlook| outlook.exceeds_limit_with(count));
        if is_lost && fed.iter().all(|quarantine| quarantine.is_full()) {
            self.is_cut_short.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Fails if reading has stopped.
    fn check_outlook(&self) -> Result<()> {
        if !self.is_cut_short.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::TooManyRejects, "too many rejected rows: reading stopped"))
    }

    /// Turns the rows of a worker into runs once they take more than `limit` bytes.
    fn hand_over(&self, rows: &mut Rows, limit: usize) -> Result<()> {
        if rows.is_empty() || rows.memory_bytes() <= limit {
            return Ok(());
        }
        let days = rows.take_batch().by_day();
        let days = days.map_err(|cause| Error::bug("cannot split rows by day").caused_by(cause))?;
        for (day, batch) in days {
            if let Some(place) = self.days.iter().position(|target| target.day == day) {
                self.keep(place, batch)?;
            }
        }
        Ok(())
    }

    fn keep(&self, place: usize, batch: RowBatch) -> Result<()> {
        let (batch, filtered) = self.rules.apply(batch)?;
        self.note(place, |scattered| scattered.filtered.extend(filtered));
        if batch.keys.is_empty() {
            return Ok(());
        }
        let bytes = batch.memory_bytes();
        let (run, identities) = Run::sort(batch);
        let fits = self.residency.take(bytes);
        let (run, identities) = if fits {
            (run, IdentityRun::resident(identities))
        } else {
            let number = self.spilled.fetch_add(1, Ordering::Relaxed);
            let path = |what| self.scratch_path(&self.days[place], what, number);
            (run.spill(&path("rows"))?, IdentityRun::spilled(identities, &path("identities"))?)
        };
        self.note(place, |scattered| {
            scattered.runs.push(run);
            scattered.identities.push(identities);
            scattered.resident_bytes += if fits { bytes } else { 0 };
        });
        Ok(())
    }

    fn scratch_path(&self, target: &DayTarget<'_>, what: &str, number: usize) -> PathBuf {
        target.scratch.join(format!("{what}-{}-{number}", self.leg))
    }

    fn note(&self, place: usize, change: impl FnOnce(&mut Scattered)) {
        change(&mut self.found[place].lock().expect("a worker that panics ends the process"));
    }
}

/// Whether an object was not read to its end because the day is lost.
fn is_cut_short(error: &Error) -> bool {
    error.kind() == ErrorKind::TooManyRejects
}

/// What one worker finds for one day, besides the rows.
struct DayYield<'w> {
    day: KstDay,
    counts: Vec<ObjectCount>,
    quarantine: OpenQuarantine<'w>,
}

/// The counts of the current object for one of its days.
fn count_of(rows: &Rows, object: u32, day: KstDay) -> ObjectCount {
    let all = rows.ledger();
    let written = rows.kept().iter().find(|(known, _)| *known == day).map_or(0, |(_, rows)| *rows);
    let other_day = all.read - all.quarantined - written;
    let ledger = RowLedger { written, other_day, ..all };
    let newer_than_name = rows.newer_than_name();
    ObjectCount { object, ledger, damage: rows.damage(), newer_than_name, text: None }
}
