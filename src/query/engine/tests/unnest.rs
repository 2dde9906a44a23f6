//! `UNNEST`.

use super::{check, check_refused};

#[test]
fn every_form_of_unnest() {
    let t = "(VALUES (1, ARRAY['a','b'], ARRAY[10]), (2, ARRAY[], NULL), (3, NULL, ARRAY[30])) AS t(id, names, numbers)";
    let cases: Vec<(String, &str)> = [
        ("SELECT r,n FROM UNNEST(ARRAY['a','b']) WITH ORDINALITY AS t(r,n)", "a|1;b|2"),
        ("SELECT * FROM UNNEST(ARRAY[1,2])", "1;2"),
        ("SELECT x FROM UNNEST(ARRAY[1,2], ARRAY['p']) AS t(x, y) WHERE y IS NULL", "2"),
        ("SELECT id, n FROM T CROSS JOIN UNNEST(names) AS u(n) ORDER BY 1,2", "1|a;1|b"),
        ("SELECT id, n FROM T, UNNEST(names) AS u(n) ORDER BY 1,2", "1|a;1|b"),
        ("SELECT id, n FROM T LEFT JOIN UNNEST(names) AS u(n) ON true ORDER BY 1,2", "1|a;1|b;2|NULL;3|NULL"),
        ("SELECT id, n, m FROM T CROSS JOIN UNNEST(names, numbers) AS u(n, m) ORDER BY 1,2", "1|a|10;1|b|NULL;3|NULL|30"),
        ("SELECT id, n, o FROM T CROSS JOIN UNNEST(names) WITH ORDINALITY AS u(n, o) ORDER BY 1,3", "1|a|1;1|b|2"),
        ("SELECT t.id, u.n, v.m FROM T CROSS JOIN UNNEST(names) AS u(n) CROSS JOIN UNNEST(numbers) AS v(m) ORDER BY 2", "1|a|10;1|b|10"),
        ("SELECT n, count(*) FROM T CROSS JOIN UNNEST(names) AS u(n) WHERE id = 1 GROUP BY n HAVING count(*) > 0 ORDER BY n", "a|1;b|1"),
        ("SELECT k, v FROM UNNEST(map(ARRAY['a','b'], ARRAY[1,2])) AS t(k, v)", "a|1;b|2"),
        ("SELECT x, y FROM UNNEST(ARRAY[ROW(1,'p'), ROW(2,'q')]) AS t(x, y)", "1|p;2|q"),
        ("SELECT d FROM UNNEST(sequence(date '2023-11-01', date '2023-11-02')) AS t(d)", "2023-11-01;2023-11-02"),
        ("SELECT id, c FROM T CROSS JOIN UNNEST(filter(names, x -> x <> 'a')) AS u(c)", "1|b"),
        ("SELECT json_extract_scalar(e, '$.n') FROM (VALUES '[{\"n\":1},{\"n\":2}]') AS t(j) CROSS JOIN UNNEST(CAST(json_parse(j) AS array(json))) AS u(e)", "1;2"),
        ("SELECT a.id, n FROM T AS a INNER JOIN UNNEST(a.names) AS u(n) ON true WHERE n = 'b'", "1|b"),
        ("WITH w AS (SELECT id, names FROM T) SELECT count(*) FROM w CROSS JOIN UNNEST(names) AS u(n)", "2"),
        ("SELECT count(*) FROM T LEFT JOIN UNNEST(names) AS u(n) ON TRUE", "4"),
        ("SELECT * FROM (SELECT id, n FROM T CROSS JOIN UNNEST(names) AS u(n)) WHERE n = 'a'", "1|a"),
        ("SELECT id FROM T WHERE EXISTS (SELECT 1 FROM UNNEST(ARRAY[1]) AS u(x) WHERE x = id)", "1"),
        ("SELECT sum(x) OVER (ORDER BY x) FROM UNNEST(ARRAY[1,2]) AS t(x)", "1;3"),
    ]
    .map(|(sql, expected)| (sql.replace("FROM T", &format!("FROM {t}")).replace(" AS t(id, names, numbers) AS a", " AS a(id, names, numbers)"), expected))
    .into();
    let cases: Vec<(&str, &str)> = cases.iter().map(|(sql, expected)| (sql.as_str(), *expected)).collect();
    check(&cases);
    check_refused(&[
        ("SELECT * FROM UNNEST('a') AS t(x)", "UNNEST takes arrays and maps, not varchar"),
        ("SELECT * FROM UNNEST(ARRAY[1]) AS t(x, y)", "1 columns here, but 2 names"),
    ]);
}
