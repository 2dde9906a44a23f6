//! The settings of a config file mean the same as variables, and an error about the file names a line in it.

use std::collections::BTreeMap;
use std::path::Path;

use logmill::cli::settings::rows::SETTINGS;
use logmill::error::ErrorKind;
use logmill::fuzzing;

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match fuzzing::settings(text, BTreeMap::new()) {
        Ok(in_force) => {
            assert_eq!(fuzzing::settings(text, BTreeMap::new()).ok(), Some(in_force.clone()));
            as_variables(text, &in_force);
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
            let line = error.fact("line").map_or(1, |line| line.parse().expect("a line has a number"));
            assert!((1..=1 + text.matches('\n').count()).contains(&line), "{error}");
        }
    }
}

/// Gives each setting of the file as a variable. Only its origin may change.
fn as_variables(text: &str, in_force: &[(String, String, String)]) {
    let is_file = |from: &str| Path::new(from).extension().is_some_and(|extension| extension == "toml");
    let of_file = in_force.iter().filter(|(_, _, from)| is_file(from));
    let variable = |name: &str| SETTINGS.iter().find(|setting| setting.name == name)?.variable();
    let environment: BTreeMap<String, String> =
        of_file.filter_map(|(name, value, _)| Some((variable(name)?, value.clone()))).collect();
    let values = |in_force: &[(String, String, String)]| -> Vec<(String, String)> {
        in_force.iter().map(|(name, value, _)| (name.clone(), value.clone())).collect()
    };
    let again = fuzzing::settings(text, environment.clone());
    let again = again.unwrap_or_else(|error| panic!("refused as {environment:?}: {error}"));
    assert_eq!(values(&again), values(in_force), "{environment:?}");
}
