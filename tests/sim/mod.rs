//! A simulation of several processes that publish, clean, register and read days of a lake in a bucket.
//!
//! Bucket, Glue, clocks and scheduler are in memory; everything above the requests to them is the code of logmill. One seed
//! gives one schedule: which process continues after each request, how long it takes, and what fails. After each change of
//! the bucket, [`promises`] checks what must hold. At the end a clean run follows, and only what is needed may be left.
//!
//! `SIM_SEEDS` sets the number of seeds and `SIM_FROM` the first one. `SIM_SEED` runs one seed and prints its steps.
//! `docs/testing.md` describes the model and its limits.

mod actor;
mod bucket;
mod days;
mod glue;
mod port;
mod promises;
mod shards;
mod stores;
mod works;
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

use self::actor::{Process, Setting};
use self::bucket::{Condition, Request};
use self::days::{Day, SHARDS, is_lock, is_manifest};
use self::works::{Cast, Work};
use self::world::{HOUR, SECOND, World};

/// How long superseded runs are kept.
const GRACE_MS: i64 = HOUR;

/// The seeds of `make test`.
const SEEDS: u64 = 2000;
/// How often a process is started if another one holds the day, or if S3 does not answer.
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
    /// Glue does not report the entries of a batch that failed.
    BatchErrors,
    /// `logmill publish` does not ask for the last shard.
    Shards,
}

impl Broken {
    /// Removes the condition that the bucket ignores.
    fn weakened(self, request: &Request) -> Cow<'_, Request> {
        match request {
            Request::Put { key, content, .. } if self == Self::ManifestCondition && is_manifest(key) => {
                let (key, content, condition) = (key.clone(), Arc::clone(content), Condition::Always);
                Cow::Owned(Request::Put { key, content, condition })
            }
            other => Cow::Borrowed(other),
        }
    }

    /// The day whose lock the bucket confirms without looking.
    fn hides_loss(self, request: &Request) -> Option<Day> {
        match request {
            Request::Put { key, condition: Condition::Is(_), .. }
                if self == Self::LockCheck && is_lock(key) =>
            {
                Day::of_key(key)
            }
            _ => None,
        }
    }

    /// Whether the date of an answer is after the end of every lock.
    fn expires_locks(self, request: &Request) -> bool {
        self == Self::Takeover && request.put_key().is_some_and(is_lock)
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
    let cast = Cast::draw(&mut rng);
    let has_catalog = cast.days > 1 || rng.bool();
    let mut names: Vec<String> =
        cast.works.iter().enumerate().map(|(place, work)| format!("{place} {}", work.name())).collect();
    names.push("at the end".to_owned());
    let world = Arc::new(World::new(rng, broken, &names, is_traced));
    let setting = Setting { broken, has_catalog, days: cast.days, scratch };
    for (actor, work) in cast.works.iter().enumerate() {
        if matches!(work, Work::Run { steals: true, .. }) {
            world.state().promises.allow_to_steal(actor);
        }
    }
    if cast.has_plan() {
        world.put_plan();
    }
    if cast.days > 1 {
        world.state().glue.begin();
    }
    let last = cast.works.len();
    world.rest(last);
    thread::scope(|scope| {
        for (me, work) in cast.works.iter().enumerate() {
            let world = &world;
            scope.spawn(move || {
                act(world, me, || {
                    on_one_thread(*work, || attempt(world, me, *work, setting));
                    Ok(())
                });
            });
        }
        world.begin();
    });
    if world.state().promises.violation.is_none() {
        world.calm_down(last);
        let setting = Setting { broken: Broken::Nothing, ..setting };
        act(&world, last, || conclude(&world, last, &cast, setting));
    }
    let trace = world.trace();
    let state = world.state();
    let mut counts = state.counts;
    for day in &state.promises.days {
        counts.published += day.published.len() as u64;
        counts.replaced += day.published.values().filter(|(_, at)| at.is_some()).count() as u64;
    }
    Verdict { violation: state.promises.violation.clone(), trace, counts }
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

/// Runs code that would otherwise send the requests of one process on several threads.
fn on_one_thread<T: Send>(work: Work, run: impl FnOnce() -> T + Send) -> T {
    if !matches!(work, Work::Shard(_) | Work::Publish) {
        return run();
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    pool.expect("it starts a thread").install(run)
}

/// Starts the process of an actor. A scheduler starts it again if it may succeed later. It starts `publish` again after any
/// failure, because shards can be late.
fn attempt(world: &Arc<World>, me: usize, work: Work, setting: Setting<'_>) {
    for _ in 0..RUN_ATTEMPTS {
        if work == Work::Publish {
            let pause = world.state().rng.i64(SECOND..120 * SECOND);
            world.pause(me, pause);
        }
        world.state().promises.begins(me);
        // A failure is an outcome like others: another run holds the day, or the bucket does not answer.
        let outcome = Process::start(world, me, setting).work(work);
        let may_succeed = outcome.is_err_and(|error| error.is_retryable() || work == Work::Publish);
        if !may_succeed || !(work.is_restarted() || work == Work::Publish) {
            break;
        }
        let pause = world.state().rng.i64(SECOND..90 * SECOND);
        world.pause(me, pause);
    }
}

/// After all processes ended: each process that may have work left, without hazards. Then nothing unneeded is left.
fn conclude(world: &Arc<World>, me: usize, cast: &Cast, setting: Setting<'_>) -> crate::error::Result<()> {
    let process = || Process::start(world, me, setting);
    if cast.has_plan() {
        // Once the plan is published, only files of killed attempts may be left.
        let has_receipt = world.state().promises.has_receipt;
        let shards = (0..if has_receipt { 0 } else { SHARDS }).map(Work::Shard);
        for work in shards.chain([Work::Publish]) {
            on_one_thread(work, || process().work(work))?;
        }
    }
    // The widest columns, so that every partition gets them.
    let work = if cast.days == 1 {
        Work::Run { day: Day(0), width: 3, steals: false }
    } else {
        Work::Backfill { width: 3 }
    };
    process().work(work)?;
    check_rest(world, setting, false);
    world.pause(me, 26 * HOUR);
    process().clean()?;
    check_rest(world, setting, true);
    Ok(())
}

fn check_rest(world: &World, setting: Setting<'_>, is_cleaned: bool) {
    let state = &mut *world.state();
    let Setting { has_catalog, days, .. } = setting;
    state.promises.check_rest(days, &state.bucket, has_catalog && !is_cleaned, state.now);
    for day in Day::all(days).filter(|_| has_catalog) {
        let live = state.promises.days[day.0].live.as_ref().map(|live| live.run.clone());
        if state.glue.shown(day) != live {
            state.promises.violated("the catalog does not show the live run at the end");
        }
    }
    if let Some(defect) = state.glue.defect() {
        state.promises.violated(defect);
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
    for broken in [
        Broken::ManifestCondition,
        Broken::LockCheck,
        Broken::Grace,
        Broken::Takeover,
        Broken::BatchErrors,
        Broken::Shards,
    ] {
        let (failed, counts) = search(0..SEEDS, broken);
        let failed = failed.unwrap_or_else(|| panic!("{broken:?} is not noticed: {counts:?}"));
        let scratch = scratch_folder();
        let violation = simulate(failed, broken, scratch.path(), false).violation;
        print(&format!("{broken:?} is noticed with seed {failed}: {}", violation.expect("it fails again")));
    }
}
