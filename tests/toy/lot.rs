//! A folder with logs of the toy log type, and this program as a logmill over it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::{AS_LOGMILL, WITH_DEFECT};

/// The day of the checks: 2023-10-31T15:00:00Z to 2023-11-01T15:00:00Z.
pub(crate) const DAY: &str = "2023-11-01";

/// A folder for one check.
pub(crate) struct Lot {
    folder: TempDir,
}

impl Lot {
    /// Five objects around [`DAY`]: two of other days, and one line that is not a pass.
    pub(crate) fn new() -> Self {
        let lot = Self { folder: tempfile::tempdir().unwrap() };
        lot.object("20231031T1400Z", &["2023-10-31T14:59:59Z p-0 north 1.5 \"the day before\""]);
        lot.object("20231031T1500Z", &["2023-10-31T15:00:00Z p-1 south 0.25 \"\"", "no pass"]);
        lot.object(
            "20231101T0300Z",
            &[
                "2023-11-01T03:00:00Z p-2 north 2.5 \"see https://x/?plate=12A\"",
                "2023-11-01T03:00:01Z p-3 north - \"no time\"",
                "2023-11-01T03:00:00Z p-2 north 2.5 \"see https://x/?plate=12A\"",
            ],
        );
        lot.object(
            "20231101T1400Z",
            &["2023-11-01T14:59:59Z p-4 south 10 \"\"", "2023-11-01T15:00:00Z p-5 south 1 \"\""],
        );
        lot.object("20231101T1500Z", &["2023-11-01T15:00:01Z p-6 north 1 \"the day after\""]);
        lot
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Writes the object of an hour.
    pub(crate) fn object(&self, hour: &str, lines: &[&str]) {
        self.write(&format!("raw/gate_{hour}_0001.log"), &(lines.join("\r\n") + "\n"));
    }

    /// Publishes [`DAY`] into `lake`; damaged lines are allowed.
    pub(crate) fn published() -> Self {
        let lot = Self::new();
        lot.run("lake");
        lot
    }

    pub(crate) fn run(&self, lake: &str) -> Output {
        self.logmill(&format!(
            "run --day {DAY} --dataset gate --input raw --output {lake} --max-reject-ratio 50%"
        ))
        .exits(0)
    }

    /// Runs a command, whose words are separated by blanks.
    pub(crate) fn logmill(&self, command: &str) -> Output {
        self.logmill_with(command, &[])
    }

    /// Runs a command with further arguments that hold blanks.
    pub(crate) fn logmill_with(&self, command: &str, more: &[&str]) -> Output {
        self.call(command, more, "as it is")
    }

    /// Runs a command of a logmill whose decoder panics.
    pub(crate) fn with_defect(&self, command: &str) -> Output {
        self.call(command, &[], WITH_DEFECT)
    }

    fn call(&self, command: &str, more: &[&str], role: &str) -> Output {
        let program = std::env::current_exe().unwrap();
        let mut call = Command::new(program);
        call.args(command.split(' ')).args(more).env_clear().env(AS_LOGMILL, role);
        let output = call.current_dir(self.folder.path()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Output {
            command: command.to_owned(),
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// The manifest of [`DAY`].
    pub(crate) fn manifest(&self, lake: &str) -> Value {
        let path = self.path(lake).join("_manifests/gate/proc_ymd=20231101.json");
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }
}

/// What a command printed.
pub(crate) struct Output {
    command: String,
    code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        let Self { command, stdout, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "logmill {command}\n{stdout}\n{stderr}");
        self
    }

    /// Fails unless standard output holds every text.
    #[track_caller]
    pub(crate) fn prints(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(
                self.stdout.contains(text),
                "logmill {} prints no '{text}':\n{}",
                self.command,
                self.stdout
            );
        }
        self
    }

    /// The lines of standard output as JSON.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
