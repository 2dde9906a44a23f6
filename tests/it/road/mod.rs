//! The `road` module as a library: the outcome of a day if one of its steps fails.

mod faulty;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use logmill::convert::ConvertOptions;
use logmill::dataset;
use logmill::error::{Error, ErrorKind, Result};
use logmill::kst::{KstDay, UtcInstant};
use logmill::ledger::RowLedger;
use logmill::plan::{Order, TableSource};
use logmill::publish::run_record::RunRecord;
use logmill::publish::{Manifest, read_manifest};
use logmill::road::backfill::{Backfilled, backfill};
use logmill::road::{
    About, CatalogOptions, DayRoad, DaySelector, Field, Observer, Progress, PublishedTable, RangeEnd,
    RebuildRule, Registrar, Road, RoadOptions, Silent, WantedDays, Work,
};
use logmill::store::lake::Partition;
use logmill::store::{ConnectionOptions, Connector, LakeAccess};

use self::faulty::{BrokenCatalog, Fault, FaultyLake};

const TABLE: &str = "cloudtrail";

fn clock() -> UtcInstant {
    UtcInstant::parse_iso8601("2023-11-03T00:00:00Z").unwrap()
}

fn day() -> KstDay {
    "2023-11-01".parse().unwrap()
}

/// Days from the oldest to the last, which is named.
fn oldest(days: &[KstDay]) -> WantedDays<'_> {
    WantedDays { days, order: Order::Oldest, end: RangeEnd::Named }
}

fn convert_options() -> ConvertOptions {
    ConvertOptions::new(2, 64 << 20)
}

/// Records steps and warnings, and the progress that was shown.
#[derive(Default)]
struct Notes {
    steps: Mutex<Vec<String>>,
    shown: Mutex<Vec<(String, Work)>>,
}

impl Observer for Notes {
    fn step(&self, _: &About<'_>, step: &str, _: &[Field]) {
        self.steps.lock().unwrap().push(step.to_owned());
    }

    fn warn(&self, _: &About<'_>, text: &str, _: &[Field]) {
        self.steps.lock().unwrap().push(format!("warning: {text}"));
    }

    fn left_out(&self, _: &About<'_>, _: &str, _: &str) {}
    fn waiting(&self, _: &Error) {}
    fn failed(&self, _: &About<'_>, _: &Error) {}
    fn ended(&self, _: &RunRecord) {}

    fn progress(&self, subject: &str, work: Work) -> Box<dyn Progress> {
        self.shown.lock().unwrap().push((subject.to_owned(), work));
        Silent.progress(subject, work)
    }
}

/// A folder with raw logs of a day and a lake.
struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    /// Creates a folder with one log of `events` events.
    fn new(events: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("logs")).unwrap();
        let scene = Self { folder };
        scene.write_log("A", events);
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.log_on("20231031", name)
    }

    /// The path of a log that was delivered on this UTC date.
    fn log_on(&self, date: &str, name: &str) -> PathBuf {
        self.path(&format!("logs/111122223333_CloudTrail_us-east-1_{date}T1505Z_{name}.json"))
    }

    fn write_log(&self, name: &str, events: usize) {
        self.write_wide_log(name, events, 200);
    }

    /// Writes a log whose events have a field of at least `width` bytes.
    fn write_wide_log(&self, name: &str, events: usize, width: usize) {
        let zeros = "0".repeat(width);
        let event = |number| {
            format!(
                r#"{{"eventTime":"2023-10-31T15:00:00Z","eventName":"PutObject","eventID":"{name}{number}","requestID":"{zeros}{}"}}"#,
                number * number
            )
        };
        let events: Vec<String> = (0..events).map(event).collect();
        fs::write(self.log(name), format!(r#"{{"Records":[{}]}}"#, events.join(","))).unwrap();
    }

    fn source(&self) -> TableSource {
        let cloudtrail = dataset::named("cloudtrail").unwrap();
        TableSource::new(cloudtrail, vec![self.path("logs").to_str().unwrap().to_owned()])
    }

    /// Works on a road over a lake with a fault. Returns the outcome and what was observed.
    fn on_road<T>(
        &self,
        fault: Fault,
        registrar: Option<&Registrar>,
        convert: ConvertOptions,
        work: impl FnOnce(&Road<'_>) -> T,
    ) -> (T, Notes) {
        let options = RoadOptions::new(convert);
        let connector = Connector::new(
            options.convert.cancel.clone(),
            self.path("scratch"),
            ConnectionOptions::default(),
        );
        let lake = connector.lake(self.path("lake").to_str().unwrap(), &LakeAccess::default()).unwrap();
        let lake = FaultyLake { lake, fault };
        let observer = Notes::default();
        let road = Road::new(&lake, &connector, registrar, options, &observer, clock).unwrap();
        let outcome = work(&road);
        drop(road);
        (outcome, observer)
    }

    /// Runs the day with these options.
    fn run_with(
        &self,
        fault: Fault,
        registrar: Option<&Registrar>,
        convert: ConvertOptions,
    ) -> (Result<PublishedTable>, Vec<String>) {
        let source = self.source();
        let work = |road: &Road<'_>| DayRoad::new(road, day()).run_table(&source);
        let (outcome, notes) = self.on_road(fault, registrar, convert, work);
        (outcome, notes.steps.into_inner().unwrap())
    }

    /// Builds the missing, stale and failed days among `days`.
    fn backfill(&self, fault: Fault, days: &[KstDay]) -> Backfilled {
        let (tables, rule) = ([self.source()], RebuildRule::Only(DaySelector::BEHIND.to_vec(), None));
        let work = |road: &Road<'_>| backfill(road, &tables, oldest(days), &rule);
        self.on_road(fault, None, convert_options(), work).0
    }

    fn run(&self, fault: Fault) -> (Result<PublishedTable>, Vec<String>) {
        self.run_with(fault, None, convert_options())
    }

    /// The manifest of the published day.
    fn published_day(&self) -> Option<Manifest> {
        let connector = Connector::new(
            logmill::cancel::Cancel::default(),
            self.path("scratch"),
            ConnectionOptions::default(),
        );
        let lake = connector.lake(self.path("lake").to_str().unwrap(), &LakeAccess::default()).unwrap();
        read_manifest(lake.as_ref(), &Partition { table: TABLE.to_owned(), day: day() }).unwrap()
    }

    /// Runs the day without a fault and returns the id of its run.
    fn publish(&self) -> String {
        let (outcome, notes) = self.run(Fault::None);
        assert_eq!(notes, ["planned", "read", "written", "published", "cleaned"]);
        outcome.unwrap().manifest.run
    }

    /// The number of quarantine files.
    fn quarantined(&self) -> usize {
        let folder = self.path(&format!("lake/_quarantine/{TABLE}/proc_ymd=20231101"));
        if folder.exists() { names(&folder).len() } else { 0 }
    }

    /// Fails if unfinished work is left in or next to the lake.
    fn assert_no_debris(&self) {
        for folder in ["lake/_staging", ".lake.logmill"] {
            assert!(!self.path(folder).exists(), "{folder} is left");
        }
    }
}

/// Checks the error, that the old day is still published, and that no unfinished work is left.
fn check_failure(scene: &Scene, run: &str, outcome: &Result<PublishedTable>, kind: ErrorKind, text: &str) {
    check_error(outcome, kind, text);
    assert_eq!(scene.published_day().unwrap().run, run);
    scene.assert_no_debris();
}

fn check_error(outcome: &Result<PublishedTable>, kind: ErrorKind, text: &str) {
    let error = outcome.as_ref().unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(text), "{error}");
}

#[test]
fn a_day_is_published_step_by_step() {
    let scene = Scene::new(3);
    scene.publish();
    let ledger = RowLedger { read: 3, written: 3, ..RowLedger::default() };
    assert_eq!(scene.published_day().unwrap().ledger, ledger);
    scene.assert_no_debris();
}

#[test]
fn each_step_shows_its_progress() {
    let scene = Scene::new(3);
    let source = scene.source();
    let bytes = fs::metadata(scene.log("A")).unwrap().len();
    let run = |road: &Road<'_>| DayRoad::new(road, day()).run_table(&source).is_ok();
    let (is_done, notes) = scene.on_road(Fault::None, None, convert_options(), run);
    assert!(is_done);
    let shown = notes.shown.into_inner().unwrap();
    assert!(shown.iter().all(|(subject, _)| subject == "cloudtrail 2023-11-01"), "{shown:?}");
    let steps: Vec<Work> = shown.into_iter().map(|(_, work)| work).collect();
    assert_eq!(steps, [Work::List, Work::Read(bytes), Work::Merge, Work::Write(3), Work::Publish]);
}

#[test]
fn a_range_shows_its_days_and_the_steps_of_each() {
    let scene = Scene::new(3);
    let (tables, rule) = ([scene.source()], RebuildRule::Only(vec![DaySelector::All], None));
    let work = |road: &Road<'_>| backfill(road, &tables, oldest(&[day()]), &rule);
    let (found, notes) = scene.on_road(Fault::None, None, convert_options(), work);
    assert!(found.days[&day()].has_done());
    let shown = notes.shown.into_inner().unwrap();
    let of = |wanted: &str| -> Vec<Work> {
        let wanted = shown.iter().filter(|(subject, _)| subject == wanted);
        wanted.map(|(_, work)| *work).collect()
    };
    assert_eq!(of("cloudtrail"), [Work::Days(1), Work::List, Work::List]);
    assert_eq!(of("cloudtrail 2023-11-01"), [Work::Merge, Work::Write(3), Work::Publish]);
}

#[test]
fn a_missing_input_fails_the_plan() {
    let scene = Scene::new(1);
    let run = scene.publish();
    fs::rename(scene.path("logs"), scene.path("elsewhere")).unwrap();
    let (outcome, notes) = scene.run(Fault::None);
    check_failure(&scene, &run, &outcome, ErrorKind::Unusable, "logs");
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn a_worker_that_cannot_read_an_object_fails_the_day() {
    let scene = Scene::new(1);
    let run = scene.publish();
    // The object can be opened, but not read.
    std::os::unix::fs::symlink("/proc/self/mem", scene.log("B")).unwrap();
    let (outcome, notes) = scene.run(Fault::None);
    check_failure(&scene, &run, &outcome, ErrorKind::Temporary, "_B.json");
    assert_eq!(notes.first().map(String::as_str), Some("planned"));
    assert!(!notes.contains(&"read".to_owned()), "{notes:?}");
}

#[test]
fn a_full_disk_at_any_file_keeps_the_old_day() {
    let scene = Scene::new(50);
    let run = scene.publish();
    // The list of inputs is written at the commit.
    for (fault, steps) in [
        (Fault::DiskFullAfter { files: 0 }, &["planned", "read"][..]),
        (Fault::DiskFullForInputs, &["planned", "read", "written"]),
    ] {
        let (outcome, notes) = scene.run(fault);
        check_failure(&scene, &run, &outcome, ErrorKind::Unusable, "No space left on device");
        assert_eq!(notes, steps);
    }
    let (outcome, _) = scene.run(Fault::DiskFullAfter { files: 1 });
    outcome.unwrap();
}

#[test]
fn a_full_disk_at_the_third_part_keeps_the_old_day() {
    // Here a part ends with its first row group, and a row group with 16 MiB of raw rows.
    let small = || ConvertOptions { target_file_bytes: 1, row_group_bytes: 1, ..convert_options() };
    let scene = Scene::new(0);
    scene.write_wide_log("A", 33, 1 << 20);
    let (outcome, _) = scene.run_with(Fault::None, None, small());
    let first = outcome.unwrap().manifest;
    assert_eq!(first.parts.len(), 3);
    let (outcome, notes) = scene.run_with(Fault::DiskFullAfter { files: 2 }, None, small());
    check_failure(&scene, &first.run, &outcome, ErrorKind::Unusable, "No space left on device");
    assert_eq!(notes, ["planned", "read"]);
}

#[test]
fn a_failed_day_of_a_backfill_does_not_stop_the_next_and_is_built_later() {
    let scene = Scene::new(3);
    let days: [KstDay; 2] = [day(), "2023-11-02".parse().unwrap()];
    let log = fs::read_to_string(scene.log("A")).unwrap();
    fs::write(scene.log_on("20231101", "B"), log.replace("2023-10-31T", "2023-11-01T")).unwrap();
    let found = scene.backfill(Fault::DiskFullOn(day()), &days);
    let (_, error) = &found.days[&day()].failed[0];
    assert!(error.to_string().contains("No space left on device"), "{error}");
    assert!(found.days[&day()].done.is_empty() && found.days[&days[1]].failed.is_empty());
    assert_eq!(found.days[&days[1]].done[0].manifest.ledger.written, 3);
    assert!(scene.published_day().is_none());
    scene.assert_no_debris();
    let found = scene.backfill(Fault::None, &days);
    assert_eq!((found.days.keys().collect::<Vec<_>>(), found.left), (vec![&day()], 1));
    assert_eq!(scene.published_day().unwrap().ledger.written, 3);
}

#[test]
fn a_refused_day_keeps_its_rejected_rows() {
    let scene = Scene::new(1);
    let run = scene.publish();
    fs::write(scene.log("B"), r#"{"Records":[7]}"#).unwrap();
    let (outcome, notes) = scene.run(Fault::None);
    check_failure(&scene, &run, &outcome, ErrorKind::TooManyRejects, "too many rejected rows");
    assert_eq!(notes, ["planned", "read"]);
    assert_eq!(scene.quarantined(), 1);
}

#[test]
fn a_commit_that_loses_the_race_keeps_the_published_day() {
    let scene = Scene::new(200);
    let run = scene.publish();
    fs::write(scene.log("B"), r#"{"Records":[7]}"#).unwrap();
    let (outcome, notes) = scene.run(Fault::LostRace { is_certain: true });
    check_failure(&scene, &run, &outcome, ErrorKind::Temporary, "another run was first");
    assert_eq!(notes, ["planned", "read", "written"]);
    assert_eq!(scene.quarantined(), 0, "the losing run should leave no quarantine file");
}

#[test]
fn an_uncertain_commit_leaves_what_the_old_and_the_new_day_need() {
    let scene = Scene::new(200);
    let run = scene.publish();
    fs::write(scene.log("B"), r#"{"Records":[7]}"#).unwrap();
    let (outcome, _) = scene.run(Fault::LostRace { is_certain: false });
    check_error(&outcome, ErrorKind::Temporary, "another run was first");
    assert_eq!(scene.published_day().unwrap().run, run);
    assert_eq!(scene.quarantined(), 1, "the day may be published after all, and its manifest names the file");
    assert!(scene.path(".lake.logmill").exists(), "the old day may be there");
    scene.publish();
    scene.assert_no_debris();
}

#[test]
fn a_failure_after_the_commit_is_a_warning() {
    let scene = Scene::new(1);
    let run = scene.publish();
    let (outcome, notes) = scene.run(Fault::TroubleAfterCommit);
    let published = outcome.unwrap().manifest.run;
    assert_ne!(published, run);
    assert_eq!(scene.published_day().unwrap().run, published);
    assert!(notes.iter().any(|note| note.starts_with("warning: the disk is slow")), "{notes:?}");
}

#[test]
fn an_unavailable_catalog_leaves_the_day_published_but_not_registered() {
    let scene = Scene::new(1);
    let options = CatalogOptions {
        database: "logs".to_owned(),
        create_database: false,
        projected_from: None,
        column_statistics: false,
    };
    let registrar = Registrar::over(Box::new(BrokenCatalog), options, "s3://lake", clock);
    let (outcome, notes) = scene.run_with(Fault::None, Some(&registrar), convert_options());
    let published = outcome.unwrap();
    let error = published.not_registered.unwrap();
    assert_eq!(error.kind(), ErrorKind::NotRegistered);
    assert!(error.next_step().unwrap().contains("logmill register"), "{error}");
    assert_eq!(scene.published_day().unwrap().database.as_deref(), Some("logs"));
    assert_eq!(notes, ["planned", "read", "written", "published"]);
    let marks = names(&scene.path(&format!("lake/_runs/{TABLE}/proc_ymd=20231101")));
    assert!(!marks.iter().any(|name| name.contains("registered")), "{marks:?}");
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
