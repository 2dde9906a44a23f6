//! What inputs hold, without a day: the logs of every log type, their days, and what belongs to no log type.
//!
//! Each object is listed once for all log types together. Only counts and names are kept, so memory does not grow with the
//! objects. [`Search::days`] answers the smaller question which days the inputs hold, and lists only part of them.

mod coverage;
mod dated_folders;
mod found;
mod left;
mod names;
mod survey;

pub use found::FoundLogs;
pub use left::LeftFolder;
pub use names::Names;

use self::dated_folders::DatedFolders;
use self::left::Left;
use self::survey::{Survey, Surveyed};
use super::held::MisplacedLogs;
use super::source::{TableSource, rest_below};
use crate::cancel::Cancel;
use crate::dataset::{self, LogType};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay};
use crate::store::{Connector, ListVisitor, SourceAccess, Store};

/// The most objects and folders that [`Search::days`] lists in each input.
pub const MAX_FOR_DAYS: u64 = 10_000;

/// A search of inputs for logs.
pub struct Search<'a> {
    inputs: Vec<(String, SourceAccess)>,
    sought: Vec<Sought>,
    connector: &'a Connector,
    cancel: &'a Cancel,
    /// Called from time to time with the number of further objects.
    progress: &'a dyn Fn(u64),
}

/// A log type to look for.
#[derive(Debug, Clone, Copy)]
struct Sought {
    dataset: LogType,
    lateness_ms: i64,
}

/// What the inputs hold.
#[derive(Debug)]
pub struct Discovery {
    /// The inputs that were listed. An input inside another one is listed with it.
    pub inputs: Vec<String>,
    /// The logs, by log type.
    pub found: Vec<FoundLogs>,
    /// What belongs to no log type, and misplaced logs.
    pub left: Vec<LeftFolder>,
    /// Logs in folders of services that the tables of their log types do not search. They are among the objects that are left.
    pub misplaced: Vec<MisplacedLogs>,
    /// Number of objects in the inputs.
    pub listed: u64,
    /// Number of objects whose content was read because their keys are unclear.
    pub read: u64,
    /// Number of requests that the listing took.
    pub requests: u64,
}

/// The days that inputs hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldDays {
    /// The first and last day that objects can feed.
    pub days: DayRange,
    /// The last day that is over, and whose logs are all delivered as far as later logs show.
    pub complete: KstDay,
    /// Whether only [`MAX_FOR_DAYS`] objects and folders of an input were listed.
    pub is_cut: bool,
}

impl<'a> Search<'a> {
    /// Creates a search of the inputs of some tables for every log type.
    #[must_use]
    pub fn for_all(
        sources: &[TableSource],
        connector: &'a Connector,
        cancel: &'a Cancel,
        progress: &'a dyn Fn(u64),
    ) -> Self {
        let lateness_of = |dataset: LogType| {
            let source = sources.iter().find(|source| source.spec.dataset == dataset);
            let default = || TableSource::new(dataset.dataset(), Vec::new()).spec.lateness_ms;
            source.map_or_else(default, |source| source.spec.lateness_ms)
        };
        let sought = dataset::all().map(LogType::from);
        let sought = sought.map(|dataset| Sought { dataset, lateness_ms: lateness_of(dataset) }).collect();
        Self { inputs: inputs_of(sources), sought, connector, cancel, progress }
    }

    /// Creates a search of the inputs of some tables for the log types of these tables.
    #[must_use]
    pub fn for_own(sources: &[TableSource], connector: &'a Connector, cancel: &'a Cancel) -> Self {
        let mut sought: Vec<Sought> = Vec::new();
        for TableSource { spec, .. } in sources {
            if sought.iter().all(|known| known.dataset != spec.dataset) {
                sought.push(Sought { dataset: spec.dataset, lateness_ms: spec.lateness_ms });
            }
        }
        Self { inputs: inputs_of(sources), sought, connector, cancel, progress: &|_| () }
    }

    /// Returns the log types that are looked for.
    pub fn log_types(&self) -> impl Iterator<Item = LogType> {
        self.sought.iter().map(|sought| sought.dataset)
    }

    /// Lists the inputs.
    pub fn discover(&self) -> Result<Discovery> {
        let mut found: Vec<FoundLogs> = self.log_types().map(FoundLogs::none).collect();
        let (mut inputs, mut left, mut misplaced) = (Vec::new(), Left::default(), Vec::new());
        let (mut listed, mut read, mut requests) = (0, 0, 0);
        for (input, store) in self.stores()? {
            let surveyed = Survey::new(self, store.as_ref(), &|_| true, u64::MAX)?.run()?;
            for (known, new) in found.iter_mut().zip(&surveyed.logs) {
                known.merge(&input, new);
            }
            left.merge(surveyed.left);
            for logs in surveyed.misplaced {
                logs.add_to(&mut misplaced);
            }
            listed += surveyed.met;
            read += surveyed.read;
            requests += store.requests();
            inputs.push(input);
        }
        found.retain(|logs| logs.objects > 0);
        misplaced.sort_by_key(|logs| logs.dataset);
        let left = left.into_folders();
        Ok(Discovery { inputs, found, left, misplaced, listed, read, requests })
    }

    /// Returns the days that the inputs hold, as far as the folders of the oldest and the newest date and a limited listing of
    /// all other folders show. `yesterday` is the last day that is over.
    pub fn days(&self, yesterday: KstDay) -> Result<Option<HeldDays>> {
        let mut found: Vec<FoundLogs> = self.log_types().map(FoundLogs::none).collect();
        let mut is_cut = false;
        for (input, store) in self.stores()? {
            let edges = DatedFolders::find(self, store.as_ref())?;
            let enters = |folder: &str| edges.leads_to_edge(folder);
            let surveyed: Surveyed = Survey::new(self, store.as_ref(), &enters, MAX_FOR_DAYS)?.run()?;
            is_cut |= surveyed.is_cut || edges.is_cut();
            for (known, new) in found.iter_mut().zip(&surveyed.logs) {
                known.merge(&input, new);
            }
        }
        let days = found.iter().filter_map(|logs| logs.days).reduce(DayRange::joined);
        let complete = found.iter().filter_map(FoundLogs::complete_day).min();
        Ok(days.zip(complete).map(|(days, complete)| HeldDays {
            days,
            complete: complete.min(yesterday).max(days.first),
            is_cut,
        }))
    }

    /// Lists an input, until it ends or the search is asked to stop.
    fn list(&self, store: &dyn Store, visitor: &mut dyn ListVisitor) -> Result<()> {
        let listed = store.list(visitor);
        stopped(self.cancel)?;
        listed
    }

    /// Opens the inputs, without those inside others.
    fn stores(&self) -> Result<Vec<(String, Box<dyn Store>)>> {
        let open = |(input, access): &(String, SourceAccess)| {
            let store = self.connector.store(input, access)?;
            Ok((input.clone(), store.root()?, store))
        };
        let opened = self.inputs.iter().map(open).collect::<Result<Vec<_>>>()?;
        let roots: Vec<String> = opened.iter().map(|(_, root, _)| root.clone()).collect();
        let is_inside = |place: usize, other: usize| {
            let (own, outer) = (&roots[place], &roots[other]);
            rest_below(outer, own).is_some() && (outer != own || other < place)
        };
        let is_outer =
            |place: usize| (0..roots.len()).all(|other| other == place || !is_inside(place, other));
        let numbered = (0..).zip(opened).filter(|(place, _)| is_outer(*place));
        Ok(numbered.map(|(_, (input, _, store))| (input, store)).collect())
    }
}

/// Returns the different inputs of tables.
pub(super) fn inputs_of(sources: &[TableSource]) -> Vec<(String, SourceAccess)> {
    let mut inputs: Vec<(String, SourceAccess)> = Vec::new();
    for TableSource { spec, .. } in sources {
        for input in &spec.inputs {
            if inputs.iter().all(|(known, _)| known != input) {
                inputs.push((input.clone(), spec.access.clone()));
            }
        }
    }
    inputs
}

/// Fails if the search was asked to stop.
fn stopped(cancel: &Cancel) -> Result<()> {
    cancel.check().map_err(|_| {
        Error::new(ErrorKind::Interrupted, "interrupted")
            .hint("run the command again: it has changed nothing")
    })
}

impl Discovery {
    /// Returns the first and last day that the logs can feed.
    #[must_use]
    pub fn days(&self) -> Option<DayRange> {
        self.found.iter().filter_map(|logs| logs.days).reduce(DayRange::joined)
    }

    /// Returns the last day whose logs of every log type are all delivered, as far as later logs show.
    #[must_use]
    pub fn complete_day(&self) -> Option<KstDay> {
        self.found.iter().filter_map(FoundLogs::complete_day).min()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use proptest::prelude::*;

    use super::*;
    use crate::dataset::Dataset;
    use crate::kst::UtcInstant;
    use crate::plan::plan_table;
    use crate::store::ConnectionOptions;

    const HOUR: i64 = 3_600_000;
    const LINE: &str = "o web [31/Oct/2023:21:03:00 +0000] 192.0.2.3 - 3E57427F3EXAMPLE REST.GET.OBJECT a \
                        \"GET /web/a HTTP/1.1\" 200 - 1 1 1 1 \"-\" \"-\" -\n";

    /// Returns a key of a log that was delivered `hours` hours after 2023-10-25T00:00Z.
    fn key(hours: i64, number: usize, layout: u8) -> String {
        let at = UtcInstant::parse_iso8601("2023-10-25T00:07:00Z").unwrap().plus_ms(hours * HOUR).to_string();
        let (date, time) = (&at[..10], at[11..19].replace(':', "-"));
        let folder = date.replace('-', "/");
        match layout {
            0 => format!("flat/{date}-{time}-{number:016X}"),
            1 => format!("by-delivery/1/r/b/{folder}/{date}-{time}-{number:016X}"),
            2 => format!("by-event/1/r/b/{folder}/{date}-00-00-00-{number:016X}"),
            3 => format!("123456789012/ap-northeast-2/web/{folder}/{date}-00-00-00-{number:016X}"),
            4 => format!("123456789012/ap-northeast-2/web/{folder}/{date}-{time}-{number:016X}"),
            5 => format!("123456789012/ap-northeast-2/web/{folder}/copy-{number}"),
            6 => format!("flat/{date}-00-00-00-{number:016X}"),
            7 => format!("flat/{date}-{time}-{number:016X}.tmp"),
            8 => format!("123456789012/ap-northeast-2/web/{folder}/prose-{number}"),
            _ => {
                let name = format!("{}_{number:08x}.json.gz", at[..16].replace(['-', ':'], "") + "Z");
                format!(
                    "AWSLogs/123456789012/CloudTrail/us-east-1/{folder}/123456789012_CloudTrail_us-east-1_{name}"
                )
            }
        }
    }

    fn source(dataset: &'static dyn Dataset, input: &str, lateness_ms: i64) -> TableSource {
        let mut source = TableSource::new(dataset, vec![input.to_owned()]);
        source.spec.lateness_ms = lateness_ms;
        source
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        /// The days of a discovery are compared with the plan of each day, over random keys.
        #[test]
        fn the_objects_and_days_are_those_of_the_plans(
            logs in prop::collection::vec((0_i64..120, 0_u8..10), 1..40),
            lateness in prop::sample::select(vec![0, 6, 24, 60]),
        ) {
            let folder = tempfile::tempdir().unwrap();
            for (number, (hours, layout)) in logs.iter().enumerate() {
                let path = folder.path().join(key(*hours, number, *layout));
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, if *layout == 5 { LINE } else { "prose" }).unwrap();
            }
            let input = folder.path().to_str().unwrap();
            let cancel = Cancel::default();
            let connector = Connector::new(cancel.clone(), folder.path().to_owned(), ConnectionOptions::default());
            let sources: Vec<TableSource> =
                dataset::all().map(|dataset| source(dataset, input, lateness * HOUR)).collect();
            let discovery = Search::for_all(&sources, &connector, &cancel, &|_| ()).discover().unwrap();
            let left: u64 = discovery.left.iter().map(|left| left.group.objects).sum();
            let read: u64 = discovery.found.iter().map(|logs| logs.objects).sum();
            prop_assert_eq!((discovery.listed, read + left), (logs.len() as u64, logs.len() as u64));
            let first: KstDay = "2023-10-20".parse().unwrap();
            let last: KstDay = "2023-11-05".parse().unwrap();
            for source in &sources {
                let mut addresses = BTreeSet::new();
                let mut days: Option<DayRange> = None;
                for day in (DayRange { first, last }).days() {
                    let plan = plan_table(source, day, &connector).unwrap();
                    if !plan.objects.is_empty() {
                        let only = DayRange::only(day);
                        days = Some(days.map_or(only, |days| days.joined(only)));
                    }
                    addresses.extend(plan.objects.into_iter().map(|object| object.address));
                }
                let found = discovery.found.iter().find(|logs| logs.dataset == source.spec.dataset);
                prop_assert_eq!(found.map_or(0, |logs| logs.objects), addresses.len() as u64);
                prop_assert_eq!(found.and_then(|logs| logs.days), days);
            }
            // The edges alone may miss days of folders that are older in date but not in events.
            let held = Search::for_own(&sources, &connector, &cancel).days(last).unwrap();
            if let Some(HeldDays { days, complete, is_cut }) = held {
                prop_assert!(days.contains(complete) && !is_cut);
                prop_assert_eq!(discovery.days().map(|all| all.joined(days)), discovery.days());
            }
        }
    }

    #[test]
    fn a_search_that_is_asked_to_stop_ends_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..10 {
            fs::write(folder.path().join(key(number, 0, 0).replace('/', "-")), "").unwrap();
        }
        let cancel = Cancel::from_flag(std::sync::Arc::new(true.into()));
        let connector =
            Connector::new(cancel.clone(), folder.path().to_owned(), ConnectionOptions::default());
        let sources = [source(dataset::named("s3-access").unwrap(), folder.path().to_str().unwrap(), 0)];
        let search = Search::for_all(&sources, &connector, &cancel, &|_| ());
        let yesterday = "2023-11-05".parse().unwrap();
        for error in [search.discover().unwrap_err(), search.days(yesterday).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Interrupted);
            assert_eq!(error.next_step(), Some("run the command again: it has changed nothing"));
        }
    }
}
