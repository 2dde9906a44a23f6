//! The last step of the road: the catalog is told of a published day.

use serde::Serialize;

use super::Clock;
use crate::catalog::{self, Catalog, Registered, RegistrationOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::plan::TableSpec;
use crate::publish::Manifest;
use crate::publish::run_record::{self, REPORT_VERSION, RegistrationMark};
use crate::store::{Connector, Lake};

const NO_STATISTICS: &str =
    "the catalog could not be told about the values of columns: the day is registered all the same";
/// Without a mark, a backfill registers the day once more.
const UNMARKED: &str =
    "cannot leave a mark that the day is registered: a later backfill may register it again";
const OLD_REPORT: &str = "the report of the run still says that the day is not registered";

/// How days are registered.
#[derive(Debug, Clone)]
pub struct CatalogOptions {
    /// Name of the database.
    pub database: String,
    /// Whether to create the database if it does not exist.
    pub create_database: bool,
    /// The first day of a partition projection.
    pub projected_from: Option<KstDay>,
    /// Whether to tell the catalog about the values of columns.
    pub column_statistics: bool,
}

/// A catalog, ready to be told of days.
pub struct Registrar {
    /// The catalog.
    pub catalog: Box<dyn Catalog>,
    /// How days are registered.
    pub options: CatalogOptions,
    output: String,
    clock: Clock,
}

/// Where engines find a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Registration {
    /// Name of the database.
    pub database: String,
    /// Name of the table.
    pub table: String,
    /// Folder of the day.
    pub location: String,
    /// What was done with the partition.
    pub partition: &'static str,
    /// What went wrong beside it.
    #[serde(skip)]
    pub warnings: Vec<RegistrationWarning>,
}

/// Something that went wrong around a registration, which stands all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationWarning {
    /// What, in a sentence.
    pub text: &'static str,
    /// Why.
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
    /// Opens the catalog. Nothing is requested yet, but what cannot work is refused here.
    pub fn open(
        options: CatalogOptions,
        output: &str,
        grace_ms: i64,
        connector: &Connector,
        clock: Clock,
    ) -> Result<Self> {
        if !output.starts_with("s3://") {
            return Err(Error::new(ErrorKind::Usage, "the Glue catalog knows no folders of this machine")
                .with("output", output)
                .hint("give an --output in S3, or leave --catalog out"));
        }
        if options.projected_from.is_some() && grace_ms > 0 {
            return Err(Error::new(ErrorKind::Usage, "with --projection Athena reads superseded runs too")
                .hint("leave --grace at 0s, or --projection out"));
        }
        let catalog = catalog::open(connector, &options.database)?;
        Ok(Self::over(catalog, options, output, clock))
    }

    /// A catalog that is open already.
    #[must_use]
    pub fn over(catalog: Box<dyn Catalog>, options: CatalogOptions, output: &str, clock: Clock) -> Self {
        Self { catalog, options, output: output.to_owned(), clock }
    }

    /// Compares the tables of a run with the catalog, if there is one, before anything is published. If the log types were not
    /// named, the inputs have been searched for them by then.
    ///
    /// A catalog that does not answer does not stop the day: registration reports it.
    pub fn foresee<T: AsRef<TableSpec>>(
        registrar: Option<&Self>,
        lake: &dyn Lake,
        tables: &[T],
    ) -> Result<()> {
        let Some(registrar) = registrar else { return Ok(()) };
        for spec in tables.iter().map(AsRef::as_ref) {
            let (catalog, shape) = (registrar.catalog.as_ref(), spec.shape());
            let foreseen = catalog::foresee(catalog, lake, &shape, registrar.rules());
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
        let unsaid = facts.into_iter().filter(|(name, _)| cause.fact(name).is_none());
        let error = unsaid.fold(error, |error, (name, value)| error.with(name, value));
        error.caused_by(cause).hint(hint)
    }

    /// Whether Athena computes partitions.
    #[must_use]
    pub fn projects(&self) -> bool {
        self.options.projected_from.is_some()
    }

    /// How days are registered.
    #[must_use]
    pub fn rules(&self) -> RegistrationOptions {
        RegistrationOptions {
            create_database: self.options.create_database,
            projected_from: self.options.projected_from,
            statistics_at: self.options.column_statistics.then(self.clock),
        }
    }

    /// Registers a published day. A failure says how to make up for it: the day itself stands.
    pub fn register(&self, lake: &dyn Lake, manifest: &Manifest) -> Result<Registration> {
        match catalog::register(self.catalog.as_ref(), lake, manifest, self.rules()) {
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

    /// Leaves a mark in the lake that the catalog shows a day.
    fn mark(&self, lake: &dyn Lake, manifest: &Manifest, registered: &Registered) -> Result<()> {
        let mark = RegistrationMark {
            version: REPORT_VERSION,
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

    /// Registers a day whose run did not. The report of that run has no error any more.
    pub fn register_again(&self, lake: &dyn Lake, manifest: &Manifest) -> Result<Registration> {
        let mut registration = self.register(lake, manifest)?;
        if let Err(error) = run_record::clear_error(lake, &manifest.partition(), &manifest.run) {
            registration.warnings.push(RegistrationWarning::new(OLD_REPORT, &error));
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
            Some(step) => format!("{step}; then make up for it with '{command}'"),
            None => format!("make up for it with '{command}'"),
        };
        Error::new(kind, "the day is published, but the catalog does not show it")
            .with("table", &manifest.table)
            .with("day", manifest.day)
            .with("database", &self.options.database)
            .caused_by(cause)
            .hint(hint)
    }

    /// The command that registers a day in the same way.
    #[must_use]
    pub fn command(&self, table: &str, day: KstDay) -> String {
        format!("logmill register --day {day} --table {table} --output {}{}", self.output, self.flags())
    }

    /// The flags that name this catalog; without the projection, a command would be refused.
    #[must_use]
    pub fn flags(&self) -> String {
        let projection = self.options.projected_from.map(|first| format!(" --projection {first}"));
        let database = &self.options.database;
        format!(" --database {database}{}", projection.unwrap_or_default())
    }
}
