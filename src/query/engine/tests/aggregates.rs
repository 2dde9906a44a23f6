//! Aggregates and the clauses of queries.

use super::{check, check_refused};

#[test]
fn aggregates() {
    let t = "(VALUES ('a', 1, 10.0), ('b', 2, 20.0), ('a', 3, 30.0), (NULL, NULL, NULL)) AS t(k, n, f)";
    let cases: Vec<(String, &str)> = [
        ("SELECT listagg(k, ',') WITHIN GROUP (ORDER BY n DESC) FROM T", "a,b,a"),
        ("SELECT listagg(DISTINCT k, ',') WITHIN GROUP (ORDER BY k) FROM T", "a,b"),
        ("SELECT k, listagg(CAST(n AS varchar), '/') WITHIN GROUP (ORDER BY n) FROM T WHERE k IS NOT NULL GROUP BY k ORDER BY k", "a|1/3;b|2"),
        ("SELECT map_agg(k, n) FROM T WHERE n < 3", "{a: 1, b: 2}"),
        ("SELECT multimap_agg(k, n) FROM T", "{a: [1, 3], b: [2]}"),
        ("SELECT histogram(k) FROM T", "{a: 2, b: 1}"),
        ("SELECT map_union(m) FROM (VALUES map(ARRAY['x'],ARRAY[1]), map(ARRAY['y'],ARRAY[2])) AS u(m)", "{x: 1, y: 2}"),
        ("SELECT numeric_histogram(2, x) FROM (VALUES 1.0, 2.0, 10.0) AS u(x)", "{1.5: 2.0, 10.0: 1.0}"),
        ("SELECT approx_most_frequent(1, k, 10) FROM T", "{a: 2}"),
        ("SELECT max_by(k, n), min_by(k, n), max_by(k, n, 2), min_by(n, f, 2) FROM T", "a|a|[a, b]|[1, 2]"),
        ("SELECT max(n, 2), min(n, 2) FROM T", "[3, 2]|[1, 2]"),
        ("SELECT max_by(x, y) FROM (VALUES ('a', CAST(NULL AS bigint))) AS u(x, y)", "NULL"),
        ("SELECT approx_percentile(n, 0.5), approx_percentile(f, 0.5) FROM T", "2|20.0"),
        ("SELECT approx_percentile(n, ARRAY[0.0, 1.0]) FROM T", "[1, 3]"),
        ("SELECT approx_percentile(n, 1, 0.5) FROM T", "2"),
        ("SELECT approx_distinct(k), approx_distinct(k, 0.01), arbitrary(n) IS NOT NULL FROM T", "2|2|true"),
        ("SELECT count_if(n > 1), bool_and(n > 0), bool_or(n > 2), every(n > 1) FROM T", "2|true|true|false"),
        ("SELECT round(geometric_mean(f), 3), sum(n), avg(n) FROM T", "18.171|6|2.0"),
        ("SELECT array_agg(k ORDER BY n DESC) FILTER (WHERE k IS NOT NULL), array_agg(DISTINCT k ORDER BY k) FROM T", "[a, b, a]|[a, b, NULL]"),
        ("SELECT bitwise_and_agg(n), bitwise_or_agg(n), set_agg(k) FROM T WHERE k = 'a'", "1|3|[a]"),
        ("SELECT map_agg(k, n) FILTER (WHERE k = 'b') FROM T", "{b: 2}"),
        ("SELECT checksum(x) FROM (VALUES 'a') AS u(x)", "fdffaacc6274abdf"),
        ("SELECT k, n, grouping(k) FROM (VALUES ('a',1),('b',2)) AS u(k,n) GROUP BY ROLLUP (k, n) ORDER BY 3, 1, 2", "a|1|0;a|NULL|0;b|2|0;b|NULL|0;NULL|NULL|1"),
        ("SELECT k, sum(n) FROM (VALUES ('a',1),('b',2)) AS u(k,n) GROUP BY GROUPING SETS ((k), ()) ORDER BY 1", "a|1;b|2;NULL|3"),
        ("SELECT n, sum(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM T WHERE n IS NOT NULL", "1|1;2|3;3|5"),
        ("SELECT k, n FROM (SELECT k, n, row_number() OVER (PARTITION BY k ORDER BY n DESC) AS r FROM T WHERE k IS NOT NULL) WHERE r = 1 ORDER BY k", "a|3;b|2"),
        ("SELECT n FROM T ORDER BY n DESC", "3;2;1;NULL"),
        ("SELECT k, max(n) + 1 FROM T WHERE k IS NOT NULL GROUP BY k ORDER BY 2 DESC", "a|4;b|3"),
        ("SELECT k, approx_percentile(f, 0.5) FROM T WHERE k = 'b' GROUP BY k ORDER BY 2, 1", "b|20.0"),
    ]
    .map(|(sql, expected)| (sql.replace("FROM T", &format!("FROM {t}")), expected))
    .into();
    let cases: Vec<(&str, &str)> = cases.iter().map(|(sql, expected)| (sql.as_str(), *expected)).collect();
    check(&cases);
}

#[test]
fn clauses() {
    check(&[
        ("SELECT x FROM (VALUES 3,1,2) AS t(x) ORDER BY x FETCH FIRST 2 ROWS ONLY", "1;2"),
        ("SELECT x FROM (VALUES 3,1,2) AS t(x) ORDER BY x OFFSET 1 ROWS FETCH NEXT ROW ONLY", "2"),
        ("SELECT x FROM (VALUES 3,1,2) AS t(x) ORDER BY x OFFSET 1 LIMIT 1", "2"),
        ("SELECT x FROM (VALUES 3,1,2) AS t(x) ORDER BY x LIMIT ALL", "1;2;3"),
        ("SELECT count(*), count(*) FROM (VALUES 1,2) AS t(x)", "2|2"),
        ("SELECT x, x, 1 AS x FROM (VALUES 1) AS t(x)", "1|1|1"),
        ("SELECT \"X\" FROM (VALUES 1) AS t(\"x\")", "1"),
        ("SELECT a.\"N\" AS \"Total Count\" FROM (SELECT 1 AS \"N\") AS a ORDER BY \"Total Count\"", "1"),
        ("/* a */ -- b\n SELECT 1; -- c", "1"),
        ("\u{feff}SELECT 1", "1"),
        ("VALUES (1,'a'),(2,'b')", "1|a;2|b"),
        ("SELECT * FROM (VALUES 1,2) AS a(x) WHERE x IN (SELECT y FROM (VALUES 2) AS b(y))", "2"),
        ("SELECT 1 EXCEPT SELECT 2", "1"),
        ("SELECT x FROM (VALUES 1, 2, 2, 3) AS t(x) ORDER BY x FETCH FIRST 2 ROWS WITH TIES", "1;2;2"),
        ("SELECT x FROM (VALUES 1, 2, 2, 3) AS t(x) ORDER BY x FETCH FIRST ROW WITH TIES", "1"),
        (
            "SELECT x FROM (VALUES 1, 2, 2, 3) AS t(x) ORDER BY x DESC OFFSET 1 ROWS FETCH NEXT 1 ROWS WITH TIES",
            "2;2",
        ),
        (
            "SELECT k, count(*) FROM (VALUES 'a', 'b', 'a', 'c') AS t(k) GROUP BY k ORDER BY count(*) DESC, 1 FETCH FIRST 2 ROWS WITH TIES",
            "a|2;b|1",
        ),
        (
            "SELECT k FROM (VALUES ('a', 2), ('b', 2), ('c', 1)) AS t(k, n) ORDER BY n DESC FETCH FIRST 1 ROWS WITH TIES",
            "a;b",
        ),
        (
            "SELECT count(*) FROM (SELECT x FROM (VALUES 1, 1, 2) AS t(x) ORDER BY x FETCH FIRST 1 ROWS WITH TIES)",
            "2",
        ),
        (
            "SELECT x FROM (VALUES 1, 1) AS t(x) UNION ALL SELECT 2 ORDER BY x FETCH FIRST 1 ROWS WITH TIES",
            "1;1",
        ),
        ("SELECT x FROM (VALUES 1,2) AS t(x) INTERSECT SELECT 2", "2"),
    ]);
    check_refused(&[
        (
            "SELECT x FROM (VALUES 1) AS t(x) FETCH FIRST 1 ROWS WITH TIES",
            "WITH TIES takes a query with ORDER BY",
        ),
        ("SELECT CURRENT_TIME", "CURRENT_TIME is not available, because it has a time zone"),
        ("SELECT * FROM (VALUES 1) AS t(x) TABLESAMPLE BERNOULLI (10)", "TABLESAMPLE"),
        ("SELECT 1; SELECT 2", "only one statement"),
    ]);
}
