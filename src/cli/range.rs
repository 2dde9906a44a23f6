//! The road of one table over many days: every raw object is read once, and a day is published as soon as nothing that
//! comes later can feed it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::console;
use super::day::{DayRun, PublishedTable, identity_key};
use super::progress::Progress;
use super::run_report::seconds_since;
use crate::convert::{self, ConvertOptions, DayLegs, DayTarget, Leg, Reading, Residency, Scattered};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay, UtcInstant};
use crate::plan::{
    DayObjects, LeftGroup, LeftObject, Order, RangeLeg, RangePlanner, SharedObject, TablePlan, TableSource,
};
use crate::publish::StagedDay;

/// What a walk over days asks and tells.
pub(super) trait RangeObserver {
    /// Whether a day is to be made, given all that can feed it.
    fn wants(&mut self, about: &DayObjects<'_>) -> Option<Wanted>;
    /// Days that are to be made after all, now that every other day has been asked for.
    fn wanted_later(&mut self) -> Result<Vec<KstDay>>;
    /// What became of a day that was wanted.
    fn day_done(&mut self, day: KstDay, outcome: Result<PublishedTable>);
}

/// A day that is to be made.
pub(super) struct Wanted {
    /// When what can feed it was listed.
    pub(super) listed_at: UtcInstant,
    /// The run that had published it by then.
    pub(super) published_by: Option<String>,
}

/// One table on its way through many days.
pub(super) struct RangeRun<'r, 'a> {
    /// The run; its day does not matter.
    run: &'r DayRun<'a>,
    source: &'r TableSource,
    options: ConvertOptions,
    residency: Residency,
    identity_key: [u64; 4],
    progress: Progress,
    /// Days that are being made.
    open: BTreeMap<KstDay, OpenDay<'a>>,
    wanted: BTreeMap<KstDay, Wanted>,
    failed: BTreeSet<KstDay>,
    /// Number of walks so far.
    walks: usize,
}

/// A day that is being made.
struct OpenDay<'a> {
    run: DayRun<'a>,
    staged: StagedDay<'a>,
    legs: DayLegs,
    began: UtcInstant,
    /// The share of the day in the time that its legs took.
    read_seconds: f64,
}

/// Walks over days of a table. A day that fails does not stop the others; what fails here concerns all that are left.
pub(super) fn walk(
    run: &DayRun<'_>,
    source: &TableSource,
    days: &[KstDay],
    order: Order,
    observer: &mut dyn RangeObserver,
) -> Result<()> {
    let planner = RangePlanner::open(source, days, order, run.connector, console::now)?;
    let options = run.options();
    let mut range = RangeRun {
        run,
        source,
        residency: options.residency(),
        options,
        identity_key: identity_key()?,
        progress: Progress::days(run.console, &source.table, days.len()),
        open: BTreeMap::new(),
        wanted: BTreeMap::new(),
        failed: BTreeSet::new(),
        walks: 0,
    };
    let mut left_out = BTreeMap::new();
    let walked = range.go_through(planner, observer, &mut left_out).and_then(|()| {
        let later = observer.wanted_later()?;
        if later.is_empty() {
            return Ok(());
        }
        let planner = RangePlanner::open(source, &later, order, run.connector, console::now)?;
        range.go_through(planner, observer, &mut left_out)
    });
    let walked = walked.map_err(Arc::new);
    if let Err(error) = &walked {
        range.give_up(error, observer);
    }
    run.warn_of_left(&source.table, left_out.values());
    walked.map_err(|error| Error::of_table(&source.table, &error))
}

impl<'a> RangeRun<'_, 'a> {
    /// Walks through the days of a planner, and takes down what is left out and told, by address.
    fn go_through(
        &mut self,
        mut planner: RangePlanner<'_>,
        observer: &mut dyn RangeObserver,
        left_out: &mut BTreeMap<String, LeftObject>,
    ) -> Result<()> {
        let walked = self.walk(&mut planner, observer);
        let told = planner.told().iter().cloned();
        left_out.extend(told.map(|left| (left.address.clone(), left)));
        walked
    }

    fn walk(&mut self, planner: &mut RangePlanner<'_>, observer: &mut dyn RangeObserver) -> Result<()> {
        while let Some(leg) = self.next_leg(planner, observer)? {
            self.run.cancel.check()?;
            self.open_days(&leg, observer);
            self.read(&leg.objects, observer)?;
            for day in leg.closes {
                if let Some(open) = self.open.remove(&day) {
                    self.close(day, open, planner.left_of(day), observer)?;
                }
            }
            // Rows of the days that are still open; those of others are gone, in whatever way.
            self.residency.settle(self.open.values().map(|open| open.legs.resident_bytes()).sum());
        }
        Ok(())
    }

    fn next_leg(
        &mut self,
        planner: &mut RangePlanner<'_>,
        observer: &mut dyn RangeObserver,
    ) -> Result<Option<RangeLeg>> {
        let (cancel, wanted, progress) = (self.run.cancel, &mut self.wanted, &self.progress);
        planner.next_leg(&mut |about| {
            cancel.check()?;
            let Some(day) = observer.wants(about) else {
                progress.day_done();
                return Ok(false);
            };
            wanted.insert(about.day, day);
            Ok(true)
        })
    }

    /// Begins the days that a leg is the first to feed, or ends without an object.
    fn open_days(&mut self, leg: &RangeLeg, observer: &mut dyn RangeObserver) {
        let fed = leg.objects.iter().flat_map(|shared| shared.days.days()).collect::<BTreeSet<_>>();
        for day in fed.into_iter().chain(leg.closes.iter().copied()) {
            let Some(wanted) = self.wanted.get(&day) else { continue };
            if self.open.contains_key(&day) || self.failed.contains(&day) {
                continue;
            }
            let run = self.run.on_day(day, wanted.listed_at);
            // Who holds a day and waits for another may wait for somebody who waits for him.
            let may_wait = self.open.is_empty();
            match begin(&run, self.source, wanted, may_wait) {
                Ok(staged) => {
                    let (began, legs) = (console::now(), DayLegs::new(day));
                    self.open.insert(day, OpenDay { run, staged, legs, began, read_seconds: 0.0 });
                }
                Err(error) => {
                    run.record_failure(&self.source.table, &error);
                    self.fail(day, error, observer);
                }
            }
        }
    }

    /// Reads a leg for the days that are open; only an interruption ends the whole.
    fn read(&mut self, objects: &[SharedObject], observer: &mut dyn RangeObserver) -> Result<()> {
        let is_fed = |day: &KstDay| objects.iter().any(|shared| shared.days.contains(*day));
        let days: Vec<KstDay> = self.open.keys().copied().filter(is_fed).collect();
        if days.is_empty() { Ok(()) } else { self.read_for(objects, &days, observer) }
    }

    /// Reads what feeds these days. What fails for several is tried for each alone: an object that cannot be had is to fail
    /// no day but its own.
    fn read_for(
        &mut self,
        objects: &[SharedObject],
        days: &[KstDay],
        observer: &mut dyn RangeObserver,
    ) -> Result<()> {
        let began = console::now();
        self.walks += 1;
        match (self.scatter(objects, days), days) {
            (Ok(found), _) => {
                let seconds = seconds_since(began) / days.len() as f64;
                for (day, found) in days.iter().zip(found) {
                    if let Some(open) = self.open.get_mut(day) {
                        open.legs.add(objects, found);
                        open.read_seconds += seconds;
                    }
                }
                Ok(())
            }
            (Err(error), _) if error.kind() == ErrorKind::Interrupted => Err(error),
            (Err(error), [day]) => {
                if let Some(open) = self.open.remove(day) {
                    let error = Error::of_day(day, &Arc::new(error)).with("table", &self.source.table);
                    open.run.record_failure(&self.source.table, &error);
                    self.fail(*day, error, observer);
                }
                Ok(())
            }
            (Err(_), days) => {
                days.iter().try_for_each(|day| self.read_for(objects, std::slice::from_ref(day), observer))
            }
        }
    }

    fn scatter(&self, objects: &[SharedObject], days: &[KstDay]) -> Result<Vec<Scattered>> {
        let open = |day: &KstDay| self.open.get(day);
        let targets = days
            .iter()
            .filter_map(|day| Some(DayTarget { day: *day, scratch: open(day)?.staged.scratch().path() }));
        let is_wanted = |fed: DayRange| days.iter().any(|day| fed.contains(*day));
        let readings = (0..).zip(objects).filter(|(_, shared)| is_wanted(shared.days));
        let leg = Leg {
            table: &self.source.empty_plan(),
            readings: readings
                .map(|(number, SharedObject { object, days })| Reading { number, object, days: *days })
                .collect(),
            days: targets.collect(),
            identity_key: self.identity_key,
            number: self.walks,
            max_reject_ratio: None,
        };
        convert::scatter(&leg, &self.residency, &self.options, self.run.connector, &self.progress)
    }

    /// Makes a day public that nothing can feed any more.
    fn close(
        &mut self,
        day: KstDay,
        open: OpenDay<'a>,
        counted: Vec<LeftGroup>,
        observer: &mut dyn RangeObserver,
    ) -> Result<()> {
        let OpenDay { run, staged, legs, began, read_seconds } = open;
        let (plan, found) = legs.join(TablePlan { counted, ..self.source.empty_plan() });
        run.say_planned(&plan, None);
        // Folders of other services lie beside every day, also a quiet one.
        if plan.listed().listed > 0 {
            run.warn_of_no_object(&plan);
        }
        run.say_read(&plan, found.rows_read(), read_seconds);
        let outcome = run.finish(&plan, found, staged, began);
        match outcome {
            Ok(published) => {
                self.progress.day_done();
                observer.day_done(day, Ok(published));
                Ok(())
            }
            Err(error) => {
                run.record_failure(&self.source.table, &error);
                self.fail(day, error, observer);
                self.run.cancel.check()
            }
        }
    }

    fn fail(&mut self, day: KstDay, error: Error, observer: &mut dyn RangeObserver) {
        self.failed.insert(day);
        self.progress.day_done();
        observer.day_done(day, Err(error));
    }

    /// The days that are open cannot be made: what they have so far is dropped.
    fn give_up(&mut self, error: &Arc<Error>, observer: &mut dyn RangeObserver) {
        while let Some((day, open)) = self.open.pop_first() {
            let error = Error::of_day(day, error).with("table", &self.source.table);
            open.run.record_failure(&self.source.table, &error);
            self.fail(day, error, observer);
        }
    }
}

/// Takes a day for this run. If another run has published it since this one decided to make it, and has listed its objects
/// later, it knows more of them. The times alone must not decide: a run of a clock ahead would bar all others from the day.
fn begin<'a>(
    run: &DayRun<'a>,
    source: &TableSource,
    wanted: &Wanted,
    may_wait: bool,
) -> Result<StagedDay<'a>> {
    let staged = run.begin(&source.table, source.dataset.name(), may_wait)?;
    let replaced = staged.replaced()?.filter(|replaced| wanted.published_by.as_ref() != Some(&replaced.run));
    let planned_at = replaced.as_ref().and_then(|manifest| UtcInstant::parse_iso8601(&manifest.planned_at));
    match (replaced, planned_at) {
        (Some(replaced), Some(planned_at)) if planned_at > wanted.listed_at => {
            Err(Error::new(ErrorKind::Temporary, "another run has published the day meanwhile")
                .with("table", &source.table)
                .with("day", run.day)
                .with("run", replaced.run)
                .hint("'logmill status' says whether it is still behind"))
        }
        _ => Ok(staged),
    }
}
