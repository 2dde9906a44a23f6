//! Looks at the inputs of a table and sorts what is there into chosen and left.

use std::collections::HashSet;
use std::io::Read;

use super::choose::{Choice, Distance, Midnight, Wanted, series};
use super::{LeftObject, PlannedObject, TablePlan};

use crate::dataset::{self, Dataset, KeyClaim, KeyTime, Naming, Promotion};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::store::unpack::Unpacked;
use crate::store::{Connector, Gap, ListVisitor, ObjectMeta, SourceAccess, Store};

/// Where a table's rows come from, resolved from the settings.
#[derive(Clone)]
pub struct TableSource {
    /// Name of the table.
    pub table: String,
    /// The log type.
    pub dataset: &'static dyn Dataset,
    /// Folders or files with raw logs.
    pub inputs: Vec<String>,
    /// How they are reached.
    pub access: SourceAccess,
    /// How the columns are called.
    pub naming: Naming,
    /// JSON values with columns of their own.
    pub promote: Vec<Promotion>,
    /// How long after the day its objects are awaited, in milliseconds.
    pub lateness_ms: i64,
    /// Whether another table reads the same input, so that a key which says nothing must be judged by its content.
    pub shares_input: bool,
}

/// Why an object is left that may be a log all the same: people are warned of it.
pub const UNRECOGNISED: &str = "neither key nor content are of this log type";

/// Folders that a lake has beside its tables.
const OWN_FOLDERS: [&str; 2] = ["_staging", "_quarantine"];

/// Lists the inputs of a table and chooses what a day needs.
pub fn plan_table(source: &TableSource, day: KstDay, connector: &Connector) -> Result<TablePlan> {
    let wanted = Wanted::new(day, source.lateness_ms);
    let mut plan = TablePlan {
        table: source.table.clone(),
        dataset: source.dataset.name().to_owned(),
        inputs: source.inputs.clone(),
        access: source.access.clone(),
        naming: source.naming,
        promote: source.promote.clone(),
        lateness_ms: source.lateness_ms,
        requests: 0,
        objects: Vec::new(),
        left: Vec::new(),
    };
    let open = |input: &String| connector.store(input, &source.access);
    let stores = source.inputs.iter().map(open).collect::<Result<Vec<_>>>()?;
    refuse_overlap(&stores)?;
    for (input, store) in (0..).zip(&stores) {
        let mut listing = Listing::new(source, wanted, store.as_ref());
        store.list(&mut listing)?;
        listing.into_plan(input, &mut plan);
        plan.requests += store.requests();
    }
    plan.objects.sort_by(|a, b| a.address.cmp(&b.address));
    plan.left.sort_by(|a, b| a.address.cmp(&b.address));
    Ok(plan)
}

/// Of two inputs one in the other, every object would be read twice.
fn refuse_overlap(stores: &[Box<dyn Store>]) -> Result<()> {
    let roots = stores.iter().map(|store| store.root()).collect::<Result<Vec<_>>>()?;
    for (place, inner) in roots.iter().enumerate() {
        let mut others = roots.iter().enumerate().filter(|(other, _)| *other != place);
        if let Some((_, outer)) = others.find(|(_, outer)| path_below(outer, inner).is_some()) {
            return Err(Error::new(ErrorKind::Usage, "two inputs overlap")
                .with("input", inner)
                .with("lies in", outer)
                .hint("leave the inner one out: folders are read with all that is below them"));
        }
    }
    Ok(())
}

/// The path of `inner` below `outer`, empty for `outer` itself; `None` when it does not lie there.
fn path_below<'a>(outer: &str, inner: &'a str) -> Option<&'a str> {
    let rest = inner.strip_prefix(outer.trim_end_matches('/'))?;
    // A prefix in S3 may be what stands before the times in the names of logs.
    let is_glued =
        outer.starts_with("s3://") && !outer.ends_with('/') && rest.starts_with(|c: char| c.is_ascii_digit());
    if rest.is_empty() || is_glued { Some(rest) } else { rest.strip_prefix('/') }
}

/// What a listing has found so far.
struct Listing<'a> {
    source: &'a TableSource,
    wanted: Wanted,
    store: &'a dyn Store,
    timed: Vec<(ObjectMeta, KeyTime)>,
    unclear: Vec<ObjectMeta>,
    chosen: Vec<(ObjectMeta, &'static str)>,
    left: Vec<LeftObject>,
    /// Series in which some key has a time of day.
    with_time_of_day: HashSet<String>,
}

impl<'a> Listing<'a> {
    fn new(source: &'a TableSource, wanted: Wanted, store: &'a dyn Store) -> Self {
        let (timed, unclear, chosen, left, with_time_of_day) = Default::default();
        Self { source, wanted, store, timed, unclear, chosen, left, with_time_of_day }
    }

    fn leave(&mut self, key: &str, bytes: u64, why: &str) {
        self.left.push(LeftObject { address: self.store.address(key), bytes, why: why.to_owned() });
    }

    /// An object whose key says nothing. In a folder of logs with proper names, or in one that two tables share, its
    /// content decides; in any other folder it was meant to be read.
    fn judge_unclear(&mut self, object: ObjectMeta, by_content: bool) {
        let of_another = dataset::ALL.iter().any(|other| {
            other.name() != self.source.dataset.name() && other.claim(&object.key) != KeyClaim::Unclear
        });
        if of_another {
            self.leave(&object.key, object.bytes, "named like another log type");
        } else if dataset::object_key::split(&object.key).1.starts_with(['.', '_']) {
            self.leave(&object.key, object.bytes, "hidden file");
        } else if !by_content {
            self.chosen.push((object, "no time in its key"));
        } else if self.head(&object.key).is_some_and(|head| self.source.dataset.recognises(&head)) {
            self.chosen.push((object, "no time in its key, but its content is of this log type"));
        } else {
            self.leave(&object.key, object.bytes, UNRECOGNISED);
        }
    }

    /// The first bytes of an object, decompressed, as far as they can be read.
    fn head(&self, key: &str) -> Option<Vec<u8>> {
        let mut head = vec![0; 4096];
        let mut filled = 0;
        let mut content = Unpacked::new(self.store.open(key).ok()?).ok()?;
        while filled < head.len() {
            match content.read(&mut head[filled..]) {
                Ok(0) | Err(_) => break,
                Ok(count) => filled += count,
            }
        }
        head.truncate(filled);
        Some(head)
    }

    fn into_plan(mut self, input: u32, plan: &mut TablePlan) {
        let by_content = self.source.shares_input || !self.timed.is_empty();
        for object in std::mem::take(&mut self.unclear) {
            self.judge_unclear(object, by_content);
        }
        for (object, time) in std::mem::take(&mut self.timed) {
            let midnight = if self.with_time_of_day.contains(series(&object.key)) {
                Midnight::Delivery
            } else {
                Midnight::EventDay
            };
            match self.wanted.choose(time, midnight) {
                Choice::Take(why) => self.chosen.push((object, why)),
                Choice::Leave(why) => self.leave(&object.key, object.bytes, why),
            }
        }
        let store = self.store;
        plan.objects.extend(self.chosen.into_iter().map(|(object, why)| PlannedObject {
            address: store.address(&object.key),
            input,
            key: object.key,
            bytes: object.bytes,
            etag: object.etag,
            why: why.to_owned(),
            shard: 0,
        }));
        plan.left.append(&mut self.left);
    }
}

impl ListVisitor for Listing<'_> {
    fn enter(&mut self, folder: &str) -> bool {
        let name = dataset::object_key::split(folder).1;
        let why = if name.starts_with("proc_ymd=") {
            "a published day"
        } else if OWN_FOLDERS.contains(&name) {
            "a working folder of a lake"
        } else if let KeyClaim::NotMine(why) = self.source.dataset.claim(&format!("{folder}/")) {
            why
        } else if self.wanted.may_be_in(folder) {
            return true;
        } else {
            "the date of the folder is outside the window"
        };
        self.leave(&format!("{folder}/"), 0, why);
        false
    }

    fn narrow(&self, folder: &str) -> Option<Vec<String>> {
        let day_folder = |date: String| format!("{folder}/{date}");
        self.source
            .dataset
            .holds_days(folder)
            .then(|| self.wanted.folder_dates().into_iter().map(day_folder).collect())
    }

    fn gap(&self, key: &str) -> Option<Gap> {
        let KeyClaim::Mine(KeyTime::Delivered(at)) = self.source.dataset.claim(key) else { return None };
        let time = self.source.dataset.time_in_key(key)?;
        let (digits, mark) = time.leading();
        let series = key[..time.start].to_owned();
        let until = match self.wanted.distance(at) {
            // Behind all years that a key can name.
            Distance::After => format!("{series}9"),
            Distance::Before(start) => format!("{series}{}", time.write(start)),
            Distance::Inside => return None,
        };
        Some(Gap { series, digits, mark, until })
    }

    fn object(&mut self, object: ObjectMeta) {
        match self.source.dataset.claim(&object.key) {
            KeyClaim::Mine(time) => {
                if matches!(time, KeyTime::Delivered(_))
                    && !self.with_time_of_day.contains(series(&object.key))
                {
                    self.with_time_of_day.insert(series(&object.key).to_owned());
                }
                self.timed.push((object, time));
            }
            KeyClaim::NotMine(why) => self.leave(&object.key, object.bytes, why),
            KeyClaim::Unclear => self.unclear.push(object),
        }
    }

    fn passed(&mut self, key: &str, reason: &'static str) {
        self.leave(key, 0, reason);
    }
}
