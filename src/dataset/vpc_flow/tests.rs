//! Lines of every form, hostile lines, keys, and the decoder against slow twins.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::VPC_FLOW;
use crate::dataset::text_fields::tests::{Outcome, decode_all, decode_object};
use crate::dataset::{Dataset, KeyClaim, KeyTime, all, object_key};
use crate::kst::UtcInstant;
use crate::table::Naming;

const DEFAULT: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
const FLOW: &str = "2 123456789012 eni-0123456789abcdef0 10.0.0.1 203.0.113.9 49152 443 6 20 4249 1795877990 1795878045 ACCEPT OK";

/// The fields after those of the default format, with values.
const NEWER: [(&str, &str); 40] = [
    ("vpc-id", "vpc-0123456789abcdef0"),
    ("subnet-id", "subnet-0123456789abcdef0"),
    ("instance-id", "i-0123456789abcdef0"),
    ("tcp-flags", "19"),
    ("type", "IPv4"),
    ("pkt-srcaddr", "10.0.0.1"),
    ("pkt-dstaddr", "203.0.113.9"),
    ("region", "ap-northeast-2"),
    ("az-id", "apne2-az1"),
    ("sublocation-type", "wavelength"),
    ("sublocation-id", "wlid04"),
    ("pkt-src-aws-service", "S3"),
    ("pkt-dst-aws-service", "AMAZON"),
    ("flow-direction", "egress"),
    ("traffic-path", "8"),
    ("ecs-cluster-arn", "arn:aws:ecs:ap-northeast-2:123456789012:cluster/c"),
    ("ecs-cluster-name", "c"),
    ("ecs-container-instance-arn", "arn:aws:ecs:ap-northeast-2:123456789012:container-instance/c/i"),
    ("ecs-container-instance-id", "i"),
    ("ecs-container-id", "one"),
    ("ecs-second-container-id", "two"),
    ("ecs-service-name", "s"),
    ("ecs-task-definition-arn", "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/t:1"),
    ("ecs-task-arn", "arn:aws:ecs:ap-northeast-2:123456789012:task/c/t"),
    ("ecs-task-id", "t"),
    ("reject-reason", "BPA"),
    ("resource-id", "nat-0123456789abcdef0"),
    ("encryption-status", "1"),
    ("instance-tag", "start%20here"),
    ("instance-tag-2", "b"),
    ("interface-tag", "c1"),
    ("interface-tag-2", "d"),
    ("asg-tag", "e"),
    ("asg-tag-2", "f"),
    ("interface-type", "interface"),
    ("next-hop-interface-id", "eni-1"),
    ("next-hop-subnet-id", "subnet-1"),
    ("next-hop-az-id", "apne2-az2"),
    ("next-hop-vpc-id", "vpc-1"),
    ("next-hop-interface-type", "nat_gateway"),
];

const NAME: &str = "111122223333_vpcflowlogs_ap-northeast-2_fl-0a1b2c3d_20261128T1500Z_c2ed8707.log.gz";

fn decode(text: &str) -> Outcome {
    let mut outcomes = decode_all(&VPC_FLOW, text.as_bytes());
    assert_eq!(outcomes.len(), 1, "{text}");
    outcomes.remove(0)
}

fn assert_cells(text: &str, expected: &Value) {
    let row = decode(text).unwrap_or_else(|fault| panic!("{fault:?}: {text}"));
    for (column, value) in expected.as_object().unwrap() {
        assert_eq!(row.get(column).unwrap_or(&Value::Null), value, "{column} of {text}");
    }
}

fn reason(text: &str) -> &'static str {
    decode(text).expect_err(text).0
}

#[test]
fn every_field_has_its_column_whatever_its_place() {
    let (names, values): (Vec<&str>, Vec<&str>) =
        NEWER.into_iter().rev().chain(DEFAULT.split(' ').zip(FLOW.split(' '))).unzip();
    let text = format!("{}\n{}\n", names.join(" "), values.join(" "));
    let mut expected = json!({
        "event_time": "2026-11-28T14:59:50Z",
        "version": 2,
        "account_id": "123456789012",
        "interface_id": "eni-0123456789abcdef0",
        "srcaddr": "10.0.0.1",
        "dstaddr": "203.0.113.9",
        "srcport": 49_152,
        "dstport": 443,
        "protocol": 6,
        "packets": 20,
        "bytes": 4249,
        "start_time": "2026-11-28T14:59:50Z",
        "end_time": "2026-11-28T15:00:45Z",
        "action": "ACCEPT",
        "log_status": "OK",
        "flow_log_id": "fl-0a1b2c3d",
    });
    for (name, value) in NEWER {
        let is_number = ["tcp-flags", "traffic-path", "encryption-status"].contains(&name);
        expected[name.replace('-', "_")] =
            if is_number { json!(value.parse::<i32>().unwrap()) } else { json!(value) };
    }
    let outcomes = decode_object(&VPC_FLOW, &format!("x/{NAME}"), text.as_bytes());
    assert_eq!(Value::Object(outcomes[0].clone().unwrap()), expected);
    let columns = VPC_FLOW.schema(Naming::Snake, &[]).columns;
    assert_eq!(columns.len(), expected.as_object().unwrap().len() + 4);
}

#[test]
fn hostile_lines_are_read_correctly_or_rejected() {
    // Day of the start.
    assert_cells(
        &format!("{DEFAULT}\n{FLOW}\n"),
        &json!({"event_time": "2026-11-28T14:59:50Z", "end_time": "2026-11-28T15:00:45Z", "action": "ACCEPT", "bytes": 4249, "extra": null}),
    );
    // No data.
    assert_cells(
        &format!(
            "{DEFAULT}\n2 123456789012 eni-0123456789abcdef0 - - - - - - - 1795878000 1795878060 - NODATA\n"
        ),
        &json!({"srcaddr": null, "srcport": null, "bytes": null, "action": null, "log_status": "NODATA"}),
    );
    // Unknown field in header.
    assert_cells(
        &format!("{DEFAULT} new-thing newer-thing\n{FLOW} beta -\n"),
        &json!({"log_status": "OK", "extra": "{\"new-thing\":\"beta\"}"}),
    );
    // No header and not fourteen.
    assert_eq!(reason(&format!("{FLOW} vpc-0123456789abcdef0 subnet-0123456789abcdef0")), "too_many_fields");
    assert_eq!(reason(&FLOW[..FLOW.len() - 3]), "missing_fields");
}

#[test]
fn the_header_decides_and_nothing_is_shifted() {
    assert_cells(FLOW, &json!({"srcaddr": "10.0.0.1", "flow_log_id": null}));
    for (text, expected) in [
        (format!("{DEFAULT}\n{}\n", &FLOW[..FLOW.len() - 3]), "missing_fields"),
        (format!("{DEFAULT}\n{}\n", FLOW.replace(" 443 ", "  443 ")), "empty_field"),
        (format!("{DEFAULT}\n{FLOW} \n"), "empty_field"),
        (format!("{DEFAULT}\n{FLOW} x  y\n"), "empty_field"),
        (format!("{DEFAULT}\n{}\n", FLOW.replace(" 443 ", " https ")), "bad_number"),
        (format!("{DEFAULT}\n{}\n", FLOW.replace(" 443 ", " 2147483648 ")), "bad_number"),
        (format!("{DEFAULT}\n{}\n", FLOW.replace("1795877990", "-5")), "bad_time"),
        (format!("{DEFAULT} version\n{FLOW} 2\n"), "repeated_name"),
        ("version action\n2 ACCEPT\n".to_owned(), "no_time"),
        ("resource-type tgw-id start\nTransitGateway tgw-1 1\n".to_owned(), "transit_gateway"),
        ("only words".to_owned(), "missing_fields"),
    ] {
        assert_eq!(reason(&text), expected, "{text}");
    }
    assert_cells(
        "version end\n2 1795878045\n",
        &json!({"event_time": "2026-11-28T15:00:45Z", "start_time": null}),
    );
    assert_cells(
        &format!("{DEFAULT}\n{FLOW} x y\n"),
        &json!({"log_status": "OK", "extra": "{\"\":\"x y\"}"}),
    );
    // A later name with other letters does not hide the header, which would shift the rows after it.
    assert_cells(
        "start End_Of.Flow action version\n1 2 REJECT 11\n",
        &json!({"action": "REJECT", "version": 11}),
    );
    // Values of tags can be names of fields.
    assert_cells(
        "start instance-tag action\n1 start ACCEPT\n",
        &json!({"instance_tag": "start", "start_time": "1970-01-01T00:00:01Z"}),
    );
    let two = format!("{DEFAULT}\n{FLOW}\nstart version\n1 5\n");
    let rows = decode_all(&VPC_FLOW, two.as_bytes());
    assert_eq!((rows.len(), &rows[1].as_ref().unwrap()["version"]), (2, &json!(5)));
}

#[test]
fn keys_are_claimed_by_their_names() {
    let at = UtcInstant::parse_iso8601("2026-11-28T15:00:00Z").unwrap();
    let mine = KeyClaim::Mine(KeyTime::stretch(at, 6 * 3_600_000, 600_000));
    let hive = "AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=ap-northeast-2";
    for (path, expected) in [
        (NAME.to_owned(), mine),
        (format!("p/AWSLogs/111122223333/vpcflowlogs/ap-northeast-2/2026/11/28/{NAME}"), mine),
        (format!("AWSLogs/o-a/111122223333/vpcflowlogs/ap-northeast-2/2026/11/28/15/{NAME}"), mine),
        (format!("{hive}/year=2026/month=11/day=28/hour=15/{NAME}"), mine),
        (format!("copies/copy_of_{NAME}"), mine),
        (NAME.replace(".log.gz", ".log.parquet"), KeyClaim::NotMine(object_key::IN_PARQUET)),
        (NAME.replace("1128T", "1131T"), KeyClaim::Unclear),
        (NAME.replace("vpcflowlogs", "elasticloadbalancing"), KeyClaim::Unclear),
        (NAME.replace("vpcflowlogs", "CloudTrail"), KeyClaim::Unclear),
        (NAME.replace("vpcflowlogs", "waflogs"), KeyClaim::Unclear),
        ("vpc-1_vpcdnsquerylogs_111122223333_20261128T1500Z_0a1b.log.gz".to_owned(), KeyClaim::Unclear),
        ("2026-11-28-15-00-00-23B392B734E22958".to_owned(), KeyClaim::Unclear),
        ("aws-waf-logs-x-1-2026-11-28-15-00-00-0a1b".to_owned(), KeyClaim::Unclear),
        ("AWSLogs/111122223333/CloudTrail/".to_owned(), KeyClaim::NotMine("log of another AWS service")),
        (format!("{hive}/"), KeyClaim::Unclear),
        (
            format!("{}/", hive.replace("vpcflowlogs", "CloudFront")),
            KeyClaim::NotMine("log of another AWS service"),
        ),
        (String::new(), KeyClaim::Unclear),
    ] {
        assert_eq!(VPC_FLOW.claim(&path), expected, "{path}");
        if expected == mine {
            for other in all().filter(|other| other.name() != "vpc-flow") {
                assert!(!matches!(other.claim(&path), KeyClaim::Mine(_)), "{} of {path}", other.name());
            }
        }
    }
    let start = VPC_FLOW.time_in_key(&format!("x/{NAME}")).unwrap().start;
    assert_eq!(start, "x/111122223333_vpcflowlogs_ap-northeast-2_fl-0a1b2c3d_".len());
    for (folder, expected) in [
        ("AWSLogs/111122223333/vpcflowlogs/ap-northeast-2", true),
        (hive, true),
        ("AWSLogs/111122223333/vpcflowlogs", false),
        ("AWSLogs/111122223333/elasticloadbalancing/ap-northeast-2", false),
    ] {
        assert_eq!(VPC_FLOW.holds_days(folder), expected, "{folder}");
    }
    for path in [NAME.to_owned(), format!("{hive}/year=2026/renamed.log.gz")] {
        let origin = VPC_FLOW.origin(&path);
        assert_eq!((origin.account, origin.region), (Some("111122223333"), Some("ap-northeast-2")), "{path}");
    }
}

#[test]
fn the_first_bytes_show_the_log_type() {
    for (head, expected) in [
        (format!("{DEFAULT}\n{FLOW}\n"), true),
        (DEFAULT[..60].to_owned(), true),
        (FLOW.to_owned(), true),
        (format!("\r\n{FLOW}\r\n{FLOW}"), true),
        (format!("{FLOW} vpc-1"), false),
        (FLOW.replace("443", "https"), false),
        ("resource-type tgw-id start end version".to_owned(), false),
        ("a line of words with a version".to_owned(), false),
        ("{\"Records\":[]}".to_owned(), false),
        (String::new(), false),
    ] {
        assert_eq!(VPC_FLOW.recognises(head.as_bytes()), expected, "{head}");
    }
}

/// The slow twin: the texts of a line by the names of a header.
fn slow(names: &[&str], values: &[String]) -> Map<String, Value> {
    let present = names.iter().zip(values).filter(|(_, value)| *value != "-" && *value != "\"-\"");
    present.map(|(name, value)| (name.replace('-', "_"), value.clone().into())).collect()
}

proptest! {
    #[test]
    fn texts_are_those_of_the_slow_twin_in_any_order(
        order in Just(vec!["srcaddr", "action", "instance-tag", "region", "start", "interface-id"]).prop_shuffle(),
        values in prop::collection::vec("[a-zA-Z0-9.%-]{1,6}|-", 6),
    ) {
        let values: Vec<String> =
            order.iter().zip(values).map(|(name, value)| if *name == "start" { "1".to_owned() } else { value }).collect();
        let text = format!("{}\n{}\n", order.join(" "), values.join(" "));
        let outcomes = decode_all(&VPC_FLOW, text.as_bytes());
        prop_assert_eq!(outcomes.len(), 1);
        let mut row = outcomes[0].clone().unwrap();
        let mut expected = slow(&order, &values);
        for name in ["start_time", "event_time"] {
            row.remove(name);
        }
        expected.remove("start");
        prop_assert_eq!(row, expected);
    }

    /// No damage stops the decoder, and every line is a row, a rejection or a header.
    #[test]
    fn mutated_objects_are_decoded_without_a_panic(
        cuts in prop::collection::vec((0_usize..500, any::<u8>()), 0..6),
    ) {
        let mut bytes = format!("{DEFAULT}\n{FLOW}\n{FLOW}\n").into_bytes();
        for (at, byte) in cuts {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        prop_assert!(decode_all(&VPC_FLOW, &bytes).len() <= lines);
        VPC_FLOW.recognises(&bytes);
    }
}
