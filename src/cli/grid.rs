//! Tables of text that fit a terminal.
//!
//! Without a width, a table is complete and each row is one line. On a terminal that is too narrow, the table first hides
//! columns, in the order of [`Grid::spare`], while the column of free text wraps. If that is not enough, each row becomes a
//! list of all its cells. No other cell is ever split.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr;

use super::screen::{Screen, Shown, Tone};
use crate::escape;

/// The space between two columns.
const GAP: usize = 2;
/// The minimum width of a column whose text is wrapped.
const LEAST_TEXT: usize = 24;
/// Cells that say nothing. A list omits them.
const NOTHING: [&str; 2] = ["", "-"];
/// The colours of states.
const STATES: [(&str, Tone); 24] = [
    ("proved", Tone::Good),
    ("published", Tone::Good),
    ("final", Tone::Good),
    ("ok", Tone::Good),
    ("live", Tone::Good),
    ("kept", Tone::Good),
    ("empty", Tone::Faint),
    ("no logs", Tone::Faint),
    ("superseded", Tone::Faint),
    ("not published", Tone::Faint),
    ("missing", Tone::Attention),
    ("provisional", Tone::Attention),
    ("unknown", Tone::Attention),
    ("leftovers", Tone::Attention),
    ("not registered", Tone::Attention),
    ("not tried", Tone::Attention),
    ("stale", Tone::Bad),
    ("failed", Tone::Bad),
    ("denied", Tone::Bad),
    ("lost", Tone::Bad),
    ("dangling", Tone::Bad),
    ("orphaned", Tone::Bad),
    ("schema", Tone::Bad),
    ("not kept", Tone::Bad),
];
/// The colours of verdicts. A missing file is worse than a missing day.
const VERDICTS: [(&str, Tone); 7] = [
    ("proved", Tone::Good),
    ("unproved", Tone::Faint),
    ("incomplete", Tone::Attention),
    ("gap", Tone::Attention),
    ("broken", Tone::Bad),
    ("missing", Tone::Bad),
    ("altered", Tone::Bad),
];

/// A table of text.
pub(super) struct Grid<'a> {
    /// The names of the columns.
    pub(super) header: Vec<&'a str>,
    /// Columns that are aligned to the right.
    pub(super) numbers: &'a [&'a str],
    /// Columns that may be hidden, the least important first.
    pub(super) spare: &'a [&'a str],
    /// The column of free text, which may be wrapped.
    pub(super) prose: Option<&'a str>,
    /// The rows.
    pub(super) rows: Vec<Vec<String>>,
}

/// Returns the colour of a state.
pub(super) fn tone_of(state: &str) -> Option<Tone> {
    named(&STATES, state)
}

/// Returns the colour of a verdict.
pub(super) fn tone_of_verdict(verdict: &str) -> Option<Tone> {
    named(&VERDICTS, verdict)
}

fn named(tones: &[(&str, Tone)], word: &str) -> Option<Tone> {
    tones.iter().find(|(known, _)| *known == word).map(|(_, tone)| *tone)
}

/// Whether the words of a column have colours.
fn is_coloured(column: &str) -> bool {
    matches!(column, "state" | "digests" | "Verdict" | "")
}

/// Returns the colour of a cell. A cell with several states has the colour of the worst one.
fn tone_in(column: &str, cell: &str) -> Option<Tone> {
    if matches!(column, "digests" | "Verdict") {
        return tone_of_verdict(cell);
    }
    let tones = || cell.split(", ").filter_map(tone_of);
    tones().find(|tone| *tone == Tone::Bad).or_else(|| tones().next())
}

impl<'a> Grid<'a> {
    /// Creates a table without columns that may be hidden or wrapped.
    pub(super) fn new(
        header: &[&'a str],
        numbers: &'a [&'a str],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> Self {
        let rows = rows.into_iter().collect();
        Self { header: header.to_vec(), numbers, spare: &[], prose: None, rows }
    }

    /// Formats the table for a screen.
    pub(super) fn text(&self, screen: Screen) -> Shown {
        let mut table = self.table();
        let widths: Vec<usize> = table.column_max_content_widths().into_iter().map(usize::from).collect();
        let Some(width) = screen.width else { return self.lines(&table, &widths, screen) };
        let Some(hidden) = self.hidden(&widths, width) else { return self.lists(screen) };
        self.fit(&mut table, &hidden, width);
        let shown = widths
            .iter()
            .zip(&self.header)
            .map(|(width, name)| if hidden.contains(name) { 0 } else { *width });
        let mut text = self.lines(&table, &shown.collect::<Vec<_>>(), screen);
        for line in hidden_lines(&hidden, width) {
            text += screen.paint(Tone::Faint, &line);
            text += "\n";
        }
        text
    }

    /// The complete table.
    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(self.header.clone());
        for row in &self.rows {
            table.add_row(row.iter().map(|cell| escape::one_line(cell)));
        }
        for (column, name) in table.column_iter_mut().zip(&self.header) {
            column.set_padding((0, 2));
            if self.numbers.contains(name) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }

    /// Returns the columns to hide, in the order of the header; `None` if even the others are too wide.
    fn hidden(&self, widths: &[usize], most: usize) -> Option<Vec<&'a str>> {
        let least = |(name, width): (&&str, &usize)| {
            let width =
                if self.prose == Some(name) { LEAST_TEXT.min(*width).max(name.width()) } else { *width };
            width + GAP
        };
        let needed = |hidden: &[&str]| {
            let kept = self.header.iter().zip(widths).filter(|(name, _)| !hidden.contains(*name));
            kept.map(least).sum::<usize>()
        };
        let count = (0..=self.spare.len()).find(|count| needed(&self.spare[..*count]) <= most + GAP)?;
        let hidden = &self.spare[..count];
        Some(self.header.iter().copied().filter(|name| hidden.contains(name)).collect())
    }

    /// Hides columns of the table, and wraps the column of free text.
    fn fit(&self, table: &mut Table, hidden: &[&str], width: usize) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        // The gap after the last column is not written.
        table.set_width(u16::try_from(width + GAP).unwrap_or(u16::MAX));
        for (column, name) in table.column_iter_mut().zip(&self.header) {
            if hidden.contains(name) {
                column.set_constraint(ColumnConstraint::Hidden);
            } else if self.prose != Some(*name) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
    }

    /// Writes the lines of a table whose columns have these widths; a hidden one has none.
    fn lines(&self, table: &Table, widths: &[usize], screen: Screen) -> Shown {
        let coloured = self.coloured(widths);
        let mut text = Shown::default();
        for (number, line) in table.lines().enumerate() {
            let line = line.trim_end();
            if number == 0 {
                text += screen.paint(Tone::Strong, line);
            } else {
                text += in_colours(line, &coloured, screen);
            }
            text += "\n";
        }
        text
    }

    /// Returns the name, the start and the width of each visible column with colours.
    fn coloured(&self, widths: &[usize]) -> Vec<(&'a str, usize, usize)> {
        let (mut start, mut coloured) = (0, Vec::new());
        for (name, width) in self.header.iter().zip(widths).filter(|(_, width)| **width > 0) {
            if is_coloured(name) {
                coloured.push((*name, start, *width));
            }
            start += width + GAP;
        }
        coloured
    }

    /// Writes each row as a list.
    fn lists(&self, screen: Screen) -> Shown {
        let widest = self.header.iter().map(|name| name.width()).max().unwrap_or_default();
        let mut text = Shown::default();
        for row in &self.rows {
            let mut cells = self.header.iter().zip(row);
            let title = cells.next().map_or("", |(_, cell)| cell);
            text += screen.paint(Tone::Strong, title);
            text += "\n";
            for (name, cell) in cells.filter(|(_, cell)| !NOTHING.contains(&cell.as_str())) {
                let label = format!("  {name}{:1$}  ", "", widest - name.width());
                if let Some(tone) = tone_in(name, cell).filter(|_| is_coloured(name)) {
                    text += &label;
                    text += screen.paint(tone, cell);
                } else {
                    text += screen.wrap_under(&(label + &escape::one_line(cell)), widest + 2 * GAP);
                }
                text += "\n";
            }
        }
        text
    }
}

/// Names the hidden columns, in lines of this width.
fn hidden_lines(hidden: &[&str], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (number, name) in (1..).zip(hidden) {
        let name = if number < hidden.len() { format!(" {name},") } else { format!(" {name}") };
        match lines.last_mut() {
            Some(line) if line.width() + name.width() <= width => line.push_str(&name),
            None => lines.push(format!("hidden at this width:{name}")),
            Some(_) => lines.push(format!(" {name}")),
        }
    }
    lines
}

/// Colours words in a line, in columns with a name, a start and a width. A word after letters that are not ASCII has no colour,
/// because these letters can have other widths.
fn in_colours(line: &str, columns: &[(&str, usize, usize)], screen: Screen) -> Shown {
    let (mut text, mut done) = (Shown::default(), 0);
    for (name, start, width) in columns {
        let Some(cell) = line.get(*start..(start + width).min(line.len())) else { continue };
        let word = cell.trim_end();
        let Some(tone) = tone_in(name, word).filter(|_| line[..*start].is_ascii()) else {
            continue;
        };
        text += &line[done..*start];
        text += screen.paint(tone, word);
        done = start + word.len();
    }
    text += &line[done..];
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::screen::tests::{pipe, terminal};

    const NOTE: &str = "objects: 1 new; other settings: filter, redact; published from s3://bucket/prefix";

    fn grid() -> Grid<'static> {
        let row = |day: &str, state: &str, rows: &str, run: &str, note: &str| {
            [day, state, rows, run, note].map(str::to_owned).to_vec()
        };
        let rows = [
            row("2023-11-01", "published", "1,234,567", "20231102T013000Z-5c0ffee1", ""),
            row("2023-11-02", "stale", "7", "20231103T013000Z-5c0ffee2", NOTE),
        ];
        let grid = Grid::new(&["day", "state", "rows", "run", "note"], &["rows"], rows);
        Grid { spare: &["run", "rows"], prose: Some("note"), ..grid }
    }

    fn text(columns: usize) -> String {
        grid().text(terminal(columns, &[("NO_COLOR", "1")])).as_str().to_owned()
    }

    #[test]
    fn a_pipe_gets_all_columns_in_one_line_per_row() {
        let text = grid().text(pipe());
        let expected = format!(
            "day         state           rows  run                        note\n\
             2023-11-01  published  1,234,567  20231102T013000Z-5c0ffee1\n\
             2023-11-02  stale              7  20231103T013000Z-5c0ffee2  {NOTE}\n"
        );
        assert_eq!(text.as_str(), expected);
    }

    #[test]
    fn a_narrow_terminal_wraps_prose_and_hides_columns_in_order() {
        let header =
            |columns| text(columns).lines().next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        for (columns, expected) in [
            (200, "day state rows run note"),
            (100, "day state rows run note"),
            (80, "day state rows note"),
            (60, "day state rows note"),
            (50, "day state note"),
        ] {
            assert_eq!(header(columns), expected, "{columns}");
            let text = text(columns);
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= columns, "{widest} > {columns}\n{text}");
            assert_eq!(text.contains("1,234,567"), columns >= 60);
            assert!(text.contains("2023-11-02  stale"));
        }
        assert!(text(80).ends_with("\nhidden at this width: run\n"));
        assert!(text(50).ends_with("\nhidden at this width: rows, run\n"));
        assert!(!text(100).contains("hidden"));
    }

    #[test]
    fn the_names_of_hidden_columns_wrap() {
        assert_eq!(hidden_lines(&[], 20), Vec::<String>::new());
        let names = ["published at", "output", "run"];
        assert_eq!(hidden_lines(&names, 60), ["hidden at this width: published at, output, run"]);
        assert_eq!(hidden_lines(&names, 36), ["hidden at this width: published at,", "  output, run"]);
    }

    #[test]
    fn a_terminal_too_narrow_for_a_table_gets_a_list_of_all_cells() {
        let expected = format!(
            "2023-11-01\n  state  published\n  rows   1,234,567\n  run    20231102T013000Z-5c0ffee1\n\
             2023-11-02\n  state  stale\n  rows   7\n  run    20231103T013000Z-5c0ffee2\n  note   {}\n",
            "objects: 1 new; other\n         settings: filter,\n         redact; published\n         from\n         s3://bucket/prefix"
        );
        assert_eq!(text(30), expected);
    }

    #[test]
    fn a_state_is_coloured_in_tables_and_lists() {
        let columns = [(200, "\u{1b}[1;31mstale\u{1b}[0m  "), (30, "\u{1b}[1;31mstale\u{1b}[0m\n")];
        for (columns, expected) in columns {
            let text = grid().text(terminal(columns, &[]));
            assert!(text.as_str().contains(expected), "{}", text.as_str());
            assert_eq!(text.as_str().matches("\u{1b}[32mpublished\u{1b}[0m").count(), 1, "not in the note");
        }
    }

    #[test]
    fn verdicts_and_several_states_have_the_colour_of_the_worst() {
        let rows =
            [["a", "published", "missing"], ["b", "provisional, lost", "proved"], ["c", "missing", "-"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        let grid = Grid::new(&["day", "state", "digests"], &[], rows);
        let [good, attention, bad] = ["32", "1;35", "1;31"].map(|codes| format!("\u{1b}[{codes}m"));
        let (end, text) = ("\u{1b}[0m", grid.text(terminal(80, &[])));
        let lines: Vec<&str> = text.as_str().lines().skip(1).collect();
        assert_eq!(lines[0], format!("a    {good}published{end}          {bad}missing{end}"));
        assert_eq!(lines[1], format!("b    {bad}provisional, lost{end}  {good}proved{end}"));
        assert_eq!(lines[2], format!("c    {attention}missing{end}            -"));
    }

    #[test]
    fn wide_and_hostile_cells_do_not_move_colours() {
        let rows = [["\u{d55c}\u{ae00}", "failed"], ["\u{1b}[31m", "failed"], ["a", "failed failed"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        let text = Grid::new(&["name", "state"], &[], rows).text(terminal(80, &[]));
        let lines: Vec<&str> = text.as_str().lines().collect();
        assert_eq!(lines[1], "\u{d55c}\u{ae00}        failed", "a state after wide letters has no colour");
        assert_eq!(lines[2], "\\u001b[31m  \u{1b}[1;31mfailed\u{1b}[0m");
        assert_eq!(lines[3], "a           failed failed");
    }
}
