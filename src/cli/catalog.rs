//! The last step of the road as commands take it: the catalog is told of a published day.

use serde::Serialize;

use super::console::{self, Console};
use super::settings::{CatalogSettings, Settings};
use crate::catalog::{self, Catalog, RegisterRules, Registered, TableShape};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::publish::Manifest;
use crate::publish::history::{self, REPORT_VERSION, RegistrationMark};
use crate::store::lake::Partition;
use crate::store::{Connector, Lake};

/// The catalog of the settings, ready to be told of days.
pub(super) struct Registrar<'a> {
    pub(super) catalog: Box<dyn Catalog>,
    pub(super) settings: &'a CatalogSettings,
    output: &'a str,
    console: Console,
}

/// Where engines find a day, for the summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct CatalogSummary {
    pub(super) database: String,
    pub(super) table: String,
    pub(super) location: String,
    pub(super) partition: &'static str,
}

impl<'a> Registrar<'a> {
    /// Opens the catalog, if one is to be told; nothing is asked yet, but what cannot work is refused here.
    pub(super) fn open(
        settings: &'a Settings,
        connector: &Connector,
        console: Console,
    ) -> Result<Option<Self>> {
        let Some(wanted) = &settings.catalog else { return Ok(None) };
        let output = settings.output()?;
        if !output.starts_with("s3://") {
            return Err(Error::new(ErrorKind::Usage, "the Glue catalog knows no folders of this machine")
                .with("output", output)
                .hint("give an --output in S3, or leave --catalog out"));
        }
        if wanted.projected_from.is_some() && settings.lake.grace_ms > 0 {
            return Err(Error::new(ErrorKind::Usage, "with --projection Athena reads superseded runs too")
                .hint("leave --grace at 0s, or --projection out"));
        }
        let catalog = catalog::open(connector, &wanted.database)?;
        Ok(Some(Self { catalog, settings: wanted, output, console }))
    }

    /// Compares the tables of a run with the catalog, if there is one, before anything is published. If the log types were not
    /// named, the inputs have been searched for them by then.
    ///
    /// A catalog that does not answer does not stop the day: registration reports it.
    pub(super) fn foresee<'t, T: 't>(registrar: Option<&Self>, lake: &dyn Lake, tables: &'t [T]) -> Result<()>
    where
        TableShape<'t>: From<&'t T>,
    {
        let Some(registrar) = registrar else { return Ok(()) };
        for shape in tables.iter().map(TableShape::from) {
            let foreseen = catalog::foresee(registrar.catalog.as_ref(), lake, shape, registrar.rules());
            let Err(cause) = foreseen else { continue };
            match cause.kind() {
                ErrorKind::Unusable => return Err(registrar.would_refuse(shape.table, cause)),
                ErrorKind::Interrupted => return Err(cause),
                ErrorKind::Temporary => break,
                _ => {}
            }
        }
        Ok(())
    }

    fn would_refuse(&self, table: &str, cause: Error) -> Error {
        let hint = cause.next_step().unwrap_or_default().to_owned();
        let facts = [("table", table), ("database", &self.settings.database)];
        let error = Error::new(cause.kind(), "nothing was published: the catalog would refuse the table");
        let unsaid = facts.into_iter().filter(|(name, _)| cause.fact(name).is_none());
        let error = unsaid.fold(error, |error, (name, value)| error.with(name, value));
        error.caused_by(cause).hint(hint)
    }

    /// Whether Athena computes partitions.
    pub(super) fn projects(&self) -> bool {
        self.settings.projected_from.is_some()
    }

    /// How days are registered.
    pub(super) fn rules(&self) -> RegisterRules {
        RegisterRules {
            create_database: self.settings.create_database,
            projected_from: self.settings.projected_from,
            statistics_at: self.settings.column_statistics.then(console::now),
        }
    }

    /// Registers a published day. A failure says how to make up for it: the day itself stands.
    pub(super) fn register(&self, lake: &dyn Lake, manifest: &Manifest) -> Result<CatalogSummary> {
        match catalog::register(self.catalog.as_ref(), lake, manifest, self.rules()) {
            Ok(registered) => {
                self.mark(lake, manifest, &registered);
                Ok(self.summary(registered))
            }
            Err(cause) => Err(self.not_registered(manifest, cause)),
        }
    }

    /// Leaves a mark in the lake that the catalog shows a day. Without it a backfill registers the day once more.
    fn mark(&self, lake: &dyn Lake, manifest: &Manifest, registered: &Registered) {
        let mark = RegistrationMark {
            version: REPORT_VERSION,
            run: registered.run.clone(),
            table: registered.table.clone(),
            day: manifest.day,
            database: self.settings.database.clone(),
            location: registered.location.clone(),
            registered_at: console::now().to_string(),
        };
        if let Err(error) = history::mark_registered(lake, &mark) {
            let text =
                "cannot leave a mark that the day is registered: a later backfill may register it again";
            self.warn_of(text, manifest, &error);
        }
    }

    fn warn_of(&self, text: &str, manifest: &Manifest, error: &Error) {
        let facts = [
            ("table", manifest.table.clone().into()),
            ("day", manifest.day.to_string().into()),
            ("cause", error.to_string().into()),
            ("hint", error.next_step().into()),
        ];
        self.console.warn(text, &facts);
    }

    fn summary(&self, registered: Registered) -> CatalogSummary {
        let Registered { table, location, partition, without_statistics, .. } = registered;
        if let Some(error) = without_statistics {
            self.console.warn(
                "the catalog could not be told about the values of columns: the day is registered all the same",
                &[("table", table.clone().into()), ("cause", error.to_string().into())],
            );
        }
        let database = self.settings.database.clone();
        CatalogSummary { database, table, location, partition: partition.name() }
    }

    /// Tells the catalog of a day whose run did not. The report of that run has no error any more.
    pub(super) fn register_again(&self, lake: &dyn Lake, manifest: &Manifest) -> Result<CatalogSummary> {
        let summary = self.register(lake, manifest)?;
        let partition = Partition { table: manifest.table.clone(), day: manifest.day };
        if let Err(error) = history::clear_error(lake, &partition, &manifest.run) {
            self.warn_of("the report of the run still says that the day is not registered", manifest, &error);
        }
        Ok(summary)
    }

    fn not_registered(&self, manifest: &Manifest, cause: Error) -> Error {
        let kind = match cause.kind() {
            ErrorKind::Interrupted => ErrorKind::Interrupted,
            _ => ErrorKind::NotRegistered,
        };
        let command = self.command(&manifest.table, manifest.day);
        let hint = match cause.next_step().filter(|_| kind == ErrorKind::NotRegistered) {
            Some(step) => format!("{step}; then make up for it with '{command}'"),
            None => format!("make up for it with '{command}'"),
        };
        Error::new(kind, "the day is published, but the catalog does not show it")
            .with("table", &manifest.table)
            .with("day", manifest.day)
            .with("database", &self.settings.database)
            .caused_by(cause)
            .hint(hint)
    }

    /// The command that registers a day in the same way.
    pub(super) fn command(&self, table: &str, day: KstDay) -> String {
        format!("logmill register --day {day} --table {table} --output {}{}", self.output, self.flags())
    }

    /// The flags that name this catalog; without the projection, a command would be refused.
    pub(super) fn flags(&self) -> String {
        let projection = self.settings.projected_from.map(|first| format!(" --projection {first}"));
        let database = &self.settings.database;
        format!(" --database {database}{}", projection.unwrap_or_default())
    }
}

impl CatalogSummary {
    /// One line for people.
    pub(super) fn line(&self) -> String {
        let Self { database, table, location, partition } = self;
        let location = console::shown(location);
        format!("{database}.{table}: partition {partition}, at {location}")
    }
}
