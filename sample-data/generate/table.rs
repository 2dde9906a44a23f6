//! Generates a table: plans its objects, generates their rows, and tallies the counts that an import must report.
//!
//! Objects are generated one by one, in the order of the times in their names. All choices come from the random generator of
//! the table, so the order of draws must not change: the same seed gives the same bytes.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use fastrand::Rng;

use crate::choices::zipf;
use crate::clock::DAY;
use crate::objects::{Extra, Kind, Plan};
use crate::pack::{gzip, pack_lines, pack_records, store};
use crate::rows::{GeneratedRow, Load, roll};
use crate::shapes::Shape;
use crate::sources::{Layout, Source};
use crate::words::fill;

/// With this many names in a dated folder, an import knows whether its date is of events or of delivery.
const DECISIVE_NAMES: usize = 3;

/// Every twentieth request takes the next shape in turn, so that rare shapes also appear in a small day.
const IN_TURN: u64 = 20;

/// The counts that an import of the day must report, by their names in `expected.json`.
type Tally = BTreeMap<&'static str, u64>;

/// Returns an empty tally.
fn tally() -> Tally {
    ["objects", "read", "written", "other_day", "duplicate", "quarantined"].map(|name| (name, 0)).into()
}

/// A table that is being generated.
pub(crate) struct Table {
    day: i64,
    load: Load,
    sources: &'static [Source],
    shapes: Vec<Shape>,
    rng: Rng,
    /// The number of requests so far.
    requests: u64,
    /// For each source, a row to repeat.
    spares: Vec<Option<GeneratedRow>>,
    pub(crate) tally: Tally,
}

impl Table {
    /// Creates a table without rows.
    pub(crate) fn new(
        day: i64,
        load: Load,
        sources: &'static [Source],
        shapes: Vec<Shape>,
        seed: u64,
    ) -> Self {
        let (rng, spares) = (Rng::with_seed(seed), vec![None; sources.len()]);
        Self { day, load, sources, shapes, rng, requests: 0, spares, tally: tally() }
    }

    /// Plans the objects over which the rows of the day are spread evenly.
    fn even_plans(&mut self) -> Vec<Plan> {
        let Load { rows, objects, .. } = self.load;
        let count = i64::try_from(objects).expect("the number of objects fits an i64");
        let plan = |(nth, index): (u64, i64)| {
            let source = usize::try_from(zipf(&mut self.rng, self.sources.len() as u64)).expect("an index");
            let layout = self.sources[source].layout;
            let from = self.day + DAY * index / count;
            let to = (from + (DAY / count).clamp(1, layout.longest())).min(layout.limit(from));
            let stamp = layout.stamp(from, to, layout.delay(&mut self.rng));
            let rows = rows / objects + u64::from(nth < rows % objects);
            Plan { source, stamp, from, to, rows, kind: Kind::Plain }
        };
        (0..objects).zip(0..count).map(plan).collect()
    }

    /// Plans the extra objects.
    fn extra_plans(&self, extras: &[Extra]) -> Vec<Plan> {
        extras.iter().map(|extra| extra.plan(self.day, self.sources)).collect()
    }

    /// Generates all objects, in the order of the times in their names.
    pub(crate) fn make(&mut self, out: &Path, extras: &[Extra]) -> Result<(), Box<dyn Error>> {
        let mut plans = self.even_plans();
        plans.extend(self.extra_plans(extras));
        plans.sort_by_key(|plan| plan.stamp);
        plans.iter().try_for_each(|plan| {
            let same = plans.iter().filter(|other| (other.source, other.stamp) == (plan.source, plan.stamp));
            self.object(out, plan, same.count())
        })
    }

    /// Generates one object. `same` is the number of objects in its folder with the same time in their name.
    fn object(&mut self, out: &Path, plan: &Plan, same: usize) -> Result<(), Box<dyn Error>> {
        let source = &self.sources[plan.source];
        let read = source.layout.is_read(plan.stamp, self.day);
        let mut rows = self.rows(plan, read && plan.kind == Kind::Plain);
        let (bytes, rejects) = match source.layout {
            Layout::CloudTrail => pack_records(&mut rows, plan.kind)?,
            Layout::Simple | Layout::Partitioned | Layout::ClbAccess => pack_lines(&mut rows, plan.kind),
            Layout::AlbAccess
            | Layout::AlbConnection
            | Layout::NlbAccess
            | Layout::AccessJson
            | Layout::Waf
            | Layout::WafStream
            | Layout::Resolver => {
                let (text, rejects) = pack_lines(&mut rows, plan.kind);
                (gzip(&String::from_utf8(text)?)?, rejects)
            }
        };
        let key = source.object(plan.stamp, &mut self.rng);
        if source.layout.has_places() {
            for row in &mut rows {
                row.copy = false;
            }
        }
        let mut deliveries = vec![key];
        if plan.kind == Kind::Twice {
            deliveries.push(self.second(source, plan, &deliveries[0]));
        }
        for key in deliveries {
            store(&out.join(key), &bytes)?;
            if read || same < DECISIVE_NAMES && source.layout.may_be_read(plan.stamp, self.day) {
                self.count(&rows, rejects);
            }
            for row in &mut rows {
                row.copy = true;
            }
        }
        Ok(())
    }

    /// Returns the key of the second delivery of an object. Where rows have places, it is a copy under the same name.
    fn second(&mut self, source: &Source, plan: &Plan, first: &str) -> String {
        match first.rsplit_once('/') {
            Some((_, name)) if source.layout.has_places() => format!("copies/{name}"),
            _ => source.object(plan.stamp, &mut self.rng),
        }
    }

    /// Counts an object that an import reads.
    fn count(&mut self, rows: &[GeneratedRow], rejects: u64) {
        let day = self.day..self.day + DAY;
        let fate = |row: &GeneratedRow| match (day.contains(&row.time), row.copy) {
            (false, _) => "other_day",
            (true, true) => "duplicate",
            (true, false) => "written",
        };
        let counts = [("objects", 1), ("quarantined", rejects), ("read", rows.len() as u64 + rejects)];
        for (name, count) in counts.into_iter().chain(rows.iter().map(|row| (fate(row), 1))) {
            *self.tally.entry(name).or_default() += count;
        }
    }

    /// Generates the rows of one object. If `copies` is set, some rows are copies.
    fn rows(&mut self, plan: &Plan, copies: bool) -> Vec<GeneratedRow> {
        let mut rows = Vec::new();
        while (rows.len() as u64) < plan.rows {
            // One hit saves a row, and the next hit repeats it.
            let hit = copies && self.rng.u64(..).is_multiple_of((self.load.copies / 2).max(1));
            if hit && let Some(spare) = self.spares[plan.source].take_if(|spare| plan.may_hold(spare)) {
                rows.push(spare);
                continue;
            }
            rows.extend(self.fresh(plan, plan.rows - rows.len() as u64));
            if hit && let Some(last) = rows.last() {
                self.spares[plan.source] = Some(GeneratedRow { copy: true, ..last.clone() });
            }
        }
        rows
    }

    /// Generates the rows of one request, at most `most`.
    fn fresh(&mut self, plan: &Plan, most: u64) -> Vec<GeneratedRow> {
        let shape = self.shape(most);
        let time = self.rng.i64(plan.from..plan.to);
        let source = &self.sources[plan.source];
        let mut row = roll(&mut self.rng, source, self.load, time);
        let text = fill(&self.shapes[shape].pieces, &mut row);
        self.requests += 1;
        // The text line of a record in JSON is the same request.
        let is_twin = |line: &str| text.starts_with('{') && !line.starts_with('{');
        text.split('\n')
            .map(|line| GeneratedRow { text: line.to_owned(), time, copy: is_twin(line) })
            .collect()
    }

    /// Returns the index of a shape with at most `most` rows.
    fn shape(&mut self, most: u64) -> usize {
        let in_turn = self.requests / IN_TURN % self.shapes.len() as u64;
        let index = if self.requests.is_multiple_of(IN_TURN) {
            usize::try_from(in_turn).expect("less than a length")
        } else {
            let mut left = self.rng.u64(0..self.shapes.iter().map(|shape| shape.weight).sum());
            let hit = |shape: &Shape| {
                let inside = left < shape.weight;
                left = left.saturating_sub(shape.weight);
                inside
            };
            self.shapes.iter().position(hit).expect("the weights cover all numbers below their sum")
        };
        if self.shapes[index].rows <= most { index } else { 0 }
    }
}
