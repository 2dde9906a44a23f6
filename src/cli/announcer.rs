//! Reports the progress of a run: messages, metrics in logs and progress bars.

use serde_json::json;

use super::console::{Console, Field};
use super::emf;
use super::progress::Bar;
use super::screen::Shown;
use super::settings::LogFormat;
use crate::error::Error;
use crate::publish::run_record::RunRecord;
use crate::road::{About, Observer, Progress, Work};

/// Reports on standard error what a run does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Announcer {
    pub(super) console: Console,
    /// Whether to print a line of CloudWatch metrics for each table and day.
    pub(super) emf: bool,
}

impl Announcer {
    /// Returns the leading fields of a message. Text shows only those that differ between the messages of a run.
    fn about(self, about: &About<'_>) -> Vec<Field> {
        let About { run, day, table, dataset } = about;
        let (table, day) = (("table", json!(table)), ("day", json!(day.to_string())));
        match self.console.format {
            LogFormat::Text => vec![table, day],
            LogFormat::Json => vec![("run", json!(run)), day, table, ("dataset", json!(dataset))],
        }
    }

    fn with(self, about: &About<'_>, fields: &[Field]) -> Vec<Field> {
        let mut all = self.about(about);
        all.extend_from_slice(fields);
        all
    }
}

impl Observer for Announcer {
    fn step(&self, about: &About<'_>, step: &str, fields: &[Field]) {
        self.console.step(step, &self.with(about, fields));
    }

    fn warn(&self, about: &About<'_>, text: &str, fields: &[Field]) {
        self.console.warn(text, &self.with(about, fields));
    }

    fn left_out(&self, about: &About<'_>, object: &str, why: &str) {
        if self.console.verbose > 1 {
            let fields = [("object", json!(object)), ("why", json!(why))];
            self.console.debug("left out", &self.with(about, &fields));
        }
    }

    fn waiting(&self, held: &Error) {
        let fields =
            ["table", "day", "holder"].map(|name| (name, held.fact(name).unwrap_or_default().into()));
        self.console.warn("waiting for another run to end", &fields);
    }

    fn failed(&self, about: &About<'_>, error: &Error) {
        self.console.failed(error, self.about(about));
    }

    fn refused(&self, about: &[About<'_>], error: &Error) {
        match self.console.format {
            LogFormat::Text => self.console.error(error),
            LogFormat::Json => about.iter().for_each(|about| self.failed(about, error)),
        }
    }

    fn ended(&self, record: &RunRecord) {
        if self.emf {
            self.console.write(&Shown::of(&emf::line(record)));
        }
    }

    fn progress(&self, subject: &str, work: Work) -> Box<dyn Progress> {
        Box::new(Bar::begin(self.console, subject, work))
    }
}
