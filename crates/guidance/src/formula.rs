//! Joins of criteria: how they are read from a file, and what they depend on.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;

use crate::criteria::{Join, Kind, Member, Parameter, Presumption, Target};
use crate::fault::Faults;
use crate::file::{CriterionText, MemberTable, MemberText};

/// The ids that a join may refer to.
pub(crate) struct Names<'a> {
    pub(crate) criteria: &'a BTreeSet<&'a str>,
    pub(crate) annotations: &'a BTreeSet<&'a str>,
    pub(crate) parameters: &'a [Parameter],
}

/// Reads whether a criterion is a leaf or a node, and its members.
pub(crate) fn kind(text: &CriterionText, names: &Names<'_>, faults: &mut Faults<'_>) -> Kind {
    let place = text.id.span();
    match (&text.all, &text.any) {
        (None, None) => Kind::Leaf,
        (Some(members), None) => Kind::Node(join(true, members, &place, names, faults)),
        (None, Some(members)) => Kind::Node(join(false, members, &place, names, faults)),
        (Some(_), Some(_)) => {
            faults.at(&place, format!("{} has both `all` and `any`", text.id.get_ref()));
            Kind::Leaf
        }
    }
}

fn join(
    all: bool,
    members: &[Spanned<MemberText>],
    place: &Range<usize>,
    names: &Names<'_>,
    faults: &mut Faults<'_>,
) -> Join {
    if members.is_empty() {
        faults.at(place, "a node or group without members");
    }
    let members =
        members.iter().filter_map(|text| member(text.get_ref(), &text.span(), names, faults));
    Join { all, members: members.collect() }
}

fn member(
    text: &MemberText,
    place: &Range<usize>,
    names: &Names<'_>,
    faults: &mut Faults<'_>,
) -> Option<Member> {
    match text {
        MemberText::Id(id) => {
            let target = criterion(id, place, names, faults)?;
            Some(Member { target, negated: false, when: None })
        }
        MemberText::Table(table) => table_member(table, place, names, faults),
    }
}

fn table_member(
    table: &MemberTable,
    place: &Range<usize>,
    names: &Names<'_>,
    faults: &mut Faults<'_>,
) -> Option<Member> {
    let (target, negated) = match (&table.of, &table.not, &table.all, &table.any) {
        (Some(id), None, None, None) => (criterion(id, place, names, faults)?, false),
        (None, Some(id), None, None) => (criterion(id, place, names, faults)?, true),
        (None, None, Some(members), None) => {
            (Target::Group(join(true, members, place, names, faults)), false)
        }
        (None, None, None, Some(members)) => {
            (Target::Group(join(false, members, place, names, faults)), false)
        }
        _ => {
            faults.at(place, "a member has exactly one of `of`, `not`, `all`, `any`");
            return None;
        }
    };
    let when = match (&table.when, &table.is) {
        (None, None) => None,
        (Some(parameter), Some(value)) => {
            condition(parameter, value, place, names.parameters, faults);
            Some((parameter.clone(), value.clone()))
        }
        _ => {
            faults.at(place, "`when` names a parameter and `is` its value: one needs the other");
            None
        }
    };
    Some(Member { target, negated, when })
}

/// Checks that a parameter exists and may have a value.
pub(crate) fn condition(
    parameter: &str,
    value: &str,
    place: &Range<usize>,
    parameters: &[Parameter],
    faults: &mut Faults<'_>,
) {
    match parameters.iter().find(|known| known.id == parameter) {
        None => faults.at(place, format!("unknown parameter `{parameter}`")),
        Some(known) if known.values.iter().any(|allowed| allowed == value) => {}
        Some(known) => faults.at(
            place,
            format!("`{parameter}` is one of {}, not `{value}`", known.values.join(", ")),
        ),
    }
}

fn criterion(
    id: &str,
    place: &Range<usize>,
    names: &Names<'_>,
    faults: &mut Faults<'_>,
) -> Option<Target> {
    if names.criteria.contains(id) {
        return Some(Target::Criterion(id.to_owned()));
    }
    if names.annotations.contains(id) {
        faults.at(place, format!("`{id}` is an annotation and enters no derivation"));
    } else {
        faults.at(place, format!("unknown criterion `{id}`"));
    }
    None
}

impl Join {
    /// The ids of all criteria in it, groups included.
    pub(crate) fn ids<'a>(&'a self, found: &mut Vec<&'a str>) {
        for member in &self.members {
            match &member.target {
                Target::Criterion(id) => found.push(id),
                Target::Group(group) => group.ids(found),
            }
        }
    }
}

/// The ids that the value of a criterion depends on: its members, or what its presumption needs.
pub(crate) fn needs<'a>(id: &str, kind: &'a Kind, presumptions: &'a [Presumption]) -> Vec<&'a str> {
    match kind {
        Kind::Node(join) => {
            let mut found = Vec::new();
            join.ids(&mut found);
            found
        }
        Kind::Leaf => presumptions
            .iter()
            .filter(|presumption| presumption.leaf == id)
            .map(|presumption| presumption.requires.as_str())
            .collect(),
    }
}
