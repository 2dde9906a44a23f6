//! The road of one table over many days. Every raw object is read once, and a day is published once no later object can
//! feed it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{DayRoad, Progress, PublishedTable, Reporter, Road, Work, identity_key};
use crate::convert::{self, DayLegs, DayTarget, Leg, Reading, Residency, Scattered};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay, UtcInstant};
use crate::plan::{DayObjects, LeftObject, Order, RangeLeg, RangePlanner, SharedObject, TableSource};
use crate::publish::StagedDay;

/// Chooses the days of a walk, and receives their outcomes.
pub(super) trait DayChooser {
    /// Returns the day if it should be built, given everything that can feed it.
    fn wants(&mut self, about: &DayObjects<'_>) -> Option<WantedDay>;
    /// Returns the days that should be built after all, once every other day has been decided.
    fn deferred_days(&mut self) -> Result<Vec<KstDay>>;
    /// Receives the outcome of a wanted day.
    fn day_done(&mut self, day: KstDay, outcome: Result<PublishedTable>);
}

/// A day to build.
pub(super) struct WantedDay {
    /// When the objects that can feed it were listed.
    pub(super) listed_at: UtcInstant,
    /// The run that had published it at that time.
    pub(super) published_by: Option<String>,
}

/// A walk of one table through many days.
pub(super) struct RangeRoad<'a> {
    road: &'a Road<'a>,
    source: &'a TableSource,
    residency: Residency,
    identity_key: [u64; 4],
    progress: Box<dyn Progress>,
    /// Days that are being built.
    open: BTreeMap<KstDay, OpenDay<'a>>,
    wanted: BTreeMap<KstDay, WantedDay>,
    failed: BTreeSet<KstDay>,
    /// Number of walks so far.
    walks: usize,
}

/// A day that is being built.
struct OpenDay<'a> {
    road: DayRoad<'a>,
    staged: StagedDay<'a>,
    legs: DayLegs,
    began: UtcInstant,
    /// The day's share of the reading time of its legs.
    read_seconds: f64,
}

/// Walks over days of a table. A failing day does not stop the others. An error returned here concerns all remaining days.
pub(super) fn walk(
    road: &Road<'_>,
    source: &TableSource,
    days: &[KstDay],
    order: Order,
    chooser: &mut dyn DayChooser,
) -> Result<()> {
    let planner = RangePlanner::open(source, days, order, road.connector, road.clock)?;
    let mut range = RangeRoad {
        road,
        source,
        residency: road.options.convert.residency(),
        identity_key: identity_key()?,
        progress: road.observer.progress(&source.spec.table, Work::Days(days.len())),
        open: BTreeMap::new(),
        wanted: BTreeMap::new(),
        failed: BTreeSet::new(),
        walks: 0,
    };
    let mut left_out = BTreeMap::new();
    let walked = range.go_through(planner, chooser, &mut left_out).and_then(|()| {
        let later = chooser.deferred_days()?;
        if later.is_empty() {
            return Ok(());
        }
        let planner = RangePlanner::open(source, &later, order, road.connector, road.clock)?;
        range.go_through(planner, chooser, &mut left_out)
    });
    let walked = walked.map_err(Arc::new);
    if let Err(error) = &walked {
        range.give_up(error, chooser);
    }
    Reporter::of_walk(road, days).warn_of_left(source, left_out.values());
    walked.map_err(|error| Error::of_table(&source.spec.table, &error))
}

impl<'a> RangeRoad<'a> {
    /// Walks through the days of a planner, and collects by address the skipped objects that may be logs.
    fn go_through(
        &mut self,
        mut planner: RangePlanner<'_>,
        chooser: &mut dyn DayChooser,
        left_out: &mut BTreeMap<String, LeftObject>,
    ) -> Result<()> {
        let walked = self.walk(&mut planner, chooser);
        left_out.extend(planner.possible_logs().map(|left| (left.address.clone(), left.clone())));
        walked
    }

    fn walk(&mut self, planner: &mut RangePlanner<'_>, chooser: &mut dyn DayChooser) -> Result<()> {
        while let Some(leg) = self.next_leg(planner, chooser)? {
            self.road.cancel().check()?;
            self.open_days(&leg, chooser);
            self.read(&leg.objects, chooser)?;
            for day in leg.closes {
                if let Some(open) = self.open.remove(&day) {
                    self.close(day, open, planner, chooser)?;
                }
            }
            // Only the rows of open days remain in memory.
            self.residency.settle(self.open.values().map(|open| open.legs.resident_bytes()).sum());
        }
        Ok(())
    }

    fn next_leg(
        &mut self,
        planner: &mut RangePlanner<'_>,
        chooser: &mut dyn DayChooser,
    ) -> Result<Option<RangeLeg>> {
        let _listing = self.road.observer.progress(&self.source.spec.table, Work::List);
        let (cancel, wanted, progress) = (self.road.cancel(), &mut self.wanted, &self.progress);
        planner.next_leg(&mut |about| {
            cancel.check()?;
            let Some(day) = chooser.wants(about) else {
                progress.day_done();
                return Ok(false);
            };
            wanted.insert(about.day, day);
            Ok(true)
        })
    }

    /// Begins the days that this leg is the first to feed, and those that it closes without objects.
    fn open_days(&mut self, leg: &RangeLeg, chooser: &mut dyn DayChooser) {
        let fed = leg.objects.iter().flat_map(|shared| shared.days.days()).collect::<BTreeSet<_>>();
        for day in fed.into_iter().chain(leg.closes.iter().copied()) {
            let Some(wanted) = self.wanted.get(&day) else { continue };
            if self.open.contains_key(&day) || self.failed.contains(&day) {
                continue;
            }
            let road = DayRoad::planned(self.road, day, wanted.listed_at);
            // A run that holds one day must not wait for another: two such runs could wait for each other.
            let may_wait = self.open.is_empty();
            match begin(&road, self.source, wanted, may_wait) {
                Ok(staged) => {
                    let (began, legs) = (self.road.now(), DayLegs::new(day));
                    self.open.insert(day, OpenDay { road, staged, legs, began, read_seconds: 0.0 });
                }
                Err(error) => {
                    road.reporter().record_failure(&self.source.spec.table, &error);
                    self.fail(day, error, chooser);
                }
            }
        }
    }

    /// Reads a leg for the open days. Only an interruption ends the whole walk.
    fn read(&mut self, objects: &[SharedObject], chooser: &mut dyn DayChooser) -> Result<()> {
        let is_fed = |day: &KstDay| objects.iter().any(|shared| shared.days.contains(*day));
        let days: Vec<KstDay> = self.open.keys().copied().filter(is_fed).collect();
        if days.is_empty() { Ok(()) } else { self.read_for(objects, &days, chooser) }
    }

    /// Reads the objects that feed these days. If that fails for several days, reads them for each day alone, so that an
    /// unavailable object fails only its own days.
    fn read_for(
        &mut self,
        objects: &[SharedObject],
        days: &[KstDay],
        chooser: &mut dyn DayChooser,
    ) -> Result<()> {
        let began = self.road.now();
        self.walks += 1;
        match (self.scatter(objects, days), days) {
            (Ok(found), _) => {
                let seconds = self.road.seconds_since(began) / days.len() as f64;
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
                    let error = Error::of_day(day, &Arc::new(error)).with("table", &self.source.spec.table);
                    open.road.reporter().record_failure(&self.source.spec.table, &error);
                    self.fail(*day, error, chooser);
                }
                Ok(())
            }
            (Err(_), days) => {
                days.iter().try_for_each(|day| self.read_for(objects, std::slice::from_ref(day), chooser))
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
            spec: &self.source.spec,
            readings: readings
                .map(|(number, SharedObject { object, days })| Reading { number, object, days: *days })
                .collect(),
            days: targets.collect(),
            identity_key: self.identity_key,
            number: self.walks,
            max_reject_ratio: None,
        };
        let Road { options, connector, .. } = self.road;
        convert::scatter(&leg, &self.residency, &options.convert, connector, self.progress.as_ref())
    }

    /// Publishes a day that no later object can feed.
    fn close(
        &mut self,
        day: KstDay,
        open: OpenDay<'a>,
        planner: &RangePlanner<'_>,
        chooser: &mut dyn DayChooser,
    ) -> Result<()> {
        let OpenDay { road, staged, legs, began, read_seconds } = open;
        let (objects, found) = legs.join();
        let plan = planner.plan_of(day, objects);
        road.reporter().report_planned(&plan, road.planned_at, None);
        // Folders alone need no warning: folders of other services exist on every day, even a quiet one.
        if plan.listed().listed > 0 {
            road.reporter().warn_of_no_object(&plan);
        }
        road.reporter().warn_of_keys(self.source);
        road.reporter().report_read(&plan, found.rows_read(), read_seconds);
        let outcome = plan.check_readable().and_then(|()| road.finish(&plan, found, staged, began));
        match outcome {
            Ok(published) => {
                self.progress.day_done();
                chooser.day_done(day, Ok(published));
                Ok(())
            }
            Err(error) => {
                road.reporter().record_failure(&self.source.spec.table, &error);
                self.fail(day, error, chooser);
                self.road.cancel().check()
            }
        }
    }

    fn fail(&mut self, day: KstDay, error: Error, chooser: &mut dyn DayChooser) {
        self.failed.insert(day);
        self.progress.day_done();
        chooser.day_done(day, Err(error));
    }

    /// Fails all open days and drops their work.
    fn give_up(&mut self, error: &Arc<Error>, chooser: &mut dyn DayChooser) {
        while let Some((day, open)) = self.open.pop_first() {
            let error = Error::of_day(day, error).with("table", &self.source.spec.table);
            open.road.reporter().record_failure(&self.source.spec.table, &error);
            self.fail(day, error, chooser);
        }
    }
}

/// Locks a day for this run. Fails if another run has published the day since this run decided to build it, and listed its
/// objects later, because that run may know more objects. The listing times alone must not decide: a run whose clock is
/// ahead would block all other runs from the day.
fn begin<'a>(
    road: &DayRoad<'a>,
    source: &TableSource,
    wanted: &WantedDay,
    may_wait: bool,
) -> Result<StagedDay<'a>> {
    let staged = road.begin(&source.spec, may_wait)?;
    let replaced = staged.replaced()?.filter(|replaced| wanted.published_by.as_ref() != Some(&replaced.run));
    let planned_at = replaced.as_ref().and_then(|manifest| UtcInstant::parse_iso8601(&manifest.planned_at));
    match (replaced, planned_at) {
        (Some(replaced), Some(planned_at)) if planned_at > wanted.listed_at => {
            Err(Error::new(ErrorKind::Temporary, "another run has published the day in the meantime")
                .with("table", &source.spec.table)
                .with("day", road.day)
                .with("run", replaced.run)
                .hint("run 'logmill status' to see whether the day still needs a rebuild"))
        }
        _ => Ok(staged),
    }
}
