//! One line of progress: the step, a bar, and facts such as rate and time left.
//!
//! A line is drawn only on a terminal that can draw it again, and it is cleared at the end. The facts come in order of
//! importance; those that do not fit the width are left out whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::console::{self, Console};
use crate::convert;
use crate::road::{Progress, Work};
use crate::store::ListingCount;

/// The time between two drawings.
const TICK: Duration = Duration::from_millis(250);
/// The silence after which a line says that nothing happens.
const SILENCE: Duration = Duration::from_secs(10);
/// Columns of the bar on wide and on narrow terminals.
const BAR: [usize; 2] = [24, 10];
/// The width from which a terminal is wide.
const WIDE: usize = 100;

/// Draws the progress of some work.
pub(super) struct Bar {
    drawn: ProgressBar,
    work: Work,
    seen: Arc<Seen>,
}

/// What the work has done so far.
#[derive(Debug, Default)]
struct Seen {
    bytes: AtomicU64,
    rows: AtomicU64,
    listed: ListingCount,
    /// The number of listed objects at the start.
    listed_before: u64,
    pulse: Pulse,
}

/// Notices how long a number has not changed.
#[derive(Debug, Default)]
struct Pulse {
    number: AtomicU64,
    /// When it changed, in milliseconds since the start.
    at: AtomicU64,
}

/// The state of some work when its line is drawn.
#[derive(Debug, Clone, Copy, Default)]
struct Moment {
    position: u64,
    per_second: f64,
    elapsed: Duration,
    left: Duration,
    bytes: u64,
    rows: u64,
    listed: u64,
    idle: Duration,
}

impl Bar {
    /// Starts a line. `subject` is a table, or a table and day.
    pub(super) fn begin(console: Console, subject: &str, work: Work) -> Self {
        let listed = console.display.listed.clone();
        let seen = Arc::new(Seen { listed_before: listed.get(), listed, ..Seen::default() });
        let Some(width) = console.err.width.filter(|_| console.draws_progress()) else {
            return Self { drawn: ProgressBar::hidden(), work, seen };
        };
        let bar =
            console.display.lines.add(length(work).map_or_else(ProgressBar::no_length, ProgressBar::new));
        bar.set_style(style(subject, work, width, &seen));
        bar.enable_steady_tick(TICK);
        Self { drawn: bar, work, seen }
    }
}

impl Progress for Bar {
    fn day_done(&self) {
        self.drawn.inc(1);
    }
}

impl convert::Progress for Bar {
    fn object_done(&self, bytes: u64, rows: u64) {
        self.seen.rows.fetch_add(rows, Ordering::Relaxed);
        self.seen.bytes.fetch_add(bytes, Ordering::Relaxed);
        if matches!(self.work, Work::Read(_)) {
            self.drawn.inc(bytes);
        }
    }

    fn rows_written(&self, rows: u64) {
        if matches!(self.work, Work::Write(_)) {
            self.drawn.inc(rows);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.drawn.finish_and_clear();
    }
}

impl Seen {
    fn moment(&self, state: &ProgressState) -> Moment {
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let listed = self.listed.get().saturating_sub(self.listed_before);
        let (position, bytes, rows, elapsed) =
            (state.pos(), load(&self.bytes), load(&self.rows), state.elapsed());
        let done = [position, bytes, rows, listed].into_iter().fold(0, u64::wrapping_add);
        let idle = self.pulse.idle(done, elapsed);
        let (per_second, left) = (state.per_sec(), state.eta());
        Moment { position, per_second, elapsed, left, bytes, rows, listed, idle }
    }
}

impl Pulse {
    /// Returns how long a number has had this value.
    fn idle(&self, number: u64, elapsed: Duration) -> Duration {
        let now = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        if self.number.swap(number, Ordering::Relaxed) != number {
            self.at.store(now, Ordering::Relaxed);
        }
        Duration::from_millis(now.saturating_sub(self.at.load(Ordering::Relaxed)))
    }
}

/// The amount of work, if it is known.
fn length(work: Work) -> Option<u64> {
    match work {
        Work::Read(amount) | Work::Write(amount) => Some(amount),
        Work::Days(days) => Some(days as u64),
        Work::List | Work::Merge | Work::Publish | Work::Register => None,
    }
}

/// What the work does.
fn verb(work: Work) -> &'static str {
    match work {
        Work::List => "listing",
        Work::Read(_) => "reading",
        Work::Merge => "merging",
        Work::Write(_) => "writing",
        Work::Publish => "publishing",
        Work::Register => "registering",
        Work::Days(_) => "all days",
    }
}

fn style(subject: &str, work: Work, width: usize, seen: &Arc<Seen>) -> ProgressStyle {
    let head = format!("{subject}  {}  ", verb(work));
    let bar = if width < WIDE { BAR[1] } else { BAR[0] };
    let (form, taken) = match length(work) {
        Some(_) => (format!("{{head}}[{{bar:{bar}}}] {{facts}}"), bar + 3),
        None => ("{head}{spinner} {facts}".to_owned(), 2),
    };
    let room = width.saturating_sub(head.chars().count() + taken + 1);
    let seen = Arc::clone(seen);
    ProgressStyle::with_template(&form)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
        .tick_chars("-\\|/ ")
        .with_key("head", move |_: &ProgressState, line: &mut dyn std::fmt::Write| {
            let _ = line.write_str(&head);
        })
        .with_key("facts", move |state: &ProgressState, line: &mut dyn std::fmt::Write| {
            let _ = line.write_str(&fitting(&facts(work, &seen.moment(state)), room));
        })
}

/// Returns the facts that fit into a number of columns, as one text.
fn fitting(facts: &[String], room: usize) -> String {
    let mut text = String::new();
    for fact in facts {
        let gap = if text.is_empty() { "" } else { ", " };
        if text.len() + gap.len() + fact.len() > room {
            break;
        }
        text += gap;
        text += fact;
    }
    text
}

/// Returns facts about some work, the most important first.
fn facts(work: Work, now: &Moment) -> Vec<String> {
    let mut facts = match work {
        Work::List => vec![format!("{} found", console::counted(now.listed, "object")), seconds(now.elapsed)],
        Work::Read(all) => vec![
            percent(now.position, all),
            time_left(now),
            format!("{}/s", size(now.per_second)),
            format!("{} of {}", console::size(now.position), console::size(all)),
            console::counted(now.rows, "row"),
        ],
        Work::Write(all) => vec![
            percent(now.position, all),
            time_left(now),
            format!("{} rows/s", console::count(whole(now.per_second))),
            format!("{} of {}", console::count(now.position), console::counted(all, "row")),
        ],
        Work::Days(all) => vec![
            format!("{} of {}", console::count(now.position), console::counted(all as u64, "day")),
            time_left(now),
            format!("{:.1} days/min", now.per_second * 60.0),
            format!("{}/s", size(now.bytes as f64 / now.elapsed.as_secs_f64().max(0.001))),
            console::counted(now.rows, "row"),
        ],
        Work::Merge | Work::Publish | Work::Register => vec![seconds(now.elapsed)],
    };
    let is_silent = now.idle >= SILENCE && matches!(work, Work::List | Work::Read(_));
    if is_silent {
        facts.insert(1, format!("nothing new for {}", seconds(now.idle)));
    }
    facts.retain(|fact| !fact.is_empty());
    facts
}

fn percent(done: u64, all: u64) -> String {
    // Nothing to do is done.
    let percent = u128::from(done) * 100 / u128::from(all.max(1));
    format!("{}%", if all == 0 { 100 } else { percent })
}

/// The time left; empty while nothing is done.
fn time_left(now: &Moment) -> String {
    if now.position == 0 { String::new() } else { format!("{} left", seconds(now.left)) }
}

fn seconds(time: Duration) -> String {
    humantime::format_duration(Duration::from_secs(time.as_secs())).to_string()
}

fn size(bytes: f64) -> String {
    console::size(whole(bytes))
}

/// Drops the fraction of a rate, which is never negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn whole(rate: f64) -> u64 {
    rate as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment() -> Moment {
        Moment {
            position: 512 << 20,
            per_second: f64::from(32 << 20),
            elapsed: Duration::from_millis(16_900),
            left: Duration::from_millis(75_999),
            bytes: 169 << 20,
            rows: 1_234_567,
            listed: 12_345,
            idle: Duration::from_secs(9),
        }
    }

    #[test]
    fn each_step_shows_its_amount_rate_and_time_left() {
        let moment = moment();
        let days = Moment { position: 3, per_second: 0.05, ..moment };
        let rows = Moment { position: 1000, per_second: 1234.9, ..moment };
        for (work, now, expected) in [
            (Work::List, moment, "12,345 objects found, 16s"),
            (
                Work::Read(2 << 30),
                moment,
                "25%, 1m 15s left, 32.0 MiB/s, 512.0 MiB of 2.0 GiB, 1,234,567 rows",
            ),
            (Work::Merge, moment, "16s"),
            (Work::Write(3000), rows, "33%, 1m 15s left, 1,234 rows/s, 1,000 of 3,000 rows"),
            (Work::Publish, moment, "16s"),
            (Work::Register, moment, "16s"),
            (Work::Days(31), days, "3 of 31 days, 1m 15s left, 3.0 days/min, 10.0 MiB/s, 1,234,567 rows"),
        ] {
            assert_eq!(facts(work, &now).join(", "), expected, "{work:?}");
        }
    }

    #[test]
    fn no_time_left_is_shown_before_anything_is_done() {
        let none = Moment::default();
        assert_eq!(facts(Work::Read(10), &none)[..2], ["0%", "0 B/s"]);
        assert_eq!(facts(Work::Read(0), &none)[0], "100%");
    }

    #[test]
    fn a_long_silence_is_shown_early_in_the_line() {
        let silent = Moment { idle: Duration::from_secs(75), ..moment() };
        assert_eq!(facts(Work::List, &silent)[1], "nothing new for 1m 15s");
        assert_eq!(facts(Work::Read(2 << 30), &silent)[..2], ["25%", "nothing new for 1m 15s"]);
        assert_eq!(facts(Work::Merge, &silent), ["16s"], "a merge counts nothing");
        assert!(!facts(Work::List, &moment()).concat().contains("nothing new"));
    }

    #[test]
    fn the_silence_ends_with_the_next_change() {
        let pulse = Pulse::default();
        for (number, second, idle) in [(0, 0, 0), (0, 12, 12), (5, 13, 0), (5, 20, 7), (6, 21, 0)] {
            assert_eq!(pulse.idle(number, Duration::from_secs(second)), Duration::from_secs(idle));
        }
    }

    #[test]
    fn facts_that_do_not_fit_are_left_out_whole() {
        let facts = ["25%", "1m 15s left", "32 MiB/s"].map(str::to_owned);
        for (room, expected) in [
            (100, "25%, 1m 15s left, 32 MiB/s"),
            (26, "25%, 1m 15s left, 32 MiB/s"),
            (25, "25%, 1m 15s left"),
            (15, "25%"),
            (2, ""),
        ] {
            assert_eq!(fitting(&facts, room), expected, "{room}");
        }
    }
}
