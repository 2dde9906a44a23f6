//! The road of one table and day. `run` takes all steps; `publish` takes those after the shards.

use serde_json::json;

use super::observer::{Progress, Work};
use super::outcomes::{Outcomes, PublishedTable};
use super::{Field, Registrar, Registration, Reporter, Road, identity_key, lock_taker, time_at};
use crate::convert::{self, DayTarget, Gathered, Leg, Scattered, Staging};
use crate::digest::DayProof;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::plan::{TablePlan, TableSource, TableSpec, plan_proved};
use crate::publish::{CommittedDay, InputsFile, MANIFEST_VERSION, Manifest, Replacement, StagedDay};
use crate::store::lake::run_of;

/// One day of a run.
#[derive(Clone, Copy)]
pub struct DayRoad<'a> {
    pub(super) road: &'a Road<'a>,
    pub(super) day: KstDay,
    /// When the inputs were listed.
    pub(super) planned_at: UtcInstant,
}

impl<'a> DayRoad<'a> {
    /// Creates a day whose inputs are listed now.
    #[must_use]
    pub fn new(road: &'a Road<'a>, day: KstDay) -> Self {
        Self::planned(road, day, road.now())
    }

    /// Creates a day whose inputs were listed earlier.
    #[must_use]
    pub fn planned(road: &'a Road<'a>, day: KstDay, planned_at: UtcInstant) -> Self {
        Self { road, day, planned_at }
    }

    /// Returns the day.
    #[must_use]
    pub fn day(&self) -> KstDay {
        self.day
    }

    /// Returns the reporter of the day's messages and run records.
    #[must_use]
    pub fn reporter(&self) -> Reporter<'a> {
        Reporter { road: self.road, day: self.day }
    }

    /// Takes a table through all steps.
    pub fn run_table(&self, source: &TableSource) -> Result<PublishedTable> {
        let began = self.road.now();
        let staged = self.begin(&source.spec, true)?;
        // Waiting for the lock can take hours, and the run that held it may have listed the inputs later than this one.
        let replaced = staged.replaced()?;
        let replaced = replaced.and_then(|manifest| UtcInstant::parse_iso8601(&manifest.planned_at));
        let listing = self.road.now();
        let day = Self { planned_at: source.listed_since(self.road.connector, listing, replaced), ..*self };
        let plan = {
            let _listing = day.progress(&source.spec.table, Work::List);
            plan_proved(source, day.day, day.planned_at, day.road.connector)?
        };
        day.reporter().report_planned(&plan, day.planned_at, Some(day.road.seconds_since(listing)));
        day.reporter().warn_of_left(source, plan.left.iter());
        day.reporter().warn_of_no_object(&plan);
        day.reporter().warn_of_keys(source);
        day.reporter().report_left_out(&plan);
        plan.check_readable()?;
        day.road.cancel().check()?;
        let scattered = day.scatter(&plan, identity_key()?, &staged)?;
        day.finish(&plan, scattered, staged, began)
    }

    /// Publishes a table whose shards have all been converted. `plan_id` is the checksum of their plan.
    pub fn publish_shards(
        &self,
        plan: &TablePlan,
        staging: &Staging,
        shards: u32,
        plan_id: &str,
    ) -> Result<PublishedTable> {
        let began = self.road.now();
        let staged = self.begin(&plan.spec, true)?;
        self.reporter().note_plan(plan, self.planned_at);
        self.reporter().warn_of_no_object(plan);
        plan.check_readable()?;
        let scratch = staged.scratch().path();
        let scattered = Scattered::of_shards(staging, plan, shards, plan_id, scratch)?;
        self.finish(plan, scattered, staged, began)
    }

    /// Locks the partition of a table for this run. If `may_wait` is set, waits for it as long as the options allow.
    pub(super) fn begin(&self, spec: &TableSpec, may_wait: bool) -> Result<StagedDay<'a>> {
        let partition = spec.partition(self.day);
        self.reporter().open_record(&partition, spec.dataset.name());
        let Road { lake, options, run, .. } = self.road;
        let begin = || {
            let taker = lock_taker("run", run, options.steals, self.road.now());
            StagedDay::begin(*lake, partition.clone(), &taker)
        };
        let staged = self.road.wait_for(begin, if may_wait { options.wait_ms } else { 0 })?;
        self.reporter().note_found(&spec.table, &staged);
        Ok(staged)
    }

    /// Reads the objects of a plan.
    fn scatter(&self, plan: &TablePlan, identity_key: [u64; 4], staged: &StagedDay<'_>) -> Result<Scattered> {
        let progress = self.progress(&plan.spec.table, Work::Read(plan.bytes()));
        let (options, connector) = (&self.road.options.convert, self.road.connector);
        let target = DayTarget { day: self.day, scratch: staged.scratch().path() };
        let max_reject_ratio = Some(self.road.options.publish.max_reject_ratio);
        let leg = Leg { max_reject_ratio, ..Leg::of_plan(plan, target, identity_key, None) };
        let began = self.road.now();
        let found = convert::scatter(&leg, &options.residency(), options, connector, progress.as_ref())?;
        let scattered = found.into_iter().next().unwrap_or_default();
        self.reporter().report_read(plan, scattered.rows_read(), self.road.seconds_since(began));
        Ok(scattered)
    }

    /// Shows the progress of a step.
    fn progress(&self, table: &str, work: Work) -> Box<dyn Progress> {
        self.road.observer.progress(&format!("{table} {}", self.day), work)
    }

    /// Turns rows into a public day. `began` is the time when the work on the table began.
    pub(super) fn finish(
        &self,
        plan: &TablePlan,
        scattered: Scattered,
        mut staged: StagedDay<'_>,
        began: UtcInstant,
    ) -> Result<PublishedTable> {
        let writing = self.road.now();
        let mut gathered = {
            let _merging = self.progress(&plan.spec.table, Work::Merge);
            convert::gather(scattered, plan, staged.scratch().path())?
        };
        let quarantine =
            staged.stage_quarantine(&mut gathered, self.road.options.convert.max_quarantine_bytes)?;
        self.reporter().note_rows(&plan.spec.table, gathered.ledger, gathered.counted_only());
        self.reporter().warn_of_damage(plan, &gathered);
        self.reporter().warn_of_counted_only(plan, &gathered);
        self.reporter().warn_of_names(plan, &gathered);
        let proof = gathered.proof(plan)?;
        self.reporter().warn_of_proof(&plan.spec.table, proof.as_ref());
        match self.check(plan, &gathered, &staged, quarantine.as_deref(), proof.as_ref()) {
            Ok(lost) => self.reporter().warn_of_loss(&plan.spec.table, lost),
            Err(refusal) => {
                if matches!(
                    refusal.kind(),
                    ErrorKind::TooManyRejects | ErrorKind::Unproved | ErrorKind::Unusable
                ) {
                    staged.refuse()?;
                    self.reporter().note_quarantine(&plan.spec.table, quarantine);
                }
                return Err(refusal);
            }
        }
        let manifest = Manifest { proof, ..self.write(plan, &mut gathered, &mut staged)? };
        self.road.cancel().check()?;
        self.reporter().report_written(&manifest, writing);
        let (registration, not_registered) = self.publish(&manifest, staged, quarantine.clone())?;
        let (listed, seconds) = (plan.listed(), self.road.seconds_since(began));
        Ok(PublishedTable { listed, manifest, quarantine, registration, not_registered, seconds })
    }

    /// Commits a day whose part files are written, registers it and removes superseded files. Returns the registration, or
    /// why the catalog does not show the day.
    pub(super) fn publish(
        &self,
        manifest: &Manifest,
        staged: StagedDay<'_>,
        quarantine: Option<String>,
    ) -> Result<(Option<Registration>, Option<Error>)> {
        let table = &manifest.table;
        let began = self.road.now();
        let committed = {
            let _publishing = self.progress(table, Work::Publish);
            staged.commit(manifest)?
        };
        self.reporter().note_quarantine(table, quarantine);
        self.reporter().warn_of_trouble(table, &committed);
        self.reporter().report_published(manifest, began);
        let (registration, not_registered) = self.register_and_clean(manifest, committed);
        self.reporter().record_published(manifest, not_registered.as_ref());
        Ok((registration, not_registered))
    }

    /// Fails if the day may not be published. Returns the row counts if the day loses rows that a new filter does not
    /// explain.
    fn check(
        &self,
        plan: &TablePlan,
        gathered: &Gathered<'_>,
        staged: &StagedDay<'_>,
        quarantine: Option<&str>,
        proof: Option<&DayProof>,
    ) -> Result<Option<Replacement>> {
        let partition = plan.spec.partition(self.day);
        let options = &self.road.options.publish;
        options.check(gathered, &partition, quarantine)?;
        options.check_proof(proof, plan.spec.dataset.has_digests(), &partition)?;
        staged.check_shrink(options.shrink, plan, &gathered.ledger)
    }

    fn write(
        &self,
        plan: &TablePlan,
        gathered: &mut Gathered<'_>,
        staged: &mut StagedDay<'_>,
    ) -> Result<Manifest> {
        let schema = plan.spec.schema();
        let progress = self.progress(&plan.spec.table, Work::Write(gathered.ledger.written));
        let options = &self.road.options.convert;
        let parts = gathered.write_parts(plan, &schema, staged.parts_target(), options, progress.as_ref())?;
        let inputs_file = staged.pack_inputs(gathered)?;
        let event_time_column = schema.columns[schema.event_time].named(plan.spec.naming).into_owned();
        self.manifest(plan, gathered, staged, inputs_file, parts, event_time_column)
    }

    /// Describes the day with these part files.
    pub(super) fn manifest(
        &self,
        plan: &TablePlan,
        gathered: &Gathered<'_>,
        staged: &StagedDay<'_>,
        inputs_file: InputsFile,
        parts: Vec<convert::PartFile>,
        event_time_column: String,
    ) -> Result<Manifest> {
        let (spec, complete_at) = (&plan.spec, plan.complete_at(self.day));
        let (shown, now) = (self.shown_run(&spec.table)?, self.road.now());
        // A catalog that showed the day before may still show it, even if this run does not register days.
        let database = match self.road.database() {
            Some(database) => Some(database.to_owned()),
            None => staged.replaced()?.and_then(|replaced| replaced.database),
        };
        Ok(Manifest {
            version: MANIFEST_VERSION,
            logmill: env!("CARGO_PKG_VERSION").to_owned(),
            table: spec.table.clone(),
            dataset: spec.dataset.name().to_owned(),
            day: self.day,
            run: self.road.run.clone(),
            published_at: now.to_string(),
            planned_at: self.planned_at.to_string(),
            provisional: self.planned_at < complete_at,
            complete_at: complete_at.to_string(),
            naming: spec.naming,
            promote: spec.promote.clone(),
            drop_columns: spec.drop_columns.clone(),
            filter: spec.filter.clone(),
            redact: spec.redact.texts().to_vec(),
            event_time_column,
            ledger: gathered.ledger,
            input_bytes: plan.bytes(),
            inputs: spec.inputs.clone(),
            listed: Some(plan.listed().of_the_day()),
            inputs_file,
            quarantine: staged.quarantine().cloned(),
            counted_only: gathered.counted_only(),
            proof: None,
            parts,
            database,
            superseded: staged.superseded(
                self.road.options.grace_ms,
                time_at(self.road.lake, self.road.clock)?,
                shown,
            )?,
        })
    }

    /// Returns the run that the catalog shows for the day, if any.
    fn shown_run(&self, table: &str) -> Result<Option<String>> {
        let Some(registrar) = self.road.registrar.filter(|registrar| !registrar.projects()) else {
            return Ok(None);
        };
        // A catalog that does not answer does not stop the day. Registration reports it later.
        let partitions = registrar.catalog.partitions(table, self.day, self.day).or_else(|error| {
            if error.kind() == ErrorKind::Interrupted { Err(error) } else { Ok(Vec::new()) }
        })?;
        Ok(partitions.first().and_then(|partition| run_of(&partition.location)))
    }

    /// Registers a public day in the catalog, if one is configured, and removes superseded files. If registration failed,
    /// the catalog may still show those files, so they are kept. With partition projection they are removed anyway, because
    /// Athena reads every file of the day.
    fn register_and_clean(
        &self,
        manifest: &Manifest,
        committed: CommittedDay<'_>,
    ) -> (Option<Registration>, Option<Error>) {
        let registered = self.register(manifest);
        if registered.is_ok() || self.road.registrar.is_some_and(Registrar::projects) {
            self.clean(&manifest.table, committed);
        }
        match registered {
            Ok(registration) => (registration, None),
            Err(error) => (None, Some(error)),
        }
    }

    /// Registers the day in the catalog, if one is configured.
    fn register(&self, manifest: &Manifest) -> Result<Option<Registration>> {
        let Some(registrar) = self.road.registrar else { return Ok(None) };
        let began = self.road.now();
        let _registering = self.progress(&manifest.table, Work::Register);
        let registration = registrar.register(self.road.lake, manifest)?;
        self.reporter().report_registered(&registration, began);
        Ok(Some(registration))
    }

    /// Registers a day that its run published but could not register.
    pub fn register_again(&self, manifest: &Manifest) -> Result<Option<Registration>> {
        let Some(registrar) = self.road.registrar else { return Ok(None) };
        self.reporter().open_registering(manifest);
        let began = self.road.now();
        let registered = {
            let _registering = self.progress(&manifest.table, Work::Register);
            registrar.register_again(self.road.lake, manifest)
        };
        if let Ok(registration) = &registered {
            self.reporter().report_registered(registration, began);
        }
        self.reporter().end(&manifest.table, registered.as_ref().err());
        registered.map(Some)
    }

    /// Removes superseded files. A failure is only a warning: the day is public in any case, and a later run tries again.
    fn clean(&self, table: &str, committed: CommittedDay<'_>) {
        let began = self.road.now();
        match committed.clean() {
            Ok(()) => self.reporter().report_cleaned(table, began),
            Err(error) => self.reporter().warn(
                table,
                "cannot remove superseded files: the next run of the day or 'logmill clean' will remove them",
                &cause_of(&error),
            ),
        }
    }
}

/// Returns an error as the fields of a warning.
pub(super) fn cause_of(error: &Error) -> [Field; 2] {
    [("cause", error.to_string().into()), ("hint", json!(error.next_step()))]
}

/// Works on one table after the other. A failing table does not stop the others, but a signal does.
pub fn each_table<T: AsRef<TableSpec>>(
    day: &DayRoad<'_>,
    tables: &[T],
    work: impl Fn(&T) -> Result<PublishedTable>,
) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for table in tables {
        let (name, outcome) = (&table.as_ref().table, work(table));
        if let Err(error) = &outcome {
            day.reporter().record_failure(name, error);
        }
        outcomes.add(name, outcome);
        if outcomes.was_interrupted() {
            break;
        }
    }
    outcomes
}
