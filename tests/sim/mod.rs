//! A simulation of several processes that publish, clean, register and read one day of a lake in a bucket.
//!
//! Bucket, catalog, clocks and scheduler are in memory; everything above the requests to S3 is the code of logmill. One seed
//! gives one schedule: which process continues after each request, how long it takes, and what fails. After each change of
//! the bucket, [`promises`] checks what must hold. At the end a clean run follows, and only what is needed may be left.
//!
//! `SIM_SEEDS` sets the number of seeds and `SIM_FROM` the first one. `SIM_SEED` runs one seed and prints its steps.
//! `docs/testing.md` describes the model and its limits.

mod actor;
mod bucket;
mod catalog;
mod port;
mod promises;
mod world;

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use fastrand::Rng;
use tempfile::TempDir;

use self::actor::{Process, Work};
use self::bucket::{Condition, Request};
use self::world::{HOUR, SECOND, World};

const TABLE: &str = "s3_access";
const DAY: &str = "2023-11-01";
const PARTITION: &str = "s3_access/proc_ymd=20231101";
const MANIFEST: &str = "_manifests/s3_access/proc_ymd=20231101.json";
const LOCK: &str = "_locks/s3_access/proc_ymd=20231101.json";
/// The folders of the files that a commit writes first.
const QUARANTINE_AND_INPUTS: [&str; 2] = ["_quarantine/", "_inputs/"];
/// How long superseded runs are kept.
const GRACE_MS: i64 = HOUR;

/// The seeds of `make test`.
const SEEDS: u64 = 2000;
/// How often a run is started if another run holds the day, or if S3 does not answer.
const RUN_ATTEMPTS: u32 = 4;
/// How many of its last steps a failing seed prints.
const SHOWN_STEPS: usize = 80;

/// A protocol that is broken on purpose, to prove that the simulation notices it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// The bucket accepts every put of a manifest.
    ManifestCondition,
    /// The bucket confirms every renewal of a lock, so that the check before the commit never finds it lost.
    LockCheck,
    /// `logmill clean` keeps no superseded run.
    Grace,
    /// The clock of the bucket shows every lock as expired.
    Takeover,
}

impl Broken {
    /// Removes the condition that the bucket ignores.
    fn weakened(self, request: &Request) -> Cow<'_, Request> {
        match request {
            Request::Put { key, content, .. } if self == Self::ManifestCondition && key == MANIFEST => {
                let (key, content, condition) = (key.clone(), Arc::clone(content), Condition::Always);
                Cow::Owned(Request::Put { key, content, condition })
            }
            other => Cow::Borrowed(other),
        }
    }

    /// Whether the bucket confirms a renewal without looking.
    fn hides_loss(self, request: &Request) -> bool {
        let is_renewal =
            matches!(request, Request::Put { key, condition: Condition::Is(_), .. } if key == LOCK);
        self == Self::LockCheck && is_renewal
    }

    /// Whether the date of an answer is after the end of every lock.
    fn expires_locks(self, request: &Request) -> bool {
        self == Self::Takeover && request.put_key() == Some(LOCK)
    }

    fn ignores_grace(self) -> bool {
        self == Self::Grace
    }
}

/// What happened in a simulation, or in many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    requests: u64,
    switches: u64,
    faults: u64,
    deaths: u64,
    pauses: u64,
    published: u64,
    replaced: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.switches += other.switches;
        self.faults += other.faults;
        self.deaths += other.deaths;
        self.pauses += other.pauses;
        self.published += other.published;
        self.replaced += other.replaced;
    }
}

/// The end of a simulation.
struct Verdict {
    violation: Option<String>,
    trace: Vec<String>,
    counts: Counts,
}

/// Runs the schedule of a seed.
fn simulate(seed: u64, broken: Broken, scratch: &Path, is_traced: bool) -> Verdict {
    let mut rng = Rng::with_seed(seed);
    let works = Work::draw(&mut rng);
    let has_catalog = rng.bool();
    let mut names: Vec<String> =
        works.iter().enumerate().map(|(place, work)| format!("{place} {}", name_of(*work))).collect();
    names.push("at the end".to_owned());
    let world = Arc::new(World::new(rng, broken, &names, is_traced));
    for (actor, work) in works.iter().enumerate() {
        if *work == Work::Run(true) {
            world.state().promises.allow_to_steal(actor);
        }
    }
    let last = works.len();
    world.rest(last);
    thread::scope(|scope| {
        for (me, work) in works.iter().enumerate() {
            let world = &world;
            let start = move || Process::start(world, me, broken, has_catalog, scratch);
            scope.spawn(move || {
                act(world, me, || {
                    attempt(world, me, *work, start);
                    Ok(())
                });
            });
        }
        world.begin();
    });
    if world.state().promises.violation.is_none() {
        world.calm_down(last);
        act(&world, last, || conclude(&world, last, has_catalog, scratch));
    }
    let trace = world.trace();
    let state = world.state();
    let published = state.promises.published.len() as u64;
    let replaced = state.promises.published.values().filter(|(_, at)| at.is_some()).count() as u64;
    let counts = Counts { published, replaced, ..state.counts };
    Verdict { violation: state.promises.violation.clone(), trace, counts }
}

fn name_of(work: Work) -> &'static str {
    match work {
        Work::Run(false) => "run",
        Work::Run(true) => "steal",
        Work::Clean => "clean",
        Work::Register => "register",
        Work::ReadByManifest => "read",
        Work::ReadByCatalog => "query",
        Work::ReadByPath => "look",
    }
}

/// Runs an actor. A panic is a violation, and must not stop the others.
fn act(world: &World, me: usize, work: impl FnOnce() -> crate::error::Result<()>) {
    world.enter(me);
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => world.state().promises.violated(format!("the end failed: {error}")),
        Err(_) => world.state().promises.violated("the process panicked"),
    }
    world.leave(me);
}

/// Starts the process of an actor. A scheduler starts a run again that may succeed later.
fn attempt<'w>(world: &World, me: usize, work: Work, start: impl Fn() -> Process<'w>) {
    for _ in 0..RUN_ATTEMPTS {
        world.state().promises.begins(me);
        // A failure is an outcome like others: another run holds the day, or the bucket does not answer.
        let may_retry = start().work(work).is_err_and(|error| error.is_retryable());
        if !may_retry || !matches!(work, Work::Run(_)) {
            break;
        }
        let pause = world.state().rng.i64(SECOND..90 * SECOND);
        world.pause(me, pause);
    }
}

/// After all processes ended: one run and one cleaning without hazards, and nothing unneeded is left.
fn conclude(world: &Arc<World>, me: usize, has_catalog: bool, scratch: &Path) -> crate::error::Result<()> {
    let process = || Process::start(world, me, Broken::Nothing, has_catalog, scratch);
    process().run(false)?;
    check_rest(world, has_catalog, false);
    world.pause(me, 26 * HOUR);
    process().clean()?;
    check_rest(world, has_catalog, true);
    Ok(())
}

fn check_rest(world: &World, has_catalog: bool, is_cleaned: bool) {
    let state = &mut *world.state();
    state.promises.check_rest(&state.bucket, has_catalog && !is_cleaned, state.now);
    let live = state.promises.live.as_ref().map(|live| live.run.clone());
    if has_catalog && state.shown != live {
        state.promises.violated("the catalog does not show the live run at the end");
    }
}

/// A folder for the files that processes keep on their machines; in memory if possible.
fn scratch_folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("logmill-sim-").tempdir_in(folder).expect("a folder")
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Runs seeds on all cores, up to the first one that breaks a promise.
fn search(seeds: std::ops::Range<u64>, broken: Broken) -> (Option<u64>, Counts) {
    let (next, failed) = (AtomicU64::new(seeds.start), AtomicU64::new(u64::MAX));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let counts = thread::scope(|scope| {
        let work = || {
            let scratch = scratch_folder();
            let mut counts = Counts::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds.end || failed.load(Ordering::Relaxed) < seed {
                    return counts;
                }
                let verdict = simulate(seed, broken, scratch.path(), false);
                counts += verdict.counts;
                if verdict.violation.is_some() {
                    failed.fetch_min(seed, Ordering::Relaxed);
                }
            }
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let mut total = Counts::default();
        for worker in workers {
            total += worker.join().expect("a worker does not panic");
        }
        total
    });
    (Some(failed.into_inner()).filter(|seed| *seed != u64::MAX), counts)
}

/// Describes the schedule of a seed.
fn explain(seed: u64, broken: Broken, shown_steps: usize) -> String {
    let scratch = scratch_folder();
    let Verdict { violation, trace, .. } = simulate(seed, broken, scratch.path(), true);
    let steps = trace[trace.len().saturating_sub(shown_steps)..].join("\n");
    let violation = violation.unwrap_or("every promise is kept".to_owned());
    format!("{steps}\nseed {seed}: {violation}\nreplay it with SIM_SEED={seed} make sim")
}

#[expect(clippy::print_stderr, reason = "a long simulation shows its figures")]
fn print(line: &str) {
    eprintln!("{line}");
}

#[test]
fn every_schedule_keeps_the_promises() {
    if let Some(seed) = number("SIM_SEED") {
        print(&explain(seed, Broken::Nothing, usize::MAX));
    }
    let first = number("SIM_SEED").or(number("SIM_FROM")).unwrap_or(1);
    let seeds = if number("SIM_SEED").is_some() { 1 } else { number("SIM_SEEDS").unwrap_or(SEEDS) };
    let began = Instant::now();
    let (failed, counts) = search(first..first + seeds, Broken::Nothing);
    print(&format!("{seeds} seeds from {first} in {:.1} s: {counts:?}", began.elapsed().as_secs_f64()));
    assert!(failed.is_none(), "{}", explain(failed.unwrap_or_default(), Broken::Nothing, SHOWN_STEPS));
    let is_many = seeds >= 100;
    assert!(!is_many || counts.replaced > seeds / 2, "days should be replaced: {counts:?}");
    assert!(!is_many || counts.faults > seeds && counts.deaths > seeds / 4, "things should fail: {counts:?}");
}

#[test]
fn each_broken_protocol_is_noticed() {
    for broken in [Broken::ManifestCondition, Broken::LockCheck, Broken::Grace, Broken::Takeover] {
        let (failed, counts) = search(0..SEEDS, broken);
        let failed = failed.unwrap_or_else(|| panic!("{broken:?} is not noticed: {counts:?}"));
        let scratch = scratch_folder();
        let violation = simulate(failed, broken, scratch.path(), false).violation;
        print(&format!("{broken:?} is noticed with seed {failed}: {}", violation.expect("it fails again")));
    }
}
