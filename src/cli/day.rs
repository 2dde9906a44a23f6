//! The road of one table and day, as `run` goes it whole and `publish` its last part.

use serde_json::json;

use super::Context;
use super::catalog::{CatalogSummary, Registrar};
use super::clean;
use super::console::{self, Console};
use super::lock;
use super::progress::Progress;
use super::run_report::{Reports, seconds_since};
use super::settings::{LakeSettings, Settings};
use super::summary::TableSummary;
use crate::cancel::Cancel;
use crate::convert::{self, ConvertOptions, DayTarget, Gathered, Leg, Scattered};
use crate::dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::plan::{LeftObject, TOLD, TablePlan, UNRECOGNISED};
use crate::publish::{CommittedDay, InputsFile, MANIFEST_VERSION, Manifest, Replacement, StagedDay};
use crate::store::lake::{Partition, run_of};
use crate::store::{Connector, Lake};

/// Damaged objects that are named one by one.
const DAMAGE_LINES: usize = 10;

/// One run of the program over one day.
pub(super) struct DayRun<'a> {
    pub(super) settings: &'a Settings,
    pub(super) lake: &'a dyn Lake,
    pub(super) day: KstDay,
    /// The name of the run: the folder of its files.
    pub(super) run: String,
    pub(super) started_at: UtcInstant,
    /// When the inputs were listed.
    pub(super) planned_at: UtcInstant,
    pub(super) console: Console,
    pub(super) cancel: &'a Cancel,
    pub(super) connector: &'a Connector,
    /// The catalog to be told, if any.
    pub(super) registrar: Option<&'a Registrar<'a>>,
    /// What is known of the work on its tables.
    pub(super) reports: Reports,
}

/// A table whose day is public.
pub(super) struct PublishedTable {
    pub(super) summary: TableSummary,
    /// Why the catalog does not show it, where it should.
    pub(super) not_registered: Option<Error>,
}

/// The name of a run: when it began, and some random digits.
pub(super) fn run_name(started_at: UtcInstant) -> Result<String> {
    let time: String = started_at.to_string().chars().filter(char::is_ascii_alphanumeric).take(15).collect();
    Ok(format!("{time}Z-{:08x}", super::random()? & 0xffff_ffff))
}

impl<'a> DayRun<'a> {
    /// A run that begins now.
    pub(super) fn new(
        settings: &'a Settings,
        lake: &'a dyn Lake,
        day: KstDay,
        context: &'a Context,
        connector: &'a Connector,
        registrar: Option<&'a Registrar<'a>>,
    ) -> Result<Self> {
        let started_at = console::now();
        Ok(Self {
            settings,
            lake,
            day,
            run: run_name(started_at)?,
            started_at,
            planned_at: started_at,
            console: context.console,
            cancel: &context.cancel,
            connector,
            registrar,
            reports: Reports::default(),
        })
    }

    /// The same run on one of many days, whose inputs were listed then.
    pub(super) fn on_day(&self, day: KstDay, planned_at: UtcInstant) -> Self {
        let (run, reports, console) = (self.run.clone(), self.reports.clone(), self.console.without_bars());
        Self { day, run, planned_at, console, reports, ..*self }
    }

    /// The same run, whose inputs are listed now.
    pub(super) fn listing_now(&self) -> Self {
        Self { console: self.console, ..self.on_day(self.day, console::now()) }
    }

    /// Takes the partition of a table for this run, and waits for it as long as the settings say if it may.
    pub(super) fn begin(&self, table: &str, dataset: &str, may_wait: bool) -> Result<StagedDay<'a>> {
        let partition = Partition { table: table.to_owned(), day: self.day };
        self.open_report(&partition, dataset);
        let LakeSettings { wait_ms, steals, .. } = self.settings.lake;
        let lake = self.lake;
        let begin = || StagedDay::begin(lake, partition.clone(), &lock::taker("run", &self.run, steals));
        let staged = lock::wait_for(begin, if may_wait { wait_ms } else { 0 }, self.console, self.cancel)?;
        self.note_found(table, &staged);
        Ok(staged)
    }

    /// The database in which days are to be registered, if any.
    pub(super) fn database(&self) -> Option<&str> {
        self.registrar.map(|registrar| registrar.settings.database.as_str())
    }

    pub(super) fn options(&self) -> ConvertOptions {
        self.settings.convert_options(self.cancel)
    }

    /// Reads the objects of a plan.
    pub(super) fn scatter(
        &self,
        plan: &TablePlan,
        identity_key: [u64; 4],
        staged: &StagedDay<'_>,
    ) -> Result<Scattered> {
        let progress = Progress::reading(self.console, &plan.table, plan.bytes());
        let (options, connector) = (self.options(), self.connector);
        let target = DayTarget { day: self.day, scratch: staged.scratch().path() };
        let max_reject_ratio = Some(self.settings.rules.max_reject_ratio);
        let leg = Leg { max_reject_ratio, ..Leg::of_plan(plan, target, identity_key, None) };
        let began = console::now();
        let found = convert::scatter(&leg, &options.residency(), &options, connector, &progress)?;
        let scattered = found.into_iter().next().unwrap_or_default();
        self.say_read(plan, scattered.rows_read(), seconds_since(began));
        Ok(scattered)
    }

    /// From rows to a public day; `began` is when the work on the table did.
    pub(super) fn finish(
        &self,
        plan: &TablePlan,
        scattered: Scattered,
        mut staged: StagedDay<'_>,
        began: UtcInstant,
    ) -> Result<PublishedTable> {
        let writing = console::now();
        let mut gathered = convert::gather(scattered, plan, staged.scratch().path())?;
        let partition = Partition { table: plan.table.clone(), day: self.day };
        let rules = &self.settings.rules;
        let quarantine = staged.stage_quarantine(&mut gathered, rules.max_quarantine_bytes)?;
        self.note_rows(&plan.table, gathered.ledger, gathered.counted_only());
        self.warn_of_damage(plan, &gathered);
        self.warn_of_counted_only(plan, &gathered);
        self.warn_of_names(plan, &gathered);
        let checked = rules.check(&gathered, &partition, quarantine.as_deref());
        let checked = checked.and_then(|()| staged.check_shrink(rules.shrink, plan, &gathered.ledger));
        let lost = checked.as_ref().ok().copied().flatten();
        if let Some(rows) = lost {
            self.warn_of_loss(&plan.table, rows);
        }
        if let Err(refusal) = checked {
            if matches!(refusal.kind(), ErrorKind::TooManyRejects | ErrorKind::Unusable) {
                staged.refuse()?;
                self.note_quarantine(&plan.table, quarantine);
            }
            return Err(refusal);
        }
        let manifest = self.write(plan, &mut gathered, &mut staged)?;
        self.cancel.check()?;
        self.say_written(&manifest, writing);
        let publishing = console::now();
        let committed = staged.commit(&manifest)?;
        self.note_quarantine(&plan.table, quarantine.clone());
        self.warn_of_trouble(&plan.table, &committed);
        self.say_published(&manifest, publishing);
        let (catalog, not_registered) = match self.register(&manifest) {
            Ok(catalog) => {
                self.clean(&plan.table, committed);
                (catalog, None)
            }
            Err(error) => {
                // The catalog still shows what the day supersedes: that stays, unless Athena computes partitions and reads
                // all that is there.
                if self.registrar.is_some_and(Registrar::projects) {
                    self.clean(&plan.table, committed);
                }
                (None, Some(error))
            }
        };
        self.record_published(&manifest, not_registered.as_ref());
        let summary = TableSummary::new(plan, &manifest, quarantine, catalog, seconds_since(began));
        Ok(PublishedTable { summary, not_registered })
    }

    /// The run that the catalog shows for the day, if it does.
    fn shown_run(&self, table: &str) -> Result<Option<String>> {
        let Some(registrar) = self.registrar.filter(|registrar| !registrar.projects()) else {
            return Ok(None);
        };
        // A catalog that does not answer does not stop the day: registering will tell.
        let partitions = registrar.catalog.partitions(table, self.day, self.day).or_else(|error| {
            if error.kind() == ErrorKind::Interrupted { Err(error) } else { Ok(Vec::new()) }
        })?;
        Ok(partitions.first().and_then(|partition| run_of(&partition.location)))
    }

    /// Tells the catalog, if there is one.
    fn register(&self, manifest: &Manifest) -> Result<Option<CatalogSummary>> {
        let Some(registrar) = self.registrar else { return Ok(None) };
        let began = console::now();
        let summary = registrar.register(self.lake, manifest)?;
        self.say_registered(&summary, began);
        Ok(Some(summary))
    }

    /// Tells the catalog of a day that its run has published, but could not register.
    pub(super) fn register_again(&self, manifest: &Manifest) -> Result<()> {
        let Some(registrar) = self.registrar else { return Ok(()) };
        self.open_registering(manifest);
        let began = console::now();
        let registered = registrar.register_again(self.lake, manifest);
        if let Ok(summary) = &registered {
            self.say_registered(summary, began);
        }
        self.end(&manifest.table, registered.as_ref().err());
        registered.map(drop)
    }

    /// Tells of objects that are left out, though they may be logs: one message a reason.
    pub(super) fn warn_of_left<'l>(&self, table: &str, left: impl Iterator<Item = &'l LeftObject>) {
        let left: Vec<&LeftObject> = left.collect();
        for why in TOLD {
            let mut of_reason = left.iter().filter(|left| left.why == why);
            let Some(first) = of_reason.next() else { continue };
            let objects = json!(1 + of_reason.count());
            let mut facts = vec![("objects", objects), ("first", json!(first.address))];
            if why == UNRECOGNISED {
                let message = "objects are left out, since neither key nor content tell that they are logs";
                self.warn(table, message, facts);
            } else {
                facts.push(("why", why.into()));
                self.warn(table, "objects are left out that may be logs", facts);
            }
        }
    }

    /// Removes what the new day supersedes. The day is public, which nothing left over can undo: a later run tries again.
    fn clean(&self, table: &str, committed: CommittedDay<'_>) {
        let began = console::now();
        match committed.clean() {
            Ok(()) => self.say_cleaned(table, began),
            Err(error) => self.warn(
                table,
                "cannot remove what the day supersedes: the next run of the day or 'logmill clean' will",
                vec![("cause", error.to_string().into()), ("hint", error.next_step().into())],
            ),
        }
    }

    fn write(
        &self,
        plan: &TablePlan,
        gathered: &mut Gathered<'_>,
        staged: &mut StagedDay<'_>,
    ) -> Result<Manifest> {
        let schema = dataset::named(&plan.dataset)
            .ok_or_else(|| Error::new(ErrorKind::Usage, "the plan is for an unknown log type"))?
            .schema(plan.naming, &plan.promote);
        let progress = Progress::writing(self.console, &plan.table, gathered.ledger.written);
        let parts = gathered.write_parts(plan, &schema, staged.parts_target(), &self.options(), &progress)?;
        let inputs_file = staged.write_inputs(gathered)?;
        let event_time_column = schema.columns[schema.event_time].named(plan.naming).into_owned();
        let shown = self.shown_run(&plan.table)?;
        let superseded = staged.superseded(self.settings.lake.grace_ms, clean::time_at(self.lake)?, shown)?;
        // A catalog that has shown the day may still do so, also when this run is not to tell it.
        let database = match self.database() {
            Some(database) => Some(database.to_owned()),
            None => staged.replaced()?.and_then(|replaced| replaced.database),
        };
        let manifest = self.manifest(plan, gathered, inputs_file, staged);
        Ok(Manifest { event_time_column, parts, database, superseded, ..manifest })
    }

    fn manifest(
        &self,
        plan: &TablePlan,
        gathered: &Gathered<'_>,
        inputs_file: InputsFile,
        staged: &StagedDay<'_>,
    ) -> Manifest {
        let complete_at = plan.complete_at(self.day);
        Manifest {
            version: MANIFEST_VERSION,
            logmill: env!("CARGO_PKG_VERSION").to_owned(),
            table: plan.table.clone(),
            dataset: plan.dataset.clone(),
            day: self.day,
            run: self.run.clone(),
            published_at: console::now().to_string(),
            planned_at: self.planned_at.to_string(),
            provisional: self.planned_at < complete_at,
            complete_at: complete_at.to_string(),
            naming: plan.naming,
            promote: plan.promote.clone(),
            filter: plan.filter.clone(),
            redact: plan.redact.texts().to_vec(),
            event_time_column: String::new(),
            ledger: gathered.ledger,
            input_bytes: plan.bytes(),
            inputs: plan.inputs.clone(),
            listed: Some(plan.listed().of_the_day()),
            inputs_file,
            quarantine: staged.quarantine().cloned(),
            counted_only: gathered.counted_only(),
            parts: Vec::new(),
            database: None,
            superseded: Vec::new(),
        }
    }

    /// Tells of a listing in which nothing is of the day.
    pub(super) fn warn_of_no_object(&self, plan: &TablePlan) {
        let listed = plan.listed();
        let Some(most) = listed.left.iter().max_by_key(|group| (group.objects, group.folders)) else {
            return;
        };
        if listed.read > 0 {
            return;
        }
        let text = match listed.listed {
            0 => "no object is chosen for the day".to_owned(),
            met => format!("0 of {} chosen", console::counted(met, "object")),
        };
        let folders: u64 = listed.left.iter().map(|group| group.folders).sum();
        let mostly = json!({
            "objects": most.objects, "folders": most.folders, "why": most.why, "first": most.first,
        });
        let facts =
            [("listed", listed.listed.into()), ("folders_not_entered", folders.into()), ("mostly", mostly)];
        self.warn(&plan.table, &text, facts.into());
    }

    /// Tells of names that are not what AWS writes.
    fn warn_of_names(&self, plan: &TablePlan, gathered: &Gathered<'_>) {
        let newer = || gathered.objects.iter().filter(|object| object.newer_than_name > 0);
        if let Some(first) = newer().next() {
            let rows: u64 = newer().map(|object| object.newer_than_name).sum();
            self.warn(
                &plan.table,
                "rows are newer than the time in the name of their object: such names are not delivery times, and other \
                 objects may have been left out for theirs",
                vec![
                    ("rows", rows.into()),
                    ("objects", newer().count().into()),
                    ("first", first.object.address.clone().into()),
                    ("hint", "--ignore-key-times reads objects whatever their names say".into()),
                ],
            );
        }
    }

    /// Tells what went wrong after the commit.
    fn warn_of_trouble(&self, table: &str, committed: &CommittedDay<'_>) {
        for error in committed.trouble() {
            self.warn(table, &error.to_string(), vec![("hint", error.next_step().into())]);
        }
    }

    fn warn_of_loss(&self, table: &str, rows: Replacement) {
        self.warn(
            table,
            "the day has fewer rows than the published one",
            vec![
                ("rows_published", rows.before.into()),
                ("rows_now", rows.after.into()),
                ("explained", rows.explained.into()),
            ],
        );
    }

    /// Tells of rejected rows that are not kept.
    fn warn_of_counted_only(&self, plan: &TablePlan, gathered: &Gathered<'_>) {
        let counted_only = gathered.counted_only();
        if counted_only.is_empty() {
            return;
        }
        let rows: u64 = counted_only.iter().map(|counted| counted.rows).sum();
        self.warn(
            &plan.table,
            "rejected rows are only counted: the quarantine has no room for them",
            vec![
                ("rows", rows.into()),
                ("reasons", json!(counted_only)),
                ("hint", "--max-quarantine keeps more".into()),
            ],
        );
    }

    fn warn_of_damage(&self, plan: &TablePlan, gathered: &Gathered<'_>) {
        let damaged: Vec<_> = gathered.objects.iter().filter(|object| object.damage.is_some()).collect();
        for object in damaged.iter().take(DAMAGE_LINES) {
            self.warn(
                &plan.table,
                "object is damaged: what could be read of it counts, the rest is quarantined",
                vec![("object", object.object.address.clone().into()), ("rows", object.ledger.read.into())],
            );
        }
        if damaged.len() > DAMAGE_LINES {
            let more = damaged.len() - DAMAGE_LINES;
            let text = "more objects are damaged";
            self.warn(&plan.table, text, vec![("objects", more.into())]);
        }
    }
}

/// A secret for the identities of rows.
pub(super) fn identity_key() -> Result<[u64; 4]> {
    Ok([super::random()?, super::random()?, super::random()?, super::random()?])
}
