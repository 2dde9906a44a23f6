//! The house rules of the source that no compiler holds: which way imports run, and who may talk to the world.

mod cycles;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The parts of the source, each with those that it may use beside itself. What is not here is not allowed.
const MAY_USE: [(&str, &[&str]); 20] = [
    ("escape", &[]),
    ("error", &["escape"]),
    ("ledger", &[]),
    ("kst", &["error"]),
    ("cancel", &["error"]),
    ("json", &[]),
    ("nearest", &[]),
    ("table", &["error", "ledger", "kst"]),
    ("rules", &["error", "json", "table"]),
    ("dataset", &["error", "ledger", "kst", "json", "table"]),
    ("store", &["error", "kst", "cancel"]),
    ("plan", &["error", "ledger", "kst", "cancel", "table", "rules", "dataset", "store"]),
    ("convert", &["error", "ledger", "kst", "cancel", "table", "rules", "dataset", "store", "plan"]),
    ("publish", &["error", "ledger", "kst", "cancel", "table", "dataset", "store", "plan", "convert"]),
    (
        "audit",
        &["error", "ledger", "kst", "cancel", "table", "dataset", "store", "plan", "convert", "publish"],
    ),
    ("catalog", &["error", "kst", "table", "dataset", "store", "plan", "publish", "audit"]),
    ("query", &["error", "nearest", "kst", "cancel", "table", "dataset", "store", "convert", "publish"]),
    ("report", &["error", "kst", "publish"]),
    (
        "road",
        &[
            "error", "ledger", "kst", "cancel", "dataset", "store", "plan", "convert", "publish", "audit",
            "catalog",
        ],
    ),
    (
        "cli",
        &[
            "escape", "error", "nearest", "ledger", "kst", "cancel", "table", "rules", "dataset", "store",
            "plan", "convert", "publish", "audit", "catalog", "query", "report", "road",
        ],
    ),
];

/// What only `cli` may do: print, read the environment, read the clock.
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

const MOST_LINES: usize = 600;

struct SourceFile {
    /// Below `src`.
    path: PathBuf,
    text: String,
}

impl SourceFile {
    /// The part of the source that it belongs to; `None` for `lib.rs` and `main.rs`.
    fn part(&self) -> Option<String> {
        let first = Path::new(self.path.iter().next().unwrap()).file_stem().unwrap().to_string_lossy();
        Some(first.into_owned()).filter(|part| part != "lib" && part != "main")
    }

    /// Whether it holds nothing but tests.
    fn is_test(&self) -> bool {
        self.path.iter().any(|name| name == "tests" || name == "tests.rs")
    }

    /// Lines of the program, with their numbers: no comments, no tests.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_program = |(_, line): &(usize, &str)| !line.starts_with("#[cfg(test)]");
        let lines = (1..).zip(self.text.lines()).take_while(is_program);
        lines.map(|(number, line)| (number, line.split("//").next().unwrap_or_default()))
    }

    /// The parts named after `crate::`, also in the braces of `use crate::{a::B, c}`.
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

/// The first names of the elements of a list up to its closing brace.
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

/// Fails with one line for each breach.
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
            .unwrap_or_else(|| panic!("the part '{part}' has no place in the table of this test"));
        for used in file.uses().iter().filter(|used| **used != part && !allowed.contains(&used.as_str())) {
            breaches.push(format!("{} uses {used}", file.path.display()));
        }
    }
    assert_none(
        &breaches,
        "imports run one way: ground <- table, rules <- dataset, store <- plan <- convert <- publish <- audit <- catalog <- road <- cli",
    );
}

/// The parts whose files do not use each other in a circle.
const WITHOUT_CIRCLES: [&str; 3] = ["dataset", "rules", "table"];

#[test]
fn files_of_a_part_do_not_use_each_other_in_a_circle() {
    let circles: Vec<String> = WITHOUT_CIRCLES.iter().flat_map(|part| cycles::circles_of(part)).collect();
    assert_none(&circles, "a part has an order: what two files share belongs into a third");
}

#[test]
fn the_scan_for_imports_sees_every_form() {
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
fn only_cli_talks_to_the_world() {
    let mut breaches = Vec::new();
    for file in sources().iter().filter(|file| file.part().is_none_or(|part| part != "cli")) {
        for (number, line) in file.code() {
            let said = ONLY_CLI.iter().filter(|word| {
                line.match_indices(**word).any(|(place, _)| {
                    !line[..place].ends_with(|before: char| before.is_alphanumeric() || before == '_')
                })
            });
            breaches.extend(said.map(|word| format!("{}:{number} has {word}", file.path.display())));
        }
    }
    assert_none(&breaches, "only cli prints and reads the environment or the clock");
}

/// The folders that know AWS, and that of the SQL engine, which is async inside.
const ASYNC_FOLDERS: [&str; 3] = ["store/s3/", "catalog/glue", "query/"];

/// How files and folders are made of which the mode, the name or a link in their place would not be thought of.
const MAKING: [&str; 5] = ["File::create", "fs::write", "fs::create_dir", "DirBuilder", "OpenOptions"];

/// Who may, each for a reason that stands there.
const MAKERS: [&str; 3] = ["convert/staged.rs", "cli/whole_file.rs", "query/spills.rs"];

#[test]
fn files_are_made_in_store_alone() {
    let mut breaches = Vec::new();
    for file in sources().iter().filter(|file| file.part().is_none_or(|part| part != "store")) {
        let path = file.path.display().to_string();
        if !MAKERS.contains(&path.as_str()) {
            let is_word = |line: &str, word: &str| {
                let mut places = line.match_indices(word);
                places.any(|(place, _)| !line[..place].ends_with(char::is_alphanumeric))
            };
            let making = file.code().filter(|(_, line)| MAKING.iter().any(|word| is_word(line, word)));
            breaches.extend(making.map(|(number, _)| format!("{path}:{number} makes a file or folder")));
        }
    }
    assert_none(&breaches, "rows wait in a store::private_file, results in a store::Draft");
}

#[test]
fn only_three_folders_know_aws_or_async() {
    let mut breaches = Vec::new();
    let mut known = 0;
    for file in sources() {
        let path = file.path.to_string_lossy().into_owned();
        let saying = file.code().filter(|(_, line)| {
            ["aws_sdk", "aws_config", "aws_smithy", "tokio", "async ", ".await"]
                .iter()
                .any(|word| line.contains(word))
                && !line.contains("pub use")
        });
        let lines: Vec<usize> = saying.map(|(number, _)| number).collect();
        if ASYNC_FOLDERS.iter().any(|folder| path.starts_with(folder)) {
            known += lines.len();
        } else {
            breaches.extend(lines.iter().map(|number| format!("{path}:{number} knows AWS or async")));
        }
    }
    assert!(known > 20, "the scan finds what it looks for");
    assert_none(&breaches, "only store/s3 and catalog/glue know AWS, and they and query async");
}

#[test]
fn only_the_zones_of_queries_know_a_date_library() {
    let of_chrono = |file: &SourceFile| file.code().any(|(_, line)| line.contains("chrono::"));
    let known: Vec<String> =
        sources().iter().filter(|file| of_chrono(file)).map(|file| file.path.display().to_string()).collect();
    assert_eq!(known, ["query/zone.rs"], "the KST day is our own arithmetic");
}

#[test]
fn every_file_says_what_it_is_for_and_stays_short() {
    let mut breaches = Vec::new();
    for file in sources() {
        let lines = file.text.lines().count();
        if !file.text.starts_with("//! ") {
            breaches.push(format!("{} does not begin with //!", file.path.display()));
        }
        if lines > MOST_LINES {
            breaches.push(format!("{} has {lines} lines, more than {MOST_LINES}", file.path.display()));
        }
    }
    assert_none(&breaches, "a file begins with what it is for, and stays short");
}
