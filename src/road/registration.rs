//! The last step of a run: registering a published day in the catalog.

use serde::Serialize;

use super::Clock;
use crate::catalog::{self, Catalog, Registered, RegistrationOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::plan::TableSpec;
use crate::publish::Manifest;
use crate::publish::run_record::{self, RECORD_VERSION, RegistrationMark};
use crate::store::{Connector, Lake};

const NO_STATISTICS: &str = "column statistics not updated: the day is registered anyway";
/// Without a mark, a backfill registers the day again.
const UNMARKED: &str = "cannot write the registration mark: a later backfill may register the day again";
const OLD_RECORD: &str = "the run record still shows that the day is not registered";

/// Options for registering days.
#[derive(Debug, Clone)]
pub struct CatalogOptions {
    /// Name of the database.
    pub database: String,
    /// Whether to create the database if it does not exist.
    pub create_database: bool,
    /// The first day of a partition projection.
    pub projected_from: Option<KstDay>,
    /// Whether to update column statistics in the catalog.
    pub column_statistics: bool,
}

/// A catalog, ready to register days.
pub struct Registrar {
    /// The catalog.
    pub catalog: Box<dyn Catalog>,
    /// Options for registering days.
    pub options: CatalogOptions,
    output: String,
    clock: Clock,
}

/// A registered day, and where engines find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Registration {
    /// Name of the database.
    pub database: String,
    /// Name of the table.
    pub table: String,
    /// Folder of the day.
    pub location: String,
    /// The outcome for the partition.
    pub partition: &'static str,
    /// Problems that did not prevent the registration.
    #[serde(skip)]
    pub warnings: Vec<RegistrationWarning>,
}

/// A problem that did not prevent a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationWarning {
    /// The problem, as a sentence.
    pub text: &'static str,
    /// Its cause.
    pub cause: String,
    /// The next step, if one is known.
    pub hint: Option<String>,
}

impl RegistrationWarning {
    fn new(text: &'static str, cause: &Error) -> Self {
        Self { text, cause: cause.to_string(), hint: cause.next_step().map(str::to_owned) }
    }
}

impl Registrar {
    /// Opens the catalog. Makes no request yet, but refuses options that cannot work.
    pub fn open(
        options: CatalogOptions,
        output: &str,
        grace_ms: i64,
        connector: &Connector,
        clock: Clock,
    ) -> Result<Self> {
        if !output.starts_with("s3://") {
            return Err(Error::new(ErrorKind::Usage, "the Glue catalog needs a lake in S3")
                .with("output", output)
                .hint("pass a lake in S3, or omit --catalog and --database"));
        }
        if options.projected_from.is_some() && grace_ms > 0 {
            return Err(Error::new(ErrorKind::Usage, "with --projection, Athena also reads superseded runs")
                .hint("set --grace to 0s, or remove --projection"));
        }
        let catalog = catalog::open(connector, &options.database)?;
        Ok(Self::over(catalog, options, output, clock))
    }

    /// Creates a registrar over an open catalog.
    #[must_use]
    pub fn over(catalog: Box<dyn Catalog>, options: CatalogOptions, output: &str, clock: Clock) -> Self {
        Self { catalog, options, output: output.to_owned(), clock }
    }

    /// Compares the tables of a run with the catalog, if one is configured, before anything is published. If the log types
    /// were not named, the inputs have already been searched for them.
    ///
    /// A catalog that does not answer does not stop the day. Registration reports it later.
    pub fn foresee<T: AsRef<TableSpec>>(
        registrar: Option<&Self>,
        lake: &dyn Lake,
        tables: &[T],
    ) -> Result<()> {
        let Some(registrar) = registrar else { return Ok(()) };
        for spec in tables.iter().map(AsRef::as_ref) {
            let (catalog, shape) = (registrar.catalog.as_ref(), spec.shape());
            let foreseen = catalog::foresee(catalog, lake, &shape, registrar.registration_options());
            let Err(cause) = foreseen else { continue };
            match cause.kind() {
                ErrorKind::Unusable => return Err(registrar.would_refuse(&spec.table, cause)),
                ErrorKind::Interrupted => return Err(cause),
                ErrorKind::Temporary => break,
                _ => {}
            }
        }
        Ok(())
    }

    fn would_refuse(&self, table: &str, cause: Error) -> Error {
        let hint = cause.next_step().unwrap_or_default().to_owned();
        let facts = [("table", table), ("database", &self.options.database)];
        let error = Error::new(cause.kind(), "nothing was published: the catalog would refuse the table");
        let missing = facts.into_iter().filter(|(name, _)| cause.fact(name).is_none());
        let error = missing.fold(error, |error, (name, value)| error.with(name, value));
        error.caused_by(cause).hint(hint)
    }

    /// Whether Athena computes partitions.
    #[must_use]
    pub fn projects(&self) -> bool {
        self.options.projected_from.is_some()
    }

    /// Returns the options for registering days.
    #[must_use]
    pub fn registration_options(&self) -> RegistrationOptions {
        RegistrationOptions {
            create_database: self.options.create_database,
            projected_from: self.options.projected_from,
            statistics_at: self.options.column_statistics.then(self.clock),
        }
    }

    /// Registers a published day. If that fails, the day remains published, and the error names the command that registers
    /// it later.
    pub fn register(&self, lake: &dyn Lake, manifest: &Manifest) -> Result<Registration> {
        match catalog::register(self.catalog.as_ref(), lake, manifest, self.registration_options()) {
            Ok(registered) => {
                let unmarked = self.mark(lake, manifest, &registered).err();
                let mut registration = self.registration(registered);
                registration
                    .warnings
                    .extend(unmarked.map(|error| RegistrationWarning::new(UNMARKED, &error)));
                Ok(registration)
            }
            Err(cause) => Err(self.not_registered(manifest, cause)),
        }
    }

    /// Writes the mark that the catalog shows a day to the lake.
    fn mark(&self, lake: &dyn Lake, manifest: &Manifest, registered: &Registered) -> Result<()> {
        let mark = RegistrationMark {
            version: RECORD_VERSION,
            run: registered.run.clone(),
            table: registered.table.clone(),
            day: manifest.day,
            database: self.options.database.clone(),
            location: registered.location.clone(),
            registered_at: (self.clock)().to_string(),
        };
        run_record::mark_registered(lake, &mark)
    }

    fn registration(&self, registered: Registered) -> Registration {
        let Registered { table, location, partition, without_statistics, .. } = registered;
        let (database, partition) = (self.options.database.clone(), partition.name());
        let warning = |error: &Error| RegistrationWarning::new(NO_STATISTICS, error);
        let warnings = without_statistics.iter().map(warning).collect();
        Registration { database, table, location, partition, warnings }
    }

    /// Registers a day whose run could not, and removes the error from the record of that run.
    pub fn register_again(&self, lake: &dyn Lake, manifest: &Manifest) -> Result<Registration> {
        let mut registration = self.register(lake, manifest)?;
        if let Err(error) = run_record::clear_error(lake, &manifest.partition(), &manifest.run) {
            registration.warnings.push(RegistrationWarning::new(OLD_RECORD, &error));
        }
        Ok(registration)
    }

    fn not_registered(&self, manifest: &Manifest, cause: Error) -> Error {
        let kind = match cause.kind() {
            ErrorKind::Interrupted => ErrorKind::Interrupted,
            _ => ErrorKind::NotRegistered,
        };
        let command = self.command(&manifest.table, manifest.day);
        let hint = match cause.next_step().filter(|_| kind == ErrorKind::NotRegistered) {
            Some(step) => format!("{step}; then register the day with '{command}'"),
            None => format!("register the day with '{command}'"),
        };
        Error::new(kind, "the day is published, but the catalog does not show it")
            .with("table", &manifest.table)
            .with("day", manifest.day)
            .with("database", &self.options.database)
            .caused_by(cause)
            .hint(hint)
    }

    /// Returns the command that registers a day in the same way.
    #[must_use]
    pub fn command(&self, table: &str, day: KstDay) -> String {
        format!("logmill register --day {day} --table {table} --lake {}{}", self.output, self.flags())
    }

    /// Returns the flags that name this catalog. They include the projection, because the catalog would refuse a command
    /// without it.
    #[must_use]
    pub fn flags(&self) -> String {
        let projection = self.options.projected_from.map(|first| format!(" --projection {first}"));
        let database = &self.options.database;
        format!(" --database {database}{}", projection.unwrap_or_default())
    }
}
