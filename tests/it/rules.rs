//! Filters and masks: in a run, in shards, in rejected rows, and in the settings.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{AccessLine, Call, DAY, Day, Table, Workdir, document, event, gz, ledger, text};

/// A secret that appears nowhere else, used in every form in which secrets are logged.
pub(crate) const SECRET: &str = "QZsecretQZ";
/// A filter that matches half of the events of [`busy`].
const EVEN: &str = "event_name = 'Even'";

/// Objects with events of two names. The first object exceeds one batch if there are many workers.
fn busy() -> Workdir {
    let work = Workdir::new();
    for (object, records) in [("a", 1500), ("b", 7), ("c", 2)] {
        let record = |number: usize| {
            let name = if number.is_multiple_of(2) { "Even" } else { "Odd" };
            let overrides = json!({"eventName": name, "requestParameters": {"body": "x".repeat(900)}});
            event(&format!("{object}-{number}"), overrides)
        };
        work.cloudtrail(object, gz(document((0..records).map(record))));
    }
    work
}

/// The `filtered` count of each raw object, in order. Fails unless every object's ledger balances.
fn filtered_by_object(day: &Day) -> Vec<u64> {
    let of_object = |line: &Value| {
        let [read, parts @ ..] = ledger(line);
        assert_eq!(read, parts.iter().sum::<u64>(), "the ledger of an object should balance: {line}");
        parts[4]
    };
    day.inputs().iter().map(of_object).collect()
}

/// Searches for the whole secret, because random bytes can contain parts of it.
pub(crate) fn holds_secret(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes())
}

/// Fails if a file of the lake, a cell, a quarantined row or an input entry contains the secret.
fn assert_no_secret(work: &Workdir, lake: &str, days: &[&Day]) {
    let mut seen = 0;
    for path in work.files(lake).into_keys() {
        let bytes = fs::read(work.path(lake).join(&path)).unwrap();
        assert!(!holds_secret(&bytes), "{}", path.display());
        seen += 1;
    }
    assert!(seen > 3, "the lake should have files");
    for day in days {
        let mut quarantine = day.quarantine();
        for line in quarantine.iter_mut().filter(|line| line["encoding"] == "base64") {
            line["raw"] = String::from_utf8_lossy(&STANDARD.decode(text(&line["raw"])).unwrap()).into();
        }
        let cells = format!("{:?}{:?}{quarantine:?}", day.rows(), day.inputs());
        assert!(!cells.contains("QZ"), "a secret is in {cells}");
        assert!(cells.contains("REDACTED"));
    }
}

/// Logs of both types with a secret in every possible place, including rejected rows.
pub(crate) fn secretive() -> Workdir {
    let work = Workdir::new();
    let url = format!("https://x/?a=1&X-Amz-Signature={SECRET}&b=2");
    let records = [
        event(
            "assume",
            json!({"responseElements": {"credentials": {"sessionToken": SECRET, "expiration": "soon"}}}),
        ),
        event("member", json!({"requestParameters": {"X-Amz-Security-Token": [SECRET], "note": url}})),
        event("extra", json!({"newField": url, "resources": [{"ARN": url}], "userAgent": url})),
        event(
            "no-time",
            json!({"eventTime": url, "responseElements": {"credentials": {"sessionToken": SECRET}}}),
        ),
    ];
    let torn = format!(",{{\"responseElements\":{{\"credentials\":{{\"sessionToken\":\"{SECRET}");
    work.cloudtrail("a", document(records).trim_end_matches("]}").to_owned() + &torn);
    let uri = format!("GET /k?X-Amz-Credential={SECRET}%2F2023&X-Amz-Signature={SECRET} HTTP/1.1");
    let line = AccessLine { uri: &uri, referer: &url, ..AccessLine::of("ID") };
    let no_line = format!("no line ?u=%3Fx-amz-signature%3D{SECRET}%26b");
    work.access("A", [format!("{line}\n{no_line}\n").as_bytes(), b"\xff", no_line.as_bytes()].concat());
    work
}

fn both(work: &Workdir) -> Call<'_> {
    work.logmill(["run", "--day", DAY, "--input", "raw", "--output", "lake"]).allow_rejects()
}

#[test]
fn filtered_rows_are_counted_per_object() {
    let work = busy();
    // With little memory and many workers, one object gives several batches.
    let day = work
        .run(Table::CLOUDTRAIL)
        .args(["--filter", EVEN, "--threads", "16", "--memory", "64MiB"])
        .publishes(Table::CLOUDTRAIL);
    assert_eq!(ledger(&day.summary), [1509, 754, 0, 0, 0, 755]);
    assert_eq!(filtered_by_object(&day), [750, 4, 1]);
    assert_eq!(day.manifest["filter"], json!([EVEN]));
    let names = day.values("event_name");
    assert!(names.len() == 754 && names.iter().all(|name| name == "Odd"));
}

#[test]
fn any_matching_rule_filters_a_row_and_null_never_matches() {
    let work = Workdir::new();
    let agents = [("a", json!("cron")), ("b", json!("aws-cli/2")), ("c", Value::Null), ("d", json!("curl"))];
    work.cloudtrail("a", document(agents.map(|(id, agent)| event(id, json!({"userAgent": agent})))));
    let run = work.run(Table::CLOUDTRAIL);
    let rules =
        ["--filter", "user_agent = 'cron'", "--filter", "user_agent like 'aws-cli/%' and read_only = true"];
    let day = run.args(rules).publishes(Table::CLOUDTRAIL);
    assert_eq!(day.values("event_id"), ["c", "d"]);
    let day =
        work.run(Table::CLOUDTRAIL).args(["--filter", "user_agent != 'cron'"]).publishes(Table::CLOUDTRAIL);
    assert_eq!(day.values("event_id"), ["a", "c"], "a comparison with NULL should not be true");
}

#[test]
fn a_filtered_row_does_not_count_as_a_duplicate() {
    let work = Workdir::new();
    let twice = |agent: &str| event("twice", json!({"userAgent": agent}));
    work.cloudtrail("a", document([twice("etl"), event("once", json!({})), event("once", json!({}))]));
    work.cloudtrail("b", document([twice("person")]));
    let run = work.run(Table::CLOUDTRAIL).args(["--filter", "user_agent = 'etl'"]);
    let day = run.publishes(Table::CLOUDTRAIL);
    assert_eq!(ledger(&day.summary), [4, 2, 0, 1, 0, 1]);
    assert_eq!(day.row("event_id", "twice")["user_agent"], "person");
}

#[test]
fn a_day_with_all_rows_filtered_is_published_as_empty() {
    let work = busy();
    let run = work.run(Table::CLOUDTRAIL).args(["--filter", "event_id is not null"]);
    let day = run.publishes(Table::CLOUDTRAIL);
    assert_eq!(ledger(&day.summary), [1509, 0, 0, 0, 0, 1509]);
}

#[test]
fn rules_that_match_nothing_do_not_change_a_byte() {
    let work = busy();
    let run = |lake: &str, options: &[&str]| {
        let run =
            work.logmill(["run", "--day", DAY, "--input", "raw", "--output", lake]).of(Table::CLOUDTRAIL);
        run.args(options).publishes(Table::CLOUDTRAIL)
    };
    let plain = run("plain", &["--redact", "none"]);
    for options in
        [&[][..], &["--filter", "event_name = 'Never'"], &["--redact", "?colour", "--redact", "a.b"]]
    {
        let day = run("lake", options);
        assert!(plain.parts() == day.parts(), "{options:?}");
        assert_eq!(plain.inputs(), day.inputs(), "{options:?}");
    }
    assert_eq!((plain.manifest.get("filter"), plain.manifest.get("redact")), (None, None));
}

#[test]
fn no_secret_reaches_the_lake() {
    let work = secretive();
    let finished = both(&work).finishes(0);
    let (trail, access) = (finished.day(Table::CLOUDTRAIL), finished.day(Table::ACCESS));
    assert_no_secret(&work, "lake", &[&trail, &access]);
    let token = &trail.row("event_id", "assume")["response_elements"];
    assert_eq!(token, r#"{"credentials":{"sessionToken":"REDACTED","expiration":"soon"}}"#);
    assert_eq!(trail.quarantine().len(), 2, "one record without a time and one torn record");
    let uri = "GET /k?X-Amz-Credential=REDACTED&X-Amz-Signature=REDACTED HTTP/1.1";
    assert_eq!(access.row("request_id", "ID")["request_uri"], uri);
    assert_eq!(access.quarantine().len(), 2, "one line of text and one with invalid UTF-8");
    assert!(
        access.quarantine().iter().all(|line| line.get("raw_bytes").is_none()),
        "no raw text should be cut"
    );
    assert_eq!(text(&access.quarantine()[0]["raw"]), "no line ?u=%3Fx-amz-signature%3DREDACTED%26b");
    assert_eq!(trail.manifest["redact"][0], "responseElements.credentials.sessionToken");
}

/// URL parameters whose value is the secret. Their names are encoded, or belong to signature version 2.
const SPELLINGS: [&str; 9] = [
    "X%2DAmz%2DSignature=",
    "x%2damz%2dsecurity%2dtoken=",
    "X%252DAmz%252DSignature=",
    "%58-Amz-Signature%3D",
    "X%252DAmz%252DCredential%253D",
    "Signature=",
    "signature%3D",
    "AWSAccessKeyId=",
    "AWSAccessKey%49d=",
];

#[test]
fn no_spelling_of_a_secret_parameter_reaches_the_lake() {
    let work = Workdir::new();
    let url = |spelling: &str| format!("https://x/?a=1&{spelling}{SECRET}");
    let (mut records, mut lines) = (Vec::new(), Vec::new());
    for spelling in SPELLINGS {
        let (url, name) =
            (url(spelling), spelling.trim_end_matches("%253D").trim_end_matches("%3D").trim_end_matches('='));
        let member = json!({"url": url, name: SECRET, "text": json!({name: SECRET}).to_string()});
        records.push(event(
            spelling,
            json!({"userAgent": url, "errorMessage": url, "requestParameters": member}),
        ));
        records.push(event(spelling, json!({"eventTime": "bad", "requestParameters": member})));
        let uri = format!("GET /k?{spelling}{SECRET} HTTP/1.1");
        let line =
            AccessLine { uri: &uri, referer: &url, user_agent: &url, ..AccessLine::of("ID") }.to_string();
        lines.push(line.replace(" a/b.txt ", &format!(" k?{spelling}{SECRET} ")));
        lines.push(line.replace("01/Nov", "1/Nov"));
    }
    let escaped =
        document(&records).replace("X%2DAmz", r"X\u002DAmz").replace("Signature=", r"Sign\u0061ture\u003d");
    work.cloudtrail("a", document(&records));
    work.cloudtrail("b", escaped.replace("\"eventID\":\"", "\"eventID\":\"b "));
    work.access("A", lines.join("\n"));
    let finished = both(&work).finishes(0);
    let days = [finished.day(Table::CLOUDTRAIL), finished.day(Table::ACCESS)];
    assert_no_secret(&work, "lake", &days.iter().collect::<Vec<_>>());
    assert_eq!([days[0].rows().len(), days[1].rows().len()], [2 * SPELLINGS.len(), SPELLINGS.len()]);
}

/// Operations and keys. In each key, the secret follows a `+` (which decodes to a space) or another character that could end
/// the value early.
const KEYS: [(&str, &str); 12] = [
    ("REST.GET.OBJECT", "k%3FX-Amz-Security-Token%3Dab%2B"),
    ("REST.PUT.OBJECT", "k%253FX-Amz-Signature%253Dab%2B"),
    ("BATCH.DELETE.OBJECT", "k%3FX-Amz-Security-Token%3Dab+"),
    ("S3.EXPIRE.OBJECT", "k?x-amz-security-token=ab+c%26"),
    ("REST.HEAD.OBJECT", "X%252DAmz%252DSecurity%252DToken%2B%253Dab%2B"),
    ("REST.COPY.OBJECT", "k?Signature=ab%2526"),
    // These values start with a character that ends values elsewhere, once decoded.
    ("REST.GET.OBJECT", "k?Signature=%2B"),
    ("BATCH.DELETE.OBJECT", "k?Signature=+"),
    ("REST.PUT.OBJECT", "k%3FSignature%3D%2B"),
    ("REST.HEAD.OBJECT", "k%3Fa%3D1%26Signature%3D%2520"),
    ("REST.COPY.OBJECT", "k?Signature=%23"),
    ("S3.EXPIRE.OBJECT", "k?Signature=%0A"),
];

#[test]
fn a_decoded_key_shows_no_part_of_a_secret() {
    let work = Workdir::new();
    let line = |(operation, key): (&str, &str)| {
        let line = AccessLine { operation, ..AccessLine::of("ID") };
        line.to_string().replace(" a/b.txt ", &format!(" {key}{SECRET} "))
    };
    work.access("A", KEYS.map(line).join("\n"));
    let day = work.run(Table::ACCESS).publishes(Table::ACCESS);
    assert_no_secret(&work, "lake", &[&day]);
    let mut decoded = day.values("key_decoded");
    decoded.sort();
    assert_eq!(decoded[0], "X-Amz-Security-Token =REDACTED");
    assert!(decoded[1..].iter().all(|key| key.ends_with("=REDACTED")), "{decoded:?}");
    assert_eq!(decoded.len(), KEYS.len());
}

/// Forms in which a header, or a name followed by a space, is logged.
const FORMS: [&str; 9] = [
    "X-Amz-Security-Token: ",
    "x-amz-security-token:",
    "Host: x\r\nX-AMZ-SECURITY-TOKEN : ",
    "?a=1;X-Amz-Signature%20=",
    "?h=X%2DAmz-Security-Token%3A%20",
    "%7B%22X-Amz-Security-Token%22%3A%22",
    "%7B%22X-Amz-Security-Token%22%3A%20%22",
    "%7B%22X-Amz-Security-Token%22%3A+%22",
    "%257B%2522X-Amz-Security-Token%2522%253A%250A%2522",
];

#[test]
fn no_form_of_a_secret_header_reaches_the_lake() {
    let work = Workdir::new();
    let (mut records, mut lines) = (Vec::new(), Vec::new());
    for (number, form) in FORMS.iter().enumerate() {
        let header = format!("{form}{SECRET}\r\nend");
        let packed = json!({"headers": [header]}).to_string();
        let parameters = json!({"headers": [header], "packed": packed});
        let id = number.to_string();
        records.push(event(&id, json!({"errorMessage": header, "requestParameters": parameters})));
        records.push(event(&id, json!({"eventTime": "bad", "requestParameters": parameters})));
        let form = form.replace("\r\n", "%0D%0A");
        let agent = format!("{form}{SECRET}");
        let uri = format!("GET /{}{SECRET} HTTP/1.1", form.replace(' ', ""));
        let line = AccessLine { user_agent: &agent, uri: &uri, ..AccessLine::of("ID") }.to_string();
        lines.extend([line.clone(), line.replace("01/Nov", "1/Nov")]);
    }
    work.cloudtrail("a", document(&records));
    work.access("A", lines.join("\n"));
    let finished = both(&work).finishes(0);
    let (trail, access) = (finished.day(Table::CLOUDTRAIL), finished.day(Table::ACCESS));
    assert_no_secret(&work, "lake", &[&trail, &access]);
    let message = &trail.row("event_id", "2")["error_message"];
    assert_eq!(message, "Host: x\r\nX-AMZ-SECURITY-TOKEN : REDACTED\r\nend");
    let counts = [&trail, &access].map(|day| (day.rows().len(), day.quarantine().len()));
    assert_eq!(counts, [(FORMS.len(), FORMS.len()); 2]);
}

#[test]
fn masks_can_be_added_and_turned_off() {
    let work = Workdir::new();
    let parameters = json!({"password": "QZ1", "url": "/?key=QZ2&X-Amz-Signature=QZ3"});
    work.cloudtrail("a", document([event("id", json!({"requestParameters": parameters}))]));
    let masked = |options: &[&str]| {
        let day = work.run(Table::CLOUDTRAIL).args(options).publishes(Table::CLOUDTRAIL);
        day.values("request_parameters").remove(0)
    };
    assert_eq!(
        masked(&["--redact", "requestParameters.password", "--redact", "?key"]),
        r#"{"password":"REDACTED","url":"/?key=REDACTED&X-Amz-Signature=REDACTED"}"#
    );
    assert_eq!(masked(&["--redact", "none"]), parameters.to_string());
    assert_eq!(
        masked(&["--redact", "none", "--redact", "requestParameters.password"]),
        r#"{"password":"REDACTED","url":"/?key=QZ2&X-Amz-Signature=QZ3"}"#
    );
}

/// Lines that differ only in a masked secret are not duplicates. Exact repeats are duplicates even if masked.
#[test]
fn masks_do_not_change_which_rows_are_duplicates() {
    let work = Workdir::new();
    let uris = ["GET /k?X-Amz-Signature=QZ1 HTTP/1.1", "GET /k?X-Amz-Signature=QZ2 HTTP/1.1"];
    let lines = uris.map(|uri| format!("{}\n", AccessLine { uri, ..AccessLine::of("ID") }));
    work.access("A", lines.concat() + &lines[0]);
    let day = work.run(Table::ACCESS).publishes(Table::ACCESS);
    assert_eq!(ledger(&day.summary), [3, 2, 0, 1, 0, 0]);
}

#[test]
fn shards_filter_and_mask_like_one_run() {
    for (work, filter) in
        [(busy(), EVEN), (secretive(), "event_id = 'extra'"), (secretive(), "event_id != ''")]
    {
        let rules = ["--filter", filter, "--redact", "requestParameters.note", "--redact", "?colour"];
        let one = work.run(Table::CLOUDTRAIL).args(rules).allow_rejects().publishes(Table::CLOUDTRAIL);
        let plan = work.logmill(["plan", "--day", DAY, "--input", "raw", "--dataset", "cloudtrail"]);
        let plan = plan.args(rules).args(["--shards", "2", "--format", "json"]).exits(0);
        work.write("plan.json", plan.stdout);
        for shard in ["0", "1"] {
            let convert = work.logmill(["convert", "--plan", "plan.json", "--staging", "staging"]);
            convert.args(["--shard", shard]).exits(0);
        }
        for path in work.files("staging").into_keys() {
            let bytes = fs::read(work.path("staging").join(&path)).unwrap();
            assert!(!holds_secret(&bytes), "a staged file contains a secret: {}", path.display());
        }
        let publish = work.logmill(["publish", "--plan", "plan.json", "--staging", "staging"]);
        let publish = publish.args(["--output", "lake-sharded"]).allow_rejects();
        let sharded = publish.publishes(Table::CLOUDTRAIL);
        assert!(one.parts() == sharded.parts() && one.inputs() == sharded.inputs(), "{filter}");
        assert_eq!(one.quarantine(), sharded.quarantine());
        for rules in ["filter", "redact"] {
            assert_eq!(one.manifest[rules], sharded.manifest[rules]);
        }
        assert!(ledger(&sharded.summary)[5] > 0);
    }
}

#[test]
fn a_plan_without_masks_uses_the_defaults() {
    let work = secretive();
    let plan = work.logmill(["plan", "--day", DAY, "--input", "raw", "--redact", "none", "--format", "json"]);
    let mut plan: Value = serde_json::from_str(&plan.exits(0).stdout).unwrap();
    for table in plan["tables"].as_array_mut().unwrap() {
        assert_eq!(table.as_object_mut().unwrap().remove("redact"), Some(json!([])));
        assert_eq!(table.get("filter"), None);
    }
    work.write("plan.json", plan.to_string());
    work.logmill(["convert", "--plan", "plan.json", "--shard", "0", "--staging", "staging"]).exits(0);
    let publish =
        work.logmill(["publish", "--plan", "plan.json", "--staging", "staging", "--output", "lake"]);
    let finished = publish.allow_rejects().finishes(0);
    assert_no_secret(&work, "lake", &[&finished.day(Table::CLOUDTRAIL), &finished.day(Table::ACCESS)]);
}

#[test]
fn the_summary_has_a_filtered_column_only_if_rows_were_filtered() {
    let work = busy();
    let header = |options: &[&str]| {
        let shown = work.run(Table::CLOUDTRAIL).args(options).exits(0).stdout;
        let cells = |line: &str| -> Vec<String> {
            line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
        };
        let lines: Vec<Vec<String>> = shown.lines().skip(2).map(cells).collect();
        (lines[0].clone(), lines[1].clone())
    };
    let (names, cells) = header(&["--filter", EVEN]);
    let place = names.iter().position(|name| name == "filtered").unwrap();
    assert_eq!(
        (names[place - 1].as_str(), cells[place].as_str(), names.len()),
        ("quarantined", "755", cells.len())
    );
    assert!(!header(&[]).0.contains(&"filtered".to_owned()));
}

#[test]
fn inspect_masks_secrets() {
    let work = secretive();
    for object in work.files("raw").into_keys() {
        let path = work.path("raw").join(object);
        for format in ["table", "json"] {
            let inspect = || work.logmill(["inspect", path.to_str().unwrap(), "--format", format]);
            let shown = inspect().exits(0).stdout;
            assert!(shown.contains("REDACTED") && !shown.contains("QZ"), "{shown}");
            inspect().args(["--redact", "none"]).exits(0).prints(&[SECRET]);
        }
    }
}

#[test]
fn rules_come_from_flags_environment_or_file() {
    let work = busy();
    work.write(
        "logmill.toml",
        "[[source]]\ndataset = \"cloudtrail\"\nfilter = [\"event_id = 'x'\", \"event_id = 'y'\"]\nredact = \"a.b\"\n",
    );
    let in_force = |call: Call<'_>| -> Vec<String> {
        let lines = call.args(["--format", "json"]).exits(0).stdout;
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let rules =
            lines.filter(|line| ["cloudtrail.filter", "cloudtrail.redact"].contains(&text(&line["name"])));
        rules
            .map(|line| {
                format!("{}: {} ({})", text(&line["name"]), text(&line["value"]), text(&line["from"]))
            })
            .collect()
    };
    let config = || work.logmill(["config"]);
    insta::assert_snapshot!(in_force(config()).join("\n"), @r"
    cloudtrail.filter: event_id = 'x' (logmill.toml)
    cloudtrail.filter: event_id = 'y' (logmill.toml)
    cloudtrail.redact: responseElements.credentials.sessionToken, ?X-Amz-Signature, ?X-Amz-Credential, ?X-Amz-Security-Token, ?Signature, ?AWSAccessKeyId, a.b (default, logmill.toml)
    ");
    let flags = ["--filter", EVEN, "--redact", "none", "--redact", "?colour"];
    insta::assert_snapshot!(in_force(config().args(flags)).join("\n"), @r"
    cloudtrail.filter: event_name = 'Even' (--filter)
    cloudtrail.redact: ?colour (--redact)
    ");
    let environment = config().env("LOGMILL_FILTER", EVEN).env("LOGMILL_REDACT", "?key");
    insta::assert_snapshot!(in_force(environment).join("\n"), @r"
    cloudtrail.filter: event_name = 'Even' (LOGMILL_FILTER)
    cloudtrail.redact: responseElements.credentials.sessionToken, ?X-Amz-Signature, ?X-Amz-Credential, ?X-Amz-Security-Token, ?Signature, ?AWSAccessKeyId, a.b, ?key (default, logmill.toml, LOGMILL_REDACT)
    ");
}

#[test]
fn an_invalid_rule_is_refused_before_anything_is_written() {
    let work = busy();
    let refused = |rule: [&str; 2]| {
        let stderr = work.run(Table::CLOUDTRAIL).args(rule).exits(2).stderr;
        assert!(!work.lake().exists(), "nothing should be written");
        stderr
    };
    insta::assert_snapshot!(refused(["--filter", "event_source = 'a' and colour = 'red'"]), @r"
    logmill: invalid filter rule: the table has no column 'colour' (rule: event_source = 'a' and colour = 'red', character: 24, table: cloudtrail)
      hint: list the columns with 'logmill schema', and write a rule like: event_source = 'kms.amazonaws.com' and read_only = true
    ");
    insta::assert_snapshot!(refused(["--filter", "event_source = kms"]), @r"
    logmill: invalid filter rule: expected a text in single quotes, a number, true or false, found 'kms' (rule: event_source = kms, character: 16, table: cloudtrail)
      hint: list the columns with 'logmill schema', and write a rule like: event_source = 'kms.amazonaws.com' and read_only = true
    ");
    insta::assert_snapshot!(refused(["--filter", "read_only = 'true'"]), @r"
    logmill: invalid filter rule: 'read_only' is true or false (rule: read_only = 'true', character: 1, table: cloudtrail)
      hint: list the columns with 'logmill schema', and write a rule like: event_source = 'kms.amazonaws.com' and read_only = true
    ");
    insta::assert_snapshot!(refused(["--redact", "?X-Amz-Signature=1"]), @r"
    logmill: invalid mask '?X-Amz-Signature=1': a parameter needs a name that is valid in a URL without escapes (table: cloudtrail)
      hint: name a JSON path such as requestParameters.password, or a query parameter such as ?X-Amz-Signature
    ");
    insta::assert_snapshot!(refused(["--redact", "eventTime"]), @r"
    logmill: the event time cannot be masked (table: cloudtrail)
      hint: choose another path: the event time decides the day of a row
    ");
    let file = "[[source]]\ndataset = \"s3-access\"\nfilter = \"event_source = 'x'\"\n";
    work.write("logmill.toml", file);
    let stderr = work.run(Table::ACCESS).exits(2).stderr;
    insta::assert_snapshot!(stderr, @r"
    logmill: invalid filter rule: the table has no column 'event_source' (rule: event_source = 'x', character: 1, table: s3_access)
      hint: list the columns with 'logmill schema', and write a rule like: event_source = 'kms.amazonaws.com' and read_only = true
    ");
}
