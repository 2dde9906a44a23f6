//! A folder with raw logs and a lake, and the real program run over them.
//!
//! Each run that should succeed is checked for the promises of every run: its ledger balances, `logmill verify` finds no
//! problem and no debris is left. A failing test prints the commands that ran in its folder, their output, and a list of
//! the files in it.

mod day;
mod raw;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::rc::Rc;

use serde_json::Value;
use tempfile::TempDir;

pub(crate) use day::{Day, Row, Table, ledger, manifest_path, quarantine_lines, text};
pub(crate) use raw::{AccessLine, document, event, gz, key_of_access, key_of_cloudtrail, without};

/// The program under test.
pub(crate) const LOGMILL: &str = env!("CARGO_BIN_EXE_logmill");

/// The default day of the tests: 2023-10-31T15:00:00Z to 2023-11-01T15:00:00Z.
pub(crate) const DAY: &str = "2023-11-01";

/// A folder for one test.
pub(crate) struct Workdir {
    folder: Rc<TempDir>,
    history: RefCell<String>,
}

impl Workdir {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("logmill-it-").tempdir().unwrap();
        fs::create_dir(folder.path().join("raw")).unwrap();
        Self { folder: Rc::new(folder), history: RefCell::default() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The lake of [`run`](Self::run).
    pub(crate) fn lake(&self) -> PathBuf {
        self.path("lake")
    }

    /// The published partition of [`DAY`] in the lake.
    pub(crate) fn partition(&self, table: Table) -> PathBuf {
        self.lake().join(table.name).join("proc_ymd=20231101")
    }

    /// The manifest of [`DAY`] in the lake.
    pub(crate) fn manifest_path(&self, table: Table) -> PathBuf {
        manifest_path(&self.lake(), table.name, "20231101")
    }

    /// The manifests of all days of a table in the lake.
    pub(crate) fn manifests(&self, table: &str) -> Vec<PathBuf> {
        let folder = format!("lake/_manifests/{table}");
        self.files(&folder).into_keys().map(|name| self.path(&folder).join(name)).collect()
    }

    /// The list of inputs of a run of [`DAY`] in the lake.
    pub(crate) fn inputs_path(&self, table: Table, run: &str) -> PathBuf {
        self.lake().join(format!("_inputs/{}/proc_ymd=20231101/{run}.jsonl.gz", table.name))
    }

    /// Writes a file and creates its parent folders.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Writes an object with a CloudTrail key, delivered at 2023-11-01T03:10Z. Objects sort by `name`.
    pub(crate) fn cloudtrail(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        self.write(&key_of_cloudtrail(name, "20231101T0310Z"), content)
    }

    /// Writes an object with a flat access-log key, delivered at 2023-11-01T03:10:00Z.
    pub(crate) fn access(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        self.write(&key_of_access(name, "2023-11-01-03-10-00"), content)
    }

    /// A call of the program with any arguments.
    pub(crate) fn logmill<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Call<'_> {
        let mut command = Command::new(LOGMILL);
        command.args(args);
        self.call(command)
    }

    /// A call of any command in this folder. Its environment holds only `PATH` and `HOME`.
    pub(crate) fn call(&self, mut command: Command) -> Call<'_> {
        command.env_clear().current_dir(self.folder.path());
        for name in ["PATH", "HOME"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        Call { work: self, command }
    }

    /// `logmill run` from `raw` into `lake`, for one table of [`DAY`].
    pub(crate) fn run(&self, table: Table) -> Call<'_> {
        self.logmill(["run", "--day", DAY]).args(["--input", "raw", "--output", "lake"]).of(table)
    }

    /// `logmill verify` of [`DAY`].
    pub(crate) fn verify(&self) -> Call<'_> {
        self.logmill(["verify", "--day", DAY, "--output", "lake"])
    }

    /// Every file in the lake except quarantine files and run records, with a digest of its content.
    pub(crate) fn published(&self) -> BTreeMap<PathBuf, u64> {
        let mut files = self.files("lake");
        files.retain(|path, _| !path.starts_with("_quarantine") && !path.starts_with("_runs"));
        files
    }

    /// Every file below a folder, with a digest of its content.
    pub(crate) fn files(&self, folder: &str) -> BTreeMap<PathBuf, u64> {
        let root = self.path(folder);
        let mut files = BTreeMap::new();
        visit(&root, &mut |path| {
            let mut hasher = DefaultHasher::new();
            fs::read(path).unwrap().hash(&mut hasher);
            files.insert(path.strip_prefix(&root).unwrap().to_owned(), hasher.finish());
        });
        files
    }

    /// Fails if an unfinished run left anything behind, in or next to the lake.
    pub(crate) fn assert_no_debris(&self, lake: &str) {
        for staging in [self.path(lake).join("_staging"), self.work_folder(lake)] {
            assert!(!staging.exists(), "debris is left in {}", staging.display());
        }
    }

    /// The folder next to a lake in which its runs work.
    pub(crate) fn work_folder(&self, lake: &str) -> PathBuf {
        self.path(&format!(".{lake}.logmill"))
    }

    fn note(&self, text: &str) {
        self.history.borrow_mut().push_str(text);
    }
}

impl Drop for Workdir {
    #[expect(clippy::print_stderr, reason = "shows why a test failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut tree = String::new();
            visit(self.folder.path(), &mut |path| {
                let bytes = fs::symlink_metadata(path).map_or(0, |meta| meta.len());
                tree +=
                    &format!("{bytes:>10}  {}\n", path.strip_prefix(self.folder.path()).unwrap().display());
            });
            eprintln!(
                "---- in {}\n{}---- files\n{tree}",
                self.folder.path().display(),
                self.history.borrow()
            );
        }
    }
}

/// Calls `call` with every file below a folder, in order.
fn visit(folder: &Path, call: &mut impl FnMut(&Path)) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() { visit(&path, call) } else { call(&path) }
    }
}

/// A command that is ready to run.
pub(crate) struct Call<'w> {
    work: &'w Workdir,
    command: Command,
}

impl<'w> Call<'w> {
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn of(self, table: Table) -> Self {
        self.args(["--dataset", table.dataset])
    }

    /// Publishes the day no matter how many rows are rejected.
    pub(crate) fn allow_rejects(self) -> Self {
        self.args(["--max-reject-ratio", "1"])
    }

    /// Starts the command and captures its output.
    pub(crate) fn start(mut self) -> Running<'w> {
        let line = format!("{:?}", self.command);
        let child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Running { work: self.work, line, child, stderr: String::new() }
    }

    /// Runs the command to its end.
    pub(crate) fn wait(self) -> Outcome {
        self.start().wait()
    }

    /// Runs the command and checks its exit code.
    pub(crate) fn exits(self, code: i32) -> Outcome {
        let outcome = self.wait();
        assert_eq!(outcome.code, Some(code), "exit code of\n{outcome}");
        outcome
    }

    /// Runs `logmill run` or `publish`, checks the promises of every run, and reads the published day of `table`.
    pub(crate) fn publishes(self, table: Table) -> Day {
        self.finishes(0).day(table)
    }

    /// Runs `logmill run` or `publish`, checks its exit code and the promises of every run.
    pub(crate) fn finishes(self, code: i32) -> Finished<'w> {
        let work = self.work;
        let lake = self.value_of("--output").unwrap_or("lake".to_owned());
        self.args(["--summary-json", "summary.json"]).exits(code);
        let summary: Value = serde_json::from_slice(&fs::read(work.path("summary.json")).unwrap()).unwrap();
        let finished = Finished { work, lake, summary };
        finished.check_promises();
        finished
    }

    fn value_of(&self, option: &str) -> Option<String> {
        let mut args = self.command.get_args().skip_while(|arg| *arg != option).skip(1);
        args.next().map(|value| value.to_string_lossy().into_owned())
    }
}

/// A running command.
pub(crate) struct Running<'w> {
    work: &'w Workdir,
    line: String,
    child: Child,
    /// The standard error that was read so far.
    stderr: String,
}

impl Running<'_> {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until the command has printed `text` to standard error.
    pub(crate) fn wait_for_message(&mut self, text: &str) {
        let messages = self.child.stderr.as_mut().unwrap();
        let mut byte = [0];
        while !self.stderr.contains(text) {
            let length = messages.read(&mut byte).unwrap();
            assert_eq!(length, 1, "the command ended without printing '{text}':\n{}", self.stderr);
            self.stderr.push(char::from(byte[0]));
        }
    }

    /// Sends a signal, for example `INT`. Does nothing if the process has already ended.
    pub(crate) fn signal(&self, name: &str) {
        Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).output().unwrap();
    }

    pub(crate) fn wait(self) -> Outcome {
        let Output { status, stdout, stderr } = self.child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&stdout), self.stderr + &text(&stderr));
        let outcome =
            Outcome { line: self.line, status: status.to_string(), code: status.code(), stdout, stderr };
        self.work.note(&outcome.to_string());
        outcome
    }
}

/// A command that has ended.
pub(crate) struct Outcome {
    line: String,
    status: String,
    /// The exit code, unless a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Fails unless standard error contains each of the texts.
    pub(crate) fn says(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.stderr.contains(text), "'{text}' should be in the standard error of\n{self}");
        }
    }

    /// Fails unless standard output contains each of the texts.
    pub(crate) fn prints(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.stdout.contains(text), "'{text}' should be in the standard output of\n{self}");
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |text: &str| text.chars().take(6000).collect::<String>();
        let (stdout, stderr) = (shown(&self.stdout), shown(&self.stderr));
        writeln!(f, "$ {}\n{}\n-- stdout\n{stdout}\n-- stderr\n{stderr}", self.line, self.status)
    }
}

/// A run that published its day.
pub(crate) struct Finished<'w> {
    work: &'w Workdir,
    lake: String,
    pub(crate) summary: Value,
}

impl Finished<'_> {
    /// The published day of a table.
    pub(crate) fn day(&self, table: Table) -> Day {
        let day = text(&self.summary["day"]).replace('-', "");
        let tables = self.summary["tables"].as_array().unwrap();
        let summary = tables.iter().find(|summary| summary["table"] == table.name);
        Day::read(
            &self.work.folder,
            &self.lake,
            table.name,
            &day,
            summary.expect("the summary lists the table").clone(),
        )
    }

    fn check_promises(&self) {
        let day = text(&self.summary["day"]);
        for table in self.summary["tables"].as_array().unwrap() {
            let [read, parts @ ..] = ledger(table);
            assert_eq!(read, parts.iter().sum::<u64>(), "the ledger should balance: {table}");
            let [listed, read, left] = ["objects_listed", "objects", "objects_left"].map(|name| &table[name]);
            let sum = read.as_u64().zip(left.as_u64()).map(|(read, left)| read + left);
            assert_eq!(listed.as_u64(), sum, "the object counts should balance: {table}");
        }
        self.work.logmill(["verify", "--day", day, "--output", &self.lake]).exits(0);
        self.work.assert_no_debris(&self.lake);
    }
}
