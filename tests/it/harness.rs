//! A folder with raw logs and a lake, and the real program run over them.
//!
//! A run that is meant to succeed is checked for what every run promises: its ledger balances, `logmill verify` finds
//! nothing and no debris stays. When a test fails, the commands of its folder are printed with their outputs, and a
//! tree of what is in it.

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

pub(crate) use day::{Day, Row, Table, ledger, quarantine_lines, text};
pub(crate) use raw::{AccessLine, document, event, gz, key_of_access, key_of_cloudtrail, without};

/// The program under test.
pub(crate) const LOGMILL: &str = env!("CARGO_BIN_EXE_logmill");

/// The day of all tests that do not need another: 2023-10-31T15:00:00Z to 2023-11-01T15:00:00Z.
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

    /// The published folder of the day, below the lake.
    pub(crate) fn partition(&self, table: Table) -> PathBuf {
        self.lake().join(table.name).join("proc_ymd=20231101")
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Writes an object with CloudTrail's layout of keys, delivered at 2023-11-01T03:10Z; objects are in the order of
    /// their names.
    pub(crate) fn cloudtrail(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        self.write(&key_of_cloudtrail(name, "20231101T0310Z"), content)
    }

    /// Writes an object with the flat layout of access logs, delivered at 2023-11-01T03:10:00Z.
    pub(crate) fn access(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        self.write(&key_of_access(name, "2023-11-01-03-10-00"), content)
    }

    /// The program with any arguments.
    pub(crate) fn logmill<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Call<'_> {
        let mut command = Command::new(LOGMILL);
        command.args(args);
        self.call(command)
    }

    /// Any command, in this folder, with nothing in its environment but what a shell needs.
    pub(crate) fn call(&self, mut command: Command) -> Call<'_> {
        command.env_clear().current_dir(self.folder.path());
        for name in ["PATH", "HOME"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        Call { work: self, command }
    }

    /// `logmill run` over `raw` into `lake`, for one table of [`DAY`].
    pub(crate) fn run(&self, table: Table) -> Call<'_> {
        self.logmill(["run", "--day", DAY]).args(["--input", "raw", "--output", "lake"]).of(table)
    }

    /// `logmill verify` of [`DAY`].
    pub(crate) fn verify(&self) -> Call<'_> {
        self.logmill(["verify", "--day", DAY, "--output", "lake"])
    }

    /// What the lake holds beside rejected rows and reports of runs: every file with a digest of its content.
    pub(crate) fn published(&self) -> BTreeMap<PathBuf, u64> {
        let mut files = self.files("lake");
        files.retain(|path, _| !path.starts_with("_quarantine") && !path.starts_with("_runs"));
        files
    }

    /// Every file below a folder with a digest of its content.
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

    /// Fails when something of an unfinished run is left in a lake.
    pub(crate) fn assert_no_debris(&self, lake: &str) {
        for staging in [self.path(lake).join("_staging"), self.beside(lake)] {
            assert!(!staging.exists(), "debris is left in {}", staging.display());
        }
    }

    /// Where the runs of a lake work: beside it.
    pub(crate) fn beside(&self, lake: &str) -> PathBuf {
        self.path(&format!(".{lake}.logmill"))
    }

    fn note(&self, text: &str) {
        self.history.borrow_mut().push_str(text);
    }
}

impl Drop for Workdir {
    #[expect(clippy::print_stderr, reason = "the story of a failed test")]
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

/// Calls for every file below a folder, in order.
fn visit(folder: &Path, call: &mut impl FnMut(&Path)) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() { visit(&path, call) } else { call(&path) }
    }
}

/// A command about to run.
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

    /// However much is rejected, the day is published.
    pub(crate) fn whatever_is_rejected(self) -> Self {
        self.args(["--max-reject-ratio", "1"])
    }

    /// Starts it; its outputs are caught.
    pub(crate) fn start(mut self) -> Running<'w> {
        let line = format!("{:?}", self.command);
        let child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Running { work: self.work, line, child, said: String::new() }
    }

    /// Runs it to its end.
    pub(crate) fn wait(self) -> Outcome {
        self.start().wait()
    }

    /// Runs it to its end, which must have this exit code.
    pub(crate) fn exits(self, code: i32) -> Outcome {
        let outcome = self.wait();
        assert_eq!(outcome.code, Some(code), "the exit code of\n{outcome}");
        outcome
    }

    /// Runs `logmill run` or `publish`, which must publish the day of `table`, and keep what every run promises.
    pub(crate) fn publishes(self, table: Table) -> Day {
        self.ends_well(0).day(table)
    }

    /// Runs `logmill run` or `publish`, which must publish with this exit code and keep what every run promises.
    pub(crate) fn ends_well(self, code: i32) -> Finished<'w> {
        let work = self.work;
        let lake = self.value_of("--output").unwrap_or("lake".to_owned());
        self.args(["--summary-json", "summary.json"]).exits(code);
        let summary: Value = serde_json::from_slice(&fs::read(work.path("summary.json")).unwrap()).unwrap();
        let finished = Finished { work, lake, summary };
        finished.keep_promises();
        finished
    }

    fn value_of(&self, option: &str) -> Option<String> {
        let mut args = self.command.get_args().skip_while(|arg| *arg != option).skip(1);
        args.next().map(|value| value.to_string_lossy().into_owned())
    }
}

/// A command under way.
pub(crate) struct Running<'w> {
    work: &'w Workdir,
    line: String,
    child: Child,
    /// What it has said until it was last looked at.
    said: String,
}

impl Running<'_> {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it has said this.
    pub(crate) fn until_it_says(&mut self, text: &str) {
        let messages = self.child.stderr.as_mut().unwrap();
        let mut byte = [0];
        while !self.said.contains(text) {
            let length = messages.read(&mut byte).unwrap();
            assert_eq!(length, 1, "it ended, and never said '{text}':\n{}", self.said);
            self.said.push(char::from(byte[0]));
        }
    }

    /// Sends a signal, such as `INT`; a process that has ended already is no error.
    pub(crate) fn signal(&self, name: &str) {
        Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).output().unwrap();
    }

    pub(crate) fn wait(self) -> Outcome {
        let Output { status, stdout, stderr } = self.child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&stdout), self.said + &text(&stderr));
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
    /// Fails unless each of the texts stands in the messages.
    pub(crate) fn says(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.stderr.contains(text), "'{text}' should stand in the messages of\n{self}");
        }
    }

    /// Fails unless each of the texts stands in the data.
    pub(crate) fn prints(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.stdout.contains(text), "'{text}' should stand in the data of\n{self}");
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

/// A run that has published.
pub(crate) struct Finished<'w> {
    work: &'w Workdir,
    lake: String,
    pub(crate) summary: Value,
}

impl Finished<'_> {
    /// The day that was published for a table.
    pub(crate) fn day(&self, table: Table) -> Day {
        let day = text(&self.summary["day"]).replace('-', "");
        let tables = self.summary["tables"].as_array().unwrap();
        let summary = tables.iter().find(|summary| summary["table"] == table.name);
        Day::read(
            &self.work.folder,
            &self.lake,
            table.name,
            &day,
            summary.expect("the summary should have the table").clone(),
        )
    }

    fn keep_promises(&self) {
        let day = text(&self.summary["day"]);
        for table in self.summary["tables"].as_array().unwrap() {
            let [read, parts @ ..] = ledger(table);
            assert_eq!(read, parts.iter().sum::<u64>(), "the ledger should balance: {table}");
            let [listed, read, left] = ["objects_listed", "objects", "objects_left"].map(|name| &table[name]);
            let sum = read.as_u64().zip(left.as_u64()).map(|(read, left)| read + left);
            assert_eq!(listed.as_u64(), sum, "the ledger of objects should balance: {table}");
        }
        self.work.logmill(["verify", "--day", day, "--output", &self.lake]).exits(0);
        self.work.assert_no_debris(&self.lake);
    }
}
