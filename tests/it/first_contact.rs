//! The first commands of a new user: those of both READMEs, and those that `make demo` prints.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{LOGMILL, Workdir};

/// The lake of the demo.
const LAKE: &str = "target/demo-lake";

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    fs::read_to_string(repository().join(name)).unwrap()
}

/// The commands in the code blocks of a section, without comments.
fn commands(page: &str, heading: &str) -> Vec<String> {
    let (_, section) = page.split_once(&format!("## {heading}\n")).unwrap();
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    let blocks = section.split("```\n").skip(1).step_by(2);
    let lines = blocks.flat_map(str::lines).map(|line| line.split(" #").next().unwrap_or_default().trim());
    let programs = ["make ", "logmill ", "pip ", "apt ", "docker ", "tar ", "cargo "];
    lines.filter(|line| programs.iter().any(|program| line.starts_with(program))).map(str::to_owned).collect()
}

/// Objects, bytes and rows in the summary of a table. Sizes of files and times differ between machines.
fn summary_row<'t>(text: &'t str, table: &str) -> Vec<&'t str> {
    let row = text.lines().find(|line| line.starts_with(&format!("{table}  ")));
    row.unwrap().split_whitespace().take(9).collect()
}

/// A folder in which the commands of a checkout work.
fn checkout() -> Workdir {
    let work = Workdir::new();
    for name in ["sample-data", "Makefile"] {
        symlink(repository().join(name), work.path(name)).unwrap();
    }
    work
}

/// Runs a script in a shell and returns what it prints to standard output.
fn typed(work: &Workdir, script: &str) -> String {
    let mut shell = Command::new("sh");
    shell.args(["-c", script]);
    work.call(shell).exits(0).stdout
}

#[test]
fn both_readmes_show_the_same_commands() {
    let (english, korean) = (page("README.md"), page("README.ko.md"));
    for (heading, translated, most) in [("Install", "설치", 5), ("Five minutes", "5분 만에 써 보기", 8)]
    {
        let expected = commands(&english, heading);
        let found: Vec<_> =
            commands(&korean, translated).iter().map(|line| line.replace("--lang ko ", "")).collect();
        assert_eq!(found, expected, "{translated}");
        assert_eq!(expected.len(), most, "{expected:?}");
    }
    assert!(english.contains("](README.ko.md)") && korean.contains("](README.md)"));
}

/// One lake serves all commands, because each run of the sample day takes a second.
#[test]
fn the_first_commands_work_as_written() {
    let (work, readme) = (checkout(), page("README.md"));
    let folder = Path::new(LOGMILL).parent().unwrap().display();
    let path = format!("export PATH=\"{folder}:$PATH\"");
    let typed = |line: &str| typed(&work, &format!("{path}\n{line}"));
    let of_sample: Vec<String> =
        commands(&readme, "Five minutes").into_iter().filter(|line| line.contains(LAKE)).collect();
    let printed = typed(&of_sample[0]);
    for table in ["cloudtrail", "s3_access"] {
        assert_eq!(summary_row(&readme, table), summary_row(&printed, table));
    }

    let next = typed(&format!("make --silent --no-print-directory demo-next 'DEMO_BIN={folder}'"));
    let next: Vec<&str> = next.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    let expected: &[(&str, &str)] = &[
        ("logmill status ", "1 published, 0 empty"),
        ("logmill inspect ", "REST."),
        ("logmill why ", "is in the lake"),
        ("logmill query ", "web-kr,200,267"),
        ("logmill report ", ""),
    ];
    let expected = if cfg!(feature = "query") { expected } else { &expected[..3] };
    let (first, next) = next.split_first().unwrap();
    assert_eq!(*first, path);
    assert_eq!(next.len(), expected.len(), "{next:?}");
    for (line, (command, answer)) in next.iter().zip(expected) {
        let printed = typed(line);
        assert!(line.starts_with(command) && printed.contains(answer), "{line}\n{printed}");
    }
    if cfg!(feature = "query") {
        fs::remove_file(work.path(&format!("{LAKE}.html"))).unwrap();
        assert!(typed(&of_sample[1]).contains("web-kr,200,267"));
        typed(&of_sample[2]);
        assert!(work.path(&format!("{LAKE}.html")).is_file());
    }
}
