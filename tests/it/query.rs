//! `logmill query`: which files are read, which statements are refused, and output formats.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::{AccessLine, Call, DAY, Table, Workdir, document, event, key_of_cloudtrail};

const TABLE: Table = Table::CLOUDTRAIL;

fn query<'w>(work: &'w Workdir, sql: &str) -> Call<'w> {
    work.logmill(["query", "--output", "lake", sql])
}

/// The rows of a statement.
fn rows(work: &Workdir, sql: &str) -> Vec<Value> {
    rows_of(query(work, sql))
}

fn rows_of(call: Call<'_>) -> Vec<Value> {
    let outcome = call.args(["--format", "json"]).exits(0);
    outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The only cell of the result of a statement.
fn cell(work: &Workdir, sql: &str) -> Value {
    let [row] = <[Value; 1]>::try_from(rows(work, sql)).unwrap();
    let [cell] =
        <[Value; 1]>::try_from(row.as_object().unwrap().values().cloned().collect::<Vec<_>>()).unwrap();
    cell
}

/// A lake with two events of the day and one of the day before.
fn two_days() -> Workdir {
    let work = Workdir::new();
    let before = json!({"eventTime": "2023-10-31T14:59:59Z", "eventName": "PutObject"});
    work.cloudtrail("a", document([event("a", json!({})), event("b", json!({"eventName": "HeadObject"}))]));
    work.write(&key_of_cloudtrail("b", "20231031T1500Z"), document([event("c", before)]));
    work.run(TABLE).publishes(TABLE);
    work.run_of("2023-10-31").exits(0);
    work
}

impl Workdir {
    fn run_of(&self, day: &str) -> Call<'_> {
        self.logmill(["run", "--day", day, "--input", "raw", "--output", "lake", "--dataset", TABLE.dataset])
    }
}

#[test]
fn conditions_on_day_and_time_select_the_files() {
    let work = two_days();
    for (condition, files, events) in [
        ("true", 2, "c,a,b"),
        ("proc_ymd = '20231101'", 1, "a,b"),
        ("proc_ymd < '20231101'", 1, "c"),
        ("proc_ymd LIKE '202310%' OR proc_ymd = '20231201'", 1, "c"),
        ("proc_ymd IN ('20231102', '20231103')", 0, ""),
        ("event_time >= timestamp '2023-10-31 15:00:00'", 1, "a,b"),
        ("event_time_kst < timestamp '2023-11-01 00:00:00'", 1, "c"),
        ("event_time BETWEEN timestamp '2023-11-01 15:00:00' AND timestamp '2023-12-01 00:00:00'", 0, ""),
        ("event_time > now() - interval '24' hour", 0, ""),
        ("date_trunc('hour', event_time) = timestamp '2023-11-01 03:00:00'", 2, "a,b"),
    ] {
        let sql = format!("SELECT event_id FROM cloudtrail WHERE {condition} ORDER BY event_time, event_id");
        let outcome = query(&work, &sql).args(["--format", "json"]).exits(0);
        let found: Vec<Value> = outcome
            .stdout
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["event_id"].clone())
            .collect();
        let expected: Vec<&str> = events.split(',').filter(|id| !id.is_empty()).collect();
        assert_eq!(json!(found), json!(expected), "{condition}");
        let files = format!("of {files} file");
        assert!(outcome.stderr.contains(&files), "{condition}: {}", outcome.stderr);
    }
}

#[test]
fn day_options_limit_the_days_that_are_read() {
    let work = two_days();
    let sql = "SELECT count(*) AS events FROM cloudtrail";
    for (args, events) in [
        (&["--day", "2023-11-01"][..], 2),
        (&["--day", "20231031"], 1),
        (&["--from", "2023-10-31", "--to", "2023-11-01"], 3),
        (&["--from", "2023-11-02", "--to", "2023-11-03"], 0),
        (&[], 3),
    ] {
        let outcome = query(&work, sql).args(args).args(["--format", "csv"]).exits(0);
        assert_eq!(outcome.stdout, format!("events\n{events}\n"), "{args:?}");
        // The manifests hold the number of rows.
        outcome.says(&["scanned 0 B of 0 files"]);
    }
    query(&work, sql).args(["--from", "2023-11-02", "--to", "2023-11-03"]).exits(0).says(&[
        "the table has no published day",
        "table=cloudtrail",
        "2023-11-02",
    ]);
    let found = query(&work, sql).args(["--day", "2023-11-01"]).exits(0);
    assert!(!found.stderr.contains("no published day"), "{}", found.stderr);
    query(&work, sql).args(["--day", "2023-11-01", "--last", "7d"]).exits(2);
    query(&work, sql).args(["--day", "soon"]).exits(2).says(&["'soon' is not a day"]);
}

#[test]
fn a_day_in_another_format_is_a_warning() {
    let work = two_days();
    let warning = "no day matches the condition on proc_ymd";
    for condition in ["= '2023-11-01'", "IN ('2023/11/01', '1 Nov 2023')", "= '20231332'", "LIKE '2023-11%'"]
    {
        let outcome =
            query(&work, &format!("SELECT count(*) FROM cloudtrail WHERE proc_ymd {condition}")).exits(0);
        outcome.says(&[warning, "table=cloudtrail", "write days as '20231101'"]);
    }
    for condition in ["= '20231101'", "= '20231105'", ">= '2023'", "<> '20231101'"] {
        let outcome =
            query(&work, &format!("SELECT count(*) FROM cloudtrail WHERE proc_ymd {condition}")).exits(0);
        assert!(!outcome.stderr.contains(warning), "{condition}: {}", outcome.stderr);
    }
}

#[test]
fn a_statement_that_names_unpublished_days_is_a_warning() {
    let work = two_days();
    let warning = "the statement names days that are not published";
    let (of_table, in_month) = (
        |sql: &str| format!("SELECT count(*) FROM cloudtrail WHERE {sql}"),
        "BETWEEN '20231101' AND '20231130'",
    );
    for (sql, facts) in [
        (of_table("proc_ymd = '20231105'"), "unpublished=1 named=1 first=2023-11-05"),
        (of_table("'20231105' = \"proc_ymd\""), "unpublished=1 named=1 first=2023-11-05"),
        (of_table("proc_ymd IN ('20231101', '20231105')"), "unpublished=1 named=2 first=2023-11-05"),
        (
            of_table("proc_ymd = '20231101' OR proc_ymd = '20231105'"),
            "unpublished=1 named=2 first=2023-11-05",
        ),
        (of_table(&format!("proc_ymd {in_month}")), "unpublished=29 named=30 first=2023-11-02"),
        (
            of_table("proc_ymd >= '20231031' AND '20231102' >= proc_ymd"),
            "unpublished=1 named=3 first=2023-11-02",
        ),
        (of_table("proc_ymd LIKE '202312%'"), "unpublished=31 named=31 first=2023-12-01"),
        (of_table("proc_ymd = '20231105' AND event_name = 'x'"), "unpublished=1 named=1 first=2023-11-05"),
        (
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM cloudtrail WHERE proc_ymd = '20231105')".to_owned(),
            "unpublished=1 named=1 first=2023-11-05",
        ),
        (
            "WITH t AS (SELECT * FROM cloudtrail) SELECT count(*) FROM t x WHERE x.proc_ymd = '20231105'"
                .to_owned(),
            "unpublished=1 named=1 first=2023-11-05",
        ),
        (
            "SELECT count(*) FROM root_usage WHERE proc_ymd = '20231105'".to_owned(),
            "unpublished=1 named=1 first=2023-11-05",
        ),
    ] {
        let outcome = query(&work, &sql).exits(0);
        assert_eq!(outcome.stderr.matches(warning).count(), 1, "{sql}: {}", outcome.stderr);
        outcome.says(&[warning, "table=cloudtrail", facts]);
    }
    for sql in [
        "proc_ymd = '20231101'",
        "proc_ymd IN ('20231101', '20231031')",
        "proc_ymd >= '20231101'",
        "proc_ymd < '20231101'",
        "proc_ymd <> '20231101'",
        "proc_ymd = '20231105' OR event_name = 'x'",
        "proc_ymd IS NOT NULL",
        "true",
    ] {
        let outcome = query(&work, &of_table(sql)).exits(0);
        assert!(!outcome.stderr.contains("warn"), "{sql}: {}", outcome.stderr);
    }
    // No warning for a named day that --day excludes.
    let outcome = query(&work, &of_table("proc_ymd = '20231031'")).args(["--day", "2023-11-01"]).exits(0);
    assert!(!outcome.stderr.contains("warn"), "{}", outcome.stderr);
}

#[test]
fn only_files_of_the_manifest_are_read() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("old", json!({}))]));
    work.run(TABLE).publishes(TABLE);
    let old = work.path("old");
    let partition = work.partition(TABLE);
    fs::rename(&partition, &old).unwrap();
    work.cloudtrail("b", document([event("new", json!({}))]));
    let day = work.run(TABLE).publishes(TABLE);
    let run = day.manifest["run"].as_str().unwrap().to_owned();
    // A superseded run, a killed run, and a folder without a manifest, as a bucket can contain them.
    let part = fs::read_dir(&old).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
    let part = fs::read_dir(part.unwrap()).unwrap().next().unwrap().unwrap().path();
    let content = fs::read(part).unwrap();
    for folder in
        ["proc_ymd=20231101/20231102T000000Z-00000000", "proc_ymd=20231102/20231103T000000Z-00000000"]
    {
        work.write(&format!("lake/cloudtrail/{folder}/part-00000.zstd.parquet"), &content);
    }
    work.write(&format!("lake/cloudtrail/proc_ymd=20231101/{run}/part-00009.zstd.parquet"), &content);
    assert_eq!(cell(&work, "SELECT count(event_id) FROM cloudtrail"), json!(2));
    assert_eq!(
        cell(&work, "SELECT min(proc_ymd) || max(proc_ymd) FROM cloudtrail"),
        json!("2023110120231101")
    );
}

#[test]
fn a_column_of_only_some_days_is_null_in_the_others() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("new", json!({}))]));
    let before = json!({"eventTime": "2023-10-31T14:00:00Z", "requestParameters": {"key": "k", "n": 7}});
    work.write(&key_of_cloudtrail("b", "20231031T1410Z"), document([event("old", before)]));
    let promoting = |column: &str, path: &str, kind: &str| {
        format!(
            "[[source]]\ndataset = \"cloudtrail\"\ninput = \"raw\"\n\
             promote = [{{ column = \"{column}\", path = \"{path}\", type = \"{kind}\" }}]\n"
        )
    };
    work.write("old.toml", promoting("n", "requestParameters.n", "big_int"));
    work.write("new.toml", promoting("region", "awsRegion", "text"));
    for (day, config) in [("2023-10-31", "old.toml"), (DAY, "new.toml")] {
        work.logmill(["run", "--day", day, "--output", "lake", "--config", config]).exits(0);
    }
    let found =
        |column: &str| rows(&work, &format!("SELECT event_id, {column} AS x FROM cloudtrail ORDER BY 1"));
    assert_eq!(
        found("region"),
        [json!({"event_id": "new", "x": "ap-northeast-2"}), json!({"event_id": "old", "x": null})]
    );
    assert_eq!(found("n"), [json!({"event_id": "new", "x": null}), json!({"event_id": "old", "x": 7})]);
    query(&work, "SELECT regio FROM cloudtrail")
        .exits(2)
        .says(&["unknown column 'regio'", "did you mean region?"]);
}

#[test]
fn an_empty_lake_has_the_tables_of_the_settings() {
    let work = Workdir::new();
    fs::create_dir(work.lake()).unwrap();
    assert_eq!(cell(&work, "SELECT count(*) FROM cloudtrail"), json!(0));
    assert_eq!(rows(&work, "SELECT bucket, key, proc_ymd FROM s3_access"), [] as [Value; 0]);
    query(&work, "SELECT * FROM top_objects").exits(2).says(&[
        "the view reads a table that has no published day",
        "view: top_objects",
        "table: s3_access",
    ]);
    let csv = query(&work, "SELECT bucket, key FROM s3_access").args(["--format", "csv"]).exits(0).stdout;
    assert_eq!(csv, "bucket,key\n");
    query(&work, "SELECT 1").exits(0).says(&["the lake is empty"]);
    let no_lake = || work.logmill(["query", "--output", "mistyped", "SELECT count(*) FROM cloudtrail"]);
    no_lake().exits(4).says(&["no lake found", "mistyped", "--lake"]);
    let nowhere = work.logmill(["query", "SELECT 1"]);
    nowhere.exits(2).says(&["no lake is given", "--lake"]);
}

#[test]
fn statements_that_write_are_refused() {
    let work = two_days();
    let before = work.files("lake");
    for sql in [
        "INSERT INTO cloudtrail SELECT * FROM cloudtrail",
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "COPY cloudtrail TO 'x.csv'",
        "COPY (SELECT 1) TO 'x.parquet'",
        "DROP TABLE cloudtrail",
        "DELETE FROM cloudtrail",
        "UPDATE cloudtrail SET event_id = '1'",
        "SET datafusion.execution.batch_size = 1",
        "EXPLAIN ANALYZE INSERT INTO cloudtrail SELECT * FROM cloudtrail",
        "PREPARE p AS SELECT 1",
        "BEGIN",
    ] {
        query(&work, sql).exits(2).says(&["queries are read-only"]);
    }
    for (sql, error) in [
        ("", "the statement is empty"),
        (" ; ", "the statement is empty"),
        ("SELECT 1; SELECT 2", "only one statement can run at a time"),
        ("SELECT a b c", "Line: 1, Column: 12"),
        ("SELECT event_nam FROM cloudtrail", "unknown column 'event_nam' (line: 1, column: 8)"),
        ("SELECT * FROM cloudtrial", "did you mean cloudtrail?"),
        ("SELECT * FROM 'lake/cloudtrail'", "unknown table or view 'lake/cloudtrail'"),
        ("SELECT nothing(1)", "unknown function 'nothing'"),
        (
            "SELECT json_extract_scalar('{}')",
            "json_extract_scalar takes (text, text), but the argument count is 1",
        ),
        ("SELECT json_extract_scalar('{}', 'a')", "'a' is not a JSON path"),
        ("SELECT date_parse('x', '%Y')", "'x' is not a time in the format '%Y'"),
        ("SELECT 1 / 0", "ivide by zero"),
        ("SELECT * FROM cloudtrail TABLESAMPLE BERNOULLI (1)", "TABLESAMPLE"),
    ] {
        query(&work, sql).exits(2).says(&[error]);
    }
    assert_eq!(work.files("lake"), before);
    assert!(!work.path("x.csv").exists() && !work.path("x.parquet").exists());
}

#[test]
fn statements_that_inspect_the_lake_work() {
    let work = two_days();
    let names: Vec<Value> = rows(&work, "SHOW TABLES").iter().map(|row| row["table_name"].clone()).collect();
    assert!(names.is_sorted_by_key(|name| name.as_str().unwrap()), "{names:?}");
    for name in ["tables", "columns", "df_settings", "top_objects"] {
        assert!(!names.contains(&json!(name)), "{name} in {names:?}");
    }
    for name in ["cloudtrail", "s3_access", "monthly_users", "cloudtrail_athena"] {
        assert!(names.contains(&json!(name)), "{name} in {names:?}");
    }
    let columns = rows(&work, "DESCRIBE cloudtrail");
    assert_eq!(columns.last().unwrap(), &json!({"column_name": "proc_ymd", "data_type": "varchar"}));
    for (name, data_type) in
        [("event_time", "timestamp(3)"), ("read_only", "boolean"), ("resources_arn", "array(varchar)")]
    {
        let described = json!({"column_name": name, "data_type": data_type});
        assert!(columns.contains(&described), "{described} in {columns:?}");
    }
    query(&work, "EXPLAIN SELECT event_id FROM cloudtrail")
        .args(["--format", "table"])
        .exits(0)
        .prints(&["TableScan"]);
    assert_eq!(cell(&work, "WITH t AS (SELECT 1 AS x) SELECT x FROM t"), json!(1));
    assert_eq!(cell(&work, "SELECT count(*) FROM athena.\"cloudtrail\""), json!(3));
    assert_eq!(cell(&work, "SELECT Count(EVENT_ID) FROM CloudTrail"), json!(3));
    work.write("q.sql", "-- how many\nSELECT count(*) AS n FROM cloudtrail;\n");
    let from_file = work.logmill(["query", "--output", "lake", "--file", "q.sql", "--format", "csv"]);
    assert_eq!(from_file.exits(0).stdout, "n\n3\n");
    work.logmill(["query", "--output", "lake", "--file", "none.sql"]).exits(2).says(&["none.sql"]);
}

#[test]
fn rewriting_a_statement_keeps_quotes_in_texts() {
    let work = two_days();
    let sql = "SELECT count(*) AS browsers, CAST(1 AS varchar) AS v FROM cloudtrail \
               WHERE event_id = 'x'' OR ''1''=''1'";
    assert_eq!(rows(&work, sql), [json!({"browsers": 0, "v": "1"})]);
    let sql = "SELECT 'it''s a browser' AS a, \
               CAST(ROW('''', if(true, 'b''''')) AS ROW(x varchar, y varchar)) AS b";
    assert_eq!(rows(&work, sql), [json!({"a": "it's a browser", "b": {"x": "'", "y": "b''"}})]);
}

#[test]
fn rows_are_printed_in_the_requested_format() {
    let work = Workdir::new();
    fs::create_dir(work.lake()).unwrap();
    let sql = "SELECT 1 AS n, 'a,\"b\"' AS t, '' AS e, CAST(NULL AS varchar) AS z, \
               timestamp '2023-11-01 09:00:00' AS at, array['x', NULL] AS l, 1.5 AS d, true AS b";
    let printed = |format: &str| query(&work, sql).args(["--format", format]).exits(0).stdout;
    assert_eq!(
        printed("csv"),
        "n,t,e,z,at,l,d,b\n1,\"a,\"\"b\"\"\",\"\",,2023-11-01 09:00:00.000,\"[x, null]\",1.5,true\n"
    );
    assert_eq!(
        serde_json::from_str::<Value>(&printed("json")).unwrap(),
        json!({"n": 1, "t": "a,\"b\"", "e": "", "z": null, "at": "2023-11-01 09:00:00.000", "l": ["x", null],
               "d": 1.5, "b": true})
    );
    assert_eq!(
        query(&work, "SELECT 10 AS n, 'a' AS t UNION ALL SELECT 9, NULL ORDER BY 1")
            .args(["--format", "table"])
            .exits(0)
            .stdout,
        " n  t\n 9\n10  a\n"
    );
    let nulls = query(&work, "SELECT NULL AS a, 1 AS b").args(["--format", "csv"]).exits(0);
    assert_eq!(nulls.stdout, "a,b\n,1\n");
    let twice = query(&work, "SELECT a.x, b.x, 3 AS x_2 FROM (SELECT 1 AS x) a, (SELECT 2 AS x) b");
    assert_eq!(rows_of(twice), [json!({"x": 1, "x_2": 2, "x_2_2": 3})]);
    query(&work, "SELECT to_timestamp_millis(9223372036854775807) AS t")
        .args(["--format", "csv"])
        .exits(2)
        .says(&["cannot format a cell"]);
    let cut = query(&work, "SELECT * FROM generate_series(1, 5)")
        .args(["--format", "table", "--max-rows", "3"])
        .exits(0);
    assert_eq!(cut.stdout.lines().count(), 4);
    cut.says(&["more rows are available", "3 rows"]);
    query(&work, sql).args(["--format", "parquet"]).exits(2).says(&["--to-file"]);
    query(&work, "SELECT 1").args(["--quiet"]).exits(0);
}

#[test]
fn csv_safe_disarms_formulas_and_keeps_numbers() {
    let work = Workdir::new();
    fs::create_dir(work.lake()).unwrap();
    let sql = "SELECT '=1+1' AS \"=a\", '+1' AS b, '-5' AS c, '@x' AS d, chr(9) || 'x' AS e, chr(13) || '=1' AS f, \
               '=\"x\",1' AS g, ' =1' AS h, '' AS i, CAST(NULL AS varchar) AS j, -5 AS k, -1.5e0 AS l, \
               array['=1'] AS n, '\u{ff1d}1' AS o";
    let printed = |args: &[&str]| query(&work, sql).args(["--format", "csv"]).args(args).exits(0).stdout;
    let plain = printed(&[]);
    assert!(plain.starts_with("=a,b") && plain.contains("\n=1+1,+1,-5,@x,\tx,"), "{plain}");
    let (names, cells) = (
        "'=a,b,c,d,e,f,g,h,i,j,k,l,n,o",
        "'=1+1,'+1,'-5,'@x,'\tx,\"'\r=1\",\"'=\"\"x\"\",1\", =1,\"\",,-5,-1.5,",
    );
    let safe = printed(&["--csv-safe"]);
    assert!(safe.starts_with(&format!("{names}\n{cells}[=1],")), "{safe}");
    assert!(safe.ends_with(",[=1],'\u{ff1d}1\n"), "{safe}");
    query(&work, sql).args(["--csv-safe", "--to-file", "a.csv"]).exits(0);
    assert_eq!(fs::read_to_string(work.path("a.csv")).unwrap(), safe);
    query(&work, sql).args(["--csv-safe", "--format", "json"]).exits(2).says(&["--csv-safe", "hint:"]);
}

#[test]
fn a_table_with_the_name_of_a_view_is_a_warning() {
    let work = two_days();
    let run = work.run(Table::CLOUDTRAIL).args(["--table", "denied_keys", "--summary-json", "summary.json"]);
    run.exits(0).says(&["has the name of a view", "table=denied_keys", "--table"]);
    let read = query(&work, "SELECT event_id FROM denied_keys").args(["--format", "csv"]).exits(0);
    read.says(&["a table has the name of a view: the query reads the table", "table=denied_keys"]);
    assert!(read.stdout.starts_with("event_id\n"), "{read}");
    let other = query(&work, "SELECT event_id FROM cloudtrail").args(["--format", "csv"]).exits(0);
    assert!(!other.stderr.contains("view"), "{other}");
}

#[test]
fn an_output_file_appears_only_when_complete() {
    let work = two_days();
    let sql = "SELECT event_id, event_time FROM cloudtrail ORDER BY 1";
    for (name, begin) in
        [("a.parquet", "PAR1"), ("a.csv", "event_id,event_time\na,"), ("a.jsonl", "{\"event_id\":\"a\"")]
    {
        work.write(name, "old content");
        query(&work, sql).args(["--to-file", name]).exits(0);
        assert!(fs::read(work.path(name)).unwrap().starts_with(begin.as_bytes()), "{name}");
    }
    work.write("kept.csv", "kept");
    // The third row cannot be cast.
    let failing = "SELECT CAST(x AS bigint) FROM (VALUES ('1'), ('2'), ('x')) AS t(x)";
    query(&work, failing).args(["--to-file", "kept.csv"]).exits(2);
    assert_eq!(fs::read_to_string(work.path("kept.csv")).unwrap(), "kept");
    query(&work, sql).args(["--to-file", "nowhere/a.csv"]).exits(4);
    query(&work, sql).args(["--to-file", "lake"]).exits(2);
    let left: Vec<String> = fs::read_dir(work.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!left.iter().any(|name| name.contains(".new")), "{left:?}");
}

#[test]
fn an_interrupted_query_leaves_no_file() {
    let work = Workdir::new();
    fs::create_dir(work.lake()).unwrap();
    let endless = "SELECT count(*) FROM generate_series(1, 1000000000000) AS a(x) WHERE x % 7 = 3";
    let mut running = query(&work, endless).args(["--to-file", "a.csv"]).start();
    let is_new =
        |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().to_string_lossy().ends_with(".new");
    while !fs::read_dir(work.path("")).unwrap().any(is_new) {
        assert!(!running.has_ended(), "the query should still be running:\n{}", running.wait());
        std::thread::yield_now();
    }
    running.signal("INT");
    let outcome = running.wait();
    assert_eq!(outcome.code, Some(130), "{outcome}");
    outcome.says(&["interrupted"]);
    assert!(!work.path("a.csv").exists());
    let left = fs::read_dir(work.path("")).unwrap().count();
    assert_eq!(left, 2, "raw and lake");
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let work = Workdir::new();
    fs::create_dir(work.lake()).unwrap();
    for format in ["csv", "json"] {
        let mut command = std::process::Command::new(crate::harness::LOGMILL);
        command.args(["query", "--output", "lake", "--quiet", "--format", format]);
        command.arg("SELECT * FROM generate_series(1, 3000000)").current_dir(work.path(""));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0; 10]).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    }
}

#[test]
fn rows_beyond_memory_are_spilled_or_refused_with_a_hint() {
    let work = Workdir::new();
    fs::create_dir(work.lake()).unwrap();
    let sorted = "SELECT CAST(value AS varchar) || rpad('', 100, 'x') AS x FROM generate_series(1, 700000) \
                  ORDER BY reverse(x)";
    let tight = ["--memory", "64MiB", "--threads", "1", "--scratch", "."];
    query(&work, sorted).args(tight).args(["--to-file", "sorted.csv"]).exits(0);
    let lines = fs::read_to_string(work.path("sorted.csv")).unwrap();
    assert_eq!(lines.lines().count(), 700_001);
    assert_eq!(fs::read_dir(work.path("")).unwrap().count(), 3, "raw, lake and the output file");
    let gathered = "SELECT cardinality(array_agg(rpad('', 1000, 'x'))) FROM generate_series(1, 500000)";
    query(&work, gathered).args(["--memory", "64MiB"]).exits(4).says(&["needs more memory", "--memory"]);
}

#[test]
fn an_interrupted_query_removes_spilled_rows() {
    let work = Workdir::new();
    fs::create_dir(work.lake()).unwrap();
    fs::create_dir(work.path("spills")).unwrap();
    let sorted = "SELECT CAST(value AS varchar) || rpad('', 100, 'x') AS x FROM generate_series(1, 100000000) \
                  ORDER BY reverse(x)";
    let tight = ["--memory", "64MiB", "--threads", "1", "--scratch", "spills", "--to-file", "a.csv"];
    let mut running = query(&work, sorted).args(tight).start();
    while !has_file(&work.path("spills")) {
        assert!(!running.has_ended(), "the query should still be running:\n{}", running.wait());
        std::thread::yield_now();
    }
    running.signal("INT");
    let outcome = running.wait();
    assert_eq!(outcome.code, Some(130), "{outcome}");
    assert_eq!(fs::read_dir(work.path("spills")).unwrap().count(), 0);
}

fn has_file(folder: &std::path::Path) -> bool {
    let mut paths = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    paths.any(|path| path.is_file() || has_file(&path))
}

#[test]
fn a_file_next_to_the_tables_is_not_a_table() {
    let work = two_days();
    work.write("lake/notes.html", "notes");
    fs::create_dir(work.path("lake/drafts")).unwrap();
    let names: Vec<Value> = rows(&work, "SHOW TABLES").iter().map(|row| row["table_name"].clone()).collect();
    assert!(!names.contains(&json!("notes.html")) && !names.contains(&json!("drafts")), "{names:?}");
    query(&work, "SELECT * FROM drafts").exits(2).says(&["unknown table or view 'drafts'"]);
    work.write("lake/_staging/plan.json", "{}");
    work.logmill(["clean", "--output", "lake"]).exits(0);
    work.logmill(["report", "--day", DAY, "--output", "lake", "--to-file", "report.html"]).exits(0);
}

#[test]
fn a_missing_part_file_is_named() {
    let work = two_days();
    for part in part_files(&work) {
        fs::remove_file(part).unwrap();
    }
    query(&work, "SELECT event_id FROM cloudtrail").exits(75).says(&["a part file is missing", "part-00000"]);
}

fn part_files(work: &Workdir) -> Vec<std::path::PathBuf> {
    let files = work.files("lake/cloudtrail");
    let parts = files.keys().filter(|path| path.extension().is_some_and(|kind| kind == "parquet"));
    parts.map(|path| work.path("lake/cloudtrail").join(path)).collect()
}

#[test]
fn the_views_read_the_tables_of_the_config_file() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("a", json!({"userIdentity": {"type": "Root"}}))]));
    let config = |table: &str, naming: &str| {
        format!(
            "[[source]]\ndataset = \"cloudtrail\"\ninput = \"raw\"\ntable = \"{table}\"\nnaming = \"{naming}\"\n"
        )
    };
    work.write("audit.toml", config("audit", "snake"));
    work.write("compact.toml", config("cloudtrail", "compact"));
    for config in ["audit.toml", "compact.toml"] {
        work.logmill(["run", "--day", DAY, "--output", "lake", "--config", config]).exits(0);
    }
    let events = "SELECT count(*) FROM root_usage";
    for (args, expected) in
        [(&[][..], 2), (&["--config", "audit.toml"], 1), (&["--config", "compact.toml"], 1)]
    {
        let found = rows_of(query(&work, events).args(args));
        assert_eq!(found[0].as_object().unwrap().values().next(), Some(&json!(expected)), "{args:?}");
    }
    // No table of the file has a day.
    work.write("other.toml", config("other", "snake"));
    query(&work, events)
        .args(["--config", "other.toml"])
        .exits(2)
        .says(&["the view reads a table that has no published day", "view: root_usage"]);
    let both = "SELECT min(log_table) || max(log_table) FROM all_cloudtrail WHERE event_id = 'a'";
    assert_eq!(cell(&work, both), json!("auditcloudtrail"));
    query(&work, "SELECT * FROM all_waf").exits(2).says(&["view: all_waf", "table: waf"]);
}

#[test]
fn every_view_works_over_both_tables() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("a", json!({"errorCode": "AccessDenied"}))]));
    work.access("A", format!("{}\n", AccessLine::of("R")));
    work.logmill(["run", "--day", DAY, "--input", "raw", "--output", "lake"]).finishes(0);
    let views = rows(&work, "SHOW TABLES");
    let views =
        views.iter().filter(|row| row["table_type"] == "VIEW" && row["table_schema"] != "information_schema");
    let mut count = 0;
    for view in views {
        let name = view["table_name"].as_str().unwrap();
        assert!(cell(&work, &format!("SELECT count(*) FROM (SELECT * FROM {name})")).is_number(), "{name}");
        count += 1;
    }
    let files = ["views", "compatibility", "across/views"].map(|folder| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("glue/sql").join(folder);
        fs::read_dir(folder)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|kind| kind == "sql"))
            .count()
    });
    assert_eq!(count, files.iter().sum::<usize>());
    assert_eq!(
        cell(
            &work,
            "SELECT useridentity.username FROM cloudtrail_athena WHERE useridentity.type = 'IAMUser'"
        ),
        json!("kim")
    );
}
