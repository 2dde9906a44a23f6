//! The language of the repository: no phrases that read foreign, and two pages that stay short.
//!
//! Prose is comments, strings of three words or more, names of tests, and Markdown outside of code. Only phrases within one
//! line are found.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Phrases: a regular expression between word boundaries, what may follow it, and the better wording.
const PHRASES: [(&str, &str, &str); 22] = [
    ("(?:is|are|was|were|be) no ", COMPARATIVES, "'is not a', 'no X exists' or 'unknown X'"),
    ("so many", "", "'N' or 'that many'"),
    ("anew", "", "'again', or a verb with 're-'"),
    ("[Ww]hoever|[Nn]obody|[Ss]omebody|[Ss]omeone else", "", "the run, the tool or the reader"),
    ("[Hh]e|[Hh]is|him", "", "'it', or the name of the thing"),
    ("(?:goes|go|went|going|gone) on", "", "'continues', 'resumes' or 'works'"),
    ("mend(?:s|ed|ing)?", "", "'repair'"),
    (r"held? against|hold(?:s|ing)? \S+(?: \S+)? against", "", "'compare with'"),
    ("are parted|parted by|parts? (?:them|rows|days)", "", "'split'"),
    ("(?:[Ww]hat|[Aa]ll|[Aa]nything|[Ee]verything|[Ww]ho) else", " if", "'other X', or its name"),
    (r"of (?:whose|whom)|[Oo]f \w+ of which", "", "a sentence of its own for the relative clause"),
    ("(?:to|can|could|cannot|may|not) be had", "", "'available'"),
    ("makes? no sense", "", "'is invalid'"),
    ("in the making", "", "'unfinished'"),
    ("1 (?:objects|rows|days|files|tables|bytes|runs|lines)", "", "the singular"),
    ("(?:is|are|was|were|be|been|being) (?:told|said)", " to", "'prints', 'reports' or 'logs'"),
    ("none of them|[Tt]here is none|[Tt]here are none", "", "'no X exists', or the noun"),
    (r"[Nn]either\b[^.]{0,60}\btells?", "", "'cannot detect X from A or B'"),
    ("gives? way|gave way", "", "'stops' or 'yields'"),
    ("may go|must go", "", "'can be removed'"),
    ("if there (?:is|are) (?:one|some)", "", "'if any', or 'if it exists'"),
    ("[Tt]his is so", "", "the condition as its own sentence"),
];

/// What may follow "is no".
const COMPARATIVES: &str = r"(?:longer|more than|later|earlier|larger|smaller|less|older|newer|different)\b";

/// A sentence for each of the phrases, in their order.
const FOREIGN: [&str; 22] = [
    "this is no day",
    "for so many days",
    "the day is made anew",
    "Whoever asks, gets it",
    "the run finds his lock replaced",
    "the backfill goes on where it stopped",
    "logmill mends the catalog",
    "hold the day against its manifest",
    "rows are parted by day",
    "and what else is there",
    "a day of whose objects none exists",
    "an object that cannot be had",
    "a setting that makes no sense",
    "files in the making",
    "1 objects were read",
    "nobody is told of it",
    "a lake, where there is none",
    "neither name nor content tell the log type",
    "the second run gives way",
    "the old files may go",
    "the port, if there is one",
    "This is so if the table differs",
];

/// Sentences that no phrase may find.
const PLAIN: [&str; 8] = [
    "it is no longer available, and no later than that",
    "no other run holds the day",
    "everything else if it matches",
    "the thesis of the chimney",
    "11 objects, 1 object",
    "the policy is said to allow it",
    "compare the day with its manifest",
    "another log format exists",
];

/// Texts that must keep their wording: the end of a file's path, and a part of the line. Lakes store the detail of a
/// rejected record.
const KEPT: [(&str, &str); 1] = [("dataset/records.rs", "an element of {} that is no object")];

/// Folders with prose. Fixtures, results of benchmarks and raw logs are data.
const FOLDERS: [&str; 12] = [
    "src",
    "tests",
    "fuzz",
    "airflow",
    "glue",
    "deploy",
    "docs",
    "benches",
    "sample-data/generate",
    "sample-trail",
    ".ci",
    ".github",
];
const DATA: [&str; 6] = ["fixtures", "corpus", "results", "target", "node_modules", "__pycache__"];
const KINDS: [&str; 10] = ["rs", "py", "md", "sql", "toml", "yaml", "yml", "sh", "service", "timer"];

/// Pages with a limit of lines.
const SHORT_PAGES: [(&str, usize); 2] = [("README.md", 200), ("ARCHITECTURE.md", 200)];

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// How a file marks its prose.
fn kind(path: &Path) -> Option<&str> {
    match path.extension().and_then(OsStr::to_str) {
        Some(extension) => KINDS.contains(&extension).then_some(extension),
        None => ["Makefile", "Dockerfile", "run"].iter().any(|name| path.ends_with(name)).then_some("sh"),
    }
}

fn collect(folder: &Path, below: bool, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if below && !name.starts_with('.') && !DATA.contains(&name.as_str()) {
                collect(&path, true, files);
            }
        } else if kind(&path).is_some() {
            files.push(path);
        }
    }
}

/// All files with prose, except this one, which quotes the phrases.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(repository(), false, &mut files);
    for folder in FOLDERS {
        collect(&repository().join(folder), true, &mut files);
    }
    files.retain(|path| !path.ends_with(file!()));
    files
}

/// The code and the comment of a line.
fn split_comment<'a>(kind: &str, line: &'a str) -> Option<(&'a str, &'a str)> {
    let mark = match kind {
        "rs" => "//",
        "sql" => "--",
        _ => "#",
    };
    let begins = |before: &str| match kind {
        "rs" => !before.ends_with(':'),
        "sql" => true,
        _ => before.is_empty() || before.ends_with(char::is_whitespace),
    };
    let (start, _) = line.match_indices(mark).find(|(start, _)| begins(&line[..*start]))?;
    Some((&line[..start], line[start..].trim_start_matches(['/', '!', '-', '#']).trim()))
}

struct Scanner {
    phrases: Vec<(Regex, Option<Regex>, &'static str)>,
    code_span: Regex,
    strings: Vec<Regex>,
    test_name: Regex,
    bare_text: Regex,
}

impl Scanner {
    fn new() -> Self {
        let regex = |pattern: &str| Regex::new(pattern).unwrap();
        let phrase = |(words, allowed, instead): (&str, &str, &'static str)| {
            let allowed = Some(allowed).filter(|allowed| !allowed.is_empty());
            (regex(&format!(r"\b(?:{words})\b")), allowed.map(|it| regex(&format!("^(?:{it})"))), instead)
        };
        Self {
            phrases: PHRASES.into_iter().map(phrase).collect(),
            code_span: regex("`[^`]*`"),
            strings: vec![regex(r#""((?:[^"\\]|\\.)*)""#), regex(r"'((?:[^'\\]|\\.)*)'")],
            test_name: regex(r"\bfn (\w+)|\bdef (test_\w+)"),
            bare_text: regex(r#"^\s*[A-Za-z`(][^;{}=()\[\]"]*$"#),
        }
    }

    /// The prose of a text, by line.
    fn prose(&self, kind: &str, text: &str) -> Vec<(usize, String)> {
        let (mut found, mut in_code) = (Vec::new(), false);
        for (number, line) in (1..).zip(text.lines()) {
            if kind == "md" {
                if line.trim_start().starts_with("```") {
                    in_code = !in_code;
                } else if !in_code {
                    found.push((number, line.to_owned()));
                }
            } else {
                found.extend(self.prose_of_code(kind, line).into_iter().map(|prose| (number, prose)));
            }
        }
        for (_, prose) in &mut found {
            *prose = self.code_span.replace_all(prose, "x").into_owned();
        }
        found
    }

    /// Comment, strings and name of a test in a line of code; the whole line if it is only text.
    fn prose_of_code(&self, kind: &str, line: &str) -> Vec<String> {
        let (mut found, mut code) = (Vec::new(), line);
        if let Some((before, comment)) = split_comment(kind, line) {
            found.push(comment.to_owned());
            code = before;
        }
        let strings = &self.strings[..if kind == "py" { 2 } else { 1 }];
        let texts =
            strings.iter().flat_map(|string| string.captures_iter(code)).map(|text| text[1].to_owned());
        found.extend(texts.filter(|text| text.matches(' ').count() >= 2));
        if let Some(name) = self.test_name.captures(code).filter(|_| code.matches('_').count() > 3) {
            found.extend(name.iter().skip(1).flatten().map(|name| name.as_str().replace('_', " ")));
        }
        let is_text = || self.bare_text.is_match(line) && line.trim().matches(' ').count() >= 3;
        if found.is_empty() && ["rs", "py"].contains(&kind) && is_text() {
            found.push(line.trim().to_owned());
        }
        found
    }

    /// The phrases in a sentence, each with the better wording.
    fn faults<'a>(&'a self, sentence: &'a str) -> impl Iterator<Item = (&'a str, &'static str)> {
        self.phrases.iter().flat_map(move |(words, allowed, instead)| {
            let found = words.find_iter(sentence);
            let fine = move |end: usize| allowed.as_ref().is_some_and(|it| it.is_match(&sentence[end..]));
            found.filter(move |place| !fine(place.end())).map(move |place| (place.as_str(), *instead))
        })
    }
}

#[test]
fn prose_has_no_foreign_phrases() {
    let (scanner, files) = (Scanner::new(), files());
    let (mut faults, mut lines) = (Vec::new(), 0);
    for path in &files {
        let text = fs::read_to_string(path).unwrap();
        let below = path.strip_prefix(repository()).unwrap().display().to_string();
        for (number, prose) in scanner.prose(kind(path).unwrap(), &text) {
            lines += 1;
            if KEPT.iter().any(|(file, part)| below.ends_with(file) && prose.contains(part)) {
                continue;
            }
            let found = scanner.faults(&prose);
            faults.extend(
                found.map(|(words, instead)| format!("{below}:{number}: '{words}': write {instead}")),
            );
        }
    }
    assert!(files.len() > 400 && lines > 10_000, "{lines} lines of prose in {} files", files.len());
    assert!(faults.is_empty(), "{} phrases read foreign:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn each_phrase_is_found_and_plain_sentences_pass() {
    let scanner = Scanner::new();
    for ((_, _, instead), sentence) in PHRASES.iter().zip(FOREIGN) {
        let found: Vec<_> = scanner.faults(sentence).collect();
        assert!(found.iter().any(|(_, advice)| advice == instead), "{sentence}: {found:?}");
    }
    for sentence in PLAIN {
        assert_eq!(scanner.faults(sentence).next(), None, "{sentence}");
    }
}

#[test]
fn prose_is_comments_strings_test_names_and_markdown() {
    let scanner = Scanner::new();
    for (kind, text, expected) in [
        ("rs", "let anew = f(a); // a comment", &["a comment"][..]),
        ("rs", "    /// See <https://example.com>, `code`.", &["See <https://example.com>, x."]),
        ("rs", r#"say("two words", "these are three");"#, &["these are three"]),
        ("rs", "fn a_day_without_logs_is_empty() {", &["a day without logs is empty"]),
        ("rs", "    the rest of a long string\",", &[]),
        ("rs", "    the second line of a string \\", &["the second line of a string \\"]),
        ("py", "def test_a_day_is_closed_again() -> None:", &["test a day is closed again"]),
        ("py", "fail('not a single log')  # why", &["why", "not a single log"]),
        ("sql", "SELECT 1 -- one row", &["one row"]),
        ("yaml", "key: value # a comment", &["a comment"]),
        ("md", "A `span`.\n```\ncode\n```\nEnd.", &["A x.", "End."]),
    ] {
        let found: Vec<String> = scanner.prose(kind, text).into_iter().map(|(_, prose)| prose).collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn readme_and_architecture_stay_short() {
    for (page, most) in SHORT_PAGES {
        let lines = fs::read_to_string(repository().join(page)).unwrap().lines().count();
        assert!(lines < most, "{page} has {lines} lines, {most} or more");
    }
}
