//! Reads a line by the fields of its header, or by the default ones.

use std::borrow::Cow;

use memchr::memchr_iter;

use super::extra::Extra;
use super::fault::{Fault, Reason};
use super::grammar::{EventTime, Grammar};
use super::layout::{Layout, Place};
use super::value::{Value, is_null, of_millis, of_seconds};
use crate::kst::UtcInstant;

/// The values of a line. Fields that it lacks are NULL.
#[derive(Debug)]
pub(in crate::dataset) struct Row<'a, const N: usize> {
    pub(super) at: UtcInstant,
    pub(super) values: [Value<'a>; N],
    pub(super) extra: Option<String>,
}

impl<'a, const N: usize> Row<'a, N> {
    /// Returns the row of some values.
    pub(super) fn of(
        values: [Value<'a>; N],
        extra: Extra,
        event_time: &[EventTimePlace],
    ) -> Result<Self, Fault> {
        let at = event_time.iter().find_map(|place| place.read(&values)).unwrap_or(Err(Reason::NO_TIME))?;
        Ok(Self { at, values, extra: extra.finish() })
    }
}

/// Fields that hold an event time, by their places.
#[derive(Debug)]
pub(super) enum EventTimePlace {
    Time(usize),
    Millis(usize),
    Seconds(usize),
    DateAndClock(usize, usize),
}

impl EventTimePlace {
    pub(super) fn of<const N: usize>(grammar: &Grammar<N>, time: &EventTime) -> Self {
        let place = |name| grammar.field_named(name).expect("the table has the fields of the event time");
        match time {
            EventTime::Time(name) => Self::Time(place(name)),
            EventTime::Millis(name) => Self::Millis(place(name)),
            EventTime::Seconds(name) => Self::Seconds(place(name)),
            EventTime::DateAndClock(date, clock) => Self::DateAndClock(place(date), place(clock)),
        }
    }

    /// Returns the time in these fields. `None` if they have no value.
    fn read(&self, values: &[Value<'_>]) -> Option<Result<UtcInstant, Reason>> {
        let number = |place: usize, of: fn(i64) -> Option<UtcInstant>| match values[place] {
            Value::Integer(number) => Some(of(number).ok_or(Reason::BAD_TIME)),
            _ => None,
        };
        match self {
            Self::Time(place) => match values[*place] {
                Value::Time(at) => Some(Ok(at)),
                _ => None,
            },
            Self::Millis(place) => number(*place, of_millis),
            Self::Seconds(place) => number(*place, of_seconds),
            Self::DateAndClock(date, clock) => match (&values[*date], &values[*clock]) {
                (Value::Time(date), Value::Time(clock)) => Some(Ok(date.plus_ms(clock.0))),
                _ => None,
            },
        }
    }
}

/// Reads the lines of a log type.
#[derive(Debug)]
pub(super) struct Reader<const N: usize> {
    pub(super) grammar: &'static Grammar<N>,
    pub(super) event_time: Vec<EventTimePlace>,
    /// The fields of lines without a header.
    default: Layout,
}

impl<const N: usize> Reader<N> {
    pub(super) fn new(grammar: &'static Grammar<N>) -> Self {
        let event_time = grammar.event_time.iter().map(|time| EventTimePlace::of(grammar, time)).collect();
        Self { grammar, event_time, default: Layout::of(grammar, grammar.default_fields) }
    }

    /// Reads a line after a header.
    pub(super) fn read<'a>(&self, layout: &Layout, line: &'a str) -> Result<Row<'a, N>, Fault> {
        if let Some(reason) = layout.refusal {
            return Err(reason.into());
        }
        let (values, names) = (self.count(line), layout.fields.len());
        if values < names {
            return Err(Fault::of_count(Reason::MISSING_FIELDS, values, names));
        }
        self.row(&layout.fields, line)
    }

    /// Reads a line without a header.
    pub(super) fn read_default<'a>(&self, line: &'a str) -> Result<Row<'a, N>, Fault> {
        let (values, counts) = (self.count(line), self.grammar.default_counts);
        let newest = counts.last().copied().unwrap_or_default();
        if values > newest && !self.grammar.is_default_open {
            return Err(Fault::of_count(Reason::TOO_MANY_FIELDS, values, newest));
        }
        if values < newest && !counts.contains(&values) {
            let next = counts.iter().copied().find(|count| *count > values).unwrap_or(newest);
            return Err(Fault::of_count(Reason::MISSING_FIELDS, values, next));
        }
        self.row(&self.default.fields[..values.min(newest)], line)
    }

    /// Whether the first values of a line without a header are of the right kinds. The rest of the line may be cut.
    pub(super) fn begins(&self, line: &str) -> bool {
        let oldest = self.grammar.default_counts.first().copied().unwrap_or_default();
        let is_right_count = self.grammar.is_default_open || self.count(line) == oldest;
        let front = line.splitn(oldest + 1, self.separator()).take(oldest);
        let front_end: usize = front.map(|value| value.len() + 1).sum();
        let front = line.get(..front_end.saturating_sub(1)).unwrap_or_default();
        is_right_count
            && self.count(front) == oldest
            && self.row(&self.default.fields[..oldest], front).is_ok()
    }

    fn separator(&self) -> char {
        char::from(self.grammar.separator)
    }

    fn count(&self, line: &str) -> usize {
        memchr_iter(self.grammar.separator, line.as_bytes()).count() + 1
    }

    /// Reads a line with at least these fields.
    fn row<'a>(&self, fields: &[Place], line: &'a str) -> Result<Row<'a, N>, Fault> {
        let (mut values, mut extra) = ([const { Value::Null }; N], Extra::default());
        let mut written = line.splitn(fields.len() + 1, self.separator());
        for (field, text) in fields.iter().zip(&mut written) {
            let name = || match field {
                Place::Known(place) => self.grammar.fields[*place].name,
                Place::Unknown(name) => name,
            };
            if text.is_empty() && !self.grammar.has_empty_values {
                return Err(Fault::of_field(Reason::EMPTY_FIELD, name()));
            }
            match field {
                Place::Known(place) => {
                    let kind = &self.grammar.fields[*place].kind;
                    let value = Value::read(kind, Cow::Borrowed(text));
                    values[*place] = value.map_err(|reason| Fault::of_field(reason, name()))?;
                }
                Place::Unknown(name) if !is_null(text) => extra.push_text(name, text),
                Place::Unknown(_) => {}
            }
        }
        if let Some(rest) = written.next() {
            if !self.grammar.has_empty_values && rest.split(self.separator()).any(str::is_empty) {
                return Err(Fault::of_field(Reason::EMPTY_FIELD, "after the last one"));
            }
            extra.push_text("", rest);
        }
        Row::of(values, extra, &self.event_time)
    }
}
