//! Command lines to type next. They work when they are pasted into a shell.

use std::borrow::Cow;

use super::settings::given::Given;
use super::settings::rows;
use super::settings::setting::{Setting, Syntax};
use crate::kst::{DayRange, KstDay, UtcInstant};

/// A command line of logmill.
#[derive(Debug, Clone)]
pub(super) struct CommandLine(String);

impl CommandLine {
    /// Begins with a command.
    pub(super) fn new(command: &str) -> Self {
        Self(format!("logmill {command}"))
    }

    /// Adds a flag with its value.
    #[must_use]
    pub(super) fn with(mut self, flag: &str, value: &str) -> Self {
        self.0 += &format!(" {flag} {}", word(value));
        self
    }

    /// Adds the flags that select days.
    #[must_use]
    pub(super) fn over(mut self, days: DayRange) -> Self {
        self.0 += &flags_of(days);
        self
    }

    /// Adds `--input` for each input.
    #[must_use]
    pub(super) fn reading(self, inputs: &[String]) -> Self {
        inputs.iter().fold(self, |line, input| line.with("--input", input))
    }

    /// Adds the flags of the command line that say how to access the inputs.
    #[must_use]
    pub(super) fn accessing_as(mut self, given: &Given) -> Self {
        for setting in [&rows::ROLE_ARN, &rows::REQUESTER_PAYS, &rows::EXPECTED_BUCKET_OWNER] {
            let Some((flag, value)) = setting.flag().zip(given.one(setting)) else { continue };
            if matches!(setting.syntax, Syntax::Switch) {
                self.0 += &format!(" {flag}={}", word(&value));
            } else {
                self = self.with(&flag, &value);
            }
        }
        self
    }

    /// Repeats the given flags that name the lake.
    #[must_use]
    pub(super) fn in_lake(mut self, given: &Given) -> Self {
        self.0 += &repeated(given, &[&rows::CONFIG, &rows::OUTPUT]);
        self
    }

    /// The text of the line.
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// The flags that select days, after a space.
pub(super) fn flags_of(days: DayRange) -> String {
    let DayRange { first, last } = days;
    if first == last { format!(" --day {first}") } else { format!(" --from {first} --to {last}") }
}

/// Repeats the given flags of these settings, each after a space, for a command that publishes nothing.
pub(super) fn repeated(given: &Given, settings: &[&Setting]) -> String {
    let flags = settings.iter().filter_map(|setting| Some((setting, setting.flag_of_reader()?)));
    let flags = flags.flat_map(|(setting, flag)| {
        given.all(setting).iter().map(move |value| match setting.syntax {
            Syntax::Switch => format!(" {flag}={value}"),
            _ => format!(" {flag} {}", word(value)),
        })
    });
    flags.collect()
}

/// A word for a POSIX shell, in quotes if it needs them.
pub(super) fn word(value: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    if !value.is_empty() && value.bytes().all(is_plain) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(format!("'{}'", value.replace('\'', r"'\''")))
}

/// S3 began in 2006. An older time in a name is not the time of a log.
const OLDEST: UtcInstant = UtcInstant(1_136_073_600_000);

/// The days that can be proposed: those up to yesterday, or else today.
pub(super) fn closed(days: DayRange, yesterday: KstDay) -> Option<DayRange> {
    let (first, today) = (days.first.max(KstDay::of(OLDEST)), yesterday.next());
    let last = if first == today { today } else { days.last.min(yesterday) };
    (first <= last && first <= days.last).then_some(DayRange { first, last })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_word_for_the_shell() {
        for (value, expected) in [
            ("s3://my-logs/AWSLogs/", "s3://my-logs/AWSLogs/"),
            ("my logs", "'my logs'"),
            ("it's", r"'it'\''s'"),
            ("$(reboot)", "'$(reboot)'"),
            ("~/logs", "'~/logs'"),
            ("", "''"),
            ("한글", "'한글'"),
        ] {
            let line = CommandLine::new("plan").reading(&[value.to_owned()]);
            assert_eq!(line.text(), format!("logmill plan --input {expected}"));
        }
    }

    #[test]
    fn one_day_is_named_by_one_flag() {
        let day = |text: &str| text.parse::<KstDay>().unwrap();
        let (first, last) = (day("2023-10-30"), day("2023-11-01"));
        assert_eq!(
            CommandLine::new("status").over(DayRange::only(last)).text(),
            "logmill status --day 2023-11-01"
        );
        let line = CommandLine::new("status").over(DayRange { first, last });
        assert_eq!(line.text(), "logmill status --from 2023-10-30 --to 2023-11-01");
    }

    #[test]
    fn days_that_have_not_begun_are_not_proposed() {
        let day = |text: &str| text.parse::<KstDay>().unwrap();
        let yesterday = day("2023-11-02");
        for (first, last, expected) in [
            ("2023-10-30", "2023-11-01", Some(("2023-10-30", "2023-11-01"))),
            ("2023-10-30", "2023-11-04", Some(("2023-10-30", "2023-11-02"))),
            ("2023-11-03", "2023-11-04", Some(("2023-11-03", "2023-11-03"))),
            ("2023-11-04", "2023-11-05", None),
            ("0000-12-31", "2023-11-01", Some(("2006-01-01", "2023-11-01"))),
            ("0000-12-31", "0001-01-02", None),
        ] {
            let expected = expected.map(|(first, last)| DayRange { first: day(first), last: day(last) });
            assert_eq!(
                closed(DayRange { first: day(first), last: day(last) }, yesterday),
                expected,
                "{first}"
            );
        }
    }
}
