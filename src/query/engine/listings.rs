//! What `SHOW` and `DESCRIBE` answer, and prepared statements.

use arrow::datatypes::{DataType, Field};

use super::{Engine, LakeTableSource};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::query::commands::{self, Command, Prepared, listing};
use crate::query::types;
use crate::query::views::VIEWS;
use crate::store::lake::PARTITION_KEY;

impl Engine {
    /// Returns the statement that a text asks for. Prepared statements are remembered or filled in.
    pub(super) fn asked(&self, text: &str) -> Result<String> {
        let text = text.trim_start_matches('\u{feff}');
        let statements = commands::statements(text);
        let Some((last, before)) = statements.split_last() else { return Ok(text.to_owned()) };
        for statement in before {
            match commands::prepared(statement) {
                Some(Prepared::Prepare(name, statement)) => self.prepare(name, statement),
                _ => return Ok(text.to_owned()),
            }
        }
        let sql = match commands::prepared(last) {
            Some(Prepared::Prepare(name, statement)) => {
                self.prepare(name, statement);
                listing("prepared", &[])
            }
            Some(Prepared::Forget(name)) => {
                self.prepared().remove(&name);
                listing("prepared", &[])
            }
            Some(Prepared::Immediate(statement, values)) => commands::filled(&statement, &values)?,
            Some(Prepared::Execute(name, values)) => {
                let statement = self.prepared().get(&name).cloned();
                let Some(statement) = statement else {
                    return Err(Error::new(ErrorKind::Usage, format!("unknown prepared statement '{name}'"))
                        .hint("begin the text with PREPARE name FROM ...;, or use EXECUTE IMMEDIATE '...' USING ..."));
                };
                commands::filled(&statement, &values)?
            }
            None => (*last).to_owned(),
        };
        match commands::read(&sql)? {
            Some(command) => self.answer(command),
            None => Ok(sql),
        }
    }

    fn prepared(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<String, String>> {
        self.prepared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn prepare(&self, name: String, statement: String) {
        self.prepared().insert(name, statement);
    }

    /// Returns the query with the rows of a command.
    fn answer(&self, command: Command) -> Result<String> {
        Ok(match command {
            Command::Instead(sql) => sql,
            Command::Databases => listing("database_name", &["default".to_owned()]),
            Command::Partitions(name) => {
                let days = self.days_of(self.known_table(&name)?)?;
                let mut days: Vec<KstDay> = days.wanted.all()?.iter().map(|manifest| manifest.day).collect();
                days.sort();
                let folders = days.iter().map(|day| format!("{PARTITION_KEY}={}", day.proc_ymd()));
                listing("partition", &folders.collect::<Vec<_>>())
            }
            Command::CreateTable(name) => listing("createtab_stmt", &self.create_table(&name)?),
            Command::CreateView(name) => match VIEWS.iter().find(|view| view.name == name) {
                Some(view) => {
                    let create = format!("CREATE VIEW {name} AS\n{}", view.query());
                    listing("create_view", &create.lines().map(str::to_owned).collect::<Vec<_>>())
                }
                None => return Err(self.no_such_table(&name)),
            },
            Command::Tables { of_views, pattern } => {
                let mut names = self.relations();
                names.retain(|name| pattern.as_ref().is_none_or(|pattern| pattern.fits(name)));
                let names: Vec<String> =
                    names.iter().map(|name| format!("'{name}'")).chain(["''".to_owned()]).collect();
                let kind = if of_views { "AND table_type = 'VIEW' " } else { "" };
                format!(
                    "SELECT table_name, table_type FROM information_schema.tables \
                     WHERE table_schema <> 'information_schema' {kind}AND table_name IN ({}) ORDER BY table_name",
                    names.join(", ")
                )
            }
        })
    }

    fn known_table(&self, name: &str) -> Result<&LakeTableSource> {
        if self.table(name).is_none() && VIEWS.iter().any(|view| view.name == name) {
            return Err(Error::new(ErrorKind::Usage, format!("'{name}' is a view, not a table"))
                .hint(format!("use SHOW CREATE VIEW {name}")));
        }
        self.table(name).ok_or_else(|| self.no_such_table(name))
    }

    /// Returns the lines of the statement that creates a table in Athena.
    fn create_table(&self, name: &str) -> Result<Vec<String>> {
        let table = self.known_table(name)?;
        let days = self.days_of(table)?;
        let provider = self.schema_of(table, &days, false)?.ok_or_else(|| self.no_such_table(name))?;
        let schema = provider.schema();
        let column =
            |field: &std::sync::Arc<Field>| format!("  `{}` {}", field.name(), hive_name(field.data_type()));
        let columns: Vec<String> =
            schema.fields().iter().filter(|field| field.name() != PARTITION_KEY).map(column).collect();
        let create = format!(
            "CREATE EXTERNAL TABLE `{name}`(\n{})\nPARTITIONED BY (\n  `{PARTITION_KEY}` string)\nSTORED AS PARQUET\nLOCATION\n  '{}'",
            columns.join(",\n"),
            self.lake.address(name)
        );
        Ok(create.lines().map(str::to_owned).collect())
    }
}

/// Hive's name of a type.
fn hive_name(data_type: &DataType) -> String {
    match types::plain(data_type) {
        DataType::List(element) => format!("array<{}>", hive_name(element.data_type())),
        DataType::Struct(fields) => {
            let fields =
                fields.iter().map(|field| format!("{}:{}", field.name(), hive_name(field.data_type())));
            format!("struct<{}>", fields.collect::<Vec<_>>().join(","))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(sides) => {
                format!("map<{},{}>", hive_name(sides[0].data_type()), hive_name(sides[1].data_type()))
            }
            _ => "map<string,string>".to_owned(),
        },
        DataType::Utf8 => "string".to_owned(),
        DataType::Int32 => "int".to_owned(),
        DataType::Float32 => "float".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::Binary => "binary".to_owned(),
        other => types::name(&other),
    }
}
