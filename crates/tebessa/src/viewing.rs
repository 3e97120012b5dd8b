//! Who looks at a case: what a command sends with its query for the access log.

use std::os::unix::fs::MetadataExt as _;

use case::token::{ActorId, Purpose};
use case::vocabulary::Role;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use service::access::{Unstated, Viewer};

/// What these stand under in a help. Of each by itself: a heading of the struct would be that of all
/// options behind it too.
const HEADING: &str = "For the access log";

/// Who looks, in which capacity and what for.
///
/// Every view of a case is recorded in the node's access log with these three.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Viewing {
    /// Who looks: an opaque id, never a name. By default the number of the account, as uid-1000.
    #[arg(long = "as", value_name = "ACTOR", env = "TEBESSA_AS", help_heading = HEADING)]
    id: Option<ActorId>,
    /// In which capacity. Without it caseworker is sent, and recorded as not stated.
    #[arg(long, value_name = "ROLE", env = "TEBESSA_ROLE",
        help_heading = HEADING, hide_possible_values = true, value_parser = roles())]
    role: Option<Role>,
    /// What for: a code of the authority's own, such as casework, audit or subject-access. Without it
    /// casework is sent, and recorded as not stated.
    #[arg(long, value_name = "PURPOSE", env = "TEBESSA_PURPOSE", help_heading = HEADING)]
    purpose: Option<Purpose>,
}

/// Reads a role by its name, and lists the names in the help.
pub(crate) fn roles() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.iter().map(|role| role.as_str()))
        .try_map(|text| Role::ALL.iter().copied().find(|r| r.as_str() == text).ok_or("unknown"))
}

impl Viewing {
    /// What a query carries.
    pub(crate) fn viewer(&self) -> Option<Viewer> {
        let id = self.id.clone().or_else(account)?;
        let mut unstated = Vec::new();
        if self.role.is_none() {
            unstated.push(Unstated::Role);
        }
        if self.purpose.is_none() {
            unstated.push(Unstated::Purpose);
        }
        Some(Viewer {
            id,
            role: self.role.unwrap_or(Role::Caseworker),
            purpose: self.purpose.clone().or_else(|| Purpose::new("casework").ok())?,
            unstated,
        })
    }
}

/// The account by its number: its name may be a person's.
fn account() -> Option<ActorId> {
    let number = std::fs::metadata("/proc/self").ok()?.uid();
    ActorId::new(&format!("uid-{number}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_named_by_its_number() {
        let id = account().unwrap().as_str().to_owned();
        assert!(
            id.strip_prefix("uid-").is_some_and(|number| number.parse::<u32>().is_ok()),
            "{id}"
        );
    }
}
