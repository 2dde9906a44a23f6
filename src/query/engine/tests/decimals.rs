//! Decimals. Their types and values follow the rules of "Decimal functions and operators" in Trino's documentation.

use super::{check, check_refused};

#[test]
fn a_number_with_a_point_is_a_decimal() {
    check(&[
        (
            "typeof(1.5), typeof(0.05), typeof(1.50), typeof(-1.5), typeof(.5), typeof(1.5e0)",
            "decimal(2,1)|decimal(2,2)|decimal(3,2)|decimal(2,1)|decimal(1,1)|double",
        ),
        (
            "DECIMAL '0012.50', typeof(DECIMAL '0012.50'), CAST(2.5 AS decimal), CAST(1.25 AS decimal(3,1))",
            "12.50|decimal(6,2)|3|1.3",
        ),
        (
            "CAST(1.50 AS varchar), CAST(0.5 AS bigint), CAST(-0.5 AS integer), CAST(1.5 AS double)",
            "1.50|1|-1|1.5",
        ),
        ("1.5, -0.25, 1e2, 1.5E-1", "1.5|-0.25|100.0|0.15"),
        (
            "CAST(1.5 AS json), format('%.2f %s', 1.5, 2.50), array_join(ARRAY[1.5, 2.25], ';')",
            "1.5|1.50 2.50|1.50;2.25",
        ),
    ]);
}

#[test]
fn arithmetic_has_the_digits_of_athena() {
    check(&[
        ("2 / 3.0, typeof(CAST(2 AS integer) / 3.0)", "0.7|decimal(12,1)"),
        ("0.1 + 0.2, 0.1 + 0.2 = 0.3, typeof(0.1 + 0.22)", "0.3|true|decimal(3,2)"),
        (
            "1.5 * 1.25, typeof(1.5 * 1.25), 1.25 - 1.5, typeof(1.25 - 1.5)",
            "1.875|decimal(5,3)|-0.25|decimal(4,2)",
        ),
        ("7.5 % 2, -7.5 % 2, mod(7.5, 2.0), 7.25 % 2.5", "1.5|-1.5|1.5|2.25"),
        (
            "1.00 / 3, 2.00 / 3, -2.00 / 3, 1 / 8.000, typeof(1.00 / 3.0)",
            "0.33|0.67|-0.67|0.125|decimal(4,2)",
        ),
        ("100.0 * 1 / 3, round(100.0 * 1 / 3, 2), 100.00 * 2 / 3, 100e0 * 1 / 4", "33.3|33.3|66.67|25.0"),
        ("CAST(5 AS bigint) / 2.0, typeof(CAST(5 AS bigint) / 2.0)", "2.5|decimal(21,1)"),
        (
            "1.5 + 1e0, typeof(1.5 + 1e0), 1.5 * CAST(2 AS double), CAST(0.1 AS double) + CAST(0.2 AS double)",
            "2.5|double|3.0|0.30000000000000004",
        ),
        ("1.5 + NULL, CAST(NULL AS decimal(3,1)) / 2", "NULL|NULL"),
        ("99999999999999999999999999999999999999 / 3", "33333333333333333333333333333333333333"),
        (
            "SELECT x, 1.0 * n / 3, n * 0.5 FROM (VALUES ('a', 1), ('b', NULL)) AS t(x, n) ORDER BY x",
            "a|0.3|0.5;b|NULL|NULL",
        ),
        ("SELECT x / 3 FROM (VALUES 1.0 / 3) AS t(x) UNION ALL SELECT 2.0 / 3 ORDER BY 1", "0.1;0.7"),
        ("transform(ARRAY[1, 2], x -> x * 1.5), TRY(1.0 / 0)", "[1.5, 3.0]|NULL"),
    ]);
    check_refused(&[
        ("SELECT 1.5 / 0", "division by zero"),
        ("SELECT 99999999999999999999999999999999999999 / 1.0", "too many digits"),
        ("SELECT reduce(ARRAY[5, 20], 0.0, (s, x) -> s + x, s -> s)", "begin with a double, for example 0e0"),
        ("SELECT 1.5 % 0.0", "division by zero"),
        ("SELECT 9999999999999999999.9 * 9999999999999999999.9", "too many digits"),
        ("SELECT 0.00000000000000000001 * 0.00000000000000000001", "would exceed max scale of 38"),
    ]);
}

#[test]
fn comparisons_are_exact() {
    check(&[
        (
            "1.50 = 1.5, 1 = 1.0, 1.5 > 1, 0.1 < CAST(0.2 AS double), 1.5 BETWEEN 1 AND 2, 2 IN (1.5, 2.0)",
            "true|true|true|true|true|true",
        ),
        ("SELECT count(*) FROM (VALUES 1, 2, 3) AS t(x) WHERE x > 1.5", "2"),
        ("SELECT count(*) FROM (VALUES 1e0, 2e0) AS t(x) WHERE x >= 1.5", "1"),
        ("SELECT a.x FROM (VALUES 1, 2) AS a(x) JOIN (VALUES 2.0) AS b(y) ON a.x = b.y", "2"),
        (
            "greatest(1, 2.5), least(1.5, 2), coalesce(NULL, 1.5), nullif(1.5, 1.50), if(true, 1, 2.5)",
            "2.5|1.5|1.5|NULL|1.0",
        ),
        (
            "contains(ARRAY[1.5, 2.5], 2.5), array_max(ARRAY[1.5, 2.25]), array_union(ARRAY[1.5], ARRAY[2.25])",
            "true|2.25|[1.50, 2.25]",
        ),
    ]);
}

#[test]
fn functions_keep_decimals_or_take_doubles() {
    check(&[
        ("round(2.5), round(-2.5), round(2.45), typeof(round(2.5))", "3|-3|2|decimal(2,0)"),
        (
            "round(1.005, 1), round(1.005, 2), round(155.5, -1), round(1.5, 3), typeof(round(1.005, 1))",
            "1.000|1.010|160.0|1.5|decimal(5,3)",
        ),
        ("ceil(1.2), ceiling(-1.2), floor(1.8), floor(-1.8), typeof(ceil(1.2))", "2|-1|1|-2|decimal(2,0)"),
        ("truncate(-2.7), truncate(2.789, 1), sign(-2.5), sign(0.0), abs(-1.5)", "-2|2.700|-1|0|1.5"),
        (
            "sqrt(6.25), power(2.0, 3), ln(1.0), exp(0.0), typeof(sqrt(6.25)), degrees(0.0)",
            "2.5|8.0|0.0|1.0|double|0.0",
        ),
        (
            "width_bucket(5.5, 0.0, 10.0, 5), from_unixtime(0.5) = from_unixtime(0), is_nan(1.5)",
            "3|false|false",
        ),
    ]);
    let t = "(VALUES ('a', 1.5), ('a', 2.0), ('b', 0.5)) AS t(k, d)";
    let cases: Vec<(String, &str)> = [
        ("SELECT sum(d), avg(d), min(d), max(d), typeof(avg(d)) FROM T", "4.0|1.3|0.5|2.0|decimal(2,1)"),
        ("SELECT k, avg(d) FROM T GROUP BY k HAVING avg(d) > 0.4 ORDER BY avg(d) DESC", "a|1.8;b|0.5"),
        ("SELECT avg(d) FILTER (WHERE k = 'a'), avg(d) FILTER (WHERE k = 'c') FROM T", "1.8|NULL"),
        ("SELECT k, avg(d) OVER () FROM T WHERE k = 'a' ORDER BY d", "a|1.8;a|1.8"),
        ("SELECT approx_percentile(d, 0.5), approx_percentile(d, ARRAY[0.0, 1.0]), stddev_pop(d) > 0.6 FROM T", "1.5|[0.5, 2.0]|true"),
        ("SELECT histogram(d), map_agg(k, d), array_agg(d ORDER BY d) FROM T WHERE k = 'b'", "{0.5: 1}|{b: 0.5}|[0.5]"),
        ("SELECT k, 100.0 * count(*) / sum(count(*)) OVER () FROM T GROUP BY k ORDER BY k", "a|66.7;b|33.3"),
        ("SELECT max_by(k, d), geometric_mean(d) > 1.1, sum(d) / count(*) FROM T", "a|true|1.3"),
        ("SELECT corr(d, d), covar_pop(d, d) > 0, skewness(d) < 0, regr_slope(d, d) FROM T", "1.0|true|true|1.0"),
    ]
    .map(|(sql, expected)| (sql.replace("FROM T", &format!("FROM {t}")), expected))
    .into();
    let cases: Vec<(&str, &str)> = cases.iter().map(|(sql, expected)| (sql.as_str(), *expected)).collect();
    check(&cases);
    check_refused(&[("SELECT avg(DISTINCT x) FROM (VALUES 1.5) AS t(x)", "cast them to double")]);
}
