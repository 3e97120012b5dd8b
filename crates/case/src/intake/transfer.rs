//! Routing: another state answers for the claim, or is asked whether it does.

use super::{Event, State};
use crate::decide::Context;
use crate::decisions::day;
use crate::personal::{Line, Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::removal;
use crate::state::{Case, Stamp, need};
use crate::vocabulary::{DecisionOutcome, RecipientClass, TransferKind, TransferStage};
use crate::{TransferId, Version, WorldDate};

/// Asks another state to answer for the claim. The name of the state is sealed, so that the rules
/// cannot compare it with the nationality: the sender says of what class it is, and attests that it
/// is not the state of origin and does not act for it (I20).
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RequestTransfer {
    /// The transfer's id, chosen by the sender.
    pub transfer: TransferId,
    /// On what it rests.
    pub kind: TransferKind,
    /// The state.
    pub state: Personal<Line>,
    /// Of what class it is: `responsible_state`.
    pub recipient: RecipientClass,
    /// The sender attests that it is neither the state of origin nor acts for it.
    pub independent: bool,
    /// Until when it must answer.
    pub due: WorldDate,
}

/// The other state accepted.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AcceptTransfer {
    /// The transfer.
    pub transfer: TransferId,
    /// Until when it must be carried out.
    pub due: WorldDate,
}

/// The other state refused.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RefuseTransfer {
    /// The transfer.
    pub transfer: TransferId,
    /// What it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Words>>,
}

/// Decides the transfer that the other state accepted.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct DecideTransfer {
    /// The transfer.
    pub transfer: TransferId,
    /// Why.
    pub reasons: Personal<Words>,
    /// Until when it must be carried out.
    pub due: WorldDate,
}

/// The transfer was carried out.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ExecuteTransfer {
    /// The transfer.
    pub transfer: TransferId,
}

/// The time of a transfer ran out: the claim stays here.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct LapseTransfer {
    /// The transfer.
    pub transfer: TransferId,
}

/// What a case knows of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Transfer {
    /// Its id.
    pub id: TransferId,
    /// On what it rests.
    pub kind: TransferKind,
    /// Where it stands.
    pub stage: TransferStage,
    /// Until when the next step is due.
    pub due: Option<WorldDate>,
    /// The event that brought it there.
    pub version: Version,
}

impl Transfer {
    /// Whether a next step is to come.
    #[must_use]
    pub const fn pending(&self) -> bool {
        matches!(
            self.stage,
            TransferStage::Requested | TransferStage::Accepted | TransferStage::Decided
        )
    }
}

pub(super) fn request(case: &Case, transfer: &RequestTransfer) -> Result<(), Rejection> {
    case.open()?;
    case.undecided()?;
    not_of_origin(transfer.recipient, transfer.independent)?;
    if transfer.recipient != RecipientClass::ResponsibleState {
        return refuse(
            Code::RecipientUnfit,
            format!(
                "a claim is transferred to a responsible_state, not to: {}",
                transfer.recipient
            ),
        );
    }
    if case.intake.transfers.iter().any(|known| known.id == transfer.transfer) {
        return refuse(Code::TransferExists, "the id names a transfer already; choose a new one");
    }
    if case.intake.transfers.iter().any(Transfer::pending) {
        return refuse(Code::TransferPending, "another transfer is pending");
    }
    day(&transfer.due, "due").map(|_| ())
}

/// I20: nothing goes to the state of origin or to anyone who acts for it.
pub(crate) fn not_of_origin(recipient: RecipientClass, independent: bool) -> Result<(), Rejection> {
    if matches!(recipient, RecipientClass::OriginState | RecipientClass::OriginAgent) {
        return refuse(
            Code::RecipientOfOrigin,
            "nothing of a case ever goes to the state of origin or to anyone who acts for it",
        );
    }
    if independent {
        return Ok(());
    }
    refuse(
        Code::RecipientOfOrigin,
        "it must be attested that the recipient is neither the state of origin nor acts for it",
    )
}

/// The next step of a transfer, which must stand where the step begins.
pub(super) fn step(
    case: &Case,
    id: TransferId,
    from: &[TransferStage],
    to: TransferStage,
) -> Result<(), Rejection> {
    case.open()?;
    let found = case.intake.transfers.iter().find(|transfer| transfer.id == id);
    let transfer = need(found, Code::UnknownTransfer, &format!("the case has no transfer {id}"))?;
    if from.contains(&transfer.stage) {
        return Ok(());
    }
    refuse(
        Code::TransferStageUnfit,
        format!("the transfer is {}; it cannot become {to}", transfer.stage),
    )
}

/// Nobody is taken to another state against an order that bars removal, nor from protection here, nor while
/// what was decided here can still change; and when the time for a transfer is over, the claim stays here.
pub(super) fn may_leave(
    case: &Case,
    id: TransferId,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    if let Some(bar) = case.decisions.bars.iter().find(|bar| bar.lifted.is_none()) {
        return refuse(
            Code::RemovalBarred,
            format!("a removal bar is in force: {}; it binds a transfer as well", bar.basis),
        );
    }
    let kept = case.decisions.all.iter().any(|decision| decision.kept.is_some());
    if kept
        || case.decisions.status().is_some()
        || case.outcome().is_some_and(DecisionOutcome::protects)
    {
        return refuse(Code::StatusStands, "protection was granted here; nobody is transferred");
    }
    // That another state answers is itself a ground on which a claim is inadmissible here.
    if case.outcome().is_some_and(|outcome| outcome != DecisionOutcome::Inadmissible) {
        case.undecided()?;
    }
    if case.appeals.pending().or(case.appeals.permission_pending()).is_some() {
        return refuse(
            Code::AppealPending,
            "an appeal is not decided; nobody is transferred before",
        );
    }
    let transfer = case.intake.transfers.iter().find(|transfer| transfer.id == id);
    let due = transfer.and_then(|transfer| transfer.due.as_ref()).and_then(WorldDate::last_day);
    let begins = context.occurred.earliest_day();
    if let Some((due, begins)) = due.zip(begins)
        && begins > due
    {
        return refuse(
            Code::TransferStageUnfit,
            format!("the transfer was due until {due}; record that it lapsed"),
        );
    }
    Ok(())
}

/// What bars removal by the decision that stands bars a transfer as well: that it was not served, time to
/// appeal or to go further, and what is asked for behind it. Where a decision was set aside, its appeal is
/// worth something only when another one comes first.
pub(super) fn no_time_runs(case: &Case, context: &Context<'_>) -> Result<(), Rejection> {
    let Some(decision) = case.decisions.standing() else {
        if case.decisions.all.is_empty() {
            return Ok(());
        }
        return refuse(
            Code::RemovalBarred,
            "what was decided here was set aside; decide anew, serve it, and let the time to appeal run",
        );
    };
    let at = context.at(case)?;
    let reason = removal::of_decision(case, decision, at);
    let Some(reason) = reason.or_else(|| removal::binds_closing(case, at)) else { return Ok(()) };
    refuse(
        Code::RemovalBarred,
        format!("{}; nobody is transferred before that is over", reason.sentence),
    )
}

/// Applies an event of routing; others change nothing here.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other events are not about routing")]
pub(super) fn evolve(intake: &mut State, event: &Event, stamp: &Stamp<'_>) {
    let (id, stage, due) = match event {
        Event::TransferRequested(transfer) => {
            intake.transfers.push(Transfer {
                id: transfer.transfer,
                kind: transfer.kind,
                stage: TransferStage::Requested,
                due: Some(transfer.due.clone()),
                version: stamp.version,
            });
            return;
        }
        Event::TransferAccepted(one) => (one.transfer, TransferStage::Accepted, Some(&one.due)),
        Event::TransferRefused(one) => (one.transfer, TransferStage::Refused, None),
        Event::TransferDecided(one) => (one.transfer, TransferStage::Decided, Some(&one.due)),
        Event::TransferExecuted(one) => (one.transfer, TransferStage::Executed, None),
        Event::TransferLapsed(one) => (one.transfer, TransferStage::Lapsed, None),
        _ => return,
    };
    if let Some(transfer) = intake.transfers.iter_mut().find(|transfer| transfer.id == id) {
        transfer.stage = stage;
        transfer.due = due.cloned();
        transfer.version = stamp.version;
    }
}
