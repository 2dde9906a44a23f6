//! What is done to the rows of a source: which are left out, and what is masked.

use super::layers::Layers;
use crate::cli::args::SourceArgs;
use crate::cli::config_file::{OneOrMany, SourceSection};
use crate::dataset::Dataset;
use crate::rules::redact::{self, RedactRules};

impl Layers {
    /// The rules of the first layer that has any.
    pub(super) fn filter(&mut self, flags: &SourceArgs, section: &SourceSection, table: &str) -> Vec<String> {
        let layers = self.rules("filter", &flags.filter, &section.filter);
        let Some((rules, from)) = layers.into_iter().rfind(|(rules, _)| !rules.is_empty()) else {
            return Vec::new();
        };
        for rule in &rules {
            self.note(format!("{table}.filter"), rule.clone(), from.clone());
        }
        rules
    }

    /// The rules of all layers together: a secret that one of them names is masked, whatever the others say.
    pub(super) fn redact(
        &mut self,
        flags: &SourceArgs,
        section: &SourceSection,
        dataset: &dyn Dataset,
        table: &str,
    ) -> RedactRules {
        let mut in_force = RedactRules::new(dataset.default_redactions());
        let mut origins = vec!["default".to_owned()];
        for (rules, from) in self.rules("redact", &flags.redact, &section.redact) {
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

    /// The rules of each layer, the weakest first, and where they come from.
    fn rules(&self, name: &str, flags: &[String], file: &OneOrMany) -> [(Vec<String>, String); 3] {
        let variable = format!("LOGMILL_{}", name.to_ascii_uppercase());
        let of_environment = self.environment.get(&variable).filter(|rule| !rule.is_empty());
        [
            (file.to_vec(), self.path.clone()),
            (of_environment.cloned().into_iter().collect(), variable),
            (flags.to_vec(), format!("--{name}")),
        ]
    }
}
