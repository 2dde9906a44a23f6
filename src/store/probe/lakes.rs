//! What every lake promises, whatever stores it: checked through the [`Lake`] trait alone.

use std::io::{self, Write};

use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DAY_MS, KstDay, UtcInstant};
use crate::store::lake::{self, Lake, LockTaker, Partition, StagedPartition, Uncommitted};
use crate::store::promise::{CLOCKS_DIFFER_MS, Case, Need, Promise, Seen};

/// A lake to try, which must be empty.
pub struct TriedLake {
    /// The lake.
    pub lake: Box<dyn Lake>,
    /// The time of this machine.
    pub now: UtcInstant,
}

/// The promises of every lake.
pub const EVERY_LAKE: [Case<TriedLake>; 10] = [
    Case {
        promise: Promise {
            name: "whole files",
            need: Need::Required,
            purpose: "a manifest or run record is replaced in one step and read back at once",
            broken: "a run can read a manifest that another run has already replaced",
            next: "use a store that reads what was written last",
        },
        is_small: true,
        check: whole_files,
    },
    Case {
        promise: Promise {
            name: "removed files",
            need: Need::Required,
            purpose: "files of superseded runs disappear, and removing them twice is not an error",
            broken: "superseded files remain, or runs fail after their commit",
            next: "use a store that no longer shows what was removed",
        },
        is_small: true,
        check: removed_files,
    },
    Case {
        promise: Promise {
            name: "file names",
            need: Need::Required,
            purpose: "names with '=', spaces and letters of any language are kept as they are",
            broken: "days are not found under the names that the manifest lists",
            next: "use a store that keeps names unchanged",
        },
        is_small: true,
        check: file_names,
    },
    Case {
        promise: Promise {
            name: "byte ranges",
            need: Need::Required,
            purpose: "queries read parts of a file",
            broken: "queries and 'logmill verify' read wrong bytes or fail",
            next: "use a store that answers requests for ranges",
        },
        is_small: true,
        check: byte_ranges,
    },
    Case {
        promise: Promise {
            name: "unfinished files",
            need: Need::Required,
            purpose: "files of a run are invisible before its commit, and a run that fails leaves none",
            broken: "readers see rows of days that are not published",
            next: "use a store that shows a file only when it is complete",
        },
        is_small: true,
        check: unfinished_files,
    },
    Case {
        promise: Promise {
            name: "commit of a day",
            need: Need::Required,
            purpose: "a commit replaces a day as a whole",
            broken: "no day can be published",
            next: "read the cause; the promises of this store below show which step fails",
        },
        is_small: true,
        check: commit_of_a_day,
    },
    Case {
        promise: Promise {
            name: "lock of a day",
            need: Need::Required,
            purpose: "one run at a time works on a day",
            broken: "two runs can work on the same day at the same time",
            next: "let an orchestrator start one run of a day at a time, or use another store",
        },
        is_small: true,
        check: lock_of_a_day,
    },
    Case {
        promise: Promise {
            name: "lock taken over",
            need: Need::Useful,
            purpose: "with --steal, the old run notices that it has lost the day, and the new run keeps it",
            broken: "both runs stop with exit code 75",
            next: "run the day again once both have stopped",
        },
        is_small: true,
        check: lock_taken_over,
    },
    Case {
        promise: Promise {
            name: "write times",
            need: Need::Useful,
            purpose: "'logmill clean' judges the age of a file by the clock of the store",
            broken: "'logmill clean' keeps files for too long or removes rejected rows too early",
            next: "set the clocks of the store and of this machine",
        },
        is_small: true,
        check: write_times,
    },
    Case {
        promise: Promise {
            name: "long lists",
            need: Need::Required,
            purpose: "folders with more than a thousand names are listed completely",
            broken: "days and files are missed",
            next: "use a store that continues a listing where its last page ended",
        },
        is_small: false,
        check: long_lists,
    },
];

/// The promise of lakes that keep the files of several runs. In other lakes, the lock of a day decides.
pub const KEEPS_RUNS: [Case<TriedLake>; 1] = [Case {
    promise: Promise {
        name: "one commit",
        need: Need::Required,
        purpose: "of two runs that replace the same manifest, the second is refused",
        broken: "a run that was paused can replace the day of a newer run",
        next: "use a store that honours If-Match and If-None-Match, or let one machine write at a time",
    },
    is_small: true,
    check: one_commit,
}];

const RUNS: [&str; 4] = [
    "20000101T000000Z-00000001",
    "20000101T000000Z-00000002",
    "20000101T000000Z-00000003",
    "20000101T000000Z-00000004",
];

fn partition(number: i64) -> Partition {
    Partition { table: "probe".to_owned(), day: KstDay::of(UtcInstant(number * DAY_MS)) }
}

fn taker(run: &str, steals: bool) -> LockTaker {
    LockTaker { run: run.to_owned(), holder: format!("probe {run}"), steals }
}

fn manifest_of(run: &str) -> Vec<u8> {
    format!("{{\"run\": \"{run}\", \"parts\": [{{}}]}}").into_bytes()
}

fn part_of(partition: &Partition, run: &str) -> String {
    format!("{partition}/{run}/part")
}

fn unwritten(cause: io::Error) -> Error {
    Error::unusable("cannot write a file of a day", cause)
}

fn write_part(staged: &mut dyn StagedPartition, run: &str) -> Result<()> {
    let mut file = staged.create(&format!("{run}/part"))?;
    file.write_all(run.as_bytes()).and_then(|()| file.flush()).map_err(unwritten)
}

fn whole_files(TriedLake { lake, .. }: &TriedLake) -> Result<Seen> {
    for content in [&b"first"[..], b"the second", b"3"] {
        lake.write("whole/file", content)?;
        if lake.read("whole/file")?.as_deref() != Some(content) {
            return Ok(Seen::Broken("a file has another content than was written last".to_owned()));
        }
    }
    Ok(Seen::if_so(lake.names("whole")? == ["file"], "the folder of a file does not list just that file"))
}

fn removed_files(TriedLake { lake, .. }: &TriedLake) -> Result<Seen> {
    lake.write("removed/file", b"content")?;
    lake.remove("removed/file")?;
    lake.remove("removed/file")?;
    let is_gone = lake.read("removed/file")?.is_none() && lake.names("removed")?.is_empty();
    Ok(Seen::if_so(is_gone && lake.open("removed/file")?.is_none(), "a removed file is still there"))
}

fn file_names(TriedLake { lake, .. }: &TriedLake) -> Result<Seen> {
    let long = "n".repeat(200);
    let mut names = ["proc_ymd=20231101", "two words", "\u{d55c}\u{ae00}", "a+b%2B&c", "~'(1)", &long];
    for name in names {
        lake.write(&format!("names/{name}"), name.as_bytes())?;
    }
    names.sort_unstable();
    if lake.names("names")? != names {
        return Ok(Seen::Broken(format!("the names are listed as {:?}", lake.names("names")?)));
    }
    for name in names {
        if lake.read(&format!("names/{name}"))?.as_deref() != Some(name.as_bytes()) {
            return Ok(Seen::Broken(format!("the file '{name}' is not found by its name")));
        }
    }
    Ok(Seen::Kept)
}

fn byte_ranges(TriedLake { lake, .. }: &TriedLake) -> Result<Seen> {
    let content: Vec<u8> = (0..=255).cycle().take(5000).collect();
    lake.write("ranges", &content)?;
    let Some(file) = lake.open("ranges")? else {
        return Ok(Seen::Broken("a new file cannot be opened".to_owned()));
    };
    let unread = |cause| Error::unusable("cannot read a range", cause);
    for (offset, length) in [(0, 1), (17, 300), (4999, 1), (0, 5000), (5000, 0)] {
        let start = usize::try_from(offset).unwrap_or_default();
        if file.read_at(offset, length).map_err(unread)?[..] != content[start..start + length] {
            return Ok(Seen::Broken(format!("{length} bytes from {offset} are not those of the file")));
        }
    }
    Ok(Seen::if_so(
        file.bytes() == 5000 && file.read_at(4999, 2).is_err(),
        "a range after the end is answered",
    ))
}

fn unfinished_files(TriedLake { lake, .. }: &TriedLake) -> Result<Seen> {
    let (partition, run) = (partition(1), RUNS[0]);
    let scratch = lake.scratch(&partition, run)?;
    let mut staged = lake.stage(&partition, &scratch)?;
    write_part(staged.as_mut(), run)?;
    let is_hidden = || {
        let is_missing = lake.open(&part_of(&partition, run))?.is_none();
        Ok::<_, Error>(is_missing && lake.names(&partition.to_string())?.is_empty())
    };
    if !is_hidden()? {
        return Ok(Seen::Broken("a file is visible before the commit".to_owned()));
    }
    drop(staged);
    drop(scratch);
    Ok(Seen::if_so(is_hidden()?, "a run that gives up leaves a file"))
}

fn commit(lake: &dyn Lake, partition: &Partition, run: &str) -> Result<()> {
    let scratch = lake.scratch(partition, run)?;
    let mut staged = lake.stage(partition, &scratch)?;
    write_part(staged.as_mut(), run)?;
    staged.commit(run, &manifest_of(run)).map(drop).map_err(|refused| refused.error)
}

fn commit_of_a_day(TriedLake { lake, .. }: &TriedLake) -> Result<Seen> {
    let partition = partition(2);
    for run in [RUNS[0], RUNS[1]] {
        commit(lake.as_ref(), &partition, run)?;
        let stored = lake.manifest(&partition)?.map(|stored| stored.json);
        if stored != Some(manifest_of(run)) || lake.read(&part_of(&partition, run))?.is_none() {
            return Ok(Seen::Broken("a committed day is not the one that readers find".to_owned()));
        }
    }
    Ok(Seen::if_so(
        lake.keeps_runs() || lake.names(&partition.to_string())? == [RUNS[1]],
        "the replaced day remains next to the new one",
    ))
}

fn one_commit(TriedLake { lake, .. }: &TriedLake) -> Result<Seen> {
    let partition = partition(3);
    let scratch = lake.scratch(&partition, RUNS[0])?;
    let begin = |run: &str| {
        let mut staged = lake.stage(&partition, &scratch)?;
        write_part(staged.as_mut(), run).map(|()| staged)
    };
    // First, both runs find no day. Then both find that of the first run.
    for [one, other] in [[RUNS[0], RUNS[1]], [RUNS[2], RUNS[3]]] {
        let (first, second) = (begin(one)?, begin(other)?);
        first.commit(one, &manifest_of(one)).map_err(|refused| refused.error)?;
        match second.commit(other, &manifest_of(other)) {
            Ok(_) => return Ok(Seen::Broken("the commit of a second run is accepted".to_owned())),
            Err(Uncommitted { error, .. }) if error.kind() != ErrorKind::Temporary => return Err(error),
            Err(_) => {}
        }
        let stored = lake.manifest(&partition)?.map(|stored| stored.json);
        if stored != Some(manifest_of(one)) || lake.open(&part_of(&partition, other))?.is_some() {
            return Ok(Seen::Broken("a refused run leaves its manifest or a file".to_owned()));
        }
    }
    Ok(Seen::Kept)
}

fn lock_of_a_day(TriedLake { lake, .. }: &TriedLake) -> Result<Seen> {
    let partition = partition(4);
    let first = lake.lock(&partition, &taker(RUNS[0], false))?;
    match lake.lock(&partition, &taker(RUNS[1], false)) {
        Ok(_) => return Ok(Seen::Broken("two runs hold the lock of a day".to_owned())),
        Err(error) if !lake::is_held(&error) => return Err(error),
        Err(_) => drop(first.check()?),
    }
    drop(first);
    let second = lake.lock(&partition, &taker(RUNS[1], false))?;
    second.check().map(|_| Seen::Kept)
}

fn lock_taken_over(TriedLake { lake, .. }: &TriedLake) -> Result<Seen> {
    let partition = partition(5);
    let first = lake.lock(&partition, &taker(RUNS[0], false))?;
    let second = lake.lock(&partition, &taker(RUNS[1], true))?;
    if first.check().is_ok() {
        return Ok(Seen::Broken("a run does not notice that another one has taken its lock".to_owned()));
    }
    drop(first);
    Ok(Seen::if_so(second.check().is_ok(), "a run that has lost its lock releases the lock of the other run"))
}

fn write_times(TriedLake { lake, now }: &TriedLake) -> Result<Seen> {
    lake.write("times/file", b"content")?;
    let entries = lake.entries("times")?;
    let Some(written_at) = entries.first().map(|entry| entry.written_at) else {
        return Ok(Seen::Broken("a new file is not listed".to_owned()));
    };
    let now = lake.now()?.unwrap_or(*now);
    let text = format!("a file was written at {written_at} by its store, when it was {now}");
    Ok(Seen::if_so((written_at.0 - now.0).abs() < CLOCKS_DIFFER_MS, &text))
}

fn long_lists(TriedLake { lake, .. }: &TriedLake) -> Result<Seen> {
    let names: Vec<String> = (0..1001).map(|number| format!("{number:04}")).collect();
    for name in &names {
        lake.write(&format!("long/{name}"), b"")?;
    }
    Ok(Seen::if_so(lake.names("long")? == names, "a listing of 1,001 names is not complete"))
}
