//! The toy log type in every command.

use logmill::dataset::{self, Dataset};
use serde_json::{Value, json};

use crate::gate::Gate;
use crate::lot::{DAY, Lot};

static SECOND_LIST: [&dyn Dataset; 1] = [&Gate];

pub(crate) fn registered_once() {
    let error = dataset::register(&SECOND_LIST).unwrap_err();
    assert!(error.to_string().contains("registered twice"), "{error}");
    assert_eq!(
        dataset::names(),
        "cloudtrail, s3-access, alb-access, alb-connection, nlb-access, clb-access, cloudfront, vpc-flow, waf, resolver-query, gate"
    );
}

pub(crate) fn is_listed() {
    let lot = Lot::new();
    lot.logmill("why --help").exits(0).prints(&["--event-id", "--pass-id", "(log types: gate)"]);
    lot.logmill("run --help").exits(0).prints(&["gate"]);
    lot.logmill("completions bash").exits(0).prints(&["--pass-id"]);
    let refused = lot.logmill(&format!("run --day {DAY} --dataset gte --input raw --output lake")).exits(2);
    assert!(refused.stderr.contains("gate"), "{}", refused.stderr);
    let refused = lot.logmill("inspect raw/gate_20231101T0300Z_0001.log --dataset gte").exits(2);
    assert!(
        refused
            .stderr
            .contains("cloudtrail, s3-access, alb-access, alb-connection, nlb-access, clb-access, cloudfront, vpc-flow, waf, resolver-query, gate"),
        "{}",
        refused.stderr
    );
}

pub(crate) fn is_planned() {
    let lot = Lot::new();
    let plan = lot.logmill(&format!("plan --day {DAY} --dataset gate --input raw --format json")).exits(0);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    let objects = plan["tables"][0]["objects"].as_array().unwrap();
    let keys: Vec<&str> = objects.iter().map(|object| object["key"].as_str().unwrap()).collect();
    let hours = ["20231031T1500Z", "20231101T0300Z", "20231101T1400Z"];
    assert_eq!(keys, hours.map(|hour| format!("gate_{hour}_0001.log")));
    assert_eq!(objects[0]["why"], "its events overlap the day");
    let left = plan["tables"][0]["left"].as_array().unwrap();
    assert_eq!(left.len(), 2, "{left:?}");
}

pub(crate) fn is_discovered() {
    let lot = Lot::new();
    lot.write(
        "raw/jongno/gates/2023/11/02/gate_20231102T0300Z_0001.log",
        "2023-11-02T03:00:00Z p-6 north 1 \"\"\n",
    );
    let found = &lot.logmill("discover --input raw --format json").exits(0).json()[0];
    let logs = &found["log_types"][0];
    assert_eq!((&logs["dataset"], &logs["objects"]), (&json!("gate"), &json!(6)));
    assert_eq!((&logs["first_day"], &logs["last_day"]), (&json!("2023-10-31"), &json!("2023-11-02")));
    assert_eq!(logs["regions"], json!({"names": ["jongno"], "complete": true}));
    lot.logmill("init --input raw --output lake").exits(0).prints(&["created logmill.toml"]);
    lot.logmill("config").exits(0).prints(&["gate.dataset", "gate.input"]);
}

pub(crate) fn is_sharded() {
    let lot = Lot::published();
    lot.logmill(&format!("plan --day {DAY} --dataset gate --input raw --shards 2 --plan plan.json")).exits(0);
    for shard in 0..2 {
        lot.logmill(&format!("convert --plan plan.json --shard {shard} --staging staging")).exits(0);
    }
    lot.logmill("publish --plan plan.json --staging staging --output sharded --max-reject-ratio 50%")
        .exits(0);
    let [one, sharded] = ["lake", "sharded"].map(|lake| lot.manifest(lake));
    let digests = |manifest: &Value| -> Vec<Value> {
        manifest["parts"].as_array().unwrap().iter().map(|part| part["sha256"].clone()).collect()
    };
    assert_eq!(digests(&one), digests(&sharded));
    assert_eq!(one["ledger"], sharded["ledger"]);
    let counts = ["read", "written", "other_day", "duplicate", "quarantined"];
    assert_eq!(counts.map(|count| one["ledger"][count].as_u64().unwrap()), [7, 4, 1, 1, 1]);
}

pub(crate) fn is_built_if_found() {
    let lot = Lot::new();
    let run =
        lot.logmill(&format!("run --day {DAY} --input raw --output lake --max-reject-ratio 50%")).exits(0);
    assert!(run.stderr.contains("not built: the inputs hold no cloudtrail, s3-access, "), "{}", run.stderr);
    assert!(!lot.path("lake/cloudtrail").exists());
    assert_eq!(lot.manifest("lake")["dataset"], "gate");
}

#[cfg(feature = "query")]
pub(crate) fn is_queried() {
    let lot = Lot::published();
    let sql =
        "SELECT gate, sum(seconds) AS seconds, count(*) AS passes FROM gate GROUP BY gate ORDER BY gate";
    let rows = lot.logmill_with("query --output lake --format json", &[sql]).exits(0).json();
    assert_eq!(
        rows,
        [
            json!({"gate": "north", "seconds": 2.5, "passes": 2}),
            json!({"gate": "south", "seconds": 10.25, "passes": 2})
        ]
    );
    lot.logmill_with("query --output lake", &["SHOW TABLES"]).exits(0).prints(&["gate"]);
}

#[cfg(not(feature = "query"))]
pub(crate) fn is_queried() {}

pub(crate) fn has_a_schema() {
    let lot = Lot::new();
    lot.logmill("schema --dataset gate").exits(0).prints(&["gate (8 columns)", "seconds", "double"]);
    lot.logmill("schema --dataset gate --format ddl").exits(0).prints(&["`seconds` double COMMENT"]);
    lot.logmill("schema --dataset gate --format cloudformation")
        .exits(0)
        .prints(&["GateTable", "\"double\""]);
    let lines = lot.logmill("schema --dataset gate --format json").exits(0).json();
    assert_eq!(lines.len(), 8);
    assert_eq!((&lines[4]["column"], &lines[4]["type"]), (&json!("seconds"), &json!("double")));
}

pub(crate) fn is_inspected() {
    let lot = Lot::new();
    lot.write("passes.txt", "2023-11-01T03:00:00Z p-2 north 2.5 \"x\"\nno pass\n");
    let by_name = lot.logmill("inspect raw/gate_20231101T0300Z_0001.log --format json").exits(0).json();
    assert_eq!(by_name[0]["row"]["seconds"], 2.5);
    let by_content = lot.logmill("inspect passes.txt --format json").exits(0).json();
    assert_eq!(by_content[1]["reject"]["reason"], "bad_pass");
}

pub(crate) fn is_verified() {
    let lot = Lot::published();
    lot.logmill(&format!("verify --day {DAY} --table gate --output lake")).exits(0);
    let status =
        format!("status --from {DAY} --to {DAY} --dataset gate --input raw --output lake --format json");
    let state = || lot.logmill(&status).json()[0]["state"].clone();
    assert_eq!(state(), "published");
    lot.object("20231101T0500Z", &["2023-11-01T05:00:00Z p-9 north 1 \"late\""]);
    assert_eq!(state(), "stale");
}

pub(crate) fn is_found() {
    let lot = Lot::published();
    let found = lot.logmill(&format!("why --day {DAY} --pass-id p-2 --output lake --format json")).exits(0);
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!((&found["identifier"], &found["in_lake"]), (&json!("pass_id"), &json!(true)));
    assert_eq!(found["tables"][0]["found"][0]["gate"], "north");
    lot.logmill(&format!("why --day {DAY} --pass-id p-2 --output lake"))
        .exits(0)
        .prints(&["pass id p-2", "north"]);
    let deep = format!("why --day {DAY} --pass-id p-5 --dataset gate --input raw --output lake");
    lot.logmill(&deep).prints(&["another day"]);
}

#[cfg(feature = "query")]
pub(crate) fn is_reported() {
    let lot = Lot::published();
    lot.logmill(&format!("report --day {DAY} --output lake --to-file -")).exits(0).prints(&["gate"]);
}

#[cfg(not(feature = "query"))]
pub(crate) fn is_reported() {}

pub(crate) fn is_configured() {
    let lot = Lot::new();
    lot.write("logmill.toml", "[[source]]\ndataset = \"gate\"\ninput = \"raw\"\ntable = \"car_park\"\n");
    lot.logmill("config").exits(0).prints(&["car_park.dataset", "gate", "?plate", "2h"]);
    let refused = "[[source]]\ndataset = \"gate\"\npromote = [{ column = \"x\", path = \"a.b\" }]\n";
    lot.write("logmill.toml", refused);
    let refused = lot.logmill("config").exits(2);
    assert!(refused.stderr.contains("no JSON"), "{}", refused.stderr);
}

pub(crate) fn has_rules() {
    let lot = Lot::new();
    let run =
        format!("run --day {DAY} --dataset gate --input raw --output lake --max-reject-ratio 50% --filter");
    lot.logmill_with(&run, &["seconds >= 2.75"]).exits(0);
    let manifest = lot.manifest("lake");
    assert_eq!((&manifest["ledger"]["filtered"], &manifest["redact"]), (&json!(1), &json!(["?plate"])));
    let shown = lot.logmill("inspect raw/gate_20231101T0300Z_0001.log --format json").exits(0).json();
    assert_eq!(shown[0]["row"]["note"], "see https://x/?plate=REDACTED");
}

pub(crate) fn is_compared() {
    let lot = Lot::published();
    lot.object("20231101T0500Z", &["2023-11-01T05:00:00Z p-9 north 1.5 \"late\""]);
    lot.run("lake");
    lot.logmill(&format!("diff --day {DAY} --table gate --output lake")).exits(0).prints(&["20231101T0500Z"]);
}

pub(crate) fn survives_a_defect() {
    let lot = Lot::published();
    let before = lot.manifest("lake");
    let rerun = format!("run --day {DAY} --dataset gate --input raw --output lake --max-reject-ratio 50%");
    let failed = lot.with_defect(&rerun).exits(1);
    assert!(failed.stderr.contains("a line of "), "the panic says where: {}", failed.stderr);
    assert!(failed.stdout.is_empty(), "no summary of a run that has not ended: {}", failed.stdout);
    assert_eq!(lot.manifest("lake"), before);
    lot.logmill(&format!("verify --day {DAY} --lake lake")).exits(0);
    lot.run("lake");
    assert_ne!(lot.manifest("lake"), before, "the next run takes the day's lock and publishes it");
}
