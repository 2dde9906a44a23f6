//! The settings as Markdown, for the documentation.

use super::rows::SETTINGS;
use super::setting::{Place, Setting};

/// The rows of all settings as Markdown tables, one for each section of the config file.
#[must_use]
pub fn reference() -> String {
    let tables = [Place::Nowhere, Place::Top, Place::Lake, Place::Catalog, Place::Source].map(table);
    tables.join("\n")
}

fn table(place: Place) -> String {
    let heading = match place {
        Place::Nowhere => "Without a key".to_owned(),
        Place::Top => "Top level".to_owned(),
        Place::Lake | Place::Catalog => format!("`[{}]`", place.section()),
        Place::Source => format!("`[[{}]]`", place.section()),
    };
    let rows = SETTINGS.iter().filter(|setting| setting.place == place).map(|setting| row(setting));
    format!(
        "### {heading}\n\n| key | flag | variable | default | meaning |\n|---|---|---|---|---|\n{}",
        rows.collect::<String>()
    )
}

/// One line of a table.
fn row(setting: &Setting) -> String {
    let code = |text: Option<String>| text.map_or("–".to_owned(), |text| format!("`{text}`"));
    let key = code(setting.key().map(str::to_owned));
    let mut flags = vec![code(setting.flag())];
    flags.extend(
        setting
            .flag_of_reader()
            .filter(|other| Some(other) != setting.flag().as_ref())
            .map(|other| code(Some(other))),
    );
    let flag = flags.join(", ");
    let default = setting.default_text().unwrap_or("–".to_owned());
    let details = setting.details();
    let meaning = if details.is_empty() { setting.help() } else { format!("{}. {details}", setting.help()) };
    format!(
        "| {key} | {flag} | {} | {default} | {} |\n",
        code(setting.variable()),
        meaning.replace('|', "\\|")
    )
}
