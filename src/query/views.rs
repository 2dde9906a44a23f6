//! The views of `glue/sql`, as they are deployed to Athena: their texts are part of the program.

/// A view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Its name.
    pub name: &'static str,
    /// The whole text of its file.
    text: &'static str,
}

/// Every view, by name.
pub const VIEWS: &[View] = &[];

impl View {
    /// The query behind `AS`, without what stands around it.
    #[must_use]
    pub fn query(&self) -> &'static str {
        let begin = "CREATE OR REPLACE VIEW";
        let statement = self.text.split_once(begin).map_or(self.text, |(_, statement)| statement);
        let query = statement.split_once(" AS").map_or(statement, |(_, query)| query);
        query.trim().trim_end_matches(';')
    }
}
