//! Rules for the source that the compiler does not check: the direction of imports, and which code may do I/O.

mod cycles;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The parts of the source, each with the other parts that it may use.
const MAY_USE: [(&str, &[&str]); 24] = [
    ("escape", &[]),
    ("error", &["escape"]),
    ("ledger", &[]),
    ("kst", &["error"]),
    ("cancel", &["error"]),
    ("html", &[]),
    ("json", &[]),
    ("nearest", &[]),
    ("table", &["error", "ledger", "kst", "nearest"]),
    ("rules", &["error", "json", "nearest", "table"]),
    ("dataset", &["error", "ledger", "kst", "json", "nearest", "table"]),
    ("digest", &["kst"]),
    ("store", &["error", "kst", "cancel"]),
    ("plan", &["error", "ledger", "kst", "cancel", "table", "rules", "dataset", "digest", "store"]),
    (
        "convert",
        &["error", "ledger", "kst", "cancel", "table", "rules", "dataset", "digest", "store", "plan"],
    ),
    (
        "publish",
        &["error", "ledger", "kst", "cancel", "table", "dataset", "digest", "store", "plan", "convert"],
    ),
    (
        "audit",
        &[
            "error", "ledger", "kst", "cancel", "table", "dataset", "digest", "store", "plan", "convert",
            "publish",
        ],
    ),
    ("catalog", &["error", "kst", "table", "dataset", "store", "plan", "publish", "audit"]),
    ("query", &["error", "nearest", "kst", "cancel", "table", "dataset", "store", "convert", "publish"]),
    (
        "certificate",
        &[
            "error", "html", "kst", "ledger", "cancel", "dataset", "digest", "store", "plan", "convert",
            "publish",
        ],
    ),
    ("report", &["error", "html", "kst", "digest", "publish"]),
    (
        "road",
        &[
            "error", "ledger", "kst", "cancel", "dataset", "digest", "store", "plan", "convert", "publish",
            "audit", "catalog",
        ],
    ),
    (
        "cli",
        &[
            "escape",
            "error",
            "nearest",
            "ledger",
            "kst",
            "cancel",
            "table",
            "rules",
            "dataset",
            "digest",
            "store",
            "plan",
            "convert",
            "publish",
            "audit",
            "catalog",
            "certificate",
            "query",
            "report",
            "road",
        ],
    ),
    ("fuzzing", &["error", "json", "rules", "plan", "convert", "publish", "query", "cli"]),
];

/// Calls that only `cli` may make: printing, reading the environment, reading the clock.
const ONLY_CLI: [&str; 11] = [
    "println!",
    "print!",
    "eprintln!",
    "eprint!",
    "io::stdout",
    "io::stderr",
    "env::var",
    "env::args",
    "SystemTime",
    "Instant::now",
    "process::exit",
];

const MAX_LINES: usize = 600;

struct SourceFile {
    /// The path below `src`.
    path: PathBuf,
    text: String,
}

impl SourceFile {
    /// The part of the source that the file belongs to; `None` for `lib.rs` and `main.rs`.
    fn part(&self) -> Option<String> {
        let first = Path::new(self.path.iter().next().unwrap()).file_stem().unwrap().to_string_lossy();
        Some(first.into_owned()).filter(|part| part != "lib" && part != "main")
    }

    /// Whether the file holds only tests.
    fn is_test(&self) -> bool {
        self.path.iter().any(|name| name == "tests" || name == "tests.rs")
    }

    /// The numbered lines of code, without comments and tests.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_program = |(_, line): &(usize, &str)| !line.starts_with("#[cfg(test)]");
        let lines = (1..).zip(self.text.lines()).take_while(is_program);
        lines.map(|(number, line)| (number, line.split("//").next().unwrap_or_default()))
    }

    /// The parts named after `crate::`, including those in braces as in `use crate::{a::B, c}`.
    fn uses(&self) -> BTreeSet<String> {
        let code: String = self.code().map(|(_, line)| line.to_owned() + "\n").collect();
        let mut used = BTreeSet::new();
        for (place, _) in code.match_indices("crate::").filter(|(place, _)| {
            !code[..*place]
                .ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '$')
        }) {
            let rest = &code[place + "crate::".len()..];
            match rest.strip_prefix('{') {
                Some(list) => used.extend(first_names(list)),
                None => used.extend(first_name(rest)),
            }
        }
        used
    }
}

fn first_name(text: &str) -> Option<String> {
    let name: String =
        text.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    Some(name).filter(|name| !name.is_empty())
}

/// The first name of each element of a brace list, up to its closing brace.
fn first_names(list: &str) -> Vec<String> {
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (place, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.extend(first_name(&list[start..place]));
                start = place + 1;
                if letter == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names
}

fn sources() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    assert!(files.len() > 30, "the source has {} files", files.len());
    files
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            files.push(SourceFile { path: path.strip_prefix(root).unwrap().to_owned(), text });
        }
    }
}

/// Fails if there are breaches, and lists them one per line.
fn assert_none(breaches: &[String], rule: &str) {
    assert!(breaches.is_empty(), "{rule}:\n{}", breaches.join("\n"));
}

#[test]
fn imports_run_one_way() {
    let mut breaches = Vec::new();
    for file in sources() {
        let Some(part) = file.part().filter(|_| !file.is_test()) else { continue };
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(name, _)| **name == *part)
            .unwrap_or_else(|| panic!("the part '{part}' is missing from MAY_USE"));
        for used in file.uses().iter().filter(|used| **used != part && !allowed.contains(&used.as_str())) {
            breaches.push(format!("{} uses {used}", file.path.display()));
        }
    }
    assert_none(
        &breaches,
        "imports run one way: ground <- table, rules <- dataset, store <- plan <- convert <- publish <- audit <- catalog <- road <- cli",
    );
}

#[test]
fn files_of_a_part_do_not_import_each_other_in_a_cycle() {
    assert_none(
        &cycles::of_parts(MAY_USE.iter().map(|(part, _)| *part)),
        "a part has an order: what two files share belongs in a third",
    );
}

#[test]
fn the_import_scan_finds_every_form() {
    let uses = |text: &str| -> Vec<String> {
        SourceFile { path: PathBuf::from("x.rs"), text: text.to_owned() }.uses().into_iter().collect()
    };
    for (text, expected) in [
        ("use crate::kst::KstDay;", &["kst"][..]),
        ("pub(crate) use crate::{error::{Error, Result}, store, plan::Plan};", &["error", "plan", "store"]),
        ("use crate::{\n    kst::{self, Day},\n    cli,\n};", &["cli", "kst"]),
        ("fn f(x: &crate::plan::Plan) -> crate::error::Result<()> {", &["error", "plan"]),
        ("// crate::cli\n/// [`crate::cli`]\nuse super::crate_x;", &[]),
        ("use crate as logmill;", &[]),
    ] {
        assert_eq!(uses(text), expected, "{text}");
    }
}

#[test]
fn only_cli_prints_and_reads_environment_or_clock() {
    let mut breaches = Vec::new();
    for file in sources().iter().filter(|file| file.part().is_none_or(|part| part != "cli")) {
        for (number, line) in file.code() {
            let found = ONLY_CLI.iter().filter(|word| {
                line.match_indices(**word).any(|(place, _)| {
                    !line[..place].ends_with(|before: char| before.is_alphanumeric() || before == '_')
                })
            });
            breaches.extend(found.map(|word| format!("{}:{number} has {word}", file.path.display())));
        }
    }
    assert_none(&breaches, "only cli prints and reads the environment or the clock");
}

/// The folders that may use AWS or async code: the AWS clients and the SQL engine.
const ASYNC_FOLDERS: [&str; 3] = ["store/s3/", "catalog/glue", "query/"];

/// Calls that create a file or folder without checks of its mode, its name or a link in its place.
const CREATE_CALLS: [&str; 5] = ["File::create", "fs::write", "fs::create_dir", "DirBuilder", "OpenOptions"];

/// The files that may use these calls. Each gives its reason.
const MAY_CREATE: [&str; 4] =
    ["convert/staged.rs", "cli/query/shell/history.rs", "cli/whole_file.rs", "query/spills.rs"];

#[test]
fn only_store_creates_files() {
    let mut breaches = Vec::new();
    for file in sources().iter().filter(|file| file.part().is_none_or(|part| part != "store")) {
        let path = file.path.display().to_string();
        if !MAY_CREATE.contains(&path.as_str()) {
            let is_word = |line: &str, word: &str| {
                let mut places = line.match_indices(word);
                places.any(|(place, _)| !line[..place].ends_with(char::is_alphanumeric))
            };
            let creating =
                file.code().filter(|(_, line)| CREATE_CALLS.iter().any(|word| is_word(line, word)));
            breaches.extend(creating.map(|(number, _)| format!("{path}:{number} creates a file or folder")));
        }
    }
    assert_none(&breaches, "keep waiting rows in a store::private_file, and results in a store::Draft");
}

#[test]
fn only_three_folders_use_aws_or_async() {
    let mut breaches = Vec::new();
    let mut known = 0;
    for file in sources() {
        let path = file.path.to_string_lossy().into_owned();
        let using = file.code().filter(|(_, line)| {
            ["aws_sdk", "aws_config", "aws_smithy", "tokio", "async ", ".await"]
                .iter()
                .any(|word| line.contains(word))
                && !line.contains("pub use")
        });
        let lines: Vec<usize> = using.map(|(number, _)| number).collect();
        if ASYNC_FOLDERS.iter().any(|folder| path.starts_with(folder)) {
            known += lines.len();
        } else {
            breaches.extend(lines.iter().map(|number| format!("{path}:{number} uses AWS or async")));
        }
    }
    assert!(known > 20, "the scan should find uses");
    assert_none(&breaches, "only store/s3 and catalog/glue use AWS; only these and query use async");
}

#[test]
fn only_query_time_zones_use_a_date_library() {
    let of_chrono = |file: &SourceFile| file.code().any(|(_, line)| line.contains("chrono::"));
    let known: Vec<String> =
        sources().iter().filter(|file| of_chrono(file)).map(|file| file.path.display().to_string()).collect();
    assert_eq!(known, ["query/zone.rs"], "KST days are plain arithmetic");
}

#[test]
fn every_file_has_a_module_doc_and_is_short() {
    let mut breaches = Vec::new();
    for file in sources() {
        let lines = file.text.lines().count();
        if !file.text.starts_with("//! ") {
            breaches.push(format!("{} does not begin with //!", file.path.display()));
        }
        if lines > MAX_LINES {
            breaches.push(format!("{} has {lines} lines, more than {MAX_LINES}", file.path.display()));
        }
    }
    assert_none(&breaches, "every file starts with a module doc and is short");
}

#[test]
fn every_direct_dependency_has_a_reason_in_security_md() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let manifest: toml::Table = toml::from_str(&read("Cargo.toml")).unwrap();
    let names = |section: &str| manifest[section].as_table().unwrap().keys().cloned().collect::<Vec<_>>();
    let wanted: BTreeSet<String> =
        names("dependencies").into_iter().chain(names("dev-dependencies")).collect();
    let page = read("SECURITY.md");
    let section = page.split("\n## Dependencies\n").nth(1).unwrap();
    let rows: Vec<Vec<&str>> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let explained: BTreeSet<String> = rows.iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    assert_eq!(explained, wanted);
    assert_eq!(rows.len(), wanted.len(), "a crate has one row");
    for row in rows {
        assert!(row.len() == 4 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
}
