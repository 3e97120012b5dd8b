//! Tables: columns of words without lines between them, cells wrapped to the terminal.

use comfy_table::{
    Attribute, Cell, ColumnConstraint, ContentArrangement, Row, Table as Grid, Width,
};

use super::error::CliError;
use super::terminal::Screen;
use anstyle::Style;

/// The gap between two columns.
const GAP: u16 = 2;

/// What a column has at least that is not fixed: a word. Where the terminal has less, it breaks the lines
/// itself, which reads better than one letter below the other.
const LEAST: u16 = 16;

/// A table with a heading.
pub(crate) struct Table {
    grid: Grid,
    fixed: Vec<(usize, u16)>,
}

impl Table {
    /// A table with these headings, which are shown or not: a long table has several pages.
    pub(crate) fn new(width: usize, headings: &[&str], heading: bool) -> Self {
        let mut grid = Grid::new();
        grid.load_style(comfy_table::presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(width).unwrap_or(u16::MAX))
            // The screen drops styles where nobody looks; the table itself shall not decide.
            .enforce_styling()
            .style_text_only();
        if heading {
            let cells = headings.iter().map(|text| Cell::new(text).add_attribute(Attribute::Dim));
            grid.set_header(Row::from(cells.collect::<Vec<_>>()));
        }
        Self { grid, fixed: Vec::new() }
    }

    /// Fixes the width of a column's text, such as one of ids, which are never wrapped.
    pub(crate) fn fixed(&mut self, column: usize, width: usize) {
        self.fixed.push((column, u16::try_from(width).unwrap_or(u16::MAX)));
    }

    /// A row of cells with their styles.
    pub(crate) fn row(&mut self, cells: &[(String, Style)]) {
        let cells = cells.iter().map(|(text, style)| {
            let mut cell = Cell::new(super::text::plain(text));
            if let Some(anstyle::Color::Ansi(color)) = style.get_fg_color() {
                cell = cell.fg(terminal_color(color));
            }
            if style.get_effects().contains(anstyle::Effects::DIMMED) {
                cell = cell.add_attribute(Attribute::Dim);
            }
            cell
        });
        self.grid.add_row(Row::from(cells.collect::<Vec<_>>()));
    }

    /// Shows the table.
    pub(crate) fn show(&mut self, screen: &mut Screen) -> Result<(), CliError> {
        // Columns are there only once there are rows.
        self.grid.discover_columns();
        let last = self.grid.column_count().saturating_sub(1);
        for (place, column) in self.grid.column_iter_mut().enumerate() {
            column.set_padding((0, if place == last { 0 } else { GAP }));
        }
        for (column, width) in &self.fixed {
            if let Some(column) = self.grid.column_mut(*column) {
                column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width + GAP)));
            }
        }
        let fixed: u16 = self.fixed.iter().map(|(_, width)| width + GAP).sum();
        let others = self.grid.column_count().saturating_sub(self.fixed.len());
        let needed = fixed + LEAST * u16::try_from(others).unwrap_or_default();
        if self.grid.width().is_some_and(|width| width < needed) {
            self.grid.set_width(needed);
        }
        self.grid.lines().try_for_each(|line| screen.line(line.trim_end()))
    }
}

fn terminal_color(color: anstyle::AnsiColor) -> comfy_table::Color {
    #[expect(clippy::wildcard_enum_match_arm, reason = "`style` has only these three")]
    match color {
        anstyle::AnsiColor::Green => comfy_table::Color::DarkGreen,
        anstyle::AnsiColor::Yellow => comfy_table::Color::DarkYellow,
        anstyle::AnsiColor::Red => comfy_table::Color::DarkRed,
        _ => comfy_table::Color::Reset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_narrow_terminal_words_stay_whole() {
        for width in [40, 60, 80] {
            let (mut screen, shown) = Screen::for_test(width);
            let mut table = Table::new(width, &["case", "profile", "status"], true);
            table.fixed(0, 36);
            let cells = ["00000000-0000-0000-0000-000000000005", "UK_post2022", "awaiting review"];
            table.row(&cells.map(|text| (text.to_owned(), Style::new())));
            table.show(&mut screen).unwrap();
            let text = shown.text();
            for cell in cells {
                assert!(text.contains(cell), "{width}: {text}");
            }
            assert_eq!(text.lines().count(), 2, "{width}: {text}");
        }
    }
}
