//! What must hold after each change of the bucket, whatever the schedule.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::bucket::{Bucket, Change, Object, Request, Sender};
use super::{GRACE_MS, LOCK, MANIFEST, PARTITION, QUARANTINE_AND_INPUTS};

/// How long a lock lasts, in milliseconds.
const LOCK_LIFE: i64 = 60_000;

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
    fn of(manifest: &Object) -> Option<Self> {
        let mut fields: Value = serde_json::from_slice(&manifest.content).ok()?;
        fields.as_object_mut()?.remove("cleaned");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let mut files = vec![text(&fields["inputs_file"]["path"])?];
        for part in fields["parts"].as_array()? {
            files.push(format!("{PARTITION}/{}", part["path"].as_str()?));
        }
        let superseded = fields["superseded"].as_array().cloned().unwrap_or_default();
        let superseded = superseded.iter().filter_map(|old| text(&old["run"])).collect();
        Some(Self { run: text(&fields["run"])?, files, superseded, fields })
    }
}

/// An actor, as the promises see it.
#[expect(clippy::struct_excessive_bools, reason = "each is an observation of its own")]
#[derive(Debug, Clone, Default)]
struct Behaviour {
    /// Whether it was told to take the lock from others.
    steals: bool,
    held_at_last_request: bool,
    /// Whether it has begun to write what its manifest names.
    has_begun_commit: bool,
    /// Whether it did so although it had lost the lock before.
    began_without_lock: bool,
    has_had_lock: bool,
}

/// The promises, and the first one that was broken.
pub(super) struct Promises {
    pub(super) violation: Option<String>,
    pub(super) live: Option<Published>,
    /// All runs that were ever published, and when they were superseded.
    pub(super) published: BTreeMap<String, (Published, Option<i64>)>,
    /// When the catalog stopped showing runs. Queries could begin on them until then.
    shown_until: BTreeMap<String, i64>,
    /// The actor that holds the lock.
    holder: Option<usize>,
    actors: Vec<Behaviour>,
}

impl Promises {
    pub(super) fn new(actors: usize) -> Self {
        Self {
            violation: None,
            live: None,
            published: BTreeMap::new(),
            shown_until: BTreeMap::new(),
            holder: None,
            actors: vec![Behaviour::default(); actors],
        }
    }

    pub(super) fn allow_to_steal(&mut self, actor: usize) {
        self.actors[actor].steals = true;
    }

    /// Notes that the process of an actor starts, perhaps again.
    pub(super) fn begins(&mut self, actor: usize) {
        let steals = self.actors[actor].steals;
        self.actors[actor] = Behaviour { steals, ..Behaviour::default() };
    }

    /// Notes that the catalog no longer shows a run.
    pub(super) fn no_longer_shown(&mut self, run: String, now: i64) {
        self.shown_until.insert(run, now);
    }

    /// Whether an actor once held the lock and no longer does.
    pub(super) fn lost_the_lock(&self, actor: usize) -> bool {
        self.actors[actor].has_had_lock && self.holder != Some(actor)
    }

    pub(super) fn violated(&mut self, promise: impl Into<String>) {
        self.violation.get_or_insert(promise.into());
    }

    /// Notes that an actor sends a request. A run that finds its lock replaced must not begin its commit: the request before
    /// was the check of the lock.
    pub(super) fn sent(&mut self, actor: usize, request: &Request) {
        let holds = self.holder == Some(actor);
        let behaviour = &mut self.actors[actor];
        let is_first =
            request.put_key().is_some_and(|key| QUARANTINE_AND_INPUTS.iter().any(|of| key.starts_with(of)));
        if is_first && !behaviour.has_begun_commit {
            behaviour.has_begun_commit = true;
            behaviour.began_without_lock = !behaviour.held_at_last_request;
        }
        behaviour.held_at_last_request = holds;
    }

    /// Checks a change.
    pub(super) fn check(&mut self, change: &Change, bucket: &Bucket, sender: Sender, shown: Option<&str>) {
        match change.key.as_str() {
            MANIFEST => self.check_manifest(change, bucket, sender),
            LOCK => self.check_lock(change, sender),
            _ => self.check_file(change, sender.now, shown),
        }
    }

    fn check_manifest(&mut self, Change { old, new, .. }: &Change, bucket: &Bucket, sender: Sender) {
        let Some(new) = new else { return self.violated("the manifest of a published day was removed") };
        let Some(new) = Published::of(new) else { return self.violated("the manifest is unreadable") };
        if self.live.as_ref().is_some_and(|live| live.run == new.run) {
            if self.live.as_ref() != Some(&new) {
                self.violated("a published run was changed");
            }
            return;
        }
        if old.is_some() != self.live.is_some() {
            self.violated("a manifest was overlooked");
        }
        if let Some(missing) = new.files.iter().find(|file| !bucket.objects.contains_key(*file)) {
            self.violated(format!("the manifest names {missing}, which does not exist"));
        }
        if let Some(live) = self.live.clone() {
            if !new.superseded.contains(&live.run) {
                self.violated(format!("{} replaced {}, of which it knew nothing", new.run, live.run));
            }
            if let Some((_, superseded_at)) = self.published.get_mut(&live.run) {
                *superseded_at = Some(sender.now);
            }
        }
        if self.actors[sender.actor].began_without_lock {
            self.violated(format!("{} published the day although it had lost the lock", new.run));
        }
        if self.published.contains_key(&new.run) {
            self.violated(format!("{} was published twice", new.run));
        }
        self.published.insert(new.run.clone(), (new.clone(), None));
        self.live = Some(new);
    }

    fn check_lock(&mut self, Change { old, new, .. }: &Change, sender: Sender) {
        match (old, new) {
            (Some(old), Some(new)) if old.by != new.by => {
                let has_expired = old.modified_at / 1000 * 1000 + LOCK_LIFE < sender.now;
                if !has_expired && !self.actors[new.by].steals {
                    self.violated("a run took the lock of another run before it expired");
                }
            }
            (Some(old), None) if old.by != sender.actor => {
                self.violated("a run released the lock of another run");
            }
            _ => {}
        }
        self.holder = new.as_ref().map(|new| new.by);
        if let Some(holder) = self.holder {
            self.actors[holder].has_had_lock = true;
        }
        let holds = self.holder == Some(sender.actor);
        self.actors[sender.actor].held_at_last_request = holds;
    }

    fn check_file(&mut self, Change { key, old, new }: &Change, now: i64, shown: Option<&str>) {
        let Some(old) = old else { return };
        if let Some(new) = new {
            let is_replaceable = key.starts_with("_runs/");
            if new.content != old.content && !is_replaceable {
                self.violated(format!("{key} was replaced by other content"));
            }
            return;
        }
        if self.live.as_ref().is_some_and(|live| live.files.contains(key)) {
            self.violated(format!("{key} was removed, but the manifest names it"));
        }
        for (run, (published, superseded_at)) in &self.published {
            let is_part = published.files.contains(key) && key.starts_with(PARTITION);
            if !is_part {
                continue;
            }
            let last_seen_at = self.shown_until.get(run).copied().max(*superseded_at);
            // S3 dates objects in whole seconds.
            if last_seen_at.is_some_and(|at| now < at / 1000 * 1000 + GRACE_MS) {
                let promise = format!("{key} was removed before the grace of its run was over");
                self.violation.get_or_insert(promise);
            }
            if shown == Some(run) {
                let promise = format!("{key} was removed, but the catalog shows its run");
                self.violation.get_or_insert(promise);
            }
        }
    }

    /// Checks what is left after a run without hazards: the live run and what grace keeps.
    pub(super) fn check_rest(&mut self, bucket: &Bucket, has_catalog: bool, now: i64) {
        let Some(live) = self.live.clone() else { return self.violated("no run is published at the end") };
        let kept = |(published, at): &(Published, Option<i64>)| {
            // Without a mark, a run cannot know when the catalog was switched.
            let is_listed = has_catalog && live.superseded.contains(&published.run);
            let is_kept = is_listed || at.is_some_and(|at| now < at + GRACE_MS);
            is_kept.then(|| published.files.clone())
        };
        let kept: BTreeSet<String> = self.published.values().filter_map(kept).flatten().collect();
        let is_needed = |key: &&String| {
            live.files.contains(key) || kept.contains(*key) || *key == MANIFEST || key.starts_with("_runs/")
        };
        if let Some(left) = bucket.objects.keys().find(|key| !is_needed(key)) {
            self.violated(format!("{left} is left at the end"));
        }
        if let Some(upload) = bucket.uploads.values().next() {
            self.violated(format!("an upload of {} is left at the end", upload.key));
        }
        if let Some(missing) = live.files.iter().find(|file| !bucket.objects.contains_key(*file)) {
            self.violated(format!("{missing} is missing at the end"));
        }
    }
}
