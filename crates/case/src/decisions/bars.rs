//! Removal bars: an order that somebody is not removed, whatever else the case says.

use crate::BarId;
use crate::Version;
use crate::decide::Context;
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp};
use crate::vocabulary::{BarBasis, Role};

/// Places a removal bar.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct PlaceRemovalBar {
    /// The bar's id, chosen by the sender.
    pub bar: BarId,
    /// On what it rests.
    pub basis: BarBasis,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Words>>,
}

/// Lifts a removal bar.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct LiftRemovalBar {
    /// The bar.
    pub bar: BarId,
    /// Why.
    pub reason: Personal<Words>,
}

/// What a case knows of a removal bar.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct RemovalBar {
    /// Its id.
    pub id: BarId,
    /// On what it rests.
    pub basis: BarBasis,
    /// In which capacity it was placed.
    pub by: Role,
    /// The event that placed it.
    pub version: Version,
    /// The event that lifted it.
    pub lifted: Option<Version>,
}

/// A bar may be placed at any time, also in a file that is closed.
pub(super) fn place(case: &Case, bar: &PlaceRemovalBar) -> Result<(), Rejection> {
    case.exists()?;
    if case.decisions.bars.iter().any(|known| known.id == bar.bar) {
        return refuse(Code::BarExists, "the id names a removal bar already; choose a new one");
    }
    Ok(())
}

/// What a judge ordered only a judge lifts, and no one who decided the case records the end of a
/// court's order.
pub(super) fn lift(case: &Case, lift: &LiftRemovalBar, by: &Context<'_>) -> Result<(), Rejection> {
    case.exists()?;
    match case.decisions.bars.iter().find(|bar| bar.id == lift.bar) {
        None => refuse(Code::UnknownBar, format!("the case has no removal bar {}", lift.bar)),
        Some(bar) if bar.lifted.is_some() => {
            refuse(Code::UnknownBar, "the removal bar was lifted already")
        }
        Some(bar) if bar.by == Role::AppealJudge && by.by.role != Role::AppealJudge => {
            refuse(Code::BarOfJudge, "a judge placed this bar; only a judge lifts it")
        }
        Some(bar)
            if matches!(bar.basis, BarBasis::InterimMeasure | BarBasis::CourtOrder)
                && case.decisions.decided(&by.by.id) =>
        {
            refuse(
                Code::TookPart,
                "the actor decided this case; somebody else ends a court's order",
            )
        }
        Some(_) => Ok(()),
    }
}

pub(super) fn placed(case: &mut Case, bar: &PlaceRemovalBar, stamp: &Stamp<'_>) {
    case.decisions.bars.push(RemovalBar {
        id: bar.bar,
        basis: bar.basis,
        by: stamp.by.role,
        version: stamp.version,
        lifted: None,
    });
}

pub(super) fn lifted(case: &mut Case, lift: &LiftRemovalBar, stamp: &Stamp<'_>) {
    for bar in case.decisions.bars.iter_mut().filter(|bar| bar.id == lift.bar) {
        bar.lifted = Some(stamp.version);
    }
}
