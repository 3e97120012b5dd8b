//! Which cells of a table stay hidden, so that no small number can be read off or computed.
//!
//! A table is published with the totals of its rows and columns, so each line is an equation: its
//! cells add up to its total. Seen as a graph, with rows and columns as places and each hidden cell
//! as a way between two of them, a hidden cell is determined by the equations exactly when it is a
//! bridge (Gusfield, "A graph theoretic approach to statistical data security", 1988). So hidden
//! cells are joined by further ones until no bridge is left, the smallest loss first; and a line
//! whose hidden cells add up to a small number hides one more, because the sum is known.

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
    fn rows(&self) -> usize {
        self.cells.len()
    }

    fn columns(&self) -> usize {
        self.cells.first().map_or(0, Vec::len)
    }

    fn count(&self, row: usize, column: usize) -> u64 {
        self.cells.get(row).and_then(|cells| cells.get(column)).copied().unwrap_or_default()
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
                        self.small(self.count(row, column))
                    }
                };
                (0..columns).map(first).collect()
            })
            .collect();
        // Every turn hides at least one cell more.
        for _ in 0..=rows * columns {
            let more = self.told_by_a_sum(&hidden).or_else(|| self.bridge(&hidden))?;
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
    fn told_by_a_sum(&self, hidden: &[Vec<bool>]) -> Option<Vec<(usize, usize)>> {
        let rows: Vec<Vec<(usize, usize)>> = (0..self.rows())
            .map(|row| (0..self.columns()).map(|column| (row, column)).collect())
            .collect();
        let columns =
            (0..self.columns()).map(|column| (0..self.rows()).map(|row| (row, column)).collect());
        rows.into_iter().chain(columns).find_map(|line: Vec<(usize, usize)>| {
            let (total, cells) = line.split_last()?;
            if is(hidden, *total) {
                return None;
            }
            let shut = cells.iter().filter(|at| is(hidden, **at));
            let sum: u64 = shut.map(|at| self.count(at.0, at.1)).sum();
            if !self.small(sum) {
                return None;
            }
            let open = cells.iter().filter(|at| !is(hidden, **at) && !self.fixed(at.0, at.1));
            let worth = open.filter(|at| self.count(at.0, at.1) > 0);
            worth.min_by_key(|at| self.count(at.0, at.1)).map(|at| vec![*at])
        })
    }

    /// The cells that take away one bridge; empty where there is none, `None` where nothing can.
    fn bridge(&self, hidden: &[Vec<bool>]) -> Option<Vec<(usize, usize)>> {
        for row in 0..self.rows() {
            for column in 0..self.columns() {
                if !is(hidden, (row, column)) {
                    continue;
                }
                let around = self.way_around(hidden, row, column)?;
                if !around.is_empty() {
                    return Some(around);
                }
            }
        }
        Some(Vec::new())
    }

    /// The cells to hide so that another way joins the row and the column of a cell, the cheapest;
    /// empty where there is one already. By Dijkstra's algorithm over rows and columns.
    fn way_around(
        &self,
        hidden: &[Vec<bool>],
        row: usize,
        column: usize,
    ) -> Option<Vec<(usize, usize)>> {
        let rows = self.rows();
        let places = rows + self.columns();
        let mut best: Vec<Option<u64>> = vec![None; places];
        let mut from: Vec<Option<usize>> = vec![None; places];
        let mut done = vec![false; places];
        *best.get_mut(row)? = Some(0);
        loop {
            let open = (0..places).filter(|at| done.get(*at) == Some(&false));
            let next = open.filter_map(|at| Some((best.get(at).copied().flatten()?, at))).min();
            let (cost, here) = next?;
            if here == rows + column {
                break;
            }
            *done.get_mut(here)? = true;
            for there in 0..places {
                let cell = match (here < rows, there < rows) {
                    (true, false) => (here, there - rows),
                    (false, true) => (there, here - rows),
                    _ => continue,
                };
                let Some(price) = self.price(hidden, cell).filter(|_| cell != (row, column)) else {
                    continue;
                };
                let known = best.get(there).copied().flatten();
                if known.is_none_or(|known| cost + price < known) {
                    *best.get_mut(there)? = Some(cost + price);
                    *from.get_mut(there)? = Some(here);
                }
            }
        }
        let mut more = Vec::new();
        let mut here = rows + column;
        while let Some(before) = from.get(here).copied().flatten() {
            let cell = if before < rows { (before, here - rows) } else { (here, before - rows) };
            if !is(hidden, cell) {
                more.push(cell);
            }
            here = before;
        }
        Some(more)
    }

    /// What hiding a cell costs: nothing where it is hidden; `None` where it cannot be.
    fn price(&self, hidden: &[Vec<bool>], (row, column): (usize, usize)) -> Option<u64> {
        if is(hidden, (row, column)) {
            return Some(0);
        }
        if self.fixed(row, column) {
            return None;
        }
        let count = self.count(row, column);
        Some(if count == 0 { ZERO } else { count })
    }
}

fn is(hidden: &[Vec<bool>], (row, column): (usize, usize)) -> bool {
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

    /// What a reader finds out by solving each line for its last unknown, again and again.
    fn found_out(table: &Table, hidden: &[Vec<bool>]) -> Vec<Vec<bool>> {
        let mut unknown = hidden.to_vec();
        let (rows, columns) = (table.rows(), table.columns());
        loop {
            let before = unknown.clone();
            for cells in &mut unknown {
                let open: Vec<_> = (0..columns).filter(|column| cells[*column]).collect();
                if let [one] = open[..] {
                    cells[one] = false;
                }
            }
            (0..columns).for_each(|column| {
                let open: Vec<_> = (0..rows).filter(|row| unknown[*row][column]).collect();
                if let [one] = open[..] {
                    unknown[one][column] = false;
                }
            });
            if unknown == before {
                return unknown;
            }
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
        #[test]
        fn no_small_number_can_be_computed(
            inner in (2..6_usize).prop_flat_map(|columns| prop::collection::vec(
                prop::collection::vec(prop_oneof![Just(0), 1..5_u64, 5..40_u64], columns), 2..7,
            )),
        ) {
            let table = with_totals(&inner);
            let Some(hidden) = table.hidden() else { return Ok(()) };
            let unknown = found_out(&table, &hidden);
            for (row, cells) in table.cells.iter().enumerate().take(inner.len()) {
                for (column, count) in cells.iter().enumerate() {
                    if (1..5).contains(count) {
                        prop_assert!(unknown[row][column], "{row} {column} of {:?}", table.cells);
                    }
                }
            }
        }
    }
}
