//! The shape of the criteria: no criterion depends on itself, and none is out of reach.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::criteria::{Criterion, Presumption};
use crate::fault::Faults;
use crate::formula;

/// How far the walk has come with a criterion.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    Open,
    Done,
}

struct Walk<'a> {
    criteria: &'a [Criterion],
    by_id: &'a BTreeMap<String, usize>,
    presumptions: &'a [Presumption],
    marks: Vec<Mark>,
    path: Vec<usize>,
    order: Vec<usize>,
    cycles: Vec<Vec<usize>>,
}

impl Walk<'_> {
    fn visit(&mut self, place: usize) {
        match self.marks.get(place) {
            None | Some(Mark::Done) => return,
            Some(Mark::Open) => {
                let from = self.path.iter().position(|seen| *seen == place).unwrap_or(0);
                self.cycles.push(self.path.iter().skip(from).copied().collect());
                return;
            }
            Some(Mark::New) => {}
        }
        self.mark(place, Mark::Open);
        self.path.push(place);
        if let Some(criterion) = self.criteria.get(place) {
            for id in formula::needs(&criterion.id, &criterion.kind, self.presumptions) {
                if let Some(next) = self.by_id.get(id) {
                    self.visit(*next);
                }
            }
        }
        self.path.pop();
        self.mark(place, Mark::Done);
        self.order.push(place);
    }

    fn mark(&mut self, place: usize, mark: Mark) {
        if let Some(entry) = self.marks.get_mut(place) {
            *entry = mark;
        }
    }
}

fn walk<'a>(
    criteria: &'a [Criterion],
    by_id: &'a BTreeMap<String, usize>,
    presumptions: &'a [Presumption],
    roots: &[usize],
) -> Walk<'a> {
    let mut walk = Walk {
        criteria,
        by_id,
        presumptions,
        marks: vec![Mark::New; criteria.len()],
        path: Vec::new(),
        order: Vec::new(),
        cycles: Vec::new(),
    };
    for root in roots {
        walk.visit(*root);
    }
    walk
}

/// Refuses criteria that lead back to themselves and criteria that no outcome depends on.
pub(crate) fn check(
    criteria: &[Criterion],
    by_id: &BTreeMap<String, usize>,
    presumptions: &[Presumption],
    roots: &[usize],
    places: &BTreeMap<String, Range<usize>>,
    faults: &mut Faults<'_>,
) {
    let reached = walk(criteria, by_id, presumptions, roots);
    for (criterion, mark) in criteria.iter().zip(&reached.marks) {
        if let (Mark::New, Some(at)) = (mark, places.get(&criterion.id)) {
            faults.at(at, format!("`{}` is unreachable: no outcome depends on it", criterion.id));
        }
    }
    // A cycle may lie where no outcome reaches it.
    let everything: Vec<usize> = (0..criteria.len()).collect();
    for cycle in walk(criteria, by_id, presumptions, &everything).cycles {
        let ids: Vec<&str> =
            cycle.iter().filter_map(|place| criteria.get(*place)).map(|c| c.id.as_str()).collect();
        let Some(first) = ids.first() else { continue };
        if let Some(at) = places.get(*first) {
            faults.at(at, format!("a cycle: {} -> {first}", ids.join(" -> ")));
        }
    }
}

/// The criteria in an order in which each stands behind everything it depends on.
pub(crate) fn order(
    criteria: &[Criterion],
    by_id: &BTreeMap<String, usize>,
    presumptions: &[Presumption],
    roots: &[usize],
) -> Vec<usize> {
    walk(criteria, by_id, presumptions, roots).order
}
