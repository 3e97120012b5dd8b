//! Facts: found, and superseded by name.

use super::{Fact, State};
use crate::Version;
use crate::decide::Context;
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp, need};
use crate::vocabulary::{FactCode, FactValue, Standard};

/// Finds a fact to which findings and presumptions refer. Found again, the newer one holds and
/// the older stays in the history.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct FindFact {
    /// Which fact.
    pub fact: FactCode,
    /// Its value.
    pub value: FactValue,
    /// The standard of proof applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard: Option<Standard>,
    /// Why.
    pub reason: Personal<Words>,
}

/// Supersedes a fact: another value holds, or none any more. The older one stays in the history.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct SupersedeFact {
    /// Which fact.
    pub fact: FactCode,
    /// The event that found the fact which is superseded.
    pub supersedes: Version,
    /// The value that now holds; none where the fact falls away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<FactValue>,
    /// The standard of proof applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard: Option<Standard>,
    /// Why.
    pub reason: Personal<Words>,
}

pub(super) fn find(case: &Case, found: &FindFact, context: &Context<'_>) -> Result<(), Rejection> {
    case.undecided()?;
    case.may_assess(context.by)?;
    fits(found.fact, found.value)
}

fn fits(fact: FactCode, value: FactValue) -> Result<(), Rejection> {
    let values = fact.values();
    if values.contains(&value) {
        return Ok(());
    }
    let names: Vec<_> = values.iter().map(|value| value.as_str()).collect();
    refuse(Code::FactValueUnfit, format!("the fact {fact} is one of: {}", names.join(", ")))
}

pub(super) fn supersede(
    case: &Case,
    newer: &SupersedeFact,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    case.undecided()?;
    case.may_assess(context.by)?;
    let fact = need(
        case.evidence.facts.get(&newer.fact),
        Code::UnknownFact,
        &format!("the fact {} was not found in this case", newer.fact),
    )?;
    if fact.version != newer.supersedes {
        return refuse(
            Code::FactNotCurrent,
            format!(
                "the fact {} stands by version {}: supersede that one",
                newer.fact, fact.version
            ),
        );
    }
    newer.value.map_or(Ok(()), |value| fits(newer.fact, value))
}

pub(super) fn found(state: &mut State, code: FactCode, value: FactValue, stamp: &Stamp<'_>) {
    state.facts.insert(code, Fact { value, version: stamp.version, by: stamp.by.id.clone() });
}
