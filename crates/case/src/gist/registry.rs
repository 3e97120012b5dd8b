//! The events of the registry in words.

use crate::registry::{Event, MakeDisclosure, ReplayVerified};

use super::{Gist, gist, later, listed, relied, words};

pub(super) fn gist_of(event: &Event) -> Gist {
    match event {
        Event::FileClosed(closed) => gist(format!("File closed, kept as {}", closed.retention), []),
        Event::RecordRectified(one) => gist(
            format!("Record rectified: {} of version {}", one.field, one.target),
            [format!("approved by {}", one.approver)],
        ),
        Event::DisclosureMade(made) => disclosed(made),
        Event::DisclosureRefused(refused) => gist(
            format!("Disclosure refused: {}", words(refused.recipient.as_str())),
            [format!("because: {}", words(refused.refusal.as_str()))],
        ),
        Event::HoldPlaced(_) => gist("Put on hold: nothing may be erased", []),
        Event::HoldLifted(_) => gist("Hold lifted", []),
        Event::PiiKeyDestroyed(one) => gist(
            "Key destroyed: every personal field is erased",
            [format!("{}, approved by {}", one.legal_basis, one.approver), one.key.to_string()],
        ),
        Event::ReplayVerified(replay) => replayed(replay),
        Event::WithdrawalWarned(_)
        | Event::WarningAnswered(_)
        | Event::ClaimWithdrawnImplicitly(_)
        | Event::ClaimReinstated(_)
        | Event::FurtherSubmissionMade(_)
        | Event::FurtherSubmissionRuled(_)
        | Event::ClaimReopened(_)
        | Event::FileArchived(_) => later::gist_of(event),
    }
}

fn disclosed(made: &MakeDisclosure) -> Gist {
    gist(
        format!("Disclosed to: {}", words(made.recipient.as_str())),
        [
            format!("on the ground of {}", words(made.ground.as_str())),
            listed("records of versions", made.records.iter().map(ToString::to_string)),
            relied("evidence", &made.evidence),
        ],
    )
}

fn replayed(replay: &ReplayVerified) -> Gist {
    let on = replay.criterion.as_ref().map(|id| format!("on {id}")).unwrap_or_default();
    gist(
        format!("Replay verified: {}", replay.result),
        [format!("versions {} to {}, engine {}", replay.first, replay.last, replay.engine), on],
    )
}
