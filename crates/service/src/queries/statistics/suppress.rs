//! Which cells of a table stay hidden, so that no small number can be read off or computed.
//!
//! A table is published with the totals of its rows and columns, so each line is an equation: its
//! cells add up to its total. Seen as a graph, with rows and columns as places and each hidden cell
//! as a way between two of them, a hidden cell is told apart from other numbers only as far as there
//! are ways around it on which others can change with it (`bounds`). So hidden cells are joined by
//! further ones until each of them may be as many numbers as are small, the smallest loss first; and
//! a line whose hidden cells add up to a small number hides one more, because the sum is known.

use super::bounds::{capacity, is_open, towards_columns};

/// A place in a table: row and column.
pub(super) type Cell = (usize, usize);

/// A table with its totals: the last row and the last column. Cells are rows of columns.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) cells: Vec<Vec<u64>>,
    /// Which totals of columns are hidden already, for all tables alike; the others are published
    /// elsewhere and cannot be hidden here.
    pub(super) hidden_totals: Vec<bool>,
    /// Numbers from 1 to below this are small.
    pub(super) least: u64,
}

/// The price of hiding a zero, which often everybody can guess: only where nothing else helps.
const ZERO: u64 = 1 << 40;

impl Table {
    pub(super) fn rows(&self) -> usize {
        self.cells.len()
    }

    pub(super) fn columns(&self) -> usize {
        self.cells.first().map_or(0, Vec::len)
    }

    pub(super) fn count(&self, (row, column): Cell) -> u64 {
        self.cells.get(row).and_then(|cells| cells.get(column)).copied().unwrap_or_default()
    }

    /// Whether a cell is the total of a row or of a column, and not of all.
    pub(super) fn is_total(&self, (row, column): Cell) -> bool {
        (row + 1 == self.rows()) != (column + 1 == self.columns())
    }

    /// The places next to one, rows before columns, and the cell between.
    pub(super) fn around(&self, place: usize) -> impl Iterator<Item = (usize, Cell)> + use<> {
        let rows = self.rows();
        let others = if place < rows { rows..rows + self.columns() } else { 0..rows };
        others.map(move |other| {
            let (row, column) = if place < rows { (place, other) } else { (other, place) };
            (other, (row, column - rows))
        })
    }

    fn small(&self, count: u64) -> bool {
        (1..self.least).contains(&count)
    }

    /// Whether a cell is published elsewhere, so that hiding it here would hide nothing.
    fn fixed(&self, row: usize, column: usize) -> bool {
        row + 1 == self.rows() && !self.hidden_totals.get(column).copied().unwrap_or_default()
    }

    /// Which cells are hidden; `None` where the table cannot be published at all.
    pub(super) fn hidden(&self) -> Option<Vec<Vec<bool>>> {
        let (rows, columns) = (self.rows(), self.columns());
        let mut hidden: Vec<Vec<bool>> = (0..rows)
            .map(|row| {
                let total = row + 1 == rows;
                let first = |column| {
                    if total {
                        !self.fixed(row, column)
                    } else {
                        self.small(self.count((row, column)))
                    }
                };
                (0..columns).map(first).collect()
            })
            .collect();
        // What is open once stays so when more is hidden.
        let mut open = vec![vec![false; columns]; rows];
        // Every turn hides at least one cell more.
        for _ in 0..=rows * columns {
            let more = self.told_by_a_sum(&hidden).or_else(|| self.narrow(&hidden, &mut open))?;
            if more.is_empty() {
                return Some(hidden);
            }
            for (row, column) in more {
                if let Some(cell) = hidden.get_mut(row).and_then(|cells| cells.get_mut(column)) {
                    *cell = true;
                }
            }
        }
        None
    }

    /// A further cell for a line whose total is published and whose hidden cells add up to a small
    /// number; `None` where there is no such line.
    fn told_by_a_sum(&self, hidden: &[Vec<bool>]) -> Option<Vec<Cell>> {
        let rows: Vec<Vec<Cell>> = (0..self.rows())
            .map(|row| (0..self.columns()).map(|column| (row, column)).collect())
            .collect();
        let columns =
            (0..self.columns()).map(|column| (0..self.rows()).map(|row| (row, column)).collect());
        rows.into_iter().chain(columns).find_map(|line: Vec<Cell>| {
            let (total, cells) = line.split_last()?;
            if is(hidden, *total) {
                return None;
            }
            let shut = cells.iter().filter(|at| is(hidden, **at));
            let sum: u64 = shut.map(|at| self.count(*at)).sum();
            if !self.small(sum) {
                return None;
            }
            let open = cells.iter().filter(|at| !is(hidden, **at) && !self.fixed(at.0, at.1));
            let worth = open.filter(|at| self.count(**at) > 0);
            worth.min_by_key(|at| self.count(**at)).map(|at| vec![*at])
        })
    }

    /// The cells that leave one more hidden cell open, which the margins bound too narrowly; empty where
    /// there is none, `None` where nothing can.
    fn narrow(&self, hidden: &[Vec<bool>], open: &mut [Vec<bool>]) -> Option<Vec<Cell>> {
        for row in 0..self.rows() {
            for column in 0..self.columns() {
                let cell = (row, column);
                if !is(hidden, cell) || is(open, cell) {
                    continue;
                }
                if !is_open(self, hidden, cell, self.least) {
                    return self.way_around(hidden, cell).or_else(|| self.one_more(hidden));
                }
                if let Some(open) = open.get_mut(row).and_then(|open| open.get_mut(column)) {
                    *open = true;
                }
            }
        }
        Some(Vec::new())
    }

    /// The cheapest cell that is not hidden yet, where no way of its own helps.
    fn one_more(&self, hidden: &[Vec<bool>]) -> Option<Vec<Cell>> {
        let all = (0..self.rows())
            .flat_map(|row| (0..self.columns()).map(move |column| (row, column)))
            .filter(|cell| !is(hidden, *cell));
        let priced = all.filter_map(|cell| Some((self.price(hidden, cell)?, cell)));
        priced.min().map(|(_, cell)| vec![cell])
    }

    /// The cells to hide so that a cell may be larger by what it has to, along one further way from its row
    /// to its column, the cheapest; `None` where there is none. By Dijkstra's algorithm over rows and columns.
    fn way_around(&self, hidden: &[Vec<bool>], cell: Cell) -> Option<Vec<Cell>> {
        let rows = self.rows();
        let places = rows + self.columns();
        let (start, goal) = (cell.0, rows + cell.1);
        let to_columns = towards_columns(self, cell);
        let mut best: Vec<Option<u64>> = vec![None; places];
        let mut from: Vec<Option<(usize, Cell)>> = vec![None; places];
        let mut done = vec![false; places];
        *best.get_mut(start)? = Some(0);
        loop {
            let open = (0..places).filter(|at| done.get(*at) == Some(&false));
            let next = open.filter_map(|at| Some((best.get(at).copied().flatten()?, at))).min();
            let (cost, here) = next?;
            if here == goal {
                break;
            }
            *done.get_mut(here)? = true;
            for (there, at) in self.around(here) {
                let change = if here < rows { to_columns } else { to_columns.other() };
                let enough = capacity(self, at, change) + 1 >= self.least;
                let Some(price) = self.price(hidden, at).filter(|_| at != cell && enough) else {
                    continue;
                };
                let known = best.get(there).copied().flatten();
                if known.is_none_or(|known| cost + price < known) {
                    *best.get_mut(there)? = Some(cost + price);
                    *from.get_mut(there)? = Some((here, at));
                }
            }
        }
        let mut more = Vec::new();
        let mut here = goal;
        while let Some((before, at)) = from.get(here).copied().flatten() {
            if !is(hidden, at) {
                more.push(at);
            }
            here = before;
        }
        // A way of hidden cells alone was no help: several others share them.
        (!more.is_empty()).then_some(more)
    }

    /// What hiding a cell costs: nothing where it is hidden; `None` where it cannot be.
    fn price(&self, hidden: &[Vec<bool>], (row, column): Cell) -> Option<u64> {
        if is(hidden, (row, column)) {
            return Some(0);
        }
        if self.fixed(row, column) {
            return None;
        }
        let count = self.count((row, column));
        Some(if count == 0 { ZERO } else { count })
    }
}

/// Whether a cell of a table is marked.
pub(super) fn is(hidden: &[Vec<bool>], (row, column): Cell) -> bool {
    hidden.get(row).and_then(|cells| cells.get(column)).copied().unwrap_or_default()
}

/// Which parts of one published sum stay hidden: the small ones, and others with them until their
/// sum tells no small number. All where that is not possible.
pub(super) fn hidden_parts(parts: &[u64], least: u64) -> Vec<bool> {
    let mut hidden: Vec<bool> = parts.iter().map(|count| (1..least).contains(count)).collect();
    loop {
        let shut = || parts.iter().zip(&hidden).filter(|(_, hidden)| **hidden);
        let (count, sum) = (shut().count(), shut().map(|(count, _)| *count).sum::<u64>());
        if count == 0 || (count >= 2 && sum >= least) {
            return hidden;
        }
        let open = parts.iter().zip(&hidden).enumerate();
        let open = open.filter(|(_, (count, hidden))| !**hidden && **count > 0);
        let Some((next, _)) = open.min_by_key(|(_, (count, _))| **count) else {
            return vec![true; parts.len()];
        };
        if let Some(part) = hidden.get_mut(next) {
            *part = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A table of these inner cells with its totals.
    fn with_totals(inner: &[Vec<u64>]) -> Table {
        let mut cells: Vec<Vec<u64>> = inner.to_vec();
        let columns = cells.first().map_or(0, Vec::len);
        let totals: Vec<u64> =
            (0..columns).map(|column| inner.iter().map(|row| row[column]).sum()).collect();
        cells.push(totals.clone());
        for row in &mut cells {
            row.push(row.iter().sum());
        }
        let mut hidden_totals = hidden_parts(&totals, 5);
        hidden_totals.push(false);
        Table { cells, hidden_totals, least: 5 }
    }

    /// All numbers, at most four away from the real one, that each inner cell may be by what is published. A
    /// cell that may be five numbers at all may be five of these, because whatever changes is made of
    /// changes by one.
    fn possible(table: &Table, hidden: &[Vec<bool>]) -> Vec<Vec<BTreeSet<u64>>> {
        let inner: Vec<Cell> = (0..table.rows() - 1)
            .flat_map(|row| (0..table.columns() - 1).map(move |column| (row, column)))
            .collect();
        let mut cells = table.cells.clone();
        let mut found = vec![vec![BTreeSet::new(); table.columns()]; table.rows()];
        supposed(table, hidden, &inner, &mut cells, &mut found);
        found
    }

    fn supposed(
        table: &Table,
        hidden: &[Vec<bool>],
        left: &[Cell],
        cells: &mut Vec<Vec<u64>>,
        found: &mut Vec<Vec<BTreeSet<u64>>>,
    ) {
        let (rows, columns) = (table.rows() - 1, table.columns() - 1);
        let Some(((row, column), left)) = left.split_first() else {
            let fits = (0..rows).all(|row| {
                let sum: u64 = cells[row][..columns].iter().sum();
                hidden[row][columns] || sum == table.cells[row][columns]
            }) && (0..columns).all(|column| {
                let sum: u64 = (0..rows).map(|row| cells[row][column]).sum();
                hidden[rows][column] || sum == table.cells[rows][column]
            });
            let all: u64 = cells[..rows].iter().flat_map(|row| &row[..columns]).sum();
            if fits && all == table.cells[rows][columns] {
                for (row, cells) in cells.iter().enumerate().take(rows) {
                    for (column, count) in cells.iter().enumerate().take(columns) {
                        found[row][column].insert(*count);
                    }
                }
            }
            return;
        };
        let real = table.cells[*row][*column];
        let far = if hidden[*row][*column] { 4 } else { 0 };
        for count in real.saturating_sub(far)..=real + far {
            cells[*row][*column] = count;
            supposed(table, hidden, left, cells, found);
        }
    }

    #[test]
    fn no_number_is_bounded_by_the_others_to_a_few() {
        // The six small ones lie on one ring, on which they change by turns: the first would be 0, 1 or 2.
        let table = with_totals(&[vec![1, 4, 90], vec![90, 4, 1], vec![4, 90, 4]]);
        let hidden = table.hidden().unwrap();
        assert!(hidden.iter().take(3).flatten().filter(|hidden| **hidden).count() > 6);
        for cell in (0..3).flat_map(|row| (0..3).map(move |column| (row, column))) {
            assert!(!is(&hidden, cell) || is_open(&table, &hidden, cell, 5), "{cell:?} {hidden:?}");
        }
    }

    #[test]
    fn one_small_number_is_not_the_difference_of_the_others() {
        let table = with_totals(&[vec![3, 20], vec![30, 40]]);
        let hidden = table.hidden().unwrap();
        assert_eq!(hidden[0], [true, true, false], "both cells of the row");
        assert_eq!(hidden[1], [true, true, false], "and both below them");
    }

    #[test]
    fn a_table_without_small_numbers_is_published_whole() {
        let table = with_totals(&[vec![0, 20], vec![30, 40]]);
        assert!(table.hidden().unwrap().iter().flatten().all(|hidden| !hidden));
    }

    #[test]
    fn two_ones_are_not_told_by_their_sum() {
        let table = with_totals(&[vec![1, 1, 50], vec![60, 70, 80], vec![10, 20, 30]]);
        let hidden = table.hidden().unwrap();
        assert_eq!(hidden[0][..3], [true, true, true]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_hidden_number_can_be_computed_or_bounded_to_a_few(
            inner in (2..4_usize, 2..3_usize).prop_flat_map(|(columns, rows)| prop::collection::vec(
                prop::collection::vec(prop_oneof![Just(0), 1..5_u64, 5..40_u64], columns), rows,
            )),
        ) {
            let table = with_totals(&inner);
            let Some(hidden) = table.hidden() else { return Ok(()) };
            let possible = possible(&table, &hidden);
            for (row, cells) in table.cells.iter().enumerate().take(inner.len()) {
                for (column, count) in cells.iter().enumerate().take(inner[0].len()) {
                    let few = possible[row][column].len() < 5;
                    prop_assert!(!hidden[row][column] || !few, "{row} {column} of {:?}", table.cells);
                    prop_assert!(hidden[row][column] || !(1..5).contains(count));
                }
            }
        }

        #[test]
        fn a_table_of_any_form_is_hidden_until_nothing_is_narrow(
            inner in (2..8_usize).prop_flat_map(|columns| prop::collection::vec(
                prop::collection::vec(prop_oneof![Just(0), 1..5_u64, 5..40_u64], columns), 2..9,
            )),
        ) {
            let table = with_totals(&inner);
            let Some(hidden) = table.hidden() else { return Ok(()) };
            for row in 0..inner.len() {
                for column in 0..inner[0].len() {
                    let cell = (row, column);
                    prop_assert!(!is(&hidden, cell) || is_open(&table, &hidden, cell, 5));
                }
            }
        }
    }
}
