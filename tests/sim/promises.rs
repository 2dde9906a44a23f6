//! What must hold after each change of the bucket, whatever the schedule.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::GRACE_MS;
use super::bucket::{Bucket, Change, Object, Request, Sender};
use super::days::{Day, MOST_DAYS, PLAN, STAGING, is_lock, is_manifest, is_part, rows_of};

/// How long a lock lasts, in milliseconds.
const LOCK_LIFE: i64 = 60_000;
/// The folders of the files that a commit writes first.
const QUARANTINE_AND_INPUTS: [&str; 2] = ["_quarantine/", "_inputs/"];

/// A published run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Published {
    pub(super) run: String,
    /// The keys of its part files and of its list of inputs.
    pub(super) files: Vec<String>,
    pub(super) superseded: Vec<String>,
    /// The manifest without the count of its cleanings.
    fields: Value,
}

impl Published {
    fn of(day: Day, manifest: &Object) -> Option<Self> {
        let mut fields: Value = serde_json::from_slice(&manifest.content).ok()?;
        fields.as_object_mut()?.remove("cleaned");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let mut files = vec![text(&fields["inputs_file"]["path"])?];
        for part in fields["parts"].as_array()? {
            files.push(format!("{}/{}", day.folder(), part["path"].as_str()?));
        }
        let superseded = fields["superseded"].as_array().cloned().unwrap_or_default();
        let superseded = superseded.iter().filter_map(|old| text(&old["run"])).collect();
        Some(Self { run: text(&fields["run"])?, files, superseded, fields })
    }

    fn parts(&self) -> impl Iterator<Item = &String> {
        self.files.iter().filter(|file| is_part(file))
    }

    /// Whether its part files have the rows of a single run, in their order.
    fn has_all_rows(&self, day: Day, bucket: &Bucket) -> bool {
        let below = format!("{}/", day.folder());
        let mut rows = Vec::new();
        for part in self.parts() {
            let content = bucket.objects.get(part).map(|object| &object.content);
            let found = content.and_then(|content| rows_of(content, part.strip_prefix(&below)?));
            let Some(found) = found else { return false };
            rows.extend(found);
        }
        rows == day.rows()
    }
}

/// An actor and a day, as the promises see them.
#[expect(clippy::struct_excessive_bools, reason = "each is an observation of its own")]
#[derive(Debug, Clone, Default)]
struct Behaviour {
    held_at_last_request: bool,
    /// Whether it has begun to write what its manifest names.
    has_begun_commit: bool,
    /// Whether it did so although it had lost the lock before.
    began_without_lock: bool,
    has_had_lock: bool,
}

/// What was observed about a day.
#[derive(Default)]
pub(super) struct ObservedDay {
    pub(super) live: Option<Published>,
    /// All runs that were ever published, and when they were superseded.
    pub(super) published: BTreeMap<String, (Published, Option<i64>)>,
    /// When the catalog stopped showing runs. Queries could begin on them until then.
    shown_until: BTreeMap<String, i64>,
    /// The runs that the catalog has ever shown.
    ever_shown: BTreeSet<String>,
    /// The actor that holds the lock.
    holder: Option<usize>,
    actors: Vec<Behaviour>,
}

/// The promises, and the first one that was broken.
pub(super) struct Promises {
    pub(super) violation: Option<String>,
    pub(super) days: [ObservedDay; MOST_DAYS],
    /// The actors that were told to take locks from others.
    steals: Vec<bool>,
    /// Whether a receipt has replaced the plan.
    pub(super) has_receipt: bool,
}

impl Promises {
    pub(super) fn new(actors: usize) -> Self {
        let new = || ObservedDay { actors: vec![Behaviour::default(); actors], ..ObservedDay::default() };
        Self {
            violation: None,
            days: std::array::from_fn(|_| new()),
            steals: vec![false; actors],
            has_receipt: false,
        }
    }

    pub(super) fn allow_to_steal(&mut self, actor: usize) {
        self.steals[actor] = true;
    }

    /// Notes that the process of an actor starts, perhaps again.
    pub(super) fn begins(&mut self, actor: usize) {
        for day in &mut self.days {
            day.actors[actor] = Behaviour::default();
        }
    }

    /// Notes that the catalog shows a run instead of another one.
    pub(super) fn shows(&mut self, day: Day, run: String, before: Option<String>, now: i64) {
        let day = &mut self.days[day.0];
        day.shown_until.extend(before.map(|run| (run, now)));
        day.ever_shown.insert(run);
    }

    /// A part file of a published run that does not exist.
    pub(super) fn missing_file(&self, day: Day, run: &str, bucket: &Bucket) -> Option<String> {
        let (published, _) = self.days[day.0].published.get(run)?;
        published.parts().find(|part| !bucket.objects.contains_key(*part)).cloned()
    }

    /// Whether an actor once held the lock of a day and no longer does.
    pub(super) fn lost_the_lock(&self, day: Day, actor: usize) -> bool {
        let day = &self.days[day.0];
        day.actors[actor].has_had_lock && day.holder != Some(actor)
    }

    pub(super) fn violated(&mut self, promise: impl Into<String>) {
        self.violation.get_or_insert(promise.into());
    }

    /// Notes that an actor sends a request. A run that finds its lock replaced must not begin its commit: the request before
    /// was the check of the lock.
    pub(super) fn sent(&mut self, actor: usize, request: &Request) {
        let begun =
            request.put_key().filter(|key| QUARANTINE_AND_INPUTS.iter().any(|of| key.starts_with(of)));
        let begun = begun.and_then(Day::of_key);
        for (number, day) in self.days.iter_mut().enumerate() {
            let holds = day.holder == Some(actor);
            let behaviour = &mut day.actors[actor];
            if begun == Some(Day(number)) && !behaviour.has_begun_commit {
                behaviour.has_begun_commit = true;
                behaviour.began_without_lock = !behaviour.held_at_last_request;
            }
            behaviour.held_at_last_request = holds;
        }
    }

    /// Checks a change. `shown` is the run that the catalog shows for the day of the file.
    pub(super) fn check(&mut self, change: &Change, bucket: &Bucket, sender: Sender, shown: Option<&str>) {
        let key = change.key.as_str();
        let broken = match Day::of_key(key) {
            None if key == PLAN => self.broken_receipt(change),
            // Attempts at shards are replaced and withdrawn at any time.
            None => None,
            Some(day) if is_manifest(key) => self.days[day.0].broken_by_manifest(day, change, bucket, sender),
            Some(day) if is_lock(key) => self.days[day.0].broken_by_lock(change, sender, &self.steals),
            Some(day) => self.days[day.0].broken_by_file(change, sender.now, shown),
        };
        self.violation = self.violation.take().or(broken);
    }

    /// The receipt of a plan names the run that published it.
    fn broken_receipt(&mut self, Change { new, .. }: &Change) -> Option<String> {
        let Some(new) = new else { return Some("the plan was removed".to_owned()) };
        let receipt: Value = serde_json::from_slice(&new.content).unwrap_or_default();
        let run = receipt["run"].as_str().filter(|_| receipt["receipt"].is_u64())?;
        self.has_receipt = true;
        let is_published = self.days[0].published.contains_key(run);
        (!is_published).then(|| format!("the receipt names {run}, which was not published"))
    }

    /// Checks what is left of the first `days` after a run without hazards: the live runs and what grace keeps.
    pub(super) fn check_rest(&mut self, days: usize, bucket: &Bucket, has_catalog: bool, now: i64) {
        let mut needed = BTreeSet::new();
        for day in &self.days[..days] {
            let Some(live) = &day.live else { return self.violated("no run is published at the end") };
            if let Some(missing) = live.files.iter().find(|file| !bucket.objects.contains_key(*file)) {
                return self.violated(format!("{missing} is missing at the end"));
            }
            needed.extend(live.files.iter().cloned());
            let kept = |(published, at): &(Published, Option<i64>)| {
                // Without a mark, a run cannot know when the catalog was switched.
                let is_listed = has_catalog && live.superseded.contains(&published.run);
                let is_kept = is_listed || at.is_some_and(|at| now < at + GRACE_MS);
                is_kept.then(|| published.files.clone())
            };
            needed.extend(day.published.values().filter_map(kept).flatten());
        }
        let is_needed = |key: &&String| {
            needed.contains(*key) || is_manifest(key) || key.starts_with("_runs/") || *key == PLAN
        };
        if let Some(left) = bucket.objects.keys().find(|key| !is_needed(key)) {
            let what = if left.starts_with(STAGING) { "staged file" } else { "file" };
            self.violated(format!("{what} {left} is left at the end"));
        }
        if let Some(upload) = bucket.uploads.values().next() {
            self.violated(format!("an upload of {} is left at the end", upload.key));
        }
    }
}

impl ObservedDay {
    fn broken_by_manifest(
        &mut self,
        day: Day,
        Change { old, new, .. }: &Change,
        bucket: &Bucket,
        sender: Sender,
    ) -> Option<String> {
        let Some(new) = new else { return Some("the manifest of a published day was removed".to_owned()) };
        let Some(new) = Published::of(day, new) else { return Some("the manifest is unreadable".to_owned()) };
        if let Some(live) = self.live.as_ref().filter(|live| live.run == new.run) {
            return (*live != new).then(|| "a published run was changed".to_owned());
        }
        let broken = self.broken_commit(day, &new, old.is_some(), bucket, sender.actor);
        if let Some((_, superseded_at)) =
            self.live.as_ref().and_then(|live| self.published.get_mut(&live.run))
        {
            *superseded_at = Some(sender.now);
        }
        self.published.insert(new.run.clone(), (new.clone(), None));
        self.live = Some(new);
        broken
    }

    /// What is wrong with a new run.
    fn broken_commit(
        &self,
        day: Day,
        new: &Published,
        had_manifest: bool,
        bucket: &Bucket,
        actor: usize,
    ) -> Option<String> {
        let unknown = self.live.as_ref().filter(|live| !new.superseded.contains(&live.run));
        let missing = new.files.iter().find(|file| !bucket.objects.contains_key(*file));
        let run = &new.run;
        let found = [
            (had_manifest != self.live.is_some()).then(|| "a manifest was overlooked".to_owned()),
            missing.map(|missing| format!("the manifest names {missing}, which does not exist")),
            unknown.map(|live| format!("{run} replaced {}, of which it knew nothing", live.run)),
            self.actors[actor]
                .began_without_lock
                .then(|| format!("{run} published the day although it had lost the lock")),
            self.published.contains_key(run).then(|| format!("{run} was published twice")),
            (!new.has_all_rows(day, bucket)).then(|| format!("{run} has other rows than a single run")),
        ];
        found.into_iter().flatten().next()
    }

    fn broken_by_lock(
        &mut self,
        Change { old, new, .. }: &Change,
        sender: Sender,
        steals: &[bool],
    ) -> Option<String> {
        let broken = match (old, new) {
            (Some(old), Some(new)) if old.by != new.by => {
                let has_expired = old.modified_at / 1000 * 1000 + LOCK_LIFE < sender.now;
                (!has_expired && !steals[new.by])
                    .then(|| "a run took the lock of another run before it expired".to_owned())
            }
            (Some(old), None) if old.by != sender.actor => {
                Some("a run released the lock of another run".to_owned())
            }
            _ => None,
        };
        self.holder = new.as_ref().map(|new| new.by);
        if let Some(holder) = self.holder {
            self.actors[holder].has_had_lock = true;
        }
        let holds = self.holder == Some(sender.actor);
        self.actors[sender.actor].held_at_last_request = holds;
        broken
    }

    fn broken_by_file(
        &self,
        Change { key, old, new }: &Change,
        now: i64,
        shown: Option<&str>,
    ) -> Option<String> {
        if let Some(run) = new.as_ref().and_then(|_| marked_run(key))
            && !self.ever_shown.contains(run)
        {
            return Some(format!("{run} is recorded as registered, but the catalog never showed it"));
        }
        let old = old.as_ref()?;
        if let Some(new) = new {
            let is_changed = new.content != old.content && !key.starts_with("_runs/");
            return is_changed.then(|| format!("{key} was replaced by other content"));
        }
        if self.live.as_ref().is_some_and(|live| live.files.contains(key)) {
            return Some(format!("{key} was removed, but the manifest names it"));
        }
        let of_run =
            self.published.iter().find(|(_, (published, _))| published.parts().any(|part| part == key));
        let (run, (_, superseded_at)) = of_run?;
        let last_seen_at = self.shown_until.get(run).copied().max(*superseded_at);
        // S3 dates objects in whole seconds.
        if last_seen_at.is_some_and(|at| now < at / 1000 * 1000 + GRACE_MS) {
            return Some(format!("{key} was removed before the grace of its run was over"));
        }
        (shown == Some(run)).then(|| format!("{key} was removed, but the catalog shows its run"))
    }
}

/// The run of a mark that the catalog shows it: `_runs/.../RUN.registered.DATABASE.json`.
fn marked_run(key: &str) -> Option<&str> {
    let name = key.strip_prefix("_runs/")?.rsplit('/').next()?;
    name.split_once(".registered.").map(|(run, _)| run)
}
