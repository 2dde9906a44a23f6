//! Compares filters with a row-by-row evaluation, and checks which rules are refused.

use proptest::prelude::*;

use super::*;
use crate::dataset;
use crate::table::{Column, ColumnType, Naming, Origin, Promotion};

/// A table with a column of each comparable type.
fn schema() -> TableSchema {
    let column = |name, kind| Column::new(name, kind, Origin::Decoder, "");
    let columns = vec![
        column("text", ColumnType::Text),
        Column::new("text_kst", ColumnType::Timestamp, Origin::EventTimeKst, ""),
        column("truth", ColumnType::Bool),
        column("short", ColumnType::Int),
        column("long", ColumnType::BigInt),
        column("double", ColumnType::Double),
    ];
    TableSchema { columns, event_time: 0, cluster: Vec::new(), naming: Naming::Snake }
}

const COLUMNS: [&str; 5] = ["text", "truth", "short", "long", "double"];

/// A row: text, truth, short, long, double.
type Row = (Option<String>, Option<bool>, Option<i32>, Option<i64>, Option<f64>);

fn cells(rows: &[Row]) -> Vec<ArrayRef> {
    vec![
        Arc::new(rows.iter().map(|row| row.0.as_deref()).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| row.1).collect::<BooleanArray>()),
        Arc::new(rows.iter().map(|row| row.2).collect::<Int32Array>()),
        Arc::new(rows.iter().map(|row| row.3).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.4).collect::<Float64Array>()),
    ]
}

/// Evaluates rules with the fast path. Returns for each row whether it is left out.
fn left_out(rules: &[String], rows: &[Row]) -> Vec<bool> {
    let found = RowFilter::new(&schema(), rules).unwrap().matches(&cells(rows)).unwrap();
    assert!(
        found.as_ref().is_none_or(|found| found.count_set_bits() > 0),
        "a filter without matches should return None"
    );
    found.map_or(vec![false; rows.len()], |found| found.iter().collect())
}

/// A cell of a row as a literal; `None` is NULL.
fn cell(column: &str, row: &Row) -> Option<Literal> {
    match column {
        "text" => row.0.clone().map(Literal::Text),
        "truth" => row.1.map(Literal::Bool),
        "short" => row.2.map(|number| Literal::Number(number.into())),
        "long" => row.3.map(Literal::Number),
        _ => row.4.map(Literal::Decimal),
    }
}

/// Matches a pattern letter by letter, as the SQL standard defines it.
fn is_like(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|skipped| is_like(&text[skipped..], rest)),
        Some(('_', rest)) => !text.is_empty() && is_like(&text[1..], rest),
        Some((letter, rest)) => text.first() == Some(letter) && is_like(&text[1..], rest),
    }
}

/// Evaluates one condition on one row, in three-valued logic.
fn holds(condition: &Condition, row: &Row) -> Option<bool> {
    let cell = cell(&condition.column, row);
    if let Test::IsNull { negated } = condition.test {
        return Some(cell.is_none() != negated);
    }
    let cell = cell?;
    Some(match &condition.test {
        Test::Compare(Comparison::Equal, literal) => cell == *literal,
        Test::Compare(Comparison::NotEqual, literal) => cell != *literal,
        Test::Compare(comparison, wanted) => {
            let (number, wanted) = (number(&cell), number(wanted));
            match comparison {
                Comparison::Less => number < wanted,
                Comparison::LessOrEqual => number <= wanted,
                Comparison::Greater => number > wanted,
                _ => number >= wanted,
            }
        }
        Test::In { values, negated } => values.contains(&cell) != *negated,
        Test::Like { pattern, negated } => {
            let Literal::Text(text) = cell else { panic!("only texts have patterns") };
            let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
            is_like(&text, &pattern) != *negated
        }
        other @ Test::IsNull { .. } => panic!("{other:?} is handled above"),
    })
}

fn number(literal: &Literal) -> f64 {
    match literal {
        Literal::Number(number) => *number as f64,
        Literal::Decimal(number) => *number,
        other => panic!("{other:?} is not a number"),
    }
}

fn literal(column: &str) -> BoxedStrategy<Literal> {
    match column {
        "text" => "[ab%_'\\\\.한\n]{0,3}".prop_map(Literal::Text).boxed(),
        "truth" => any::<bool>().prop_map(Literal::Bool).boxed(),
        "double" => (-4_i32..6).prop_map(|halves| Literal::Decimal(f64::from(halves) / 2.0)).boxed(),
        _ => (-2_i64..3).prop_map(Literal::Number).boxed(),
    }
}

fn condition() -> impl Strategy<Value = Condition> {
    prop::sample::select(&COLUMNS[..]).prop_flat_map(|column| {
        let comparisons: &[Comparison] = match column {
            "text" | "truth" => &[Comparison::Equal, Comparison::NotEqual],
            _ => &[
                Comparison::Equal,
                Comparison::NotEqual,
                Comparison::Less,
                Comparison::LessOrEqual,
                Comparison::Greater,
                Comparison::GreaterOrEqual,
            ],
        };
        let compare = (prop::sample::select(comparisons), literal(column))
            .prop_map(|(comparison, literal)| Test::Compare(comparison, literal));
        let list = (prop::collection::vec(literal(column), 1..4), any::<bool>())
            .prop_map(|(values, negated)| Test::In { values, negated });
        let null = any::<bool>().prop_map(|negated| Test::IsNull { negated });
        let test = if column == "text" {
            let pattern = ("[ab%_\\\\.한\n]{0,5}", any::<bool>())
                .prop_map(|(pattern, negated)| Test::Like { pattern, negated });
            prop_oneof![compare, list, null, pattern].boxed()
        } else {
            prop_oneof![compare, list, null].boxed()
        };
        test.prop_map(move |test| Condition { column: column.to_owned(), at: 0, test })
    })
}

fn row() -> impl Strategy<Value = Row> {
    let text = prop::option::of("[ab%_'\\\\.한\n]{0,4}");
    let halves = prop::option::of((-4_i32..6).prop_map(|halves| f64::from(halves) / 2.0));
    (text, any::<Option<bool>>(), prop::option::of(-2_i32..3), prop::option::of(-2_i64..3), halves)
}

proptest! {
    #[test]
    fn the_kernels_agree_with_a_row_by_row_evaluation(
        rules in prop::collection::vec(prop::collection::vec(condition(), 1..4), 0..3),
        rows in prop::collection::vec(row(), 0..12),
    ) {
        let texts: Vec<String> = rules
            .iter()
            .map(|rule| rule.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "))
            .collect();
        let matches = |row: &Row| {
            rules.iter().any(|rule| rule.iter().all(|condition| holds(condition, row) == Some(true)))
        };
        let expected: Vec<bool> = rows.iter().map(matches).collect();
        prop_assert_eq!(left_out(&texts, &rows), expected, "{:?}", texts);
    }
}

#[test]
fn null_is_neither_equal_nor_unequal() {
    let rows: [Row; 3] = [
        (Some("a".to_owned()), None, None, None, None),
        (Some("b".to_owned()), None, None, None, None),
        (None, None, None, None, None),
    ];
    for (rule, expected) in [
        ("text = 'a'", [true, false, false]),
        ("text != 'a'", [false, true, false]),
        ("text not in ('a')", [false, true, false]),
        ("text not like 'a%'", [false, true, false]),
        ("text is null", [false, false, true]),
        ("text is not null and truth is null", [true, true, false]),
    ] {
        assert_eq!(left_out(&[rule.to_owned()], &rows), expected, "{rule}");
    }
}

#[test]
fn a_pattern_has_two_wildcards_and_no_escape() {
    let rows =
        ["a%", "ab", r"a\", r"a\%", r"a\b"].map(|text| (Some(text.to_owned()), None, None, None, None));
    for (pattern, expected) in [
        ("a%", [true; 5]),
        ("a_", [true, true, true, false, false]),
        (r"a\%", [false, false, true, true, true]),
        (r"a\_", [false, false, false, true, true]),
        (r"a\", [false, false, true, false, false]),
    ] {
        assert_eq!(left_out(&[format!("text like '{pattern}'")], &rows), expected, "{pattern}");
    }
}

#[test]
fn an_unsupported_test_is_refused_with_its_position() {
    let promoted = Promotion {
        column: "role".to_owned(),
        path: "requestParameters.roleArn".to_owned(),
        column_type: ColumnType::Text,
    };
    let schema = dataset::named("cloudtrail").unwrap().schema(Naming::Compact, &[promoted]);
    for good in
        ["eventsource = 'x'", "event_source = 'x'", "role like 'x'", "resources_arn is null", "Event_ID = ''"]
    {
        RowFilter::new(&schema, &[good.to_owned()]).unwrap();
    }
    for (rule, message) in [
        ("event_source = 'x' and colour = 'red'", "no column 'colour'"),
        ("event_source = 'x' and colour = 'red'", "character: 24"),
        ("event_time_kst is null", "cannot be used in a filter"),
        ("source_record > 5", "cannot be used in a filter"),
        ("event_time = '2023-11-01'", "is a time or a list"),
        ("resources_arn = 'x'", "is a time or a list"),
        ("resources_arn like 'x'", "is a time or a list"),
        ("event_source = 5", "single quotes"),
        ("event_source > 'a'", "compare numbers"),
        ("read_only = 'true'", "true or false"),
        ("read_only like 't%'", "true or false"),
        ("bytes_transferred_in = '5'", "is a number"),
    ] {
        let error = RowFilter::new(&schema, &[rule.to_owned()]).unwrap_err();
        assert!(error.to_string().contains(message), "{rule}: {error}");
        assert!(error.next_step().is_some_and(|hint| hint.contains("logmill schema")));
    }
    for (rule, message) in [
        ("long = 1.5", "is a whole number"),
        ("double = 'x'", "is a number"),
        ("double like 'x'", "is a number"),
        ("double = 1e999", "'1e999' is not a number"),
        ("double = 1.5s", "'1.5s' is not a number"),
        ("long = 9223372036854775808", "is not a number of 64 bits"),
    ] {
        let error = RowFilter::new(&self::schema(), &[rule.to_owned()]).unwrap_err();
        assert!(error.to_string().contains(message), "{rule}: {error}");
    }
    RowFilter::new(&self::schema(), &["double >= 1 and double < 2.5e3".to_owned()]).unwrap();
    let access = dataset::named("s3-access").unwrap().schema(Naming::Snake, &[]);
    let error = RowFilter::new(&access, &["http_status = 5000000000".to_owned()]).unwrap_err();
    assert!(error.to_string().contains("32 bits"), "{error}");
}
