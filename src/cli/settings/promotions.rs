//! Checks of promotions: the name must work in every engine, and the path must be able to have a value.

use std::collections::{BTreeMap, BTreeSet};

use crate::dataset::Dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::store::lake::PARTITION_KEY;
use crate::table::{Column, ColumnType, Naming, Origin, Promotion};

/// Longest name of a column in the catalog, in bytes (AWS Glue API, `Column`).
const MAX_BYTES: usize = 255;

/// Words that Athena reserves, so that every query would have to quote a column of that name (Athena, "Reserved keywords in
/// SQL SELECT statements"; Trino, "Reserved keywords"), and the columns that Hive adds to every table.
const RESERVED: &str = "alter and as between by case cast constraint create cross cube current_catalog current_date \
    current_path current_role current_schema current_time current_timestamp current_user deallocate delete describe \
    distinct drop else end escape except execute exists extract false first for from full group grouping having in inner \
    insert intersect into is join json_array json_exists json_object json_query json_table json_value last left like \
    listagg localtime localtimestamp natural normalize not null on or order outer prepare recursive right rollup select \
    skip table then trim true uescape union unnest using values when where with \
    block__offset__inside__file grouping__id input__file__name row__id";

/// A key of a promotion in the config file, and the problem with its value.
type Fault = (&'static str, String);

/// Refuses promotions that would break the table or could never have a value. `file` is the config file.
pub(super) fn check(promotions: &[Promotion], dataset: &dyn Dataset, table: &str, file: &str) -> Result<()> {
    let known = Known::of(dataset);
    let mut numbered = promotions.iter().enumerate();
    let fault = numbered.find_map(|(place, promotion)| {
        let fault = known.fault(promotion, &promotions[..place])?;
        Some((place, promotion, fault))
    });
    let Some((place, Promotion { column, path, .. }, (key, why))) = fault else { return Ok(()) };
    Err(Error::new(ErrorKind::Usage, format!("cannot promote '{path}' as '{column}': {why}"))
        .with("table", table)
        .with("key", format!("source.promote[{place}].{key}"))
        .with("file", file)
        .hint("a promotion looks like: { column = \"role_arn\", path = \"requestParameters.roleArn\" }"))
}

/// What every record of a log type has at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// An object whose keys have columns. It may have other keys.
    Object,
    /// A list, whose elements have columns.
    List,
    /// A value with a column.
    Value(ColumnType),
}

/// The columns of a table without promotions, and the known paths of its records.
struct Known {
    columns: Vec<Column>,
    /// Paths inside a JSON column are not included: they differ from service to service.
    places: BTreeMap<String, Place>,
}

impl Known {
    fn of(dataset: &dyn Dataset) -> Self {
        let columns = dataset.schema(Naming::Snake, &[]).columns;
        let mut places = BTreeMap::new();
        for column in &columns {
            let Origin::Json(paths) = &column.origin else { continue };
            paths.iter().for_each(|path| add_places(&mut places, path, column.column_type));
        }
        let is_json = |path: &str| places.get(path) == Some(&Place::Value(ColumnType::Json));
        let is_fixed = |path: &String| !path.match_indices('.').any(|(end, _)| is_json(&path[..end]));
        let fixed = places.keys().filter(|path| is_fixed(path)).cloned().collect::<BTreeSet<_>>();
        places.retain(|path, _| fixed.contains(path));
        Self { columns, places }
    }

    fn fault(&self, promotion: &Promotion, earlier: &[Promotion]) -> Option<Fault> {
        let Promotion { column, path, .. } = promotion;
        if self.places.is_empty() {
            return Some(("path", "this log type holds no JSON".to_owned()));
        }
        let name = self.taken(column, earlier).or_else(|| name_fault(column)).map(|why| ("column", why));
        let path = || form_fault(path).or_else(|| self.unreachable(path)).map(|why| ("path", why));
        name.or_else(path).or_else(|| self.type_fault(promotion).map(|why| ("type", why)))
    }

    /// What already has the name. Names are case-insensitive in catalogs and engines.
    fn taken(&self, name: &str, earlier: &[Promotion]) -> Option<String> {
        let is_name = |other: &str| other.eq_ignore_ascii_case(name);
        if is_name(PARTITION_KEY) {
            return Some(format!("'{PARTITION_KEY}' is the partition column, the KST day"));
        }
        if let Some((place, other)) = (0..).zip(earlier).find(|(_, other)| is_name(&other.column)) {
            return Some(format!("promote[{place}] gives this name to '{}'", other.path));
        }
        [Naming::Snake, Naming::Compact].into_iter().find_map(|naming| {
            let own = self.columns.iter().find(|own| is_name(&own.named(naming)))?;
            let compact = if naming == Naming::Compact { ", under compact naming" } else { "" };
            Some(format!(
                "the table already has a column of this name, '{}' from {}{compact}",
                own.name,
                own.source()
            ))
        })
    }

    /// Returns why no record can have a value at a path.
    fn unreachable(&self, path: &str) -> Option<String> {
        let mut above = None;
        for (end, _) in path.match_indices('.').chain([(path.len(), "")]) {
            let here = &path[..end];
            match (self.places.get(here), end == path.len()) {
                (None, _) if matches!(above, None | Some(Place::Object)) => return self.misspelt(here),
                (None, _) | (Some(_), true) => return None,
                (Some(Place::List), _) => {
                    return Some(format!("'{here}' is a list, not a single value"));
                }
                (Some(Place::Value(kind)), _) if *kind != ColumnType::Json => {
                    return Some(format!("'{here}' is a {} and has no keys", kind.hive()));
                }
                (place, _) => above = place.copied(),
            }
        }
        None
    }

    /// Returns the path that was probably meant. JSON keys are case-sensitive, and column names are not keys.
    fn misspelt(&self, path: &str) -> Option<String> {
        let plain = |path: &str| path.replace(['_', '-'], "").to_ascii_lowercase();
        let near = self.places.keys().find(|known| plain(known) == plain(path))?;
        Some(format!("no record has '{path}': did you mean '{near}'?"))
    }

    /// Returns why the value at the path can never have the type.
    fn type_fault(&self, promotion: &Promotion) -> Option<String> {
        let Promotion { path, column_type, .. } = promotion;
        if *column_type == ColumnType::TextList {
            return Some("a promoted value is a scalar or JSON, not a list".to_owned());
        }
        if column_type.is_text() {
            return None;
        }
        let what = match self.places.get(path)? {
            Place::Object | Place::Value(ColumnType::Json) => "an object",
            Place::List => "a list",
            Place::Value(ColumnType::Text) => return None,
            Place::Value(own) if own == column_type || own.is_number() && column_type.is_number() => {
                return None;
            }
            Place::Value(own) => own.hive(),
        };
        Some(format!("'{path}' is {what}, never a {}: use type text or json", column_type.hive()))
    }
}

/// Adds the value at the path of a column, and the objects above it.
fn add_places(places: &mut BTreeMap<String, Place>, path: &str, kind: ColumnType) {
    let (path, place) = match path.split_once("[]") {
        Some((list, _)) => (list, Place::List),
        None => (path, Place::Value(kind)),
    };
    for (end, _) in path.match_indices('.') {
        places.entry(path[..end].to_owned()).or_insert(Place::Object);
    }
    places.insert(path.to_owned(), place);
}

/// Returns why an engine would not take a name without quotes.
fn name_fault(name: &str) -> Option<String> {
    let is_good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if !name.bytes().all(is_good) || !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Some(
            "a column name consists of lower-case letters, digits and _, and begins with a letter".to_owned(),
        );
    }
    if name.len() > MAX_BYTES {
        return Some(format!("a column name has at most {MAX_BYTES} characters"));
    }
    let is_reserved = RESERVED.split_whitespace().any(|word| word == name);
    is_reserved.then(|| {
        format!("'{name}' is a reserved word of Athena or Hive, which every query would have to quote")
    })
}

/// Returns why a text is not a path of keys.
fn form_fault(path: &str) -> Option<String> {
    let is_odd = |letter: char| letter.is_control() || "\"\\[]".contains(letter);
    let bad_key = |key: &str| key.is_empty() || key.trim() != key || key == "*" || key.contains(is_odd);
    if path.starts_with('$') {
        return Some("a path begins with the first key, without '$'".to_owned());
    }
    let is_bad = path.starts_with('/') || path.split('.').any(bad_key);
    is_bad.then(|| "a path is the keys to one value, separated by '.'".to_owned())
}
