//! Names of environment variables: each one that begins with `LOGMILL_` must belong to a setting.

use std::collections::BTreeMap;

use super::rows::SETTINGS;
use super::setting::PREFIX;
use crate::error::{Error, ErrorKind, Result};
use crate::nearest::nearest_name;

/// Refuses a variable that belongs to no setting. Ignoring it would hide a misspelt name.
pub(in crate::cli) fn refuse_unknown(environment: &BTreeMap<String, String>) -> Result<()> {
    let known: Vec<String> = SETTINGS.iter().filter_map(|setting| setting.variable()).collect();
    let is_unknown = |name: &&String| !known.contains(name) && !is_service_link(name);
    let Some(unknown) = environment.keys().find(is_unknown) else { return Ok(()) };
    // With the prefix, any two short names look alike.
    let own = |name: &str| name.strip_prefix(PREFIX).unwrap_or(name).to_ascii_uppercase();
    let names: Vec<String> = known.iter().map(|name| own(name)).collect();
    let hint = match nearest_name(&own(unknown), names.iter().map(String::as_str)) {
        Some(name) => format!("did you mean {PREFIX}{name}?"),
        None => "unset it; docs/settings.md lists the variables".to_owned(),
    };
    Err(Error::new(ErrorKind::Usage, format!("unknown environment variable '{unknown}'")).hint(hint))
}

/// Whether Kubernetes sets a variable, because the pod's namespace has a service whose name begins with `logmill`
/// (Kubernetes, "Service", "Environment variables").
fn is_service_link(name: &str) -> bool {
    let is_port = |rest: &str| rest.is_empty() || rest.starts_with('_');
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.split_once("_PORT").is_some_and(|(_, rest)| is_port(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_variable_is_refused_with_the_nearest_name() {
        for (name, hint) in [
            ("LOGMILL_MEMROY", "did you mean LOGMILL_MEMORY?"),
            ("LOGMILL_max_shrink", "did you mean LOGMILL_MAX_SHRINK?"),
            ("LOGMILL_", "unset it; docs/settings.md lists the variables"),
            ("LOGMILL_FOO", "unset it; docs/settings.md lists the variables"),
            ("LOGMILL_PROMOTE", "unset it; docs/settings.md lists the variables"),
            ("LOGMILL_EXPORT", "unset it; docs/settings.md lists the variables"),
        ] {
            let error = refuse_unknown(&[(name.to_owned(), String::new())].into()).unwrap_err();
            assert_eq!(error.to_string(), format!("unknown environment variable '{name}'"));
            assert_eq!(error.next_step(), Some(hint), "{name}");
        }
    }

    #[test]
    fn settings_and_service_links_are_accepted() {
        for name in [
            "LOGMILL_MEMORY",
            "LOGMILL_LAKE_BUCKET_OWNER",
            "LOGMILL_PORT",
            "LOGMILL_PORT_80_TCP_ADDR",
            "LOGMILL_SERVICE_HOST",
            "LOGMILL_METRICS_SERVICE_PORT_HTTP",
        ] {
            refuse_unknown(&[(name.to_owned(), "x".to_owned())].into()).unwrap();
        }
    }
}
