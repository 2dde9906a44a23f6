//! `logmill certify`: issues a certificate about published days, or checks one.

use std::collections::BTreeSet;

use super::args::{CertificateFormat, CertificateLang, CertifyArgs, GlobalArgs};
use super::context::Context;
use super::exit::Exit;
use super::grid::Grid;
use super::screen::{Screen, Shown, Tone};
use super::settings::Flags;
use super::{console, existing_lake, published_days};
use crate::certificate::{
    CERTIFICATE_VERSION, Certificate, DayCertificate, Document, Language, Section, UnpublishedDay, page,
    verify,
};
use crate::error::{Error, ErrorKind, Result};
use crate::store::Lake;
use crate::store::lake::{Partition, table_names};

pub(super) fn run(args: &CertifyArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &Flags::of([&*args.lake]))?;
    let connector = context.connector(&settings);
    let lake = connector.lake(settings.output()?, &settings.lake.access)?;
    existing_lake::require(lake.as_ref(), context.console)?;
    if let Some(path) = &args.verify {
        return check(path, lake.as_ref(), context);
    }
    let certificate = issue(args, lake.as_ref(), context)?;
    refuse_changed_files(lake.as_ref(), &certificate, context)?;
    let language = match args.lang {
        CertificateLang::En => Language::English,
        CertificateLang::Ko => Language::Korean,
    };
    match args.format {
        CertificateFormat::Json => console::print_line(&certificate.to_json()?)?,
        CertificateFormat::Html => console::print_as_is(&page(&certificate, language)?)?,
        CertificateFormat::Text => {
            console::print_shown(&text(&Document::of(&certificate, language), context.console.out))?;
        }
    }
    Ok(Exit::Done)
}

/// Formats a certificate as text.
fn text(document: &Document, screen: Screen) -> Shown {
    let mut text = screen.paint(Tone::Strong, document.title);
    text += "\n";
    for Section { title, paragraphs, heads, rows, spare } in &document.sections {
        text += "\n";
        if !title.is_empty() {
            text += screen.paint(Tone::Strong, title);
            text += "\n\n";
        }
        for paragraph in paragraphs {
            text += screen.wrap_under(&format!("{paragraph}\n"), 0);
        }
        if !rows.is_empty() {
            text += Grid { spare, ..Grid::new(heads, &[], rows.iter().cloned()) }.text(screen);
        }
    }
    text
}

fn issue(args: &CertifyArgs, lake: &dyn Lake, context: &Context) -> Result<Certificate> {
    let now = console::now();
    let days = args.days.range(now, Some(1))?;
    let (mut published, mut missing) = (Vec::new(), Vec::new());
    for table in tables(args.table.as_deref(), lake)? {
        for day in days.days() {
            context.cancel.check()?;
            let partition = Partition { table: table.clone(), day };
            match DayCertificate::read(lake, &partition)? {
                Some(day) => published.push(day),
                None => missing.push(UnpublishedDay { table: partition.table, day }),
            }
        }
    }
    if published.is_empty() {
        return Err(Error::new(ErrorKind::Unusable, "none of the days is published in any table")
            .with("days", days)
            .with("lake", lake.address(""))
            .hint(published_days::hint(lake, args.table.as_deref())?));
    }
    let known: BTreeSet<String> = published.iter().map(|day| day.table.clone()).collect();
    missing.retain(|day| known.contains(&day.table));
    Ok(Certificate {
        certificate_version: CERTIFICATE_VERSION,
        logmill: env!("CARGO_PKG_VERSION").to_owned(),
        issued_at: now.to_string(),
        lake: lake.address(""),
        days: published,
        not_published: missing,
    })
}

/// Fails if the published files are not those that the manifests list.
fn refuse_changed_files(lake: &dyn Lake, certificate: &Certificate, context: &Context) -> Result<()> {
    let findings = verify(lake, certificate, &context.cancel)?;
    let Some(first) = findings.first() else { return Ok(()) };
    Err(Error::new(
        ErrorKind::Unusable,
        "the published files are not those of the manifest: no certificate issued",
    )
    .with("first", first)
    .with("files", findings.len())
    .hint("check the day with 'logmill verify', and build it again with 'logmill run'"))
}

fn tables(only: Option<&str>, lake: &dyn Lake) -> Result<Vec<String>> {
    if let Some(table) = only {
        return Ok(vec![table.to_owned()]);
    }
    let mut tables = table_names(lake)?;
    tables.sort();
    Ok(tables)
}

/// Compares a certificate with the lake.
fn check(path: &str, lake: &dyn Lake, context: &Context) -> Result<Exit> {
    let unusable = |why: String| {
        Error::unusable("cannot read the certificate", std::io::Error::other(why))
            .with("file", path)
            .hint("pass a file that 'logmill certify' wrote as json or html")
    };
    let text = std::fs::read_to_string(path).map_err(|cause| unusable(cause.to_string()))?;
    let certificate = Certificate::parse(&text).map_err(unusable)?;
    let findings = verify(lake, &certificate, &context.cancel)?;
    // A copy of a lake is as good as the lake.
    let here = lake.address("");
    if certificate.lake.trim_end_matches('/') != here.trim_end_matches('/') {
        console::print_line(&format!("issued for the lake '{}', compared with '{here}'", certificate.lake))?;
    }
    for finding in &findings {
        console::print_line(finding)?;
    }
    if !findings.is_empty() {
        return Ok(Exit::Unusable);
    }
    let days = console::counted(certificate.days.len() as u64, "table-day");
    console::print_line(&format!("{days} as in the certificate, issued at {}", certificate.issued_at))?;
    Ok(Exit::Done)
}
