//! What can be supposed: outcomes, leaves and profiles that there are. One check and one sentence for the
//! command line and the query.

use std::collections::BTreeSet;

use case::token::{Criterion, ProfileName};
use case::vocabulary::DecisionOutcome;
use guidance::{Guidance, Library, Outcome};

/// Why something cannot be supposed or asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSupposable {
    /// It is neither the outcome of a decision nor one that is only proposed.
    #[error("expected an outcome, such as refused, refugee, subsidiary or undetermined")]
    Outcome,
    /// No guidance has the leaf.
    #[error("{leaf} is no leaf; there are {near}")]
    Leaf {
        /// What was to be supposed.
        leaf: Criterion,
        /// The leaves that look like it, or all.
        near: String,
    },
    /// No guidance has the profile.
    #[error("unknown profile {profile}; there are {known}")]
    Profile {
        /// What was to be supposed.
        profile: ProfileName,
        /// Those that there are.
        known: String,
    },
}

/// Whether this is an outcome of a decision, or one that is only proposed.
pub fn check_outcome(text: &str) -> Result<(), NotSupposable> {
    let decided = serde_json::from_value::<DecisionOutcome>(text.into()).is_ok();
    if decided || text.parse::<Outcome>().is_ok() { Ok(()) } else { Err(NotSupposable::Outcome) }
}

/// Whether some guidance has a leaf.
pub fn check_leaf(library: &Library, leaf: &Criterion) -> Result<(), NotSupposable> {
    let mut leaves: Vec<&str> = Vec::new();
    for (_, id) in library.all().flat_map(Guidance::leaves) {
        if !leaves.contains(&id) {
            leaves.push(id);
        }
    }
    if leaves.contains(&leaf.as_str()) {
        return Ok(());
    }
    let stem = leaf.as_str().rsplit_once('.').map_or(leaf.as_str(), |(stem, _)| stem);
    let near: Vec<&str> = leaves.iter().copied().filter(|id| id.starts_with(stem)).collect();
    let near = if near.is_empty() { leaves } else { near }.join(", ");
    Err(NotSupposable::Leaf { leaf: leaf.clone(), near })
}

/// Whether some guidance has a profile.
pub fn check_profile(library: &Library, profile: &ProfileName) -> Result<(), NotSupposable> {
    let known: BTreeSet<&str> = library.all().map(Guidance::profile).collect();
    if known.contains(profile.as_str()) {
        return Ok(());
    }
    let known = known.into_iter().collect::<Vec<_>>().join(", ");
    Err(NotSupposable::Profile { profile: profile.clone(), known })
}
