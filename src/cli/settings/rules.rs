//! Rules for the rows of a source: which to leave out, what to mask, and which columns to drop.

use super::given::Given;
use super::layers::Layers;
use super::rows;
use super::setting::Setting;
use crate::dataset::Dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::rules::redact::{self, RedactRules};
use crate::table::{Promotion, TableSchema};

impl Layers {
    /// The filter rules of the first layer that has any.
    pub(super) fn filter(&mut self, section: &Given, table: &str) -> Vec<String> {
        let layers = self.rules(&rows::FILTER, section);
        let Some((rules, from)) = layers.into_iter().rfind(|(rules, _)| !rules.is_empty()) else {
            return Vec::new();
        };
        for rule in &rules {
            self.note(format!("{table}.filter"), rule.clone(), from.clone());
        }
        rules
    }

    /// The redaction rules of all layers: a secret that any layer names is masked.
    pub(super) fn redact(&mut self, section: &Given, dataset: &dyn Dataset, table: &str) -> RedactRules {
        let mut in_force = RedactRules::new(dataset.default_redactions());
        let mut origins = vec!["default".to_owned()];
        for (rules, from) in self.rules(&rows::REDACT, section) {
            in_force.add(&rules);
            if rules.iter().any(|rule| rule == redact::NO_RULES) {
                origins.clear();
            }
            if !rules.is_empty() {
                origins.push(from);
            }
        }
        let shown = if in_force.texts().is_empty() { "none".to_owned() } else { in_force.texts().join(", ") };
        self.note(format!("{table}.redact"), shown, origins.join(", "));
        in_force
    }

    /// The columns that the first layer with any drops. `promote` are the promotions in `schema`, all columns of the table.
    pub(super) fn drop_columns(
        &mut self,
        section: &Given,
        table: &str,
        schema: &TableSchema,
        promote: &[Promotion],
    ) -> Result<Vec<String>> {
        let layers = self.rules(&rows::DROP_COLUMNS, section);
        let Some((names, from)) = layers.into_iter().rfind(|(names, _)| !names.is_empty()) else {
            return Ok(Vec::new());
        };
        let names: Vec<String> =
            names.iter().flat_map(|names| names.split(',')).map(|name| name.trim().to_owned()).collect();
        let located = |error: Error| error.with("table", table).with("from", &from);
        if let Some(name) = names.iter().find(|name| promote.iter().any(|own| own.column == **name)) {
            let message = format!("cannot drop column '{name}': it is promoted");
            let error = Error::new(ErrorKind::Usage, message);
            return Err(located(error.hint("remove the promotion instead")));
        }
        let dropped = schema.droppable(&names).map_err(located)?;
        self.note(format!("{table}.drop_columns"), dropped.join(", "), from);
        Ok(dropped)
    }

    /// The rules of each layer and the name of the layer, weakest layer first.
    fn rules(&self, setting: &Setting, section: &Given) -> [(Vec<String>, String); 3] {
        let of_environment = self.variable(setting).filter(|(rule, _)| !rule.is_empty());
        let (rules, variable) =
            of_environment.map(|(rule, variable)| (vec![rule], variable)).unwrap_or_default();
        [
            (section.all(setting).to_vec(), self.file.path.clone()),
            (rules, variable),
            (self.flags.all(setting).to_vec(), setting.flag().unwrap_or_default()),
        ]
    }
}
