//! `logmill register`: registers a published day as a partition of its table in the catalog.

use super::args::{GlobalArgs, RegisterArgs, ShowFormat};
use super::context::Context;
use super::exit::Exit;
use super::settings::{Flags, rows};
use super::{console, published_days, summary, verify};
use crate::error::{Error, ErrorKind, Result};
use crate::publish;
use crate::road::{Registrar, Registration};
use crate::store::Lake;
use crate::store::lake::Partition;

pub(super) fn run(args: &RegisterArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    // Without a catalog, the command would have nothing to do.
    let flags = Flags::of([&*args.lake, &args.catalog]).or(&rows::CATALOG, "glue");
    let settings = context.settings(global, &flags)?;
    let connector = context.connector(&settings);
    let registrar = settings.registrar(&connector, console::now)?.ok_or_else(|| {
        Error::new(ErrorKind::Usage, "no catalog to register with").hint("pass its database with --database")
    })?;
    let lake = connector.lake(settings.output()?, &settings.lake.access)?;
    let day = published_days::day_of(&args.day, lake.as_ref(), args.table.as_deref())?;
    let (mut failures, mut some_done) = (Vec::new(), false);
    for table in verify::tables(args.table.as_deref(), lake.as_ref(), day)? {
        match register_table(&registrar, lake.as_ref(), &Partition { table, day }) {
            Ok(registration) => {
                context.console.warn_of_registration(&registration);
                show(&registration, args.format)?;
                some_done = true;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                context.console.error(&error);
                failures.push(Exit::from(error.kind()));
            }
        }
    }
    Ok(Exit::of_failures(&failures, some_done))
}

fn register_table(registrar: &Registrar, lake: &dyn Lake, partition: &Partition) -> Result<Registration> {
    let manifest =
        publish::read_manifest(lake, partition)?.ok_or_else(|| verify::not_published(lake, partition))?;
    registrar.register_again(lake, &manifest)
}

fn show(registration: &Registration, format: ShowFormat) -> Result<()> {
    console::print(&match format {
        ShowFormat::Table => summary::registered(registration) + "\n",
        ShowFormat::Json => {
            serde_json::to_string(registration)
                .map_err(|cause| Error::bug("cannot write the result as JSON").caused_by(cause))?
                + "\n"
        }
    })
}
