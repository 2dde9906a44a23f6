//! Objects that are broken as a whole: what could be read of them is published, the rest says why it was not.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use crate::harness::{AccessLine, Day, Table, Workdir, document, event, gz, text};

/// A raw object and what is to become of it.
struct Case {
    name: &'static str,
    content: Vec<u8>,
    /// The ids of the rows that are kept.
    kept: &'static [&'static str],
    /// Records, 0 for the object as a whole, and why they are not.
    rejected: &'static [(u64, &'static str)],
}

/// Publishes all objects at once, so that none of them may disturb another.
fn check(table: Table, id_column: &str, cases: &[Case], options: &[&str]) -> Day {
    let work = Workdir::new();
    for case in cases {
        match table.name {
            "cloudtrail" => work.cloudtrail(case.name, &case.content),
            _ => work.access(case.name, &case.content),
        };
    }
    let day = work.run(table).args(options).whatever_is_rejected().publishes(table);
    let (rows, quarantine) = (day.rows(), day.quarantine());
    for case in cases {
        let of_case = |object: &Value| {
            text(object).contains(&format!("-{}", case.name))
                || text(object).contains(&format!("_{}.", case.name))
        };
        let mut kept: Vec<&str> = rows
            .iter()
            .filter(|row| of_case(&row["source_object"]))
            .map(|row| text(&row[id_column]))
            .collect();
        kept.sort_unstable();
        assert_eq!(kept, case.kept, "the rows of {}", case.name);
        let rejected: Vec<(u64, &str)> = quarantine
            .iter()
            .filter(|line| of_case(&line["object"]))
            .map(|line| (line["record"].as_u64().unwrap_or(0), text(&line["reason"])))
            .collect();
        assert_eq!(rejected, case.rejected, "what was rejected of {}", case.name);
    }
    let kept: usize = cases.iter().map(|case| case.kept.len()).sum();
    let rejected: usize = cases.iter().map(|case| case.rejected.len()).sum();
    assert_eq!(day.ledger(), [kept + rejected, kept, 0, 0, rejected].map(|count| count as u64));
    day
}

fn of_events(ids: &[&str]) -> String {
    document(ids.iter().map(|id| event(id, json!({}))))
}

fn of_lines(ids: &[&str]) -> String {
    ids.iter().map(|id| AccessLine::of(id).to_string() + "\n").collect()
}

#[test]
fn packing_that_is_odd_or_broken_costs_nothing_that_can_be_read() {
    let pack = |id: &str| gz(of_events(&[id]));
    let cut = |bytes: &[u8], end: usize| bytes[..end].to_vec();
    let two = of_events(&["members 1", "members 2"]);
    let (front, back) = two.split_at(two.len() / 2);
    let mut flipped = pack("flipped");
    let crc = flipped.len() - 8;
    flipped[crc] ^= 1;
    let mut flipped_member = pack("flipped member");
    let crc_of_member = flipped_member.len() - 8;
    flipped_member[crc_of_member] ^= 1;
    let cases = [
        Case { name: "A-whole", content: pack("whole"), kept: &["whole"], rejected: &[] },
        Case { name: "B-plain", content: of_events(&["plain"]).into(), kept: &["plain"], rejected: &[] },
        Case {
            name: "C-members",
            content: [gz(front), gz(back)].concat(),
            kept: &["members 1", "members 2"],
            rejected: &[],
        },
        Case {
            name: "D-documents",
            content: [pack("document 1"), pack("document 2")].concat(),
            kept: &["document 1", "document 2"],
            rejected: &[],
        },
        Case {
            name: "E-header",
            content: cut(&pack("header"), 7),
            kept: &[],
            rejected: &[(1, "damaged_gzip")],
        },
        Case {
            name: "F-magic",
            content: cut(&pack("magic"), 2),
            kept: &[],
            rejected: &[(1, "damaged_gzip")],
        },
        Case { name: "G-byte", content: cut(&pack("byte"), 1), kept: &[], rejected: &[(0, "invalid_json")] },
        Case {
            name: "H-trailer",
            content: cut(&pack("trailer"), crc),
            kept: &["trailer"],
            rejected: &[(2, "damaged_gzip")],
        },
        Case { name: "I-flipped", content: flipped, kept: &["flipped"], rejected: &[(2, "damaged_gzip")] },
        Case {
            name: "I-flipped-member",
            content: [flipped_member, pack("member behind")].concat(),
            kept: &["flipped member"],
            rejected: &[(2, "damaged_gzip")],
        },
        Case {
            name: "J-garbage",
            content: [pack("garbage"), b"garbage".to_vec()].concat(),
            kept: &["garbage"],
            rejected: &[(2, "damaged_gzip")],
        },
        Case {
            name: "J-zeros",
            content: [pack("zeros"), vec![0; 4096]].concat(),
            kept: &["zeros"],
            rejected: &[(2, "damaged_gzip")],
        },
        Case { name: "K-empty", content: Vec::new(), kept: &[], rejected: &[(0, "empty_object")] },
        Case { name: "L-packed-nothing", content: gz(""), kept: &[], rejected: &[(0, "empty_object")] },
        Case {
            name: "M-noise",
            content: b"\x00\xff\x1f no log".to_vec(),
            kept: &[],
            rejected: &[(0, "invalid_json")],
        },
        Case {
            name: "N-packed-twice",
            content: gz(pack("twice")),
            kept: &[],
            rejected: &[(0, "invalid_json")],
        },
    ];
    check(Table::CLOUDTRAIL, "event_id", &cases, &[]);
}

#[test]
fn documents_that_are_odd_or_broken_cost_nothing_that_can_be_read() {
    let in_list = |id: &str| event(id, json!({})).to_string();
    let bom = [b"\xef\xbb\xbf", of_events(&["bom"]).as_bytes()].concat();
    let cases = [
        Case {
            name: "A-after",
            content: format!(
                "{{\"a\":[1,{{\"Records\":[0]}}],\"Records\":[{}],\"z\":null}}",
                in_list("after")
            )
            .into(),
            kept: &["after"],
            rejected: &[],
        },
        Case {
            name: "B-two-documents",
            content: (of_events(&["first"]) + " \n" + &of_events(&["second"]) + "\n").into(),
            kept: &["first", "second"],
            rejected: &[],
        },
        Case { name: "C-bom", content: bom, kept: &["bom"], rejected: &[] },
        Case {
            name: "D-spread",
            content: of_events(&["spread"])
                .replace(',', " ,\r\n\t")
                .replace(':', " : ")
                .replace("03 : 00 : 00", "03:00:00")
                .into(),
            kept: &["spread"],
            rejected: &[],
        },
        Case {
            name: "E-no-records",
            content: br#"{"Insights":[]}"#.to_vec(),
            kept: &[],
            rejected: &[(0, "no_records")],
        },
        Case {
            name: "F-object",
            content: br#"{"Records":{"a":1}}"#.to_vec(),
            kept: &[],
            rejected: &[(0, "no_records")],
        },
        Case {
            name: "G-null",
            content: br#"{"Records":null}"#.to_vec(),
            kept: &[],
            rejected: &[(0, "no_records")],
        },
        Case { name: "H-nothing", content: b"{}".to_vec(), kept: &[], rejected: &[(0, "no_records")] },
        Case { name: "I-none", content: br#"{"Records":[]}"#.to_vec(), kept: &[], rejected: &[] },
        Case { name: "J-list", content: b"[1]".to_vec(), kept: &[], rejected: &[(0, "invalid_json")] },
        Case { name: "K-blank", content: b" \n\t ".to_vec(), kept: &[], rejected: &[(0, "empty_object")] },
        Case {
            name: "L-cut-record",
            content: of_events(&["kept", "cut"])[..of_events(&["kept", "cut"]).len() - 9].into(),
            kept: &["kept"],
            rejected: &[(2, "truncated_json")],
        },
        Case {
            name: "M-cut-between",
            content: format!("{{\"Records\":[{}", in_list("between")).into(),
            kept: &["between"],
            rejected: &[(2, "truncated_json")],
        },
        Case {
            name: "N-cut-early",
            content: b"{\"Rec".to_vec(),
            kept: &[],
            rejected: &[(0, "truncated_json")],
        },
        Case {
            name: "O-second-without",
            content: (of_events(&["one"]) + "{\"x\":1}").into(),
            kept: &["one"],
            rejected: &[(0, "no_records")],
        },
        Case {
            name: "P-words-behind",
            content: (of_events(&["words"]) + " and words").into(),
            kept: &["words"],
            rejected: &[(0, "invalid_json")],
        },
    ];
    check(Table::CLOUDTRAIL, "event_id", &cases, &[]);
}

#[test]
fn access_logs_that_are_odd_or_broken_cost_nothing_that_can_be_read() {
    let packed = gz(of_lines(&["CUT1", "CUT2"]));
    let unfinished = of_lines(&["OPEN1", "OPEN2"]);
    let cases = [
        Case { name: "EMPTY", content: Vec::new(), kept: &[], rejected: &[] },
        Case {
            name: "PACKED",
            content: gz(of_lines(&["PACK1", "PACK2"])),
            kept: &["PACK1", "PACK2"],
            rejected: &[],
        },
        Case { name: "PACKEDNOTHING", content: gz(""), kept: &[], rejected: &[] },
        Case {
            name: "CRC",
            content: packed[..packed.len() - 8].to_vec(),
            kept: &["CUT1", "CUT2"],
            rejected: &[(3, "damaged_gzip")],
        },
        Case {
            name: "OPEN",
            content: unfinished.trim_end().into(),
            kept: &["OPEN1", "OPEN2"],
            rejected: &[],
        },
        Case {
            name: "CRLF",
            content: of_lines(&["CRLF1", "CRLF2"]).replace('\n', "\r\n").into(),
            kept: &["CRLF1", "CRLF2"],
            rejected: &[],
        },
        Case {
            name: "GAPS",
            content: (of_lines(&["GAP1"]) + "\n \r\n\t\n" + &of_lines(&["GAP2"]) + "\n\n").into(),
            kept: &["GAP1", "GAP2"],
            rejected: &[],
        },
        Case {
            name: "WORDS",
            content: (of_lines(&["WORD1"]) + "what is this\n" + &of_lines(&["WORD2"])).into(),
            kept: &["WORD1", "WORD2"],
            rejected: &[(2, "bad_time")],
        },
        Case {
            name: "HALF",
            content: unfinished.replace("OPEN", "HALF")[..unfinished.len() - 200].into(),
            kept: &["HALF1"],
            rejected: &[(2, "missing_fields")],
        },
    ];
    let day = check(Table::ACCESS, "request_id", &cases, &[]);
    assert_eq!(day.row("request_id", "GAP2")["source_record"], 5, "blank lines count as lines");
    let clean = day.row("request_id", "CRLF1");
    assert_eq!(
        (clean["tls_version"].as_str(), clean["parse_quality"].as_str()),
        (Some("TLSv1.3"), Some("exact"))
    );
}

/// The slow twin: what an unpacker that stops at the damage gives, cut at the last whole record.
#[test]
fn of_a_packed_file_cut_anywhere_every_whole_record_is_kept() {
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
        MultiGzDecoder::new(front).read_to_end(&mut unpacked).expect_err("the file is cut");
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
    let day = work.run(Table::CLOUDTRAIL).whatever_is_rejected().publishes(Table::CLOUDTRAIL);
    assert_eq!(day.values("event_id"), expected);
    assert!(day.quarantine().iter().all(|line| line["reason"] == "damaged_gzip"));
    assert_eq!(day.quarantine().len(), cuts);
    assert!(day.inputs().iter().all(|object| object["damaged"] == true));
}

/// A checksum is there to be looked at: either all rows come out as they went in, or the object is marked as damaged.
#[test]
fn no_flipped_bit_of_a_packed_file_goes_unnoticed() {
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
    let day = work.run(Table::CLOUDTRAIL).whatever_is_rejected().publishes(Table::CLOUDTRAIL);
    let rows = day.rows();
    for object in day.inputs().iter().filter(|object| object["damaged"] != true) {
        let own = rows.iter().filter(|row| row["source_object"] == object["object"]);
        let names: Vec<_> = own.map(|row| (&row["event_name"], &row["user_identity_user_name"])).collect();
        assert_eq!(names, [(&json!("GetObject"), &json!("kim")); 2], "{object} is said to be whole");
    }
    let damaged = day.inputs().iter().filter(|object| object["damaged"] == true).count();
    assert!(damaged >= 98, "a flip was found in {damaged} of {flips} files");
}

#[test]
fn what_unpacks_beyond_the_limit_is_cut_off_there() {
    let bomb = |id: &str| {
        let blank = " ".repeat(8 << 20);
        gz(of_events(&[id]).replace("]}", &format!("{blank}]}}")))
    };
    let lines = of_lines(&["FIRST"]) + &of_lines(&["FILL"]).repeat(30_000) + &of_lines(&["LAST"]);
    let limit = ["--max-object-size", "1MiB"];
    let cases = [
        Case {
            name: "A-bomb",
            content: bomb("in front"),
            kept: &["in front"],
            rejected: &[(2, "object_too_large")],
        },
        Case { name: "B-small", content: gz(of_events(&["small"])), kept: &["small"], rejected: &[] },
    ];
    assert!(cases[0].content.len() < 100_000, "it is a bomb");
    check(Table::CLOUDTRAIL, "event_id", &cases, &limit);
    let work = Workdir::new();
    work.access("BOMB", gz(lines));
    let day = work.run(Table::ACCESS).args(limit).whatever_is_rejected().publishes(Table::ACCESS);
    assert_eq!(day.values("request_id"), ["FILL", "FIRST"]);
    let [read, written, _, duplicate, quarantined] = day.ledger();
    assert_eq!(
        (written, quarantined, day.quarantine()[0]["reason"].as_str()),
        (2, 1, Some("object_too_large"))
    );
    assert!(read < 10_000 && duplicate > 3_000, "{:?}", day.ledger());
}

/// An object can be in the listing and yet give no bytes, even to root: reading `/proc/self/mem` from its start fails.
#[test]
fn an_object_that_cannot_be_read_is_named_and_the_others_are_published() {
    let work = Workdir::new();
    work.cloudtrail("a", gz(of_events(&["good"])));
    let broken = work.cloudtrail("b", "");
    fs::remove_file(&broken).unwrap();
    std::os::unix::fs::symlink("/proc/self/mem", &broken).unwrap();
    let mut unreadable = 1;
    let locked = work.cloudtrail("c", gz(of_events(&["locked"])));
    fs::set_permissions(&locked, fs::Permissions::from_mode(0)).unwrap();
    unreadable += usize::from(fs::File::open(&locked).is_err());
    let day = work.run(Table::CLOUDTRAIL).whatever_is_rejected().publishes(Table::CLOUDTRAIL);
    assert_eq!(day.rows().len(), 3 - unreadable);
    let quarantine = day.quarantine();
    assert_eq!(quarantine.len(), unreadable);
    assert_eq!(
        (quarantine[0]["reason"].as_str(), &quarantine[0]["record"]),
        (Some("unreadable"), &Value::Null)
    );
    assert!(text(&quarantine[0]["object"]).ends_with("_b.json.gz"), "{}", quarantine[0]);
    assert_eq!(day.inputs()[1]["damaged"], true);
}

#[test]
fn what_cannot_be_opened_by_its_name_is_left_out_and_listed() {
    let work = Workdir::new();
    let path = work.cloudtrail("a", "");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    let nameless = OsStr::from_bytes(b"1_CloudTrail_r_20231101T0310Z_\xff.json");
    fs::write(work.path("raw").join(nameless), of_events(&["nameless"])).unwrap();
    let day = work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    assert_eq!((day.ledger(), day.summary["objects_left"].as_u64()), ([0; 5], Some(2)));
    let plan = work.logmill(["plan", "--day", "2023-11-01", "--input", "raw", "-v"]).exits(0);
    plan.prints(&["a link that leads nowhere", "_a.json.gz", "its name is not UTF-8", "_\u{fffd}.json"]);
}
