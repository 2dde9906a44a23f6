//! The commands in the `console` blocks of `docs/` print what the pages show.
//!
//! A block holds lines `$ command`, each followed by its output, including standard error. Run ids, instants and durations
//! differ between runs and are not compared. A block that begins with ```` ```sql NAME ```` is a file for the commands. Tables of settings and columns are generated. `UPDATE_DOCS=1` rewrites the pages.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use logmill::dataset::{self, Dataset};
use regex::Regex;

use crate::harness::{LOGMILL, Workdir};

/// The settings that the commands of a page use.
const CONFIG: &str = r#"
threads = 2

[lake]
output = "lake"

[[source]]
dataset = "cloudtrail"
input = "logs/cloudtrail"

[[source]]
dataset = "s3-access"
input = "logs/s3-access"
"#;

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Creates a folder with the sample logs, the program and its settings.
fn stage() -> Workdir {
    let work = Workdir::new();
    work.write("logmill.toml", CONFIG);
    fs::create_dir(work.path("bin")).unwrap();
    symlink(LOGMILL, work.path("bin/logmill")).unwrap();
    let copied =
        Command::new("cp").arg("-R").arg(repository().join("sample-data")).arg(work.path("logs")).status();
    assert!(copied.unwrap().success());
    work
}

/// Runs a command in a shell and returns standard error, then standard output.
fn output(work: &Workdir, command: &str) -> String {
    let script = format!("export PATH=\"$PWD/bin:$PATH\" COLUMNS=200\n{command}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(work.path(""));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LOGMILL_")) {
        shell.env_remove(name);
    }
    let output = shell.output().unwrap();
    [output.stderr, output.stdout].map(|bytes| String::from_utf8(bytes).unwrap()).concat()
}

/// Returns the names and contents of the files that a page shows.
fn files(page: &str) -> impl Iterator<Item = (&str, &str)> {
    let blocks = page.split("\n```sql ").skip(1);
    blocks.filter_map(|block| block.split_once("\n```")?.0.split_once('\n'))
}

/// Returns the page with the current output of each command, and the number of commands.
fn rewritten(page: &str, work: &Workdir) -> (String, usize) {
    let (mut text, mut commands, mut in_block, mut in_output) = (String::new(), 0, false, false);
    for (name, content) in files(page) {
        work.write(name, content);
    }
    for line in page.lines() {
        if line.starts_with("```") {
            in_block = line == "```console";
            in_output = false;
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| in_block) {
            let printed = output(work, command);
            text += &format!("{line}\n");
            for line in printed.trim_matches('\n').lines() {
                text += &format!("{}\n", line.trim_end());
            }
            (commands, in_output) = (commands + 1, true);
            continue;
        } else if in_output {
            continue;
        }
        text += &format!("{line}\n");
    }
    (text, commands)
}

/// Replaces the parts of a page that differ between runs.
fn constant(page: &str) -> String {
    let patterns = [
        (r"\d{8}T\d{6}Z-[0-9a-f]{8}", "RUN"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "INSTANT"),
        (r#"file_bytes":\d+"#, "file_bytes:SIZE"),
        (r"\d{10,13}(\.\d+)?\b", "EPOCH"),
        (r"\d+\.\d+(e\d+)?", "NUMBER"),
        (r"(about|process) \S+", "$1 SOME"),
        (r"[ \t]+", " "),
    ];
    patterns.iter().fold(page.to_owned(), |text, (pattern, with)| {
        Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned()
    })
}

/// Prints a generated section.
type Print = fn() -> String;

/// The name of a generated section, and the program's own text for it. A page holds it between `<!-- NAME -->` and
/// `<!-- end -->`.
const GENERATED: [(&str, Print); 2] = [("settings", logmill::cli::settings::reference), ("columns", columns)];

/// The columns of every log type, also of those that are not built by default.
fn columns() -> String {
    let of = |dataset: &dyn Dataset| {
        let schema = ["schema", "--format", "markdown", "--dataset", dataset.name()];
        Workdir::new().logmill(schema).exits(0).stdout
    };
    dataset::all().map(of).collect::<Vec<_>>().join("\n")
}

/// Replaces the generated sections of a page, and counts them.
fn with_generated(page: &str) -> (String, usize) {
    GENERATED.iter().fold((page.to_owned(), 0), |(page, sections), (name, print)| {
        let (begin, end) = (format!("<!-- {name} -->\n"), "<!-- end -->\n");
        match page.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1))) {
            Some((before, after)) => (format!("{before}{begin}\n{}\n{end}{after}", print()), sections + 1),
            None => (page, sections),
        }
    })
}

/// Compares a page with the program. Returns the numbers of its commands and of its generated sections.
fn check(page: &Path) -> (usize, usize) {
    let text = fs::read_to_string(page).unwrap();
    let (generated, sections) = with_generated(&text);
    let (now, commands) = rewritten(&generated, &stage());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(page, now).unwrap();
    } else {
        let hint = "set UPDATE_DOCS=1 to rewrite the page";
        assert_same_lines(&constant(&text), &constant(&now), &format!("{}: {hint}", page.display()));
    }
    (commands, sections)
}

/// Fails at the first line that differs.
fn assert_same_lines(expected: &str, found: &str, about: &str) {
    for (number, (expected, found)) in (1..).zip(expected.lines().zip(found.lines())) {
        assert_eq!(expected, found, "line {number} of {about}");
    }
    assert_eq!(expected.lines().count(), found.lines().count(), "{about}");
}

#[test]
fn the_pages_show_the_current_output() {
    let pages = fs::read_dir(repository().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = pages.filter(|page| page.extension().is_some_and(|kind| kind == "md"));
    let (commands, sections) = pages
        .map(|page| check(&page))
        .fold((0, 0), |(commands, sections), found| (commands + found.0, sections + found.1));
    assert!(commands > 5, "{commands} commands");
    assert_eq!(sections, GENERATED.len());
}
