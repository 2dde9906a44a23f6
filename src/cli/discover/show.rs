//! What inputs hold, as text and as JSON.

use serde_json::{Value, json};

use crate::cli::command_line::CommandLine;
use crate::cli::console;
use crate::cli::grid::Grid;
use crate::cli::pace::Pace;
use crate::cli::request_cost::{PRICE_DATE, PRICE_REGION, RequestCost};
use crate::cli::screen::{Screen, Shown};
use crate::cli::settings::Settings;
use crate::dataset;
use crate::plan::MisplacedLogs;
use crate::plan::discovery::{Discovery, FoundLogs, LeftFolder, Names};

/// The most names that a line of text shows.
const SHOWN_NAMES: usize = 10;

/// Formats everything as text.
pub(super) fn text(
    discovery: &Discovery,
    settings: &Settings,
    next: &[CommandLine],
    screen: Screen,
) -> Shown {
    let mut text = screen.wrap(&listed(discovery));
    text += "\n";
    if discovery.found.is_empty() {
        text += screen.wrap(&format!(
            "no logs of a known type: {}\n{}\n",
            dataset::names(),
            nothing_found(discovery)
        ));
    } else {
        text += found(&discovery.found).text(screen);
        text += screen.wrap(&names(&discovery.found));
    }
    if !discovery.left.is_empty() {
        text += "\nnot logs of these types:\n";
        text += left(discovery).text(screen);
    }
    text += screen.wrap(&misplaced(&discovery.misplaced));
    if !discovery.found.is_empty() {
        text += screen.wrap(&format!("\n{}", estimate(discovery, settings)));
    }
    // The terminal wraps commands, so that they can be pasted.
    for (number, line) in next.iter().enumerate() {
        text += if number == 0 { "\nnext:\n" } else { "" };
        text += &format!("  {}\n", console::shown(line.text()));
    }
    text
}

/// What to do if the inputs hold no logs.
fn nothing_found(discovery: &Discovery) -> &'static str {
    if discovery.listed == 0 {
        "The inputs are empty: pass --input with the folder or s3://bucket/prefix to which AWS delivers, for example s3://my-trail/AWSLogs/"
    } else {
        "Pass another --input, or show how one of the objects is read with 'logmill inspect FILE'"
    }
}

fn listed(discovery: &Discovery) -> String {
    let mut facts = vec![format!("{} listed", console::counted(discovery.listed, "object"))];
    if discovery.requests > 0 {
        facts.push(console::counted(discovery.requests, "request"));
    }
    if discovery.read > 0 {
        facts.push(format!("first bytes read of {}", console::counted(discovery.read, "object")));
    }
    let inputs: Vec<_> = discovery.inputs.iter().map(|input| console::shown(input)).collect();
    format!("{}: {}\n", inputs.join(", "), facts.join(", "))
}

/// The columns of the table of log types.
const HEADER: [&str; 9] =
    ["log type", "objects", "bytes", "first day", "last day", "accounts", "regions", "buckets", "note"];
/// Columns that are aligned to the right.
const NUMBERS: [&str; 5] = ["objects", "bytes", "accounts", "regions", "buckets"];
/// Columns that a narrow terminal hides, the least important first. The names themselves follow the table.
const SPARE: [&str; 4] = ["regions", "buckets", "accounts", "bytes"];

fn found(found: &[FoundLogs]) -> Grid<'static> {
    let row = |logs: &FoundLogs| {
        let (first, last) = days_of(logs);
        let names = [&logs.accounts, &logs.regions, &logs.buckets].map(number);
        let note = match logs.undated {
            0 => String::new(),
            undated => format!("no time in the key: {}", console::counted(undated, "object")),
        };
        let (objects, bytes) = (console::count(logs.objects), console::size(logs.bytes));
        let dataset = logs.dataset.to_string();
        [vec![dataset, objects, bytes, first, last], names.to_vec(), vec![note]].concat()
    };
    Grid { spare: &SPARE, prose: Some("note"), ..Grid::new(&HEADER, &NUMBERS, found.iter().map(row)) }
}

/// The first and last day as text.
fn days_of(logs: &FoundLogs) -> (String, String) {
    logs.days.map_or(("-".to_owned(), "-".to_owned()), |days| (days.first.to_string(), days.last.to_string()))
}

fn number(names: &Names) -> String {
    match (names.len(), names.is_cut()) {
        (0, _) => "-".to_owned(),
        (number, false) => console::count(number as u64),
        (number, true) => format!("{}+", console::count(number as u64)),
    }
}

/// One line for each log type and kind of name.
fn names(found: &[FoundLogs]) -> String {
    let lines = found.iter().flat_map(|logs| {
        let kinds = [("accounts", &logs.accounts), ("regions", &logs.regions), ("buckets", &logs.buckets)];
        kinds.map(|(kind, names)| (logs.dataset, kind, names))
    });
    let lines = lines.filter(|(_, _, names)| !names.is_empty()).map(|(dataset, kind, names)| {
        let shown: Vec<_> = names.iter().take(SHOWN_NAMES).map(console::shown).collect();
        let more = names.len().saturating_sub(SHOWN_NAMES) as u64;
        let more = if more > 0 { format!(" and {} more", console::count(more)) } else { String::new() };
        format!("{dataset} {kind}: {}{more}\n", shown.join(", "))
    });
    let lines: String = lines.collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

/// The columns of the table of other objects.
const LEFT_HEADER: [&str; 6] = ["folder", "objects", "folders", "bytes", "why", "first"];
/// Columns of it that a narrow terminal hides, the least important first.
const LEFT_SPARE: [&str; 3] = ["first", "folders", "bytes"];

fn left(discovery: &Discovery) -> Grid<'static> {
    let row = |left: &LeftFolder| {
        let group = &left.group;
        let folder = if left.folder.is_empty() { "." } else { &left.folder };
        let folders = if group.folders > 0 { console::count(group.folders) } else { String::new() };
        let (objects, bytes) = (console::count(group.objects), console::size(group.bytes));
        vec![folder.to_owned(), objects, folders, bytes, group.why.clone(), group.first.clone()]
    };
    let grid = Grid::new(&LEFT_HEADER, &LEFT_HEADER[1..4], discovery.left.iter().map(row));
    Grid { spare: &LEFT_SPARE, prose: Some("why"), ..grid }
}

/// One line for each log type with misplaced logs.
fn misplaced(misplaced: &[MisplacedLogs]) -> String {
    let line = |MisplacedLogs { dataset, objects, first }: &MisplacedLogs| {
        let (objects, first) = (console::counted(*objects, "object"), console::shown(first));
        format!(
            "misplaced {dataset} logs: {objects}, for example {first}: move them out of the folders of other services, which \
             the table of {dataset} does not search\n"
        )
    };
    let lines: String = misplaced.iter().map(line).collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

fn estimate(discovery: &Discovery, settings: &Settings) -> String {
    let (objects, bytes) = sums(discovery);
    let mut text = format!(
        "a backfill reads {}, {}, in about {}\n",
        console::counted(objects, "object"),
        console::size(bytes),
        Pace::default().forecast(bytes, settings.threads)
    );
    if let Some(cost) = RequestCost::of(discovery) {
        text += &format!("its requests to S3 cost {}\n", cost.text());
    }
    text
}

fn sums(discovery: &Discovery) -> (u64, u64) {
    let found = discovery.found.iter();
    found.fold((0, 0), |(objects, bytes), logs| (objects + logs.objects, bytes + logs.bytes))
}

/// Formats everything as one JSON document.
pub(super) fn json(discovery: &Discovery, settings: &Settings, next: &[CommandLine]) -> Value {
    let log_type = |logs: &FoundLogs| {
        let names =
            |names: &Names| json!({"names": names.iter().collect::<Vec<_>>(), "complete": !names.is_cut()});
        json!({
            "dataset": logs.dataset,
            "inputs": logs.inputs,
            "objects": logs.objects,
            "bytes": logs.bytes,
            "first_day": logs.days.map(|days| days.first),
            "last_day": logs.days.map(|days| days.last),
            "objects_without_time": logs.undated,
            "accounts": names(&logs.accounts),
            "regions": names(&logs.regions),
            "buckets": names(&logs.buckets),
        })
    };
    let left = discovery.left.iter().map(|left| {
        let group = &left.group;
        json!({
            "folder": left.folder, "why": group.why, "objects": group.objects, "folders": group.folders,
            "bytes": group.bytes, "first": group.first,
        })
    });
    let (objects, bytes) = sums(discovery);
    let cost = RequestCost::of(discovery).map(|cost| {
        json!({
            "get": cost.gets, "list": cost.lists, "dollars": cost.dollars(), "price_region": PRICE_REGION,
            "price_date": PRICE_DATE,
        })
    });
    json!({
        "inputs": discovery.inputs,
        "objects_listed": discovery.listed,
        "objects_read": discovery.read,
        "requests": discovery.requests,
        "log_types": discovery.found.iter().map(log_type).collect::<Vec<_>>(),
        "left": left.collect::<Vec<_>>(),
        "misplaced": discovery.misplaced,
        "backfill": {
            "objects": objects, "bytes": bytes, "time": Pace::default().forecast(bytes, settings.threads),
            "s3_requests": cost,
        },
        "next": next.iter().map(CommandLine::text).collect::<Vec<_>>(),
    })
}
