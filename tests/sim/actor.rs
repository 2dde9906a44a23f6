//! What the processes of a simulation do. Each is the code of logmill over the port of its actor.

use std::cell::RefCell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::days::{DATABASE, Day, TABLE, content_of, plan, rows_of};
use super::glue::GluePort;
use super::port::Port;
use super::works::Work;
use super::world::{HOUR, MINUTE, SECOND, World};
use super::{Broken, GRACE_MS};
use crate::cancel::Cancel;
use crate::catalog::glue::simulated;
use crate::convert::{self, ConvertOptions, PartFile, Scattered};
use crate::error::{Error, Result};
use crate::kst::UtcInstant;
use crate::ledger::RowLedger;
use crate::plan::TablePlan;
use crate::publish::{CleanOptions, Manifest, StagedDay, read_manifest};
use crate::road::clean::{Cleaner, shown_runs};
use crate::road::{CatalogOptions, DayRoad, Registrar, Road, RoadOptions, Silent, time_at};
use crate::store::s3::{Aws, S3Lake, S3Location};
use crate::store::{ConnectionOptions, Connector, Lake};

thread_local! {
    /// The actor whose code this thread runs, for its clock.
    static CLOCK: RefCell<Option<(Arc<World>, usize)>> = const { RefCell::new(None) };
}

/// The clock of the machine of the actor.
pub(super) fn clock() -> UtcInstant {
    let now = CLOCK.with_borrow(|clock| clock.as_ref().map(|(world, me)| world.clock(*me)));
    UtcInstant(now.expect("the thread runs an actor"))
}

/// What the processes of a simulation have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) broken: Broken,
    pub(super) has_catalog: bool,
    /// Number of days.
    pub(super) days: usize,
    /// A folder of this machine.
    pub(super) scratch: &'a Path,
}

/// A process on a machine of its own.
pub(super) struct Process<'a> {
    pub(super) world: &'a Arc<World>,
    pub(super) me: usize,
    pub(super) setting: Setting<'a>,
    pub(super) aws: Arc<Aws>,
    pub(super) lake: S3Lake,
    pub(super) registrar: Option<Registrar>,
}

impl<'a> Process<'a> {
    pub(super) fn start(world: &'a Arc<World>, me: usize, setting: Setting<'a>) -> Self {
        CLOCK.set(Some((Arc::clone(world), me)));
        let broken = setting.broken;
        let aws = Aws::simulated(Arc::new(Port { world: Arc::clone(world), me, broken }));
        let location = S3Location::parse("lake").expect("a bucket");
        let lake = S3Lake::simulated(Arc::clone(&aws), &location, &setting.scratch.join(me.to_string()));
        let registrar = setting.has_catalog.then(|| {
            let options = CatalogOptions {
                database: DATABASE.to_owned(),
                create_database: false,
                projected_from: None,
                column_statistics: false,
            };
            let glue = Arc::new(GluePort { world: Arc::clone(world), me, broken });
            Registrar::over(simulated(Arc::clone(&aws), DATABASE, glue), options, "s3://lake", clock)
        });
        Self { world, me, setting, aws, lake, registrar }
    }

    /// Does the work of an actor.
    pub(super) fn work(&self, work: Work) -> Result<()> {
        match work {
            Work::Run { day, width, steals } => self.run(day, width, steals),
            Work::Backfill { width } => self.backfill(width),
            Work::Clean => self.clean(),
            Work::Register(day) => self.register(day),
            Work::ReadByManifest(day) => self.read_by_manifest(day),
            Work::ReadByCatalog(day) => self.read_by_catalog(day),
            Work::ReadByPath(day) => self.read_by_path(day),
            Work::Shard(shard) => self.convert(shard),
            Work::Publish => self.publish_shards(),
        }
    }

    /// Publishes a day with part files of a few bytes.
    pub(super) fn run(&self, day: Day, width: usize, steals: bool) -> Result<()> {
        self.on_road(steals, |road| {
            let of_day = DayRoad::new(road, day.partition().day);
            let staged = begin(&of_day, &plan(width))?;
            self.write_and_publish(&of_day, &plan(width), staged, &day.rows())
        })
    }

    /// Publishes all days in one run, which holds a day while it publishes the one before, as a walk of a backfill does.
    pub(super) fn backfill(&self, width: usize) -> Result<()> {
        self.on_road(false, |road| {
            let (mut outcome, mut open) = (Ok(()), Vec::new());
            for day in Day::all(self.setting.days) {
                let of_day = DayRoad::new(road, day.partition().day);
                match begin(&of_day, &plan(width)) {
                    Ok(staged) => open.push((day, of_day, staged)),
                    Err(error) => outcome = Err(error),
                }
            }
            for (day, of_day, staged) in open {
                let published = self.write_and_publish(&of_day, &plan(width), staged, &day.rows());
                outcome = outcome.and(published);
            }
            outcome
        })
    }

    /// Starts a run and records its failure.
    pub(super) fn on_road(&self, steals: bool, work: impl FnOnce(&Road<'_>) -> Result<()>) -> Result<()> {
        let convert = ConvertOptions::new(1, 64 << 20);
        let options = RoadOptions { grace_ms: GRACE_MS, steals, ..RoadOptions::new(convert) };
        let connector = Connector::new(Cancel::default(), PathBuf::from("/"), ConnectionOptions::default());
        let road = Road::new(&self.lake, &connector, self.registrar.as_ref(), options, &Silent, clock)?;
        let run = self.run_name(&road.run);
        let road = Road { run, ..road };
        work(&road)
    }

    /// A name of a run without random digits, which would differ from one replay to the next.
    pub(super) fn run_name(&self, drawn: &str) -> String {
        format!("{}{:08x}", &drawn[..17], self.me)
    }

    /// Writes the part files of a day and publishes it.
    pub(super) fn write_and_publish(
        &self,
        of_day: &DayRoad<'_>,
        plan: &TablePlan,
        mut staged: StagedDay<'_>,
        rows: &[String],
    ) -> Result<()> {
        let publish = || {
            self.spend(10, 0..90);
            let run = &of_day.road.run;
            let mut parts = Vec::new();
            let rows_of_part = rows.len().div_ceil(1 + self.draw(2));
            for (number, rows) in rows.chunks(rows_of_part).enumerate() {
                let path = convert::part_path(run, number);
                let content = content_of(&path, rows);
                let mut file = staged.parts_target().partition.create(&path)?;
                file.write_all(content.as_bytes())
                    .and_then(|()| file.flush())
                    .map_err(|cause| Error::unusable("cannot write the file", cause))?;
                parts.push(part_file(path, content.len()));
                self.spend(1, 0..30);
            }
            let gathered = convert::gather(Scattered::default(), plan, staged.scratch().path())?;
            let inputs = staged.pack_inputs(&gathered)?;
            let manifest =
                of_day.manifest(plan, &gathered, &staged, inputs, parts, "event_time".to_owned())?;
            let rows = manifest.parts.len() as u64;
            let ledger = RowLedger { read: rows, written: rows, ..RowLedger::default() };
            let (_, not_registered) = of_day.publish(&Manifest { ledger, ..manifest }, staged, None)?;
            not_registered.map_or(Ok(()), Err)
        };
        publish().inspect_err(|error| of_day.reporter().record_failure(TABLE, error))
    }

    /// Removes leftovers, as `logmill clean` does.
    pub(super) fn clean(&self) -> Result<()> {
        let options = CleanOptions {
            grace_ms: if self.setting.broken == Broken::Grace { 0 } else { GRACE_MS },
            unknown_ms: 24 * HOUR,
            queried_catalog: self.registrar.is_some(),
            now: time_at(&self.lake, clock)?,
        };
        let cleaner = Cleaner { lake: &self.lake, options, dry: false };
        let unfinished = self.lake.unfinished()?;
        for table in cleaner.tables(&unfinished)? {
            let days = cleaner.days(&table, &unfinished)?;
            let shown = shown_runs(self.registrar.as_ref(), &table, &days)?;
            for day in days {
                cleaner.clean_day(&crate::store::lake::Partition { table: table.clone(), day }, &shown)?;
            }
        }
        Ok(())
    }

    /// Registers the day, as `logmill register` and `logmill doctor --fix` do.
    fn register(&self, day: Day) -> Result<()> {
        let manifest = read_manifest(&self.lake, &day.partition())?;
        let (Some(registrar), Some(manifest)) = (&self.registrar, manifest) else { return Ok(()) };
        registrar.register_again(&self.lake, &manifest).map(drop)
    }

    fn read_by_manifest(&self, day: Day) -> Result<()> {
        let began = self.world.state().now;
        let Some(manifest) = read_manifest(&self.lake, &day.partition())? else { return Ok(()) };
        for part in &manifest.parts {
            self.spend(3, 0..600);
            self.read(day, &part.path, began)?;
        }
        Ok(())
    }

    fn read_by_catalog(&self, day: Day) -> Result<()> {
        let (began, shown) = {
            let state = self.world.state();
            (state.now, state.glue.shown(day))
        };
        let Some(run) = shown else { return Ok(()) };
        self.spend(2, 0..60);
        let found = self.lake.names(&format!("{}/{run}", day.folder()))?;
        let wanted = {
            let state = self.world.state();
            let (published, _) = &state.promises.days[day.0].published[&run];
            published.files.iter().filter(|file| file.starts_with(TABLE)).count()
        };
        if found.len() != wanted && self.is_in_time(began) {
            self.violated(format!("a query sees {} of {wanted} files of {run}", found.len()));
        }
        found.iter().try_for_each(|name| self.read(day, &format!("{run}/{name}"), began))
    }

    /// A tool that reads by path can see files of several runs, but each of them whole.
    fn read_by_path(&self, day: Day) -> Result<()> {
        let folder = day.folder();
        for run in self.lake.names(&folder)? {
            for name in self.lake.names(&format!("{folder}/{run}"))? {
                let path = format!("{run}/{name}");
                let found = self.lake.read(&format!("{folder}/{path}"))?;
                if found.is_some_and(|found| rows_of(&found, &path).is_none()) {
                    self.violated(format!("{path} is not whole"));
                }
            }
        }
        Ok(())
    }

    /// Reads a part file, which exists for as long as grace keeps it.
    fn read(&self, day: Day, path: &str, began: i64) -> Result<()> {
        match self.lake.read(&format!("{}/{path}", day.folder()))? {
            Some(found) if rows_of(&found, path).is_some() => {}
            Some(_) => self.violated(format!("{path} is not whole")),
            None if self.is_in_time(began) => self.violated(format!("a reader misses {path}")),
            None => {}
        }
        Ok(())
    }

    /// Whether a reader that began then can rely on the files that it found.
    fn is_in_time(&self, began: i64) -> bool {
        self.world.state().now < began + GRACE_MS
    }

    pub(super) fn violated(&self, promise: String) {
        self.world.state().promises.violated(promise);
    }

    fn draw(&self, most: usize) -> usize {
        self.world.state().rng.usize(..most)
    }

    /// Lets time pass in steps, during which locks are renewed.
    pub(super) fn spend(&self, steps: usize, seconds: std::ops::Range<i64>) {
        self.aws.wait_out(async {
            for _ in 0..self.draw(steps + 1) {
                let millis = self.world.state().rng.i64(seconds.clone()) * SECOND;
                self.world.pause(self.me, millis.min(MINUTE / 4));
                tokio::task::yield_now().await;
            }
        });
    }
}

/// Locks a day for a run.
pub(super) fn begin<'r>(of_day: &DayRoad<'r>, plan: &TablePlan) -> Result<StagedDay<'r>> {
    of_day.begin(&plan.spec, false).inspect_err(|error| of_day.reporter().record_failure(TABLE, error))
}

fn part_file(path: String, bytes: usize) -> PartFile {
    let (rows, row_groups) = (1, 1);
    let (sha256, min_event_time, max_event_time) = (String::new(), String::new(), String::new());
    PartFile { path, bytes: bytes as u64, rows, row_groups, sha256, min_event_time, max_event_time }
}
