//! Settings: every one is the same in flags, environment, config file and documentation; errors about invalid ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use logmill::cli::settings::rows::SETTINGS;
use logmill::cli::settings::setting::{DefaultValue, Place, Setting, Syntax};
use logmill::dataset;
use serde_json::{Value, json};

use crate::harness::{AccessLine, Call, DAY, Table, Workdir, document, event, text};

/// Value and origin of settings, by name.
type InForce = BTreeMap<String, (String, String)>;

/// Value and origin of every setting in effect.
fn in_force(call: Call<'_>) -> InForce {
    let lines = call.args(["--format", "json"]).exits(0).stdout;
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let [name, value, from] = ["name", "value", "from"].map(|key| text(&line[key]).to_owned());
        (name, (value, from))
    };
    lines.lines().map(line).collect()
}

#[test]
fn flags_override_environment_then_file_then_defaults() {
    let work = Workdir::new();
    work.write(
        "logmill.toml",
        "threads = 3\nmemory = \"300MiB\"\nmax_reject_ratio = 0.5\nmax_shrink = 0.1\nallow_empty = true\nmetrics_file = \"a.prom\"\nemf = true\n[lake]\noutput = \"/by-file\"\n",
    );
    let config = work.logmill(["config", "--threads", "7"]);
    let settings = in_force(config.env("LOGMILL_THREADS", "5").env("LOGMILL_MEMORY", "500MiB"));
    for (name, value, from) in [
        ("threads", "7", "--threads"),
        ("memory", "500MiB", "LOGMILL_MEMORY"),
        ("max_reject_ratio", "0.5", "logmill.toml"),
        ("max_shrink", "0.1", "logmill.toml"),
        ("allow_empty", "true", "logmill.toml"),
        ("metrics_file", "a.prom", "logmill.toml"),
        ("emf", "true", "logmill.toml"),
        ("output", "/by-file", "logmill.toml"),
        ("max_object_size", "4 GiB", "default"),
        ("max_quarantine", "256 MiB", "default"),
        ("cloudtrail.lateness", "6h", "default"),
        ("s3_access.lateness", "24h", "default"),
    ] {
        assert_eq!(settings[name], (value.to_owned(), from.to_owned()), "{name}");
    }
    work.logmill(["config"]).exits(0).prints(&["setting", "threads", "logmill.toml"]);
}

/// The layers that can give a setting.
#[derive(Debug, Clone, Copy)]
enum Layer {
    Flag,
    Variable,
    Key,
}

/// Asks `logmill config` for a setting that one layer gives as its example; `None` if the setting has no such layer.
fn given_by(layer: Layer, setting: &Setting) -> Option<(InForce, String)> {
    let work = Workdir::new();
    let (mut args, example) = (vec!["config".to_owned()], setting.example);
    if setting.place == Place::Catalog && setting.name != "database" {
        args.push("--database=logs".to_owned());
    }
    if setting.place == Place::Source && setting.name != "dataset" {
        args.push("--dataset=s3-access".to_owned());
    }
    let mut variable = None;
    let origin = match layer {
        Layer::Flag => {
            let flag = setting.flag()?;
            args.push(format!("{flag}={example}"));
            flag
        }
        Layer::Variable => {
            let name = setting.variable()?;
            variable = Some(name.clone());
            name
        }
        Layer::Key => {
            let (key, section) = (setting.key()?, setting.place.section());
            let header = match setting.place {
                Place::Source if key == "dataset" => "[[source]]\n".to_owned(),
                Place::Source => "[[source]]\ndataset = \"s3-access\"\n".to_owned(),
                _ if section.is_empty() => String::new(),
                _ => format!("[{section}]\n"),
            };
            work.write("logmill.toml", format!("{header}{key} = {example:?}\n"));
            "logmill.toml".to_owned()
        }
    };
    let mut call = work.logmill(&args);
    if let Some(name) = variable {
        call = call.env(&name, example);
    }
    Some((in_force(call), origin))
}

#[test]
fn every_setting_has_one_name_in_flags_environment_and_config_file() {
    // `config` is the path of the file, and `promote` has only a key.
    let settings = SETTINGS.iter().filter(|setting| !["config", "promote"].contains(&setting.name));
    let mut checked = 0;
    for setting in settings {
        for layer in [Layer::Flag, Layer::Variable, Layer::Key] {
            let Some((settings, origin)) = given_by(layer, setting) else { continue };
            let name = match (setting.name, layer) {
                ("dataset", Layer::Flag | Layer::Variable) => "dataset".to_owned(),
                // The example is the name of the table.
                ("table", _) => format!("{}.dataset", setting.example),
                (name, _) if setting.place == Place::Source => format!("s3_access.{name}"),
                (name, _) => name.to_owned(),
            };
            let (value, from) = settings.get(&name).unwrap_or_else(|| panic!("{name} by {layer:?}"));
            match setting.name {
                "table" => {}
                // Its rules add to the default ones.
                "redact" => {
                    assert!(
                        value.ends_with(setting.example) && from.ends_with(&origin),
                        "{layer:?}: {value}"
                    );
                }
                _ => assert_eq!((value.as_str(), from), (setting.example, &origin), "{name} by {layer:?}"),
            }
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked} checks");
}

#[test]
fn the_config_file_can_be_given_by_flag_and_variable() {
    let work = Workdir::new();
    work.write("a.toml", "threads = 3\n");
    let threads = |call: Call<'_>| in_force(call)["threads"].clone();
    assert_eq!(
        threads(work.logmill(["config", "--config", "a.toml"])),
        ("3".to_owned(), "a.toml".to_owned())
    );
    let by_variable = work.logmill(["config"]).env("LOGMILL_CONFIG", "a.toml");
    assert_eq!(threads(by_variable), ("3".to_owned(), "a.toml".to_owned()));
}

#[test]
fn the_defaults_in_the_table_are_those_in_effect() {
    let settings = in_force(Workdir::new().logmill(["config", "--database", "logs"]));
    let mut checked = 0;
    for setting in SETTINGS {
        let names: Vec<String> = match setting.place {
            Place::Source if setting.name != "dataset" => {
                ["cloudtrail", "s3_access"].map(|table| format!("{table}.{}", setting.name)).to_vec()
            }
            _ => vec![setting.name.to_owned()],
        };
        for name in names {
            let found = settings.get(&name).map(|(value, from)| (value.as_str(), from.as_str()));
            match setting.default {
                DefaultValue::Text(text) => assert_eq!(found, Some((text, "default")), "{name}"),
                DefaultValue::Nothing if name == "database" => {
                    assert_eq!(found, Some(("logs", "--database")));
                }
                DefaultValue::Nothing => assert!(matches!(found, None | Some(("", "default"))), "{name}"),
                DefaultValue::Depends(_) => continue,
            }
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked} defaults");
    assert_eq!(settings["cloudtrail.lateness"].0, "6h");
    assert_eq!(settings["s3_access.lateness"].0, "24h");
    assert_eq!((settings["catalog"].0.as_str(), settings["grace"].0.as_str()), ("glue", "1h"));
    let projected =
        in_force(Workdir::new().logmill(["config", "--database", "logs", "--projection", "2024-01-01"]));
    assert_eq!(projected["grace"].0, "0s");
}

/// Arguments that are not settings: they select the input or the output of one call.
const ARGUMENTS: [&str; 44] = [
    "a",
    "account",
    "b",
    "bucket",
    "check",
    "csv_safe",
    "day",
    "deep",
    "dry_run",
    "event-id",
    "file",
    "fix",
    "format",
    "from",
    "help",
    "lang",
    "last",
    "limit",
    "lookback",
    "max_rows",
    "of",
    "older_than",
    "only",
    "open",
    "order",
    "permissions",
    "plan",
    "principal",
    "probe",
    "published_before",
    "quiet",
    "remove_staging",
    "request-id",
    "shard",
    "shards",
    "shell",
    "sql",
    "staging",
    "steal",
    "summary_json",
    "to",
    "to_file",
    "verbose",
    "verify",
];

/// Flags with the name of a setting and another meaning: a table of the lake, and options of `inspect` for its one file.
const OTHER_FLAGS: [(&str, &str); 7] = [
    ("certify", "table"),
    ("diff", "table"),
    ("register", "table"),
    ("verify", "table"),
    ("clean", "table"),
    ("inspect", "dataset"),
    ("inspect", "redact"),
];

#[test]
fn every_flag_is_an_argument_or_a_setting_with_its_help() {
    let mut command = logmill::cli::command();
    command.build();
    let (mut seen, mut met) = (Vec::new(), BTreeSet::new());
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        for arg in sub.get_arguments() {
            let (of, id) = (sub.get_name(), arg.get_id().as_str());
            if OTHER_FLAGS.contains(&(of, id)) {
                met.insert(format!("{of} {id}"));
                continue;
            }
            if ARGUMENTS.contains(&id) {
                met.insert(id.to_owned());
                continue;
            }
            let setting = SETTINGS.iter().find(|setting| setting.name == id);
            let setting = setting.unwrap_or_else(|| panic!("'{id}' of 'logmill {of}' is in no list"));
            let flag = arg.get_long().map(|long| format!("--{long}"));
            assert!([setting.flag(), setting.flag_of_reader()].contains(&flag), "{of}: {flag:?}");
            let texts = [arg.get_help(), arg.get_long_help()].map(|text| text.unwrap().to_string());
            for text in texts {
                let default =
                    setting.default_text().map(|text| format!("default: {text}")).unwrap_or_default();
                let variable = format!("env: {}", setting.variable().unwrap());
                for part in [setting.help(), default, variable] {
                    assert!(text.contains(&part), "the help of {id} in {of} lacks '{part}': {text}");
                }
            }
            seen.push(id.to_owned());
        }
    }
    let other_flags = OTHER_FLAGS.iter().map(|(command, flag)| format!("{command} {flag}"));
    let listed: BTreeSet<String> = ARGUMENTS.into_iter().map(str::to_owned).chain(other_flags).collect();
    assert_eq!(met, listed, "a list names a flag that no command has");
    for setting in SETTINGS {
        let has_flag = !matches!(setting.syntax, Syntax::NoFlag | Syntax::Tables);
        assert_eq!(seen.iter().any(|id| id == setting.name), has_flag, "{}", setting.name);
        assert!(setting.help().chars().count() < 80, "the help of {} is longer than a line", setting.name);
    }
}

#[test]
fn the_documentation_has_a_row_for_every_setting() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/settings.md")).unwrap();
    for setting in SETTINGS {
        let name = setting.key().or(Some("").filter(|_| setting.place == Place::Nowhere)).unwrap();
        let code = |cell: Option<String>| match cell.as_deref() {
            None | Some("") => "–".to_owned(),
            Some(text) => format!("`{text}`"),
        };
        let other = setting.flag_of_reader().filter(|other| Some(other) != setting.flag().as_ref());
        let other = other.map(|other| format!(", `{other}`")).unwrap_or_default();
        let cells = [code(Some(name.to_owned())), code(setting.flag()) + &other, code(setting.variable())];
        let row = format!(
            "| {} | {} | {}",
            cells.join(" | "),
            setting.default_text().unwrap_or("–".to_owned()),
            setting.help()
        );
        assert!(page.contains(&row), "docs/settings.md lacks the row: {row}");
    }
}

#[test]
fn an_unknown_variable_is_an_error_of_every_command() {
    let work = Workdir::new();
    for args in [
        &["config"][..],
        &["schema"],
        &["schema", "--log-format", "json"],
        &["run", "--day", DAY, "--input", "raw", "--output", "lake"],
        &["verify", "--day", DAY, "--output", "lake"],
        &["completions", "bash"],
    ] {
        let call = work.logmill(args).env("LOGMILL_MEMROY", "1GiB");
        call.exits(2)
            .says(&["unknown environment variable 'LOGMILL_MEMROY'", "did you mean LOGMILL_MEMORY?"]);
    }
    work.logmill(["config"]).env("LOGMILL_UNHEARD_OF", "").exits(2).says(&["LOGMILL_UNHEARD_OF", "hint:"]);
    for args in [&["--version"][..], &["--help"], &["run", "--help"]] {
        work.logmill(args).env("LOGMILL_MEMROY", "1GiB").exits(0);
    }
}

#[test]
fn a_flag_can_turn_off_a_setting_of_the_config_file() {
    let work = Workdir::new();
    let file = "emf = true\n[catalog]\ndatabase = \"d\"\ncreate_database = true\ncolumn_statistics = true\n[[source]]\ndataset = \"cloudtrail\"\ninput = \"raw\"\nignore_key_times = true\nrequester_pays = true\n";
    work.write("logmill.toml", file);
    for setting in [
        "cloudtrail.ignore_key_times",
        "cloudtrail.requester_pays",
        "emf",
        "create_database",
        "column_statistics",
    ] {
        let flag = format!("--{}", setting.trim_start_matches("cloudtrail.").replace('_', "-"));
        for (given, value) in
            [(flag.clone(), "true"), (format!("{flag}=true"), "true"), (format!("{flag}=false"), "false")]
        {
            let settings = in_force(work.logmill(["config", &given]));
            assert_eq!(settings[setting], (value.to_owned(), flag.clone()), "{given}");
        }
        let settings = in_force(work.logmill(["config"]));
        assert_eq!(settings[setting], ("true".to_owned(), "logmill.toml".to_owned()));
    }
}

#[test]
fn a_config_file_can_hold_every_setting_of_a_run() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("id", json!({"requestParameters": {"roleArn": "arn:role"}}))]));
    work.write("more/access.log", format!("{}\n", AccessLine::of("ID")));
    let file = r#"
        memory = "256MiB"
        threads = 2
        [lake]
        output = "lake"
        wait = "1m"
        [[source]]
        dataset = "cloudtrail"
        input = ["raw"]
        table = "trail"
        promote = [{ column = "role_arn", path = "requestParameters.roleArn" }]
        [[source]]
        dataset = "s3-access"
        input = "more"
    "#;
    work.write("etc/logmill.toml", file);
    let run = || work.logmill(["run", "--day", DAY, "--config", "etc/logmill.toml", "--output", "lake"]);
    let finished = run().finishes(0);
    let day = finished.day(Table { dataset: "cloudtrail", name: "trail" });
    assert_eq!(day.row("event_id", "id")["role_arn"], "arn:role");
    assert_eq!(finished.day(Table::ACCESS).values("request_id"), ["ID"]);
    // One of the sources alone.
    let one = run().args(["--table", "trail"]).finishes(0);
    assert_eq!(one.summary["tables"].as_array().unwrap().len(), 1);
}

#[test]
fn a_promoted_column_has_the_given_name() {
    for naming in ["snake", "compact"] {
        let work = Workdir::new();
        work.cloudtrail("a", document([event("id", json!({}))]));
        let promote = r#"[{ column = "my_bucket", path = "requestParameters.bucketName" }]"#;
        work.write("logmill.toml", format!("[[source]]\ndataset = \"cloudtrail\"\npromote = {promote}\n"));
        let day = work.run(Table::CLOUDTRAIL).args(["--naming", naming]).publishes(Table::CLOUDTRAIL);
        assert_eq!(day.rows()[0].get("my_bucket"), Some(&json!("results")), "with {naming} names");
        let mut columns = day.columns();
        columns.sort();
        assert!(
            columns.windows(2).all(|pair| pair[0] != pair[1]),
            "no two columns share a name: {columns:?}"
        );
    }
}

#[test]
fn an_unknown_key_in_the_config_file_is_refused_with_a_hint() {
    for (file, message) in [
        ("memry = \"1GiB\"", &["unknown key 'memry'", "line: 1", "did you mean 'memory'?"][..]),
        ("[catalgo]", &["unknown key 'catalgo'", "did you mean 'catalog'?"]),
        (
            "[lake]\noutput = \"x\"\nbucket = \"y\"",
            &["unknown key 'bucket' in the section 'lake'", "line: 3"],
        ),
        ("output = \"x\"", &["unknown key 'output'", "it belongs in [lake]"]),
        ("[lake]\nmemory = \"1GiB\"", &["unknown key 'memory'", "it belongs above all sections"]),
        ("[lake]\nlake_bucket_owner = \"1\"", &["unknown key 'lake_bucket_owner'"]),
        (
            "[[source]]\ndataset = \"cloudtrail\"\nlatness = \"6h\"",
            &["unknown key 'latness' in the section 'source'", "did you mean 'lateness'?"],
        ),
        (
            "[[source]]\ndataset = \"cloudtrail\"\npromote = [{ column = \"a\", path = \"b\", kind = \"text\" }]",
            &["kind", "line 3"],
        ),
    ] {
        let work = Workdir::new();
        work.write("logmill.toml", file);
        let outcome = work.logmill(["config"]).exits(2);
        outcome.says(message);
        outcome.says(&["logmill.toml", "hint:"]);
    }
}

#[test]
fn an_invalid_config_file_is_refused() {
    for (file, message) in [
        ("memory = ", "logmill.toml"),
        ("[[source]]\ndataset = \"elb\"", "unknown log type 'elb'"),
        ("[[source]]\ntable = \"x\"", "a source with 'table' has no 'dataset'"),
        ("[[source]]\ndataset = \"all\"", "unknown log type 'all'"),
        ("[source]\ndataset = \"cloudtrail\"", "write [[source]]"),
        ("lake = \"/lake\"", "write [lake] on a line of its own"),
        ("memory = [\"1GiB\"]", "expected a text, a number, true or false"),
        ("memory = \"much\"", "invalid value 'much' for memory"),
        ("[[source]]\ndataset = \"cloudtrail\"\ntable = \"My Table\"", "invalid table name 'My Table'"),
        ("[[source]]\ndataset = \"cloudtrail\"\n[[source]]\ndataset = \"cloudtrail\"", "same table"),
        (
            "[[source]]\ndataset = \"cloudtrail\"\npromote = [{ column = \"event_id\", path = \"a\" }]",
            "event_id",
        ),
        (
            "[[source]]\ndataset = \"s3-access\"\npromote = [{ column = \"a\", path = \"a\" }]",
            "holds no JSON",
        ),
    ] {
        let work = Workdir::new();
        work.write("logmill.toml", file);
        work.logmill(["config"]).exits(2).says(&[message]);
    }
    Workdir::new().logmill(["config", "--config", "missing.toml"]).exits(2).says(&["missing.toml"]);
}

#[test]
fn an_invalid_value_is_refused_with_the_expected_form() {
    let known = format!("{} or all", dataset::names());
    for (args, message) in [
        (&["--threads", "0"], &["'0'", "1 to 1024", "--threads"][..]),
        (&["--threads", "many"], &["invalid value 'many' for --threads: expected a number"]),
        (&["--memory", "1KiB"], &["'1KiB'", "--memory", "64MiB"]),
        (&["--memory", "plenty"], &["'plenty'", "256MiB"]),
        (&["--max-reject-ratio", "2"], &["'2'", "--max-reject-ratio", "1% or 0.01"]),
        (&["--max-reject-ratio", "-1"], &["-1"]),
        (&["--max-reject-ratio", "NaN"], &["'NaN'", "--max-reject-ratio"]),
        (&["--max-shrink", "101%"], &["'101%'", "--max-shrink", "1% or 0.01"]),
        (&["--lateness", "long"], &["'long'", "--lateness", "6h or 90m"]),
        (&["--lateness", "9000d"], &["'9000d'", "a year"]),
        (&["--naming", "camel"], &["'camel'", "snake or compact"]),
        (&["--dataset", "elb"], &["invalid value 'elb' for --dataset: expected", &known]),
        (&["--table", "both"], &["--table", "hint:", "--dataset"]),
        (&["--log-format", "xml"], &["'xml'", "text or json"]),
        (&["--output", "lake/x"], &["no input is given", "hint:", "--input"]),
    ] {
        let work = Workdir::new();
        work.logmill(["run", "--day", DAY]).args(args).exits(2).says(message);
        assert_eq!(work.files("").len(), 0, "nothing should be written");
    }
    let work = Workdir::new();
    let call = work.logmill(["config"]).env("LOGMILL_THREADS", "0");
    call.exits(2).says(&["'0'", "LOGMILL_THREADS"]);
    work.logmill(["run", "--day", DAY, "--input", "raw"]).exits(2).says(&["no output is given", "--output"]);
}

#[test]
fn a_day_that_does_not_exist_is_refused() {
    let work = Workdir::new();
    for day in [
        "2023-02-30",
        "20230230",
        "2023-13-01",
        "2023-1-1",
        "23-11-01",
        "tomorrow",
        "",
        "2023-11-01T00:00:00Z",
    ] {
        for command in ["run", "plan", "verify"] {
            let mut call = work.logmill([command, "--day", day]);
            if command != "verify" {
                call = call.args(["--input", "raw"]);
            }
            if command != "plan" {
                call = call.args(["--output", "lake"]);
            }
            call.exits(2).says(&[&format!("'{day}' is not a day"), "hint:"]);
        }
    }
    for day in ["2023-11-01", "20231101"] {
        let plan = work.logmill(["plan", "--day", day, "--input", "raw", "--dataset", "cloudtrail"]).exits(0);
        plan.prints(&["KST day 2023-11-01"]);
    }
}

#[test]
fn a_variable_and_a_flag_can_name_a_catalog_together() {
    let work = Workdir::new();
    let call = work.logmill(["config", "--database", "logs"]).env("LOGMILL_CATALOG", "glue");
    assert_eq!(in_force(call)["database"], ("logs".to_owned(), "--database".to_owned()));
}

/// A run builds the other tables and fails for the refused ones, so the settings of all of them count.
#[test]
fn the_settings_of_a_day_include_tables_that_a_run_would_refuse() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("a", json!({}))]));
    let named = "[[source]]\ndataset = \"cloudtrail\"\ninput = \"raw\"\n\n";
    let config = |sources: &str| {
        work.write(
            "logmill.toml",
            format!("{sources}[[source]]\ninput = \"nowhere\"\n\n[lake]\noutput = \"lake\"\n"),
        );
        work.logmill(["config", "--day", DAY])
    };
    let shown = config(named).exits(0);
    shown.prints(&["cloudtrail.input", "s3_access.input"]);
    shown.says(&["a run of these days would refuse the table", "table=s3_access", "nowhere"]);
    config("").exits(4).says(&["nowhere"]);
}
