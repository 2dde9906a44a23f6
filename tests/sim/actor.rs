//! What the processes of a simulation do. Each is the code of logmill over the port of its actor.

use std::cell::RefCell;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use fastrand::Rng;

use super::catalog::SimulatedCatalog;
use super::port::Port;
use super::world::{HOUR, MINUTE, SECOND, World};
use super::{Broken, DAY, GRACE_MS, PARTITION, TABLE};
use crate::cancel::Cancel;
use crate::convert::{self, ConvertOptions, PartFile, Scattered};
use crate::dataset;
use crate::error::{Error, Result};
use crate::kst::UtcInstant;
use crate::ledger::RowLedger;
use crate::plan::{TablePlan, TableSpec};
use crate::publish::{CleanOptions, Manifest, read_manifest};
use crate::road::clean::{Cleaner, shown_runs};
use crate::road::{CatalogOptions, DayRoad, Registrar, Road, RoadOptions, Silent, time_at};
use crate::store::lake::Partition;
use crate::store::s3::{Aws, S3Lake, S3Location};
use crate::store::{ConnectionOptions, Connector, Lake};

/// The work of an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Publishes the day; `true` takes it over from a run that holds it.
    Run(bool),
    /// Removes leftovers.
    Clean,
    /// Registers the published day.
    Register,
    /// Reads the files that the manifest names.
    ReadByManifest,
    /// Reads the folder that the catalog shows.
    ReadByCatalog,
    /// Reads every file of the partition.
    ReadByPath,
}

impl Work {
    /// The work of the actors of a seed: two or three runs, and up to two others.
    pub(super) fn draw(rng: &mut Rng) -> Vec<Self> {
        let run = |rng: &mut Rng| Self::Run(rng.u8(..3) == 0);
        let mut works = vec![run(rng), run(rng)];
        let others =
            [Self::Clean, Self::Register, Self::ReadByManifest, Self::ReadByCatalog, Self::ReadByPath];
        for _ in 0..rng.usize(..3) {
            works.push(match rng.u8(..3) {
                0 => run(rng),
                1 => Self::Clean,
                _ => others[rng.usize(..others.len())],
            });
        }
        works
    }
}

thread_local! {
    /// The actor whose code this thread runs, for its clock.
    static CLOCK: RefCell<Option<(Arc<World>, usize)>> = const { RefCell::new(None) };
}

/// The clock of the machine of the actor.
fn clock() -> UtcInstant {
    let now = CLOCK.with_borrow(|clock| clock.as_ref().map(|(world, me)| world.clock(*me)));
    UtcInstant(now.expect("the thread runs an actor"))
}

/// A process on a machine of its own.
pub(super) struct Process<'a> {
    world: &'a Arc<World>,
    me: usize,
    broken: Broken,
    aws: Arc<Aws>,
    lake: S3Lake,
    registrar: Option<Registrar>,
}

impl<'a> Process<'a> {
    pub(super) fn start(
        world: &'a Arc<World>,
        me: usize,
        broken: Broken,
        has_catalog: bool,
        scratch: &Path,
    ) -> Self {
        CLOCK.set(Some((Arc::clone(world), me)));
        let aws = Aws::simulated(Arc::new(Port { world: Arc::clone(world), me, broken }));
        let location = S3Location::parse("lake").expect("a bucket");
        let lake = S3Lake::simulated(Arc::clone(&aws), &location, &scratch.join(me.to_string()));
        let registrar = has_catalog.then(|| {
            let options = CatalogOptions {
                database: "logs".to_owned(),
                create_database: false,
                projected_from: None,
                column_statistics: false,
            };
            let catalog = SimulatedCatalog { world: Arc::clone(world), me };
            Registrar::over(Box::new(catalog), options, "s3://lake", clock)
        });
        Self { world, me, broken, aws, lake, registrar }
    }

    /// Does the work of an actor.
    pub(super) fn work(&self, work: Work) -> Result<()> {
        match work {
            Work::Run(steals) => self.run(steals),
            Work::Clean => self.clean(),
            Work::Register => self.register(),
            Work::ReadByManifest => self.read_by_manifest(),
            Work::ReadByCatalog => self.read_by_catalog(),
            Work::ReadByPath => self.read_by_path(),
        }
    }

    /// Publishes the day with part files of a few bytes.
    pub(super) fn run(&self, steals: bool) -> Result<()> {
        let convert = ConvertOptions::new(1, 64 << 20);
        let options = RoadOptions { grace_ms: GRACE_MS, steals, ..RoadOptions::new(convert) };
        let connector =
            Connector::new(Cancel::default(), Path::new("/").into(), ConnectionOptions::default());
        let road = Road::new(&self.lake, &connector, self.registrar.as_ref(), options, &Silent, clock)?;
        // Random digits would differ from one replay to the next.
        let run = format!("{}{:08x}", &road.run[..17], self.me);
        let road = Road { run, ..road };
        let day = DayRoad::new(&road, DAY.parse()?);
        self.publish(&day, &road.run).inspect_err(|error| day.reporter().record_failure(TABLE, error))
    }

    fn publish(&self, day: &DayRoad<'_>, run: &str) -> Result<()> {
        let plan = plan();
        let mut staged = day.begin(&plan.spec, false)?;
        self.spend(10, 0..90);
        let mut parts = Vec::new();
        for number in 0..=self.draw(2) {
            let path = convert::part_path(run, number);
            let content = content_of(&path);
            let mut file = staged.parts_target().partition.create(&path)?;
            file.write_all(content.as_bytes())
                .and_then(|()| file.flush())
                .map_err(|cause| Error::unusable("cannot write the file", cause))?;
            parts.push(part_file(path, content.len()));
            self.spend(1, 0..30);
        }
        let gathered = convert::gather(Scattered::default(), &plan, staged.scratch().path())?;
        let inputs = staged.pack_inputs(&gathered)?;
        let manifest = day.manifest(&plan, &gathered, &staged, inputs, parts, "event_time".to_owned())?;
        let rows = manifest.parts.len() as u64;
        let ledger = RowLedger { read: rows, written: rows, ..RowLedger::default() };
        let (_, not_registered) = day.publish(&Manifest { ledger, ..manifest }, staged, None)?;
        not_registered.map_or(Ok(()), Err)
    }

    /// Removes leftovers, as `logmill clean` does.
    pub(super) fn clean(&self) -> Result<()> {
        let options = CleanOptions {
            grace_ms: if self.broken.ignores_grace() { 0 } else { GRACE_MS },
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
                cleaner.clean_day(&Partition { table: table.clone(), day }, &shown)?;
            }
        }
        Ok(())
    }

    /// Registers the day, as `logmill register` and `logmill doctor --fix` do.
    fn register(&self) -> Result<()> {
        let manifest = read_manifest(&self.lake, &partition())?;
        let (Some(registrar), Some(manifest)) = (&self.registrar, manifest) else { return Ok(()) };
        registrar.register_again(&self.lake, &manifest).map(drop)
    }

    fn read_by_manifest(&self) -> Result<()> {
        let began = self.world.state().now;
        let Some(manifest) = read_manifest(&self.lake, &partition())? else { return Ok(()) };
        for part in &manifest.parts {
            self.spend(3, 0..600);
            self.read(&format!("{PARTITION}/{}", part.path), &part.path, began)?;
        }
        Ok(())
    }

    fn read_by_catalog(&self) -> Result<()> {
        let (began, shown) = {
            let state = self.world.state();
            (state.now, state.shown.clone())
        };
        let Some(run) = shown else { return Ok(()) };
        self.spend(2, 0..60);
        let found = self.lake.names(&format!("{PARTITION}/{run}"))?;
        let wanted = {
            let state = self.world.state();
            let (published, _) = &state.promises.published[&run];
            published.files.iter().filter(|file| file.starts_with(PARTITION)).count()
        };
        if found.len() != wanted && self.is_in_time(began) {
            self.violated(format!("a query sees {} of {wanted} files of {run}", found.len()));
        }
        for name in found {
            self.read(&format!("{PARTITION}/{run}/{name}"), &format!("{run}/{name}"), began)?;
        }
        Ok(())
    }

    /// A tool that reads by path can see files of several runs, but each of them whole.
    fn read_by_path(&self) -> Result<()> {
        for run in self.lake.names(PARTITION)? {
            for name in self.lake.names(&format!("{PARTITION}/{run}"))? {
                let path = format!("{run}/{name}");
                let found = self.lake.read(&format!("{PARTITION}/{path}"))?;
                if found.is_some_and(|found| found != content_of(&path).as_bytes()) {
                    self.violated(format!("{path} is not whole"));
                }
            }
        }
        Ok(())
    }

    /// Reads a file of a run, which exists for as long as grace keeps it.
    fn read(&self, key: &str, path: &str, began: i64) -> Result<()> {
        match self.lake.read(key)? {
            Some(found) if found == content_of(path).as_bytes() => {}
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

    fn violated(&self, promise: String) {
        self.world.state().promises.violated(promise);
    }

    fn draw(&self, most: usize) -> usize {
        self.world.state().rng.usize(..most)
    }

    /// Lets time pass in steps, during which the lock is renewed.
    fn spend(&self, steps: usize, seconds: std::ops::Range<i64>) {
        self.aws.wait_out(async {
            for _ in 0..self.draw(steps + 1) {
                let millis = self.world.state().rng.i64(seconds.clone()) * SECOND;
                self.world.pause(self.me, millis.min(MINUTE / 4));
                tokio::task::yield_now().await;
            }
        });
    }
}

/// A file names its run and number, so that a file of another run is recognised.
fn content_of(path: &str) -> String {
    format!("the whole of {path}")
}

fn part_file(path: String, bytes: usize) -> PartFile {
    let (rows, row_groups) = (1, 1);
    let (sha256, min_event_time, max_event_time) = (String::new(), String::new(), String::new());
    PartFile { path, bytes: bytes as u64, rows, row_groups, sha256, min_event_time, max_event_time }
}

fn partition() -> Partition {
    Partition { table: TABLE.to_owned(), day: DAY.parse().expect("a day") }
}

fn plan() -> TablePlan {
    let access = dataset::named("s3-access").expect("it is built in");
    let spec = TableSpec::new(access, vec!["raw".to_owned()]);
    let (objects, left, counted) = (Vec::new(), Vec::new(), Vec::new());
    TablePlan { spec, requests: 0, objects, left, counted, proof: None }
}
