//! Names of output columns. As in Trino, a calculated column without an alias has no name: it is shown as `_col` and its place
//! in the result, counted from 0, and no other part of a statement can name it.

use super::{Answers, check, check_refused};

#[test]
fn a_column_without_a_name_is_shown_by_its_place() {
    let answers = Answers::new();
    let wrong: Vec<String> = [
        ("SELECT 1, 'a' AS b, 1 + 1", "_col0|b|_col2"),
        ("SELECT count(*), count(*), x FROM (VALUES 1) AS t(x) GROUP BY x", "_col0|_col1|x"),
        ("SELECT x, t.x, (x), -x FROM (VALUES 1) AS t(x)", "x|x|x|_col3"),
        ("SELECT *, x + 1 FROM (VALUES (1, 2)) AS t(x, y)", "x|y|_col2"),
        ("SELECT 1 UNION SELECT 2 AS b", "_col0"),
        ("SELECT 1 AS b UNION SELECT 2", "b"),
        (
            "SELECT 'k' AS k, t.* FROM (SELECT max(x), x AS y FROM (VALUES 1) AS t(x) GROUP BY x) AS t",
            "k|_col1|y",
        ),
        ("WITH w AS (SELECT 1), v(n) AS (SELECT 2) SELECT * FROM w, v", "_col0|n"),
        ("SELECT * FROM (SELECT 1) AS a CROSS JOIN (SELECT 2) AS b", "_col0|_col1"),
        ("VALUES (1, 'a'), (2, 'b')", "_col0|_col1"),
        ("SELECT x, v.* FROM (VALUES (1, 2)) AS v CROSS JOIN (VALUES 3) AS t(x)", "x|_col1|_col2"),
        ("SELECT 7 AS x, u.* FROM UNNEST(ARRAY[1], ARRAY['a']) AS u", "x|_col1|_col2"),
        ("SELECT x AS \"Total\", sum(x) AS \"Sum\" FROM (VALUES 1) AS t(x) GROUP BY x", "Total|Sum"),
        (
            "SELECT r.a, r.a || 'x', ARRAY[1][1] FROM (SELECT CAST(ROW('v') AS ROW(a varchar)) AS r)",
            "a|_col1|_col2",
        ),
        ("SELECT (SELECT 1), CASE WHEN true THEN 1 END", "_col0|_col1"),
        ("SELECT current_date, now(), true, NULL", "_col0|_col1|_col2|_col3"),
        ("EXECUTE IMMEDIATE 'SELECT ?' USING 1", "_col0"),
        ("SHOW DATABASES", "database_name"),
    ]
    .into_iter()
    .filter_map(|(sql, expected)| {
        let found = answers.names(sql);
        (found != expected).then(|| format!("{sql}: {found}, not {expected}"))
    })
    .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn columns_without_a_name_keep_their_order_and_their_values() {
    let t = "(VALUES ('a', 1), ('b', 2), ('a', 5)) AS t(k, n)";
    let cases: Vec<(String, &str)> = [
        ("SELECT k, max(n) + 1 FROM T GROUP BY k ORDER BY 2 DESC", "a|6;b|3"),
        ("SELECT upper(k), count(*) FROM T GROUP BY 1 ORDER BY 2 DESC, 1", "A|2;B|1"),
        ("SELECT upper(k), count(*) FROM T GROUP BY upper(k) ORDER BY upper(k) DESC", "B|1;A|2"),
        ("SELECT DISTINCT upper(k) FROM T ORDER BY 1 DESC", "B;A"),
        ("SELECT DISTINCT upper(k) FROM T ORDER BY upper(k)", "A;B"),
        ("SELECT count(*) FROM T HAVING count(*) > 2 ORDER BY count(*)", "3"),
        ("SELECT * FROM (SELECT k, sum(n) FROM T GROUP BY k ORDER BY 2 LIMIT 1) AS s", "b|2"),
        ("SELECT n * 2 FROM T UNION ALL SELECT n * 10 FROM T ORDER BY 1 DESC LIMIT 2", "50;20"),
        ("SELECT 1 EXCEPT SELECT 2", "1"),
        ("SELECT n + 0 FROM T INTERSECT SELECT 2", "2"),
        ("SELECT k FROM T WHERE n IN (SELECT max(n) FROM T) OR n = (SELECT min(n) FROM T)", "a;a"),
        ("SELECT count(*) FROM T WHERE n IN (VALUES 1, 2)", "2"),
        ("SELECT grouping(k), k, sum(n) FROM T GROUP BY ROLLUP (k) ORDER BY 1, 2", "0|a|6;0|b|2;1|NULL|8"),
        ("SELECT sum(n) OVER (PARTITION BY k ORDER BY n) FROM T ORDER BY 1", "1;2;6"),
        ("SELECT x FROM (VALUES 3, 1, 2) AS v(x) ORDER BY x DESC LIMIT 1", "3"),
        ("VALUES 3, 1, 2 ORDER BY 1 LIMIT 2", "1;2"),
        ("VALUES 1 UNION ALL VALUES 2", "1;2"),
    ]
    .map(|(sql, expected)| (sql.replace("FROM T", &format!("FROM {t}")), expected))
    .into();
    let cases: Vec<(&str, &str)> = cases.iter().map(|(sql, expected)| (sql.as_str(), *expected)).collect();
    check(&cases);
    check_refused(&[
        ("SELECT _col0 FROM (SELECT 1)", "give it one with AS"),
        ("SELECT colum1 FROM (VALUES 1)", "unknown column 'colum1' (line: 1, column: 8) (use DESCRIBE"),
    ]);
}
