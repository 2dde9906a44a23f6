//! Where published days are, and what to do next: commands that work as they are printed.
//!
//! They repeat the flags of the command that ran. Variables and the usual config file still apply.

use super::command_line::{flags_of, repeated, word};
use super::console::{Console, shown};
use super::screen::{Shown, Tone};
use super::settings::given::Given;
use super::settings::rows;
use super::settings::setting::Setting;
use crate::dataset::{self, Dataset};
use crate::kst::DayRange;
use crate::publish::Manifest;
use crate::store::Lake;

/// The flags that name the raw logs.
const SOURCE: [&Setting; 12] = [
    &rows::INPUT,
    &rows::DATASET,
    &rows::TABLE,
    &rows::LATENESS,
    &rows::IGNORE_KEY_TIMES,
    &rows::NAMING,
    &rows::ROLE_ARN,
    &rows::REQUESTER_PAYS,
    &rows::EXPECTED_BUCKET_OWNER,
    &rows::FILTER,
    &rows::REDACT,
    &rows::DROP_COLUMNS,
];

/// What a command has published, and how it was called.
pub(super) struct NextSteps<'a> {
    pub(super) lake: &'a dyn Lake,
    /// The flags.
    pub(super) given: &'a Given,
    /// The days that the command was asked for.
    pub(super) days: DayRange,
    /// The published days, with the address of their rejected rows.
    pub(super) published: Vec<(&'a Manifest, Option<&'a str>)>,
    /// Whether the settings name raw logs.
    pub(super) has_sources: bool,
    /// Whether the settings name a catalog.
    pub(super) has_catalog: bool,
}

impl NextSteps<'_> {
    /// Prints the places and the commands for a person.
    pub(super) fn print(&self, console: Console) {
        if self.published.is_empty() || !console.advises() {
            return;
        }
        let mut text = Shown::default();
        for (heading, lines) in [("Published:", self.places()), ("Next:", self.commands())] {
            text += if text == Shown::default() { "\n" } else { "\n\n" };
            text += console.err.paint(Tone::Strong, heading);
            for line in lines {
                text += &format!("\n  {}", shown(&line));
            }
        }
        console.write(&text);
    }

    /// The folder of each published day; of each table, if there are several days.
    fn places(&self) -> Vec<String> {
        let partitions = || self.published.iter().map(|(manifest, _)| manifest.partition());
        let is_one_day = self.days_published().is_some_and(|days| days.first == days.last);
        let mut places: Vec<String> = partitions()
            .map(|partition| if is_one_day { partition.to_string() } else { partition.table })
            .map(|path| self.lake.address(&path))
            .collect();
        places.sort();
        places.dedup();
        places
    }

    fn days_published(&self) -> Option<DayRange> {
        let days = || self.published.iter().map(|(manifest, _)| manifest.day);
        Some(DayRange { first: days().min()?, last: days().max()? })
    }

    fn commands(&self) -> Vec<String> {
        let manifests = self.published.iter().rev().map(|(manifest, _)| manifest);
        // A question about a day without rows has no answer.
        let Some(newest) = manifests.max_by_key(|manifest| (manifest.ledger.written > 0, manifest.day))
        else {
            return Vec::new();
        };
        let lake = repeated(self.given, &[&rows::CONFIG, &rows::OUTPUT]);
        let mut commands = Vec::new();
        if cfg!(feature = "query") {
            let question = question(newest);
            let question = word(&question);
            commands.push(format!("logmill query --day {}{lake} {question}", newest.day));
            let days = flags_of(self.days_published().unwrap_or(DayRange::only(newest.day)));
            commands.push(format!("logmill report{days}{lake}"));
        }
        if self.has_sources {
            let source = repeated(self.given, &SOURCE);
            commands.push(format!("logmill status{}{lake}{source}", flags_of(self.days)));
        }
        if !self.has_catalog && self.lake.address("").starts_with("s3://") {
            commands.push(format!("logmill register --day {}{lake} --database DATABASE", newest.day));
        }
        commands.extend(self.published.iter().find_map(|(_, rejected)| rejected.map(first_rejected)));
        commands
    }
}

/// A first question to the table of a day.
fn question(manifest: &Manifest) -> String {
    let table = &manifest.table;
    let schema = dataset::named(&manifest.dataset)
        .map(|dataset: &dyn Dataset| dataset.schema(manifest.naming, &manifest.promote));
    let column = schema.and_then(|schema| {
        let column = &schema.columns[*schema.cluster.iter().take(2).next_back()?];
        Some(column.named(schema.naming).into_owned())
    });
    match column {
        Some(column) => {
            format!("SELECT {column}, count(*) AS events FROM {table} GROUP BY 1 ORDER BY 2 DESC LIMIT 10")
        }
        None => format!("SELECT * FROM {table} LIMIT 10"),
    }
}

/// The command that shows the first rejected rows in a file.
fn first_rejected(address: &str) -> String {
    let quoted = word(address);
    if address.starts_with("s3://") {
        format!("aws s3 cp {quoted} - | head -n 3")
    } else {
        format!("head -n 3 {quoted}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::tests::manifest;
    use crate::store::LocalLake;

    fn given(settings: &[(&'static Setting, &str)]) -> Given {
        let mut given = Given::new();
        for (setting, value) in settings {
            given.insert(setting, vec![(*value).to_owned()]);
        }
        given
    }

    #[test]
    fn the_commands_repeat_the_flags_and_the_days() {
        let folder = tempfile::tempdir().unwrap();
        let lake = LocalLake::open(folder.path().to_str().unwrap()).unwrap();
        let given =
            given(&[(&rows::OUTPUT, "my lake"), (&rows::INPUT, "logs"), (&rows::IGNORE_KEY_TIMES, "true")]);
        let (first, second) = (manifest(), manifest());
        let last = "2023-11-03".parse().unwrap();
        let second = Manifest { day: last, ..second };
        let days = DayRange { first: "2023-10-30".parse().unwrap(), last };
        let steps = NextSteps {
            lake: &lake,
            given: &given,
            days,
            published: vec![(&first, None), (&second, Some("lake/_quarantine/a b.jsonl"))],
            has_sources: true,
            has_catalog: false,
        };
        assert_eq!(steps.places(), [lake.address(&first.table)]);
        let commands = steps.commands();
        let (queries, others) = commands.split_at(if cfg!(feature = "query") { 2 } else { 0 });
        let between = format!("--from {} --to 2023-11-03", first.day);
        for (command, expected) in
            queries.iter().zip(["query --day 2023-11-03", &format!("report {between}")])
        {
            assert!(command.starts_with(&format!("logmill {expected} --lake 'my lake'")), "{command}");
        }
        assert_eq!(
            others,
            [
                "logmill status --from 2023-10-30 --to 2023-11-03 --lake 'my lake' --input logs --ignore-key-times=true",
                "head -n 3 'lake/_quarantine/a b.jsonl'",
            ]
        );
    }

    #[test]
    fn a_single_day_is_named_by_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let lake = LocalLake::open(folder.path().to_str().unwrap()).unwrap();
        let (manifest, given) = (manifest(), Given::new());
        let steps = NextSteps {
            lake: &lake,
            given: &given,
            days: DayRange::only(manifest.day),
            published: vec![(&manifest, None)],
            has_sources: false,
            has_catalog: true,
        };
        assert_eq!(steps.places(), [lake.address(&manifest.partition().to_string())]);
        assert!(steps.commands().iter().all(|command| command.contains(&format!(" --day {}", manifest.day))));
        let commands = steps.commands().concat();
        assert!(!commands.contains("status") && !commands.contains("register"), "{commands}");
    }
}
