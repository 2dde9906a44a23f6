//! Arrays, maps and lambdas.

use super::{check, check_refused};

#[test]
fn arrays_and_maps() {
    check(&[
        (
            "array_distinct(ARRAY[3,1,3,NULL,NULL]), array_union(ARRAY[1,2],ARRAY[2,3])",
            "[3, 1, NULL]|[1, 2, 3]",
        ),
        ("array_intersect(ARRAY[1,2,2],ARRAY[2,3]), array_except(ARRAY[1,2,1],ARRAY[2])", "[2]|[1]"),
        ("array_join(ARRAY[1,NULL,2],','), array_join(ARRAY[1,NULL,2],',','x')", "1,2|1,x,2"),
        (
            "array_sort(ARRAY[3,1,NULL,2]), array_max(ARRAY[1,3]), array_min(ARRAY[2,1])",
            "[1, 2, 3, NULL]|3|1",
        ),
        ("cardinality(ARRAY[ARRAY[1,2],ARRAY[3]]), cardinality(map(ARRAY['a'],ARRAY[1]))", "2|1"),
        ("combinations(ARRAY['a','b','c'],2)", "[[a, b], [a, c], [b, c]]"),
        ("ngrams(ARRAY['a','b','c'],2), flatten(ARRAY[ARRAY[1],ARRAY[2,3]])", "[[a, b], [b, c]]|[1, 2, 3]"),
        (
            "slice(ARRAY[1,2,3,4],2,2), slice(ARRAY[1,2,3],-2,2), trim_array(ARRAY[1,2,3],1)",
            "[2, 3]|[2, 3]|[1, 2]",
        ),
        (
            "contains(ARRAY['a','b'],'b'), contains(ARRAY[1,NULL],2), contains_sequence(ARRAY[1,2,3],ARRAY[2,3])",
            "true|NULL|true",
        ),
        (
            "repeat('x',2), reverse(ARRAY[1,2]), sequence(1,5,2), sequence(3,1)",
            "[x, x]|[2, 1]|[1, 3, 5]|[3, 2, 1]",
        ),
        ("cardinality(shuffle(ARRAY[1,2,3])), ARRAY[1] || ARRAY[2], ARRAY[1,2][2]", "3|[1, 2]|2"),
        ("zip(ARRAY[1,2],ARRAY['a'])", "[{field0: 1, field1: a}, {field0: 2, field1: NULL}]"),
        (
            "arrays_overlap(ARRAY[1,2],ARRAY[2]), array_position(ARRAY[1,2],2), array_remove(ARRAY[1,2,1],1)",
            "true|2|[2]",
        ),
        (
            "element_at(ARRAY[1,2],-1), element_at(map(ARRAY['a'],ARRAY[1]),'b'), map(ARRAY['a'],ARRAY[1])['a']",
            "2|NULL|1",
        ),
        ("map_keys(map(ARRAY['a','b'],ARRAY[1,2])), map_values(map(ARRAY['a'],ARRAY[1]))", "[a, b]|[1]"),
        ("map_entries(map(ARRAY[1,2],ARRAY['x','y']))", "[{field0: 1, field1: x}, {field0: 2, field1: y}]"),
        (
            "map_from_entries(ARRAY[ROW(1,'x'),ROW(2,'y')]), map_concat(map(ARRAY[1],ARRAY[2]),map(ARRAY[1],ARRAY[3]))",
            "{1: x, 2: y}|{1: 3}",
        ),
        ("multimap_from_entries(ARRAY[ROW(1,'x'),ROW(1,'y')])", "{1: [x, y]}"),
        ("CAST(ROW(1,'x') AS ROW(a bigint, b varchar)).b, CAST(ARRAY[1,2] AS array(varchar))", "x|[1, 2]"),
        ("map(ARRAY['a'],ARRAY[ARRAY[1,2]])['a'][2]", "2"),
        ("CAST(map(ARRAY['a'],ARRAY['1']) AS map(varchar,bigint))['a'] + 1", "2"),
    ]);
    check_refused(&[
        ("SELECT map(ARRAY[1,1],ARRAY[2,3])", "occurs twice"),
        ("SELECT slice(ARRAY[1],0,1)", "counts from 1"),
        ("SELECT CAST(ARRAY['x'] AS array(bigint))", "cannot cast 'x' to bigint"),
    ]);
}

#[test]
fn lambdas() {
    check(&[
        ("transform(ARRAY[1,2], x -> x+1), filter(ARRAY[1,2,3], x -> x % 2 = 1)", "[2, 3]|[1, 3]"),
        ("reduce(ARRAY[1,2,3], 0, (s,x)->s+x, s->s), reduce(ARRAY[5,20], 0e0, (s,x)->s+x, s->s/2)", "6|12.5"),
        (
            "any_match(ARRAY[1,2], x -> x > 1), all_match(ARRAY[1,2], x -> x > 1), none_match(ARRAY[1,2], x -> x > 2)",
            "true|false|true",
        ),
        ("any_match(ARRAY[1,NULL], x -> x > 1), all_match(ARRAY[], x -> true)", "NULL|true"),
        ("zip_with(ARRAY[1,3,5], ARRAY['a','b','c'], (x,y) -> CAST(x AS varchar) || y)", "[1a, 3b, 5c]"),
        ("zip_with(ARRAY[1,2], ARRAY[3], (x,y) -> coalesce(x,0) + coalesce(y,0))", "[4, 2]"),
        ("map_filter(map(ARRAY['a','b'],ARRAY[1,2]), (k,v) -> v > 1)", "{b: 2}"),
        ("transform_values(map(ARRAY['a','b'],ARRAY[1,2]), (k,v) -> v * 10)", "{a: 10, b: 20}"),
        ("transform_keys(map(ARRAY['a','b'],ARRAY[1,2]), (k,v) -> upper(k))", "{A: 1, B: 2}"),
        (
            "map_zip_with(map(ARRAY[1,2],ARRAY['a','b']), map(ARRAY[1],ARRAY['c']), (k,x,y) -> coalesce(y,x))",
            "{1: c, 2: b}",
        ),
        ("array_sort(ARRAY[3,2,5,1,2], (x,y) -> IF(x < y, 1, IF(x = y, 0, -1)))", "[5, 3, 2, 2, 1]"),
        ("find_first(ARRAY[1,2,3], x -> x > 1), transform(ARRAY['a'], x -> ROW(x, 1))", "2|[{c0: a, c1: 1}]"),
        (
            "SELECT transform(a, x -> x + b) FROM (VALUES (ARRAY[1,2], 10), (ARRAY[3], 20), (NULL, 1)) AS t(a,b)",
            "[11, 12];[23];NULL",
        ),
        ("SELECT filter(a, x -> x <> b) FROM (VALUES (ARRAY['p','q'], 'q')) AS t(a,b)", "[p]"),
        (
            "SELECT reduce(a, b, (s,x) -> s + x, s -> s) FROM (VALUES (ARRAY[1,2], 10), (ARRAY[], 5)) AS t(a,b)",
            "13;5",
        ),
        ("transform(ARRAY[ARRAY[1,2],ARRAY[3]], a -> reduce(a, 0, (s,x) -> s + x, s -> s))", "[3, 3]"),
        ("transform(ARRAY[CAST(ROW(1,'x') AS ROW(a bigint, b varchar))], r -> r.b)", "[x]"),
        ("array_join(transform(split('a,b', ','), x -> upper(x)), '-')", "A-B"),
        (
            "SELECT count(*) FROM (VALUES (ARRAY['arn:a','b'])) AS t(r) WHERE any_match(r, x -> x LIKE 'arn:%')",
            "1",
        ),
        ("SELECT reduce_agg(x, 0, (s,v) -> s + v, (a,b) -> a + b) FROM (VALUES 1,2,3) AS t(x)", "6"),
    ]);
}
