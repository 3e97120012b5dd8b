//! The events of the authority's register in words.

use crate::register::Event;
use crate::vocabulary::{PersonMatch, Role};

use super::{Gist, gist, listed};

pub(super) fn gist_of(event: &Event) -> Gist {
    match event {
        Event::PersonsLinked(one) => gist(
            match one.result {
                PersonMatch::Possible => "Persons linked: possibly one",
                PersonMatch::Distinct => "Persons linked: found to be two",
            },
            [one.one.to_string(), one.other.to_string()],
        ),
        Event::PersonsMerged(one) => gist(
            "Persons merged, reversibly",
            [
                format!("merge {}", one.merge),
                format!("from {}", one.from),
                format!("into {}", one.into),
                format!("approved by {}", one.approver),
            ],
        ),
        Event::MergeReversed(one) => gist("Merge reversed", [format!("merge {}", one.merge)]),
        Event::GuidancePublished(one) => gist(
            format!("Guidance published: {}", one.profile),
            [one.guidance.to_string(), format!("applied from {}", one.effective_from)],
        ),
        Event::GuidanceRetired(one) => gist(
            "Guidance retired",
            [one.guidance.to_string(), format!("no longer applied from {}", one.retired_from)],
        ),
        Event::OfficerEnrolled(one) => gist(
            format!("Officer enrolled: {}", one.officer),
            [listed("acts as", one.roles.iter().copied().map(Role::as_str))],
        ),
        Event::OfficerRetired(one) => gist(format!("Officer retired: {}", one.officer), []),
    }
}
