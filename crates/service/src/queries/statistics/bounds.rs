//! How far the published numbers of a table leave a hidden one open.
//!
//! Each line adds up to its total. So a hidden cell can be larger by one only where others of its row and its
//! column can change with it, along a way through hidden cells that comes back to it: how much larger it may
//! be is the largest flow along such ways, where none lowers a number below zero (Cox, "Network models for
//! complementary cell suppression", 1995). A total stands on the other side of its equation, and changes the
//! other way round.

use super::suppress::{Cell, Table, is};

/// Any number, as far as the equations say.
const ANY: u64 = u64::MAX / 4;

/// Whether a way goes from a row to a column or back, and so whether it lowers a cell or raises it; a total the
/// other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Raised,
    Lowered,
}

impl Change {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Raised => Self::Lowered,
            Self::Lowered => Self::Raised,
        }
    }
}

/// How far a cell can change by itself.
pub(super) fn capacity(table: &Table, cell: Cell, change: Change) -> u64 {
    // A total counts negatively in its line, so that it is lowered where the sum of the line is raised.
    let lowers = (change == Change::Lowered) != table.is_total(cell);
    if lowers { table.count(cell) } else { ANY }
}

/// What happens to the cells that a way passes from a row to a column, so that a cell may grow.
pub(super) fn towards_columns(table: &Table, cell: Cell) -> Change {
    if table.is_total(cell) { Change::Raised } else { Change::Lowered }
}

/// Whether a hidden cell may be any of at least `values` numbers, by all that is published.
pub(super) fn is_open(table: &Table, hidden: &[Vec<bool>], cell: Cell, values: u64) -> bool {
    let needed = values.saturating_sub(1);
    let growing = towards_columns(table, cell);
    let larger = most(table, hidden, cell, growing, needed);
    larger + most(table, hidden, cell, growing.other(), needed - larger) >= needed
}

/// How far a cell can change, up to `needed`, where cells are changed so on the ways from rows to columns, and
/// the other way round on those back.
fn most(table: &Table, hidden: &[Vec<bool>], cell: Cell, to_columns: Change, needed: u64) -> u64 {
    let needed = needed.min(capacity(table, cell, to_columns.other()));
    let mut changed = Changed { by: vec![vec![0; table.columns()]; table.rows()] };
    let mut found = 0;
    while found < needed {
        let Some(way) = a_way(table, hidden, cell, to_columns, &changed) else { break };
        let left = way.iter().map(|(at, change)| changed.left(table, *at, *change)).min();
        let step = left.unwrap_or_default().min(needed - found);
        for (at, change) in way {
            changed.apply(at, change, step);
        }
        found += step;
    }
    found
}

/// By how much each cell is raised, below zero where it is lowered, totals with the sign of their equation.
struct Changed {
    by: Vec<Vec<i64>>,
}

impl Changed {
    fn left(&self, table: &Table, cell: Cell, change: Change) -> u64 {
        let by = self.by.get(cell.0).and_then(|row| row.get(cell.1)).copied().unwrap_or_default();
        let by = if change == Change::Raised { -by } else { by };
        capacity(table, cell, change).saturating_add_signed(by)
    }

    fn apply(&mut self, cell: Cell, change: Change, step: u64) {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        if let Some(by) = self.by.get_mut(cell.0).and_then(|row| row.get_mut(cell.1)) {
            *by += if change == Change::Raised { step } else { -step };
        }
    }
}

/// The shortest way from the row of a cell to its column over other hidden cells that can still change.
fn a_way(
    table: &Table,
    hidden: &[Vec<bool>],
    cell: Cell,
    to_columns: Change,
    changed: &Changed,
) -> Option<Vec<(Cell, Change)>> {
    let rows = table.rows();
    let goal = rows + cell.1;
    let mut from: Vec<Option<(usize, Cell, Change)>> = vec![None; rows + table.columns()];
    let mut next = std::collections::VecDeque::from([cell.0]);
    while let Some(here) = next.pop_front() {
        if here == goal {
            break;
        }
        for (there, at) in table.around(here) {
            let change = if here < rows { to_columns } else { to_columns.other() };
            let seen = there == cell.0 || from.get(there).is_none_or(Option::is_some);
            if seen || at == cell || !is(hidden, at) || changed.left(table, at, change) == 0 {
                continue;
            }
            if let Some(from) = from.get_mut(there) {
                *from = Some((here, at, change));
            }
            next.push_back(there);
        }
    }
    let mut way = Vec::new();
    let mut here = goal;
    while let Some((before, at, change)) = from.get(here).copied().flatten() {
        way.push((at, change));
        here = before;
    }
    (here == cell.0).then_some(way)
}
