//! Damaged objects: readable records are published, and the rest is quarantined with a reason.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use crate::harness::{AccessLine, Call, DAY, Day, LOGMILL, Table, Workdir, document, event, gz, text};

/// A raw object and the expected result.
struct Case {
    name: &'static str,
    content: Vec<u8>,
    /// The ids of the rows that are kept.
    kept: &'static [&'static str],
    /// The rejected records with their reasons; record 0 stands for the whole object.
    rejected: &'static [(u64, &'static str)],
}

fn case(
    name: &'static str,
    content: impl AsRef<[u8]>,
    kept: &'static [&'static str],
    rejected: &'static [(u64, &'static str)],
) -> Case {
    Case { name, content: content.as_ref().to_vec(), kept, rejected }
}

/// Publishes all objects in one run, to check that none affects another.
fn check(table: Table, id_column: &str, cases: &[Case], options: &[&str]) -> Day {
    let work = Workdir::new();
    for case in cases {
        match table.name {
            "cloudtrail" => work.cloudtrail(case.name, &case.content),
            _ => work.access(case.name, &case.content),
        };
    }
    let day = work.run(table).args(options).allow_rejects().publishes(table);
    let (rows, quarantine) = (day.rows(), day.quarantine());
    for case in cases {
        let of_case = |object: &Value| {
            let object = text(object).strip_suffix(".json.gz").unwrap_or(text(object));
            object.ends_with(&format!("_{}", case.name)) || object.ends_with(&format!("00-{}", case.name))
        };
        let mut kept: Vec<&str> = rows
            .iter()
            .filter(|row| of_case(&row["source_object"]))
            .map(|row| text(&row[id_column]))
            .collect();
        kept.sort_unstable();
        assert_eq!(kept, case.kept, "rows of {}", case.name);
        let rejected: Vec<(u64, &str)> = quarantine
            .iter()
            .filter(|line| of_case(&line["object"]))
            .map(|line| (line["record"].as_u64().unwrap_or(0), text(&line["reason"])))
            .collect();
        assert_eq!(rejected, case.rejected, "rejected records of {}", case.name);
    }
    let kept: usize = cases.iter().map(|case| case.kept.len()).sum();
    let rejected: usize = cases.iter().map(|case| case.rejected.len()).sum();
    assert_eq!(day.ledger(), [kept + rejected, kept, 0, 0, rejected].map(|count| count as u64));
    day
}

fn of_events(ids: &[&str]) -> String {
    document(ids.iter().map(|id| event(id, json!({}))))
}

/// A compressed file with one event.
fn pack(id: &str) -> Vec<u8> {
    gz(of_events(&[id]))
}

fn of_lines(ids: &[&str]) -> String {
    ids.iter().map(|id| AccessLine::of(id).to_string() + "\n").collect()
}

#[test]
fn unusual_compression_loses_no_row() {
    let two = of_events(&["members 1", "members 2"]);
    let (front, back) = two.split_at(two.len() / 2);
    let cases = [
        case("A-whole", pack("whole"), &["whole"], &[]),
        case("B-plain", of_events(&["plain"]), &["plain"], &[]),
        case("C-members", [gz(front), gz(back)].concat(), &["members 1", "members 2"], &[]),
        case("D-documents", [pack("one"), pack("two")].concat(), &["one", "two"], &[]),
        case("E-zero", [pack("zero"), vec![0]].concat(), &["zero"], &[]),
        case("F-zeros", [pack("zeros"), vec![0; 4096]].concat(), &["zeros"], &[]),
        case("G-padded", [pack("a"), pack("b"), vec![0; 70_000]].concat(), &["a", "b"], &[]),
        case("H-between", [pack("c"), vec![0; 511], pack("d"), vec![0; 3]].concat(), &["c", "d"], &[]),
        case("I-marks", [gz(marked("e")), gz(marked("f"))].concat(), &["e", "f"], &[]),
        case("J-mark", gz(marked("g")), &["g"], &[]),
    ];
    check(Table::CLOUDTRAIL, "event_id", &cases, &[]);
}

/// A file of one event that starts with a byte order mark.
fn marked(id: &str) -> String {
    format!("\u{feff}{}", of_events(&[id]))
}

#[test]
fn damaged_compression_loses_no_readable_row() {
    let cut = |id: &str, end: usize| pack(id)[..end].to_vec();
    let crc = pack("flip").len() - 8;
    let mut flip = pack("flip");
    flip[crc] ^= 1;
    let cases = [
        case("A-header", cut("header", 7), &[], &[(1, "damaged_gzip")]),
        case("B-magic", cut("magic", 2), &[], &[(1, "damaged_gzip")]),
        case("C-byte", cut("byte", 1), &[], &[(0, "invalid_json")]),
        case("D-trailer", cut("cut!", crc), &["cut!"], &[(2, "damaged_gzip")]),
        case("E-flip", flip.clone(), &["flip"], &[(2, "damaged_gzip")]),
        case("F-garbage", [&pack("garbage")[..], b"garbage"].concat(), &["garbage"], &[(2, "damaged_gzip")]),
        case("G-zeros", [pack("zeros"), b"\0\0\0x".to_vec()].concat(), &["zeros"], &[(2, "damaged_gzip")]),
        case("H-empty", "", &[], &[(0, "empty_object")]),
        case("I-packed-nothing", gz(""), &[], &[(0, "empty_object")]),
        case("I-second", [pack("1"), pack("2")[1..].to_vec()].concat(), &["1"], &[(2, "damaged_gzip")]),
        case("I-zeros", [gz(""), vec![0; 512]].concat(), &[], &[(0, "empty_object")]),
        case("J-noise", b"\x00\xff\x1f no log", &[], &[(0, "invalid_json")]),
        case("K-packed-twice", gz(pack("twice")), &[], &[(1, "gzip_in_gzip")]),
        case("L-packed-twice", [gz(pack("twice")), gz("")].concat(), &[], &[(1, "gzip_in_gzip")]),
        case("M-utf-16", utf_16("wide", u16::to_le_bytes), &[], &[(1, "utf_16")]),
        case("N-utf-16", gz(utf_16("wide", u16::to_be_bytes)), &[], &[(1, "utf_16")]),
    ];
    check(Table::CLOUDTRAIL, "event_id", &cases, &[]);
    let member_behind = [flip, pack("behind")].concat();
    let case = case("A-member", member_behind, &["flip"], &[(2, "damaged_gzip")]);
    check(Table::CLOUDTRAIL, "event_id", &[case], &[]);
}

/// A file of one event in UTF-16 with a byte order mark.
fn utf_16(id: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    marked(id).encode_utf16().flat_map(bytes).collect()
}

#[test]
fn unusual_documents_lose_no_row() {
    let after = event("after", json!({}));
    let spread = of_events(&["spread"]).replace(",\"", " ,\r\n\t\"").replace("\":", "\" : ");
    let bom = [b"\xef\xbb\xbf", of_events(&["bom"]).as_bytes()].concat();
    let cases = [
        case(
            "A-after",
            format!(r#"{{"a":[1,{{"Records":[0]}}],"Records":[{after}],"z":null}}"#),
            &["after"],
            &[],
        ),
        case(
            "B-two",
            of_events(&["first"]) + " \n" + &of_events(&["second"]) + "\n",
            &["first", "second"],
            &[],
        ),
        case("C-bom", bom, &["bom"], &[]),
        case("D-spread", spread, &["spread"], &[]),
        case("D-spelled", of_events(&["spelled"]).replace("Records", r"Rec\u006frds"), &["spelled"], &[]),
        case("E-none", r#"{"Records":[]}"#, &[], &[]),
    ];
    check(Table::CLOUDTRAIL, "event_id", &cases, &[]);
}

#[test]
fn damaged_documents_lose_no_readable_row() {
    let open = of_events(&["open"]);
    let cut = of_events(&["kept", "cut"]);
    let cases = [
        case("A-no-records", r#"{"Insights":[]}"#, &[], &[(0, "no_records")]),
        case("B-object", r#"{"Records":{"a":1}}"#, &[], &[(0, "no_records")]),
        case("C-null", r#"{"Records":null}"#, &[], &[(0, "no_records")]),
        case("D-nothing", "{}", &[], &[(0, "no_records")]),
        case("E-list", "[1]", &[], &[(0, "invalid_json")]),
        case("F-blank", " \n\t ", &[], &[(0, "empty_object")]),
        case("G-cut-record", &cut[..cut.len() - 9], &["kept"], &[(2, "truncated_json")]),
        case("H-cut-between", &open[..open.len() - 2], &["open"], &[(2, "truncated_json")]),
        case("I-cut-early", r#"{"Rec"#, &[], &[(0, "truncated_json")]),
        case("J-second", of_events(&["one"]) + r#"{"x":1}"#, &["one"], &[(0, "no_records")]),
        case("K-words", of_events(&["words"]) + " and words", &["words"], &[(0, "invalid_json")]),
    ];
    check(Table::CLOUDTRAIL, "event_id", &cases, &[]);
}

#[test]
fn unusual_or_damaged_access_logs_lose_no_readable_row() {
    let packed = gz(of_lines(&["CUT1", "CUT2"]));
    let half = of_lines(&["HALF1", "HALF2"]);
    let gaps = of_lines(&["GAP1"]) + "\n \r\n\t\n" + &of_lines(&["GAP2"]) + "\n\n";
    let bom = format!("\u{feff}{}", of_lines(&["BOM1", "BOM2"]));
    let words = of_lines(&["WORD1"]) + "what is this\n" + &of_lines(&["WORD2"]);
    let cases = [
        case("EMPTY", "", &[], &[]),
        case("PACKED", gz(of_lines(&["PACK1", "PACK2"])), &["PACK1", "PACK2"], &[]),
        case("PACKEDNOTHING", gz(""), &[], &[]),
        case("CRC", &packed[..packed.len() - 8], &["CUT1", "CUT2"], &[(3, "damaged_gzip")]),
        case("OPEN", of_lines(&["OPEN1", "OPEN2"]).trim_end(), &["OPEN1", "OPEN2"], &[]),
        case("CRLF", of_lines(&["CRLF1", "CRLF2"]).replace('\n', "\r\n"), &["CRLF1", "CRLF2"], &[]),
        case("GAPS", gaps, &["GAP1", "GAP2"], &[]),
        case("BOM", bom.as_bytes(), &["BOM1", "BOM2"], &[]),
        case("BOMPACKED", gz(bom.replace("BOM", "PBOM")), &["PBOM1", "PBOM2"], &[]),
        case(
            "FEFF",
            bom.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
            &[],
            &[(1, "utf_16")],
        ),
        case("WORDS", words, &["WORD1", "WORD2"], &[(2, "bad_time")]),
        case("HALF", &half[..half.len() - 200], &["HALF1"], &[(2, "missing_fields")]),
    ];
    let day = check(Table::ACCESS, "request_id", &cases, &[]);
    assert_eq!(day.row("request_id", "GAP2")["source_record"], 5, "blank lines should count as lines");
    let clean = day.row("request_id", "CRLF1");
    assert_eq!((text(&clean["tls_version"]), text(&clean["parse_quality"])), ("TLSv1.3", "exact"));
    for id in ["BOM1", "PBOM1"] {
        let marked = day.row("request_id", id);
        assert_eq!((text(&marked["bucket_owner"]), text(&marked["parse_quality"])), ("79a59df9", "exact"));
    }
}

/// Compares with a simple decoder that stops at the damage, cut after the last whole record.
#[test]
fn a_compressed_file_cut_anywhere_keeps_every_whole_record() {
    let work = Workdir::new();
    let ids = |cut: usize| (0..40).map(|number| format!("{cut:05}-{number:02}")).collect::<Vec<_>>();
    let mut expected = Vec::new();
    let mut cuts = 0;
    for cut in (3..2000).step_by(67) {
        let records = ids(cut)
            .iter()
            .map(|id| {
                event(
                    id,
                    json!({"requestID": format!("{:x}", fastrand::Rng::with_seed(cut as u64).u128(..))}),
                )
                .to_string()
            })
            .collect::<Vec<_>>();
        let packed = gz(document(&records));
        let Some(front) = packed.get(..cut) else { break };
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(front).read_to_end(&mut unpacked).expect_err("the file is truncated");
        let unpacked = String::from_utf8_lossy(&unpacked);
        expected.extend(
            ids(cut)
                .into_iter()
                .zip(&records)
                .filter(|(_, record)| unpacked.contains(*record))
                .map(|(id, _)| id),
        );
        work.cloudtrail(&format!("{cut:05}"), front);
        cuts += 1;
    }
    assert!(cuts > 10 && expected.len() > 20, "{cuts} cuts, {} whole records", expected.len());
    let day = work.run(Table::CLOUDTRAIL).allow_rejects().publishes(Table::CLOUDTRAIL);
    assert_eq!(day.values("event_id"), expected);
    assert!(day.quarantine().iter().all(|line| line["reason"] == "damaged_gzip"));
    assert_eq!(day.quarantine().len(), cuts);
    assert!(day.inputs().iter().all(|object| object["damaged"] == true));
}

/// Either all rows are unchanged, or the checksum marks the object as damaged.
#[test]
fn a_flipped_bit_in_a_compressed_file_is_detected() {
    let work = Workdir::new();
    let mut flips = 0;
    let packed_of =
        |place: usize| gz(of_events(&[&format!("{place:04}-first"), &format!("{place:04}-second")]));
    for place in (10..packed_of(0).len()).rev().take(100) {
        let mut packed = packed_of(place);
        packed[place] ^= 1 << (place % 8);
        work.cloudtrail(&format!("{place:04}"), packed);
        flips += 1;
    }
    assert_eq!(flips, 100);
    let day = work.run(Table::CLOUDTRAIL).allow_rejects().publishes(Table::CLOUDTRAIL);
    let rows = day.rows();
    for object in day.inputs().iter().filter(|object| object["damaged"] != true) {
        let own = rows.iter().filter(|row| row["source_object"] == object["object"]);
        let names: Vec<_> = own.map(|row| (&row["event_name"], &row["user_identity_user_name"])).collect();
        assert_eq!(names, [(&json!("GetObject"), &json!("kim")); 2], "{object} is not marked as damaged");
    }
    let damaged = day.inputs().iter().filter(|object| object["damaged"] == true).count();
    assert!(damaged >= 98, "flips were detected in only {damaged} of {flips} files");
}

#[test]
fn an_object_over_the_size_limit_is_cut_off() {
    let bomb = |id: &str| {
        let blank = " ".repeat(8 << 20);
        gz(of_events(&[id]).replace("]}", &format!("{blank}]}}")))
    };
    let lines = of_lines(&["FIRST"]) + &of_lines(&["FILL"]).repeat(30_000) + &of_lines(&["LAST"]);
    let limit = ["--max-object-size", "1MiB"];
    let cases = [
        case("A-bomb", bomb("first"), &["first"], &[(2, "object_too_large")]),
        case("B-small", pack("small"), &["small"], &[]),
    ];
    assert!(cases[0].content.len() < 100_000, "the bomb should be small");
    check(Table::CLOUDTRAIL, "event_id", &cases, &limit);
    let work = Workdir::new();
    work.access("BOMB", gz(lines));
    let day = work.run(Table::ACCESS).args(limit).allow_rejects().publishes(Table::ACCESS);
    assert_eq!(day.values("request_id"), ["FILL", "FIRST"]);
    let [read, written, _, duplicate, quarantined] = day.ledger();
    assert_eq!(
        (written, quarantined, day.quarantine()[0]["reason"].as_str()),
        (2, 1, Some("object_too_large"))
    );
    assert!(read < 10_000 && duplicate > 3_000, "{:?}", day.ledger());
}

/// One read meets both the size limit and the damage. The damage must not count against the next object.
#[test]
fn an_object_that_is_too_large_and_damaged_does_not_affect_others() {
    let large = gz(of_events(&["first"]).replace("]}", &format!("{}]}}", " ".repeat(100 << 10))));
    let cases = [
        case("A-both", &large[..large.len() - 8], &["first"], &[(2, "object_too_large")]),
        case("B-members", [pack("one"), pack("two")].concat(), &["one", "two"], &[]),
    ];
    check(Table::CLOUDTRAIL, "event_id", &cases, &["--threads", "1", "--max-object-size", "64KiB"]);
}

/// A call of the program that must respect file modes, even as root.
fn without_privileges<'w>(work: &'w Workdir, args: &[&str]) -> Call<'w> {
    if fs::File::open(work.path("locked")).is_err() {
        return work.logmill(args);
    }
    let drops = "--bounding-set=-dac_override,-dac_read_search";
    work.call(Command::new("setpriv")).args([drops, LOGMILL]).args(args)
}

/// Replaces a file with a link whose first read fails, even for root, because address 0 of a process is not mapped.
fn make_unreadable(path: &Path) {
    fs::remove_file(path).unwrap();
    std::os::unix::fs::symlink("/proc/self/mem", path).unwrap();
}

#[test]
fn an_unreadable_object_fails_the_table() {
    let work = Workdir::new();
    work.cloudtrail("a", gz(of_events(&["good"])));
    make_unreadable(&work.cloudtrail("b", ""));
    let run = || work.run(Table::CLOUDTRAIL).allow_rejects();
    run().exits(75).says(&["cannot read the object", "_b.json.gz", "hint: check the disk"]);
    let backfill = ["backfill", "--from", DAY, "--to", DAY, "--input", "raw", "--output", "lake"];
    work.logmill(backfill).of(Table::CLOUDTRAIL).exits(75).says(&["cannot read the object"]);
    assert!(work.published().is_empty(), "no day should be published without an existing object");
}

#[test]
fn an_object_replaced_by_a_folder_fails_the_table() {
    let work = Workdir::new();
    work.cloudtrail("a", gz(of_events(&["good"])));
    let path = work.cloudtrail("b", "");
    fs::remove_file(&path).unwrap();
    let plan = || work.logmill(["plan", "--day", DAY, "--input", "raw", "--plan", "plan.json"]);
    fs::write(&path, gz(of_events(&["lost"]))).unwrap();
    plan().of(Table::CLOUDTRAIL).exits(0);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let convert = ["convert", "--plan", "plan.json", "--staging", "staging"];
    work.logmill(convert).exits(75).says(&["cannot read the object", "_b.json.gz"]);
    assert_eq!(work.files("staging").len(), 0);
}

#[test]
fn an_object_without_read_permission_fails_the_table() {
    let work = Workdir::new();
    fs::set_permissions(work.write("locked", ""), fs::Permissions::from_mode(0o0)).unwrap();
    work.cloudtrail("a", gz(of_events(&["good"])));
    let locked = work.cloudtrail("b", gz(of_events(&["locked"])));
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o0)).unwrap();
    let args = ["run", "--day", DAY, "--input", "raw", "--output", "lake", "--max-reject-ratio", "1"];
    without_privileges(&work, &args).of(Table::CLOUDTRAIL).exits(4).says(&[
        "cannot open the object",
        "_b.json.gz",
        "hint: let this user read it",
    ]);
    assert!(work.published().is_empty());
    let inspect = ["inspect", locked.to_str().unwrap()];
    without_privileges(&work, &inspect).exits(4).says(&["cannot open the object"]);
}

/// Only the content of such a file shows what it is, so no day is built without it. `plan` and `status` only report it.
#[test]
fn an_unreadable_file_without_a_time_fails_the_table() {
    let work = Workdir::new();
    fs::set_permissions(work.write("locked", ""), fs::Permissions::from_mode(0o0)).unwrap();
    let exports = ["a", "b"].map(|name| {
        let ids = [0, 1, 2].map(|number| format!("{name}{number}"));
        work.write(&format!("raw/export-{name}.json"), of_events(&ids.each_ref().map(String::as_str)))
    });
    let lock = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let all = ["backfill", "--from", DAY, "--to", DAY, "--only", "all"];
    let run = ["run", "--day", DAY];
    let places = ["--input", "raw", "--output", "lake"];
    work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    let before = work.published();
    for locked in [&exports[1..], &exports[..]] {
        for path in locked {
            lock(path, 0o0);
        }
        for command in [&run[..], &[&run[..], &["--lookback", "1d"]].concat(), &all] {
            for options in [&[][..], &["--ignore-key-times"], &["--max-shrink", "1", "--allow-empty"]] {
                let args = [command, &places, options].concat();
                let failed = without_privileges(&work, &args).of(Table::CLOUDTRAIL).exits(4);
                failed.says(&["access denied", "raw/export-", "hint: grant this user read access"]);
                assert_eq!(work.published(), before, "{args:?}");
            }
        }
        // Without a named log type, the table does not count as one without logs.
        without_privileges(&work, &[&run[..], &places].concat()).exits(4).says(&["cloudtrail", "export-"]);
    }
    let listed = ["leave        2", "it cannot be read, and its name contains no time", "raw/export-a"];
    let status = [&["status", "--from", DAY, "--to", DAY][..], &places].concat();
    without_privileges(&work, &status).of(Table::CLOUDTRAIL).exits(0);
    let plan = ["plan", "--day", DAY, "--input", "raw", "--plan", "plan.json"];
    without_privileges(&work, &plan).of(Table::CLOUDTRAIL).exits(0).prints(&listed);
    let of = ["--plan", "plan.json", "--staging", "staging"];
    for path in &exports {
        lock(path, 0o600);
    }
    work.logmill(["convert"]).args(of).exits(0);
    work.logmill(["publish", "--output", "lake", "--allow-empty"]).args(of).exits(4).says(&["created again"]);
    assert_eq!(work.published(), before);
    make_unreadable(&exports[0]);
    work.run(Table::CLOUDTRAIL).exits(75).says(&["cannot read the object", "raw/export-a"]);
}

#[test]
fn objects_that_cannot_be_opened_by_name_are_skipped_and_reported() {
    let work = Workdir::new();
    for (name, target) in [("a", "nowhere"), ("b", "1_CloudTrail_r_20231101T0310Z_b.json.gz"), ("c", "..")] {
        let path = work.cloudtrail(name, "");
        fs::remove_file(&path).unwrap();
        let target = if name == "b" { path.file_name().unwrap() } else { OsStr::new(target) };
        std::os::unix::fs::symlink(target, &path).unwrap();
    }
    for last in [0xff, 0xfe] {
        let nameless = [&b"1_CloudTrail_r_20231101T0310Z_"[..], &[last], b".json"].concat();
        fs::write(work.path("raw").join(OsStr::from_bytes(&nameless)), of_events(&["nameless"])).unwrap();
    }
    fs::create_dir(work.path("raw").join(OsStr::from_bytes(b"\xff"))).unwrap();
    let run = work.run(Table::CLOUDTRAIL).args(["--summary-json", "summary.json"]).exits(0);
    for why in
        ["a link that leads nowhere", "a link that leads in a circle", "a link to a folder", "not UTF-8"]
    {
        run.says(&[why]);
    }
    let summary: Value = serde_json::from_slice(&fs::read(work.path("summary.json")).unwrap()).unwrap();
    let left = summary["tables"][0]["left"].as_array().unwrap();
    let counts: Vec<_> =
        left.iter().map(|left| (text(&left["why"]), &left["objects"], &left["folders"])).collect();
    let (one, two, none) = (json!(1), json!(2), json!(0));
    let expected = [
        ("a link that leads in a circle", &one, &none),
        ("a link that leads nowhere", &one, &none),
        ("a link to a folder, which is not followed", &one, &none),
        ("its name is not UTF-8", &two, &one),
    ];
    assert_eq!(counts, expected);
    let plan =
        work.logmill(["plan", "--day", "2023-11-01", "--input", "raw", "-v"]).of(Table::CLOUDTRAIL).exits(0);
    plan.prints(&["a link that leads nowhere", "_a.json.gz", "its name is not UTF-8", "_\u{fffd}.json"]);
}
