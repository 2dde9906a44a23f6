//! Runs that are interrupted, killed or concurrent: a reader sees either the complete old day or the complete new one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::harness::{AccessLine, Call, DAY, Running, Table, Workdir, document, event, gz};

const TABLE: Table = Table::CLOUDTRAIL;

/// A lake with an old day, and raw logs for a new version that takes a while to build.
struct Scene {
    work: Workdir,
    /// The files of the old day.
    old: BTreeMap<PathBuf, u64>,
    /// The digests of the part files that an undisturbed run writes for the new day.
    new_parts: BTreeSet<u64>,
}

/// The version of the day that a reader sees.
#[derive(Debug, PartialEq, Eq)]
enum LiveDay {
    Old,
    New,
}

impl Scene {
    fn new() -> Self {
        let work = Workdir::new();
        work.cloudtrail("a", document([event("old", json!({}))]));
        work.run(TABLE).publishes(TABLE);
        let old = work.published();
        fs::rename(work.lake(), work.path("lake-old")).unwrap();
        for object in ["a", "b", "c", "d"] {
            let records = (0..300).map(|number| event(&format!("{object}-{number}"), json!({})).to_string());
            work.cloudtrail(object, gz(document(records.chain(["\"bad\"".to_owned()]))));
        }
        work.run(TABLE).publishes(TABLE);
        let mut scene = Self { work, old, new_parts: BTreeSet::new() };
        scene.new_parts = scene.parts();
        scene.reset();
        scene
    }

    /// Restores the old day.
    fn reset(&self) {
        fs::remove_dir_all(self.work.lake()).unwrap();
        let copied =
            Command::new("cp").arg("-a").args([self.work.path("lake-old"), self.work.lake()]).status();
        assert!(copied.unwrap().success());
    }

    fn run(&self) -> Call<'_> {
        self.work.run(TABLE)
    }

    /// The digests of the part files that a reader sees.
    fn parts(&self) -> BTreeSet<u64> {
        let is_part =
            |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("part-"));
        let seen = self.work.published().into_iter().filter(|(path, _)| !path.starts_with("_staging"));
        seen.filter(|(path, _)| is_part(path)).map(|(_, digest)| digest).collect()
    }

    /// Returns the version that a reader sees. Fails unless it is complete.
    fn live_day(&self) -> LiveDay {
        self.work.verify().exits(0);
        let mut seen = self.work.published();
        // A killed run can leave the manifest and the list of inputs of a version that is not the day.
        seen.retain(|path, _| self.old.contains_key(path) || path.starts_with(TABLE.name));
        if seen == self.old {
            return LiveDay::Old;
        }
        assert_eq!(self.parts(), self.new_parts, "neither the old day nor the new one: {seen:?}");
        LiveDay::New
    }

    /// A named pipe that is read as another object. A run that has opened it blocks until the test writes or closes it.
    fn pipe(&self, name: &str) -> PathBuf {
        let pipe = self.work.path(&format!("{name}_CloudTrail_r_20231101T0310Z_z.json.gz"));
        if !pipe.exists() {
            assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        }
        pipe
    }

    /// Starts a run that has locked the day and waits for the content of an object.
    fn run_until_it_reads(&self) -> (Running<'_>, File) {
        self.run_with_until_it_reads("pipe", &[])
    }

    fn run_with_until_it_reads(&self, pipe: &str, options: &[&str]) -> (Running<'_>, File) {
        let pipe = self.pipe(pipe);
        let run = self.run().args([Path::new("--input"), &pipe]).args(options).start();
        (run, OpenOptions::new().write(true).open(pipe).unwrap())
    }

    /// The lock of the day, held by the test.
    fn held(&self) -> (PathBuf, File) {
        let lock = self.work.write("lake/_staging/cloudtrail/proc_ymd=20231101.lock", "run X, process 1");
        let held = File::open(&lock).unwrap();
        held.try_lock().unwrap();
        (lock, held)
    }
}

/// Writes blank lines until the read end is closed, so that the run is still reading when it handles a signal.
fn write_until_it_stops(mut pipe: File) {
    let blank = vec![b'\n'; 64 << 10];
    let written = (0..4096).take_while(|_| pipe.write_all(&blank).is_ok()).count();
    assert!(written < 4096, "a signal should stop a run that is reading");
}

/// When to signal a run: a name that appears in its staging folder or among the manifests, and a delay in milliseconds.
const MOMENTS: [(&str, u64); 9] = [
    ("", 0),
    ("rejected-", 0),
    ("rejected-", 30),
    ("rejected-", 100),
    ("quarantine", 0),
    ("part-", 0),
    ("part-", 10),
    ("next.manifest", 0),
    ("proc_ymd=20231101.next.json", 0),
];

/// Whether the name of any file or folder below `folder` starts with `name`.
fn has(folder: &Path, name: &str) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with(name) || has(&entry.path(), name))
}

/// Waits until a run has reached a moment or has ended.
fn wait_for(scene: &Scene, run: &mut Running<'_>, (name, millis): (&str, u64)) {
    let is_manifest = Path::new(name).extension().is_some_and(|kind| kind == "json");
    let place = if is_manifest { scene.work.path("lake/_manifests") } else { scene.work.work_folder("lake") };
    while !run.has_ended() && !has(&place, name) {
        thread::sleep(Duration::from_micros(100));
    }
    thread::sleep(Duration::from_millis(millis));
}

#[test]
fn an_interrupted_run_leaves_the_old_day_or_the_whole_new_one() {
    let scene = Scene::new();
    for signal in ["INT", "TERM"] {
        for moment in MOMENTS {
            scene.reset();
            let mut run = scene.run().start();
            wait_for(&scene, &mut run, moment);
            run.signal(signal);
            let outcome = run.wait();
            scene.work.assert_no_debris("lake");
            let expected = match outcome.code {
                Some(130) => LiveDay::Old,
                Some(0) => LiveDay::New,
                _ => panic!("SIG{signal} at {moment:?} ends in\n{outcome}"),
            };
            assert_eq!(scene.live_day(), expected, "SIG{signal} at {moment:?}\n{outcome}");
        }
    }
}

#[test]
fn a_signal_in_the_middle_of_an_object_ends_the_run() {
    let scene = Scene::new();
    let run_records = scene.work.files("lake/_runs");
    for signal in ["INT", "TERM"] {
        let (run, mut pipe) = scene.run_until_it_reads();
        pipe.write_all(b"{\"Records\":[").unwrap();
        run.signal(signal);
        write_until_it_stops(pipe);
        let outcome = run.wait();
        assert_eq!(outcome.code, Some(130), "{outcome}");
        outcome.says(&["interrupted", "this table was not published"]);
        assert_eq!(
            scene.work.files("lake/_runs"),
            run_records,
            "an interrupted run should have no run record"
        );
        scene.work.assert_no_debris("lake");
        assert_eq!(scene.live_day(), LiveDay::Old);
    }
}

/// The second table waits for content when the first one is already published.
#[test]
fn a_run_interrupted_after_its_first_table_has_published_it() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("id", json!({}))]));
    let pipe = work.path("2023-11-01-03-10-00-F1F0");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let pipe_name = pipe.display();
    let sources = format!(
        "[[source]]\ndataset = \"cloudtrail\"\ninput = \"raw\"\n\
         [[source]]\ndataset = \"s3-access\"\ninput = \"{pipe_name}\"\n"
    );
    work.write("logmill.toml", sources);
    let run = work.logmill(["run", "--day", DAY, "--output", "lake"]).start();
    let writer = OpenOptions::new().write(true).open(&pipe).unwrap();
    run.signal("TERM");
    write_until_it_stops(writer);
    let outcome = run.wait();
    assert_eq!(outcome.code, Some(130), "{outcome}");
    work.verify().exits(0).prints(&["cloudtrail/proc_ymd=20231101: 1 row "]);
    assert_eq!(outcome.stderr.matches("this table was not published").count(), 1, "{outcome}");
    assert!(!outcome.stderr.contains("(table: cloudtrail"), "cloudtrail was published\n{outcome}");
    work.assert_no_debris("lake");
}

#[test]
fn a_second_signal_ends_the_run_at_once_and_a_rerun_cleans_up() {
    let scene = Scene::new();
    let (run, _pipe) = scene.run_until_it_reads();
    run.signal("INT");
    run.signal("TERM");
    let outcome = run.wait();
    assert_eq!(outcome.code, Some(130), "{outcome}");
    assert_eq!(scene.live_day(), LiveDay::Old);
    scene.run().publishes(TABLE);
    assert_eq!(scene.live_day(), LiveDay::New);
}

#[test]
fn a_rerun_after_a_kill_at_any_moment_publishes_and_cleans_up() {
    let scene = Scene::new();
    for moment in MOMENTS {
        scene.reset();
        let mut run = scene.run().start();
        wait_for(&scene, &mut run, moment);
        run.signal("KILL");
        run.wait();
        scene.live_day();
        scene.run().publishes(TABLE);
        assert_eq!(scene.live_day(), LiveDay::New, "killed at {moment:?}");
    }
    // Several runs, all killed before their end, with no rerun in between.
    scene.reset();
    for _ in 0..3 {
        let (run, _pipe) = scene.run_until_it_reads();
        run.signal("KILL");
        assert_eq!(run.wait().code, None);
        assert_eq!(scene.live_day(), LiveDay::Old);
    }
    scene.run().publishes(TABLE);
    assert_eq!(scene.live_day(), LiveDay::New);
}

#[test]
fn a_day_locked_by_another_run_is_not_touched() {
    let scene = Scene::new();
    let (lock, held) = scene.held();
    let before = scene.work.files("lake");
    let facts = ["another run", "table: cloudtrail", "day: 2023-11-01", "holder: run X, process 1"];
    let refused = scene.run().exits(75);
    refused.says(&facts);
    refused.says(&["hint:", "--wait", "--steal"]);
    assert_eq!(scene.work.files("lake"), before);
    // Other days of the table and other tables are not locked.
    let other = scene.work.logmill(["run", "--day", "2023-11-02", "--input", "raw", "--output", "lake"]);
    other.exits(0);
    assert_eq!(fs::read_to_string(&lock).unwrap(), "run X, process 1");
    drop(held);
    scene.run().publishes(TABLE);
    assert_eq!(scene.live_day(), LiveDay::New);
}

#[test]
fn the_second_of_two_concurrent_runs_of_a_day_stops() {
    let scene = Scene::new();
    let (first, pipe) = scene.run_until_it_reads();
    let holder = format!("process {}", first.id());
    scene.run().exits(75).says(&["another run", &holder]);
    let staging = scene.work.path("lake/_staging");
    assert!(
        has(&staging, "proc_ymd=20231101.lock"),
        "the second run should not remove the lock of the first"
    );
    drop(pipe);
    let outcome = first.wait();
    // The object behind the pipe had no content.
    assert!(matches!(outcome.code, Some(0 | 3)), "{outcome}");
    scene.run().publishes(TABLE);
}

#[test]
fn a_waiting_run_publishes_after_the_holder_has_ended() {
    let scene = Scene::new();
    let (_, held) = scene.held();
    let mut waiting = scene.run().env("LOGMILL_WAIT", "1h").start();
    waiting.wait_for_message("waiting for another run to end");
    assert_eq!(scene.live_day(), LiveDay::Old);
    drop(held);
    let outcome = waiting.wait();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert_eq!(outcome.stderr.matches("waiting").count(), 1, "{outcome}");
    outcome.says(&["cloudtrail", "2023-11-01", "run X, process 1"]);
    assert_eq!(scene.live_day(), LiveDay::New);
    scene.work.assert_no_debris("lake");
}

#[test]
fn a_signal_ends_the_wait_and_leaves_the_lock() {
    let scene = Scene::new();
    let (lock, _held) = scene.held();
    let mut waiting = scene.run().args(["--wait"]).start();
    waiting.wait_for_message("waiting for another run to end");
    waiting.signal("INT");
    let outcome = waiting.wait();
    assert_eq!(outcome.code, Some(130), "{outcome}");
    assert_eq!(fs::read_to_string(lock).unwrap(), "run X, process 1");
    assert_eq!(scene.live_day(), LiveDay::Old);
}

#[test]
fn a_run_that_lost_its_lock_to_steal_stops_without_disturbing_the_other() {
    let scene = Scene::new();
    let (loser, mut content) = scene.run_until_it_reads();
    let (winner, mut others) = scene.run_with_until_it_reads("other", &["--steal"]);
    let name = format!("process {}", winner.id());
    scene.run().exits(75).says(&[&name]);
    content.write_all(&gz(document([event("loser", json!({}))]))).unwrap();
    drop(content);
    let outcome = loser.wait();
    assert_eq!(outcome.code, Some(75), "{outcome}");
    outcome.says(&["the lock of the day was taken over", &name, "hint:"]);
    assert_eq!(scene.live_day(), LiveDay::Old);
    scene.run().exits(75).says(&[&name]);
    others.write_all(&gz(document([event("winner", json!({}))]))).unwrap();
    drop(others);
    let outcome = winner.wait();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    scene.work.assert_no_debris("lake");
    scene.work.verify().exits(0);
}

#[test]
fn stealing_an_unlocked_day_locks_it() {
    let scene = Scene::new();
    let (run, _pipe) = scene.run_until_it_reads();
    run.signal("KILL");
    run.wait();
    scene.run().args(["--steal"]).publishes(TABLE);
    assert_eq!(scene.live_day(), LiveDay::New);
}

#[test]
fn many_days_of_one_lake_are_published_concurrently() {
    let work = Workdir::new();
    work.cloudtrail("a", gz(document([event("a", json!({}))])));
    work.access("A", format!("{}\n", AccessLine::of("ID")));
    let run = |day: u32| {
        let day = format!("2023-11-{day:02}");
        work.logmill(["run", "--day", &day, "--input", "raw", "--output", "lake", "--threads", "1"]).start()
    };
    for _ in 0..4 {
        let runs: Vec<Running<'_>> = (1..=8).map(run).collect();
        for run in runs {
            let outcome = run.wait();
            assert_eq!(outcome.code, Some(0), "{outcome}");
        }
        work.assert_no_debris("lake");
    }
}

/// A run that ends removes empty staging folders, even if another run is about to use them.
#[test]
fn a_starting_run_survives_the_removal_of_staging_folders() {
    let work = Workdir::new();
    let staging = work.path("lake/_staging");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let _ = fs::remove_dir(staging.join(TABLE.name));
                let _ = fs::remove_dir(&staging);
            }
        });
        let codes: Vec<_> = (0..40).map(|_| work.run(TABLE).wait().code).collect();
        done.store(true, Ordering::Relaxed);
        assert_eq!(codes, [Some(0); 40]);
    });
    work.assert_no_debris("lake");
}

#[test]
fn an_interrupted_conversion_leaves_nothing_to_publish() {
    let work = Workdir::new();
    let object = work.cloudtrail("a", document([event("id", json!({}))]));
    let plan =
        work.logmill(["plan", "--day", DAY, "--input", "raw", "--dataset", "cloudtrail", "--format", "json"]);
    work.write("plan.json", plan.exits(0).stdout);
    let mut content = Vec::new();
    File::open(&object).unwrap().read_to_end(&mut content).unwrap();
    fs::remove_file(&object).unwrap();
    assert!(Command::new("mkfifo").arg(&object).status().unwrap().success());
    let convert = || work.logmill(["convert", "--plan", "plan.json", "--staging", "staging"]).start();
    let publish =
        || work.logmill(["publish", "--plan", "plan.json", "--staging", "staging", "--output", "lake"]);
    for signal in ["TERM", "KILL"] {
        let run = convert();
        let pipe = OpenOptions::new().write(true).open(&object).unwrap();
        run.signal(signal);
        write_until_it_stops(pipe);
        let outcome = run.wait();
        assert_eq!(outcome.code, if signal == "TERM" { Some(130) } else { None }, "{outcome}");
        publish().exits(4).says(&["has not been converted"]);
        if signal == "TERM" {
            assert_eq!(work.files("staging").len(), 0);
        }
    }
    let run = convert();
    OpenOptions::new().write(true).open(&object).unwrap().write_all(&content).unwrap();
    assert_eq!(run.wait().code, Some(0));
    assert_eq!(publish().publishes(TABLE).values("event_id"), ["id"]);
}
