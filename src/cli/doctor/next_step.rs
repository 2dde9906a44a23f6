//! The next step for a finding.

use super::places::Places;
use crate::catalog::change::PROJECTION_HINT;
use crate::catalog::diagnosis::{Finding, Repair};
use crate::kst::KstDay;
use crate::road::Registrar;

/// Returns the next step for a finding.
pub(super) fn next_step(places: &Places<'_>, table: &str, day: KstDay, finding: &Finding) -> String {
    let output = places.settings.lake_address();
    let catalog = places.registrar.map(Registrar::flags).unwrap_or_default();
    match finding {
        Finding::Missing { .. } | Finding::Stale { .. } | Finding::Lost { .. } => {
            format!("logmill run --day {day}{} --output {output}{catalog}", source_flags(places, table))
        }
        Finding::Orphaned { ours: false, .. } => {
            "find out what registered it: no run of this lake did".to_owned()
        }
        Finding::Schema { repair: Repair::Projection, .. } => PROJECTION_HINT.to_owned(),
        Finding::Schema { repair: Repair::Person, .. } => {
            "choose another table or database, or drop the table from the catalog and register its days again"
                .to_owned()
        }
        Finding::Leftovers { .. } => format!("logmill clean --lake {output} --table {table}{catalog}"),
        Finding::NotRegistered | Finding::Dangling { .. } | Finding::Schema { .. } => {
            places.registrar.map(|registrar| registrar.command(table, day)).unwrap_or_default()
        }
        Finding::Orphaned { .. } => {
            format!("logmill doctor --day {day} --lake {output}{catalog} --fix")
        }
    }
}

/// Returns the flags that name the source of a table.
fn source_flags(places: &Places<'_>, table: &str) -> String {
    let source = places.settings.sources.iter().find(|source| source.spec.table == table);
    let dataset = source.map(|source| format!(" --dataset {}", source.spec.dataset));
    let mut flags = format!("{} --table {table}", dataset.unwrap_or_default());
    for input in source.map(|source| &source.spec.inputs).into_iter().flatten() {
        flags += &format!(" --input {input}");
    }
    flags
}
