//! Statements other than queries.

use super::{Answers, check, check_refused};

#[test]
fn commands_are_answered_or_refused() {
    check(&[
        ("SHOW DATABASES", "default"),
        ("SHOW SCHEMAS", "default"),
        ("SHOW TABLES", ""),
        ("EXECUTE IMMEDIATE 'SELECT ? + 1' USING 2", "3"),
        ("PREPARE p FROM SELECT x FROM (VALUES 1, 2) AS t(x) WHERE x = ?; EXECUTE p USING 2", "2"),
    ]);
    check_refused(&[
        ("EXECUTE q USING 1", "unknown prepared statement 'q'"),
        ("EXECUTE IMMEDIATE 'SELECT ?'", "has 1 parameters, but USING gives 0"),
        ("SHOW PARTITIONS nothing", "unknown table or view 'nothing'"),
        ("SHOW CREATE TABLE status_codes", "is a view, not a table"),
        ("CREATE TABLE x AS SELECT 1", "--to-file"),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", "WITH name AS"),
        ("INSERT INTO x SELECT 1", "logmill run"),
        ("UNLOAD (SELECT 1) TO 's3://b/' WITH (format = 'PARQUET')", "--to-file"),
        ("MSCK REPAIR TABLE x", "published days are found"),
    ]);
}

#[test]
fn a_prepared_statement_is_remembered() {
    let answers = Answers::new();
    assert_eq!(answers.of("PREPARE p FROM SELECT ?, '?'").as_deref(), Ok(""));
    assert_eq!(answers.of("EXECUTE p USING 'a'").as_deref(), Ok("a|?"));
    assert_eq!(answers.of("DEALLOCATE PREPARE p").as_deref(), Ok(""));
    assert!(answers.of("EXECUTE p USING 'a'").is_err());
}

#[test]
fn columns_of_one_name_keep_it() {
    let answers = Answers::new();
    let rows = answers.engine.sql("SELECT 1 AS \"Total\", 2 AS n, 3 AS n").unwrap();
    let names: Vec<&str> = rows.schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["Total", "n", "n"]);
}
