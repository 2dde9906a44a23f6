//! Unfinished work of runs: its permissions, how the next command cleans up after a killed run, and failures after a
//! commit.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Call, DAY, LOGMILL, Running, Table, Workdir, document, event, quarantine_lines};

const TABLE: Table = Table::CLOUDTRAIL;
const IN_DAY: &str = "cloudtrail/proc_ymd=20231101";
const BACK: &str = "a run was killed while it replaced the day: the old day is back";
const LEFT: &str = "a killed run left unfinished work";

/// A lake with a published day that has a rejected row, and its raw logs.
fn published() -> Workdir {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("old", json!({})), json!("bad")]));
    work.run(TABLE).allow_rejects().publishes(TABLE);
    work
}

/// Where a run without an atomic exchange sets the old day aside.
fn aside(work: &Workdir) -> PathBuf {
    work.lake().join(format!("_staging/{IN_DAY}.previous"))
}

/// Sets the day aside, as a run does that is killed between the two steps of replacing it.
fn set_aside(work: &Workdir) {
    fs::create_dir_all(aside(work).parent().unwrap()).unwrap();
    fs::rename(work.partition(TABLE), aside(work)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

/// The id of the live run.
fn live_run(work: &Workdir) -> String {
    let manifest = fs::read(work.manifest_path(TABLE)).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    manifest["run"].as_str().unwrap().to_owned()
}

/// A call of the program without root's right to access files of any mode.
fn without_privileges<'w>(work: &'w Workdir, args: &[&str]) -> Call<'w> {
    if !rustix::process::geteuid().is_root() {
        return work.logmill(args);
    }
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", "--", LOGMILL]).args(args);
    work.call(command)
}

#[test]
fn every_command_restores_a_day_that_was_set_aside() {
    let work = published();
    let before = work.published();
    // Without raw logs, the day set aside is the only copy of its rows.
    fs::remove_dir_all(work.path("raw")).unwrap();
    fs::create_dir(work.path("raw")).unwrap();
    let (input, output) = (["--input", "raw"], ["--output", "lake"]);
    let day = ["--from", DAY, "--to", DAY];
    for command in [
        [&["status"][..], &input, &output, &day].concat(),
        [&["backfill"][..], &input, &output, &day, &["--dataset", "cloudtrail"]].concat(),
        [&["run", "--day", "2023-11-02", "--dataset", "cloudtrail"][..], &input, &output].concat(),
        [&["verify", "--day", DAY][..], &output].concat(),
        [&["why", "--day", DAY, "--event-id", "old"][..], &output].concat(),
        [&["diff", "--day", DAY, "live", "live"][..], &output].concat(),
        [&["clean"][..], &output].concat(),
        [&["doctor"][..], &input, &output].concat(),
        #[cfg(feature = "query")]
        [&["query", "SELECT event_id FROM cloudtrail"][..], &output].concat(),
        #[cfg(feature = "query")]
        [&["report", "--day", DAY, "--to-file", "page.html"][..], &output].concat(),
    ] {
        set_aside(&work);
        let outcome = work.logmill(&command).wait();
        outcome.says(&[BACK]);
        let mut after = work.published();
        after.retain(|path, _| before.contains_key(path) || path.starts_with(IN_DAY));
        assert_eq!(after, before, "{command:?}\n{outcome}");
        work.assert_no_debris("lake");
    }
}

#[test]
fn a_day_set_aside_by_an_active_run_is_not_touched() {
    let work = published();
    set_aside(&work);
    let lock = work.write(&format!("lake/_staging/{IN_DAY}.lock"), "run X");
    let held = File::open(&lock).unwrap();
    held.try_lock().unwrap();
    let status = ["status", "--from", DAY, "--to", DAY, "--input", "raw", "--output", "lake"];
    let outcome = work.logmill(status).exits(0);
    let is_reported = [BACK, "set the day aside"].iter().any(|text| outcome.stderr.contains(text));
    assert!(!is_reported && aside(&work).exists(), "{outcome}");
    drop(held);
    work.logmill(status).exits(0).says(&[BACK]);
}

#[test]
fn a_read_only_lake_is_read_with_a_warning() {
    let work = published();
    set_aside(&work);
    fs::remove_dir_all(work.lake().join("cloudtrail")).unwrap();
    let staging = work.lake().join("_staging/cloudtrail");
    let read_only = |mode| {
        for folder in [&work.lake(), &staging] {
            fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
        }
    };
    read_only(0o555);
    let status = ["status", "--from", DAY, "--to", DAY, "--input", "raw", "--output", "lake"];
    let outcome = without_privileges(&work, &status).wait();
    read_only(0o755);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    outcome
        .says(&["a killed run has set the day aside, and it cannot be restored", "may write to the output"]);
    assert!(aside(&work).exists());
}

#[test]
fn a_failed_sync_of_the_switch_fails_the_run_and_leaves_the_day_published() {
    let work = published();
    let before = live_run(&work);
    // The table folder is writable, but cannot be opened for a sync.
    let table = work.lake().join("cloudtrail");
    fs::set_permissions(&table, Permissions::from_mode(0o300)).unwrap();
    let run = ["run", "--day", DAY, "--input", "raw", "--output", "lake", "--dataset", "cloudtrail"];
    let outcome = without_privileges(&work, &run).allow_rejects().wait();
    fs::set_permissions(&table, Permissions::from_mode(0o755)).unwrap();
    assert_eq!(outcome.code, Some(4), "{outcome}");
    outcome.says(&["the day is published, but", "may not survive a power cut", "then run the day again"]);
    assert!(!outcome.stderr.contains("is unchanged"), "{outcome}");
    // Until the switch is on disk, the manifest of the new run has a name of its own.
    let [now] = &fs::read_dir(work.partition(TABLE)).unwrap().collect::<Vec<_>>()[..] else { panic!() };
    let now = now.as_ref().unwrap().file_name().into_string().unwrap();
    assert_ne!(now, before);
    let rejected = work.lake().join(format!("_quarantine/{IN_DAY}"));
    assert_eq!(quarantine_lines(&rejected.join(format!("{now}.jsonl"))).len(), 1);
    work.verify().exits(0);
    // Until the next run, the old day and its rejected rows remain: a power cut can bring it back.
    assert_eq!(fs::read_dir(&rejected).unwrap().count(), 2);
    let staging = [work.lake().join("_staging"), work.work_folder("lake")];
    assert!(staging.iter().any(|folder| folder.exists()));
    work.run(TABLE).allow_rejects().exits(0);
    work.assert_no_debris("lake");
}

/// Starts a run of the day that waits for the content of an object.
fn reading(work: &Workdir) -> (Running<'_>, File) {
    let pipe = work.path("pipe_CloudTrail_r_20231101T0310Z_z.json.gz");
    if !pipe.exists() {
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    }
    let run = work.run(TABLE).args([Path::new("--input"), &pipe]).start();
    (run, OpenOptions::new().write(true).open(pipe).unwrap())
}

fn run_of_another_day(work: &Workdir) -> Call<'_> {
    work.logmill([
        "run",
        "--day",
        "2023-11-02",
        "--input",
        "raw",
        "--output",
        "lake",
        "--dataset",
        "cloudtrail",
    ])
}

fn clean(work: &Workdir) -> Call<'_> {
    work.logmill(["clean", "--output", "lake"])
}

/// The commands that remove the work of killed runs.
const SWEEPS: [fn(&Workdir) -> Call<'_>; 2] = [run_of_another_day, clean];

#[test]
fn work_of_a_killed_run_is_reported_and_removed_by_the_next_run_or_clean() {
    let work = published();
    let status =
        || work.logmill(["status", "--from", DAY, "--to", DAY, "--input", "raw", "--output", "lake"]);
    for sweep in SWEEPS {
        let (run, _pipe) = reading(&work);
        let left = work.work_folder("lake").join(IN_DAY);
        // The work of an active run is not removed.
        assert_eq!(fs::read_dir(&left).unwrap().count(), 1);
        assert!(!status().exits(0).stderr.contains(LEFT));
        run_of_another_day(&work).exits(0);
        assert_eq!(fs::read_dir(&left).unwrap().count(), 1);
        run.signal("KILL");
        run.wait();
        let json = status().args(["--format", "json"]).exits(0);
        json.says(&[LEFT, "cloudtrail", DAY, "clean"]);
        json.prints(&["\"unfinished\":true"]);
        sweep(&work).exits(0);
        work.assert_no_debris("lake");
        assert!(!status().exits(0).stderr.contains(LEFT));
    }
}

/// A run that is killed just after its commit leaves the old day and its rejected rows.
#[test]
fn a_replaced_day_and_its_rejected_rows_are_removed_after_a_kill() {
    let work = published();
    let old = live_run(&work);
    copy(&work.lake(), &work.path("before"));
    work.run(TABLE).allow_rejects().publishes(TABLE);
    let new = live_run(&work);
    let rejected = work.lake().join(format!("_quarantine/{IN_DAY}"));
    let names = || {
        let names = fs::read_dir(&rejected).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect::<Vec<_>>()
    };
    for sweep in SWEEPS {
        let next = |folder: PathBuf| folder.join(IN_DAY).join(&new).join("next");
        let staging = work.lake().join("_staging");
        // A run without an atomic exchange leaves the last one.
        for left in [next(work.work_folder("lake")), next(staging), aside(&work)] {
            copy(&work.path("before").join(IN_DAY), &left);
            fs::copy(
                work.path(&format!("before/_quarantine/{IN_DAY}/{old}.jsonl")),
                rejected.join(format!("{old}.jsonl")),
            )
            .unwrap();
            // The rejected rows of a refused day are kept.
            fs::write(rejected.join("20991231T000000Z-00000000.jsonl"), "").unwrap();
            sweep(&work).exits(0);
            work.assert_no_debris("lake");
            let mut left = names();
            left.sort();
            assert_eq!(left, [format!("{new}.jsonl"), "20991231T000000Z-00000000.jsonl".to_owned()]);
            assert_eq!(live_run(&work), new);
        }
    }
}

#[test]
fn links_among_the_folders_of_unfinished_work_are_not_followed() {
    for linked in ["_staging", "_staging/cloudtrail", &format!("_staging/{IN_DAY}")] {
        let work = published();
        let precious = work.write(&format!("elsewhere/{IN_DAY}/run/part"), "rows");
        let behind =
            work.path("elsewhere").join(linked.trim_start_matches("_staging").trim_start_matches('/'));
        let link = work.lake().join(linked);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(behind, link).unwrap();
        let outcome = work.run(TABLE).allow_rejects().exits(4);
        outcome.says(&["is a link or a file where a folder of unfinished work is expected"]);
        assert_eq!(fs::read_to_string(precious).unwrap(), "rows", "{linked}");
        work.verify().exits(0);
    }
}

/// All files below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn spilled_rows_are_private_and_published_files_are_not() {
    let work = published();
    let (mut run, pipe) = reading(&work);
    let waiting = || files_below(&work.work_folder("lake"));
    let looks = (0..60_000).take_while(|_| waiting().is_empty() && !run.has_ended());
    looks.for_each(|_| thread::sleep(Duration::from_millis(1)));
    assert!(!waiting().is_empty(), "a rejected row should wait on disk");
    for file in waiting() {
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600, "{}", file.display());
    }
    drop(pipe);
    run.wait();
    work.run(TABLE).allow_rejects().publishes(TABLE);
    let usual = fs::metadata(work.write("usual", "")).unwrap().mode();
    let published = files_below(&work.lake());
    assert!(published.len() > 4);
    for file in published {
        assert_eq!(fs::metadata(&file).unwrap().mode(), usual, "{}", file.display());
    }
}

#[cfg(feature = "query")]
#[test]
fn a_scratch_folder_prepared_by_another_user_is_refused() {
    let work = published();
    let uid = rustix::process::geteuid().as_raw();
    let prepared = work.write("tmp/elsewhere/file", "").parent().unwrap().to_owned();
    let place = work.path(&format!("tmp/logmill-{uid}"));
    let query = || work.logmill(["query", "--output", "lake", "--scratch", "tmp", "SELECT 1"]);
    symlink(&prepared, &place).unwrap();
    query().exits(4).says(&["the scratch folder is not private to this user", "link", "--scratch"]);
    fs::remove_file(&place).unwrap();
    fs::create_dir(&place).unwrap();
    fs::set_permissions(&place, Permissions::from_mode(0o777)).unwrap();
    query().exits(4).says(&["other users can enter it: its mode is 0777"]);
    if uid == 0 {
        fs::set_permissions(&place, Permissions::from_mode(0o700)).unwrap();
        std::os::unix::fs::chown(&place, Some(65534), None).unwrap();
        query().exits(4).says(&["it belongs to user 65534"]);
    }
    fs::remove_dir(&place).unwrap();
    query().exits(0);
    assert_eq!(files_below(&work.path("tmp")), [prepared.join("file")]);
}

/// Runs the day with extra file systems mounted in the lake. Returns `None` if this user may not mount.
fn with_mounts(work: &Workdir, mounts: &str) -> Option<crate::harness::Outcome> {
    let may_mount =
        Command::new("unshare").args(["-rm", "true"]).status().is_ok_and(|status| status.success());
    let script = format!("{mounts} && exec \"$0\" \"$@\"");
    let mut command = Command::new("unshare");
    command.args([
        "-rm", "sh", "-c", &script, LOGMILL, "run", "--day", DAY, "--input", "raw", "--output", "lake",
    ]);
    command.args(["--dataset", "cloudtrail", "--max-reject-ratio", "1"]);
    may_mount.then(|| work.call(command).wait())
}

#[test]
fn a_full_disk_and_a_lake_on_two_file_systems_have_specific_errors() {
    let work = Workdir::new();
    fs::create_dir_all(work.lake().join("cloudtrail")).unwrap();
    let records = (0..3000).map(|number| {
        let words: Vec<String> =
            (0..40).map(|word| format!("{:x}", (number * 40 + word) * 2_654_435_761_u64)).collect();
        event(&format!("id-{number}"), json!({ "userAgent": words.join(" ") }))
    });
    work.cloudtrail("a", document(records.collect::<Vec<_>>()));
    let Some(full) = with_mounts(&work, "mount -t tmpfs -o size=256k none lake") else { return };
    assert_eq!(full.code, Some(4), "{full}");
    full.says(&["the disk is full (path: ", "free: ", " of 256.0 KiB", "hint: free some space there"]);
    let split = with_mounts(&work, "mount -t tmpfs none lake/cloudtrail").unwrap();
    assert_eq!(split.code, Some(4), "{split}");
    split
        .says(&["cannot commit the day: the lake spans two file systems", "hint: keep the tables of a lake"]);
}
