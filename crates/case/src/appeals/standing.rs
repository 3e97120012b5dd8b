//! Where an appeal stands: for all who show one, so that none shows what ended as pending.

use super::Appeal;
use crate::Version;
use crate::vocabulary::{AppealStanding, LateRuling};

impl Appeal {
    /// Where it stands. What was ruled before it lapsed, or before the next court got it, stays in
    /// `ruling`.
    #[must_use]
    pub fn stands(&self) -> AppealStanding {
        if self.lapsed.is_some() {
            return if self.withdrawn { AppealStanding::Withdrawn } else { AppealStanding::Lapsed };
        }
        if self.before_the_next_court() {
            AppealStanding::NextCourt
        } else if self.ruling.is_some() {
            AppealStanding::Ruled
        } else if self.late == Some(LateRuling::Rejected) {
            AppealStanding::RejectedAsLate
        } else {
            AppealStanding::Pending
        }
    }

    /// The event that ended it without a ruling on what it asks for.
    #[must_use]
    pub fn ended_without_ruling(&self) -> Option<Version> {
        match self.stands() {
            AppealStanding::Withdrawn | AppealStanding::Lapsed => self.lapsed,
            AppealStanding::RejectedAsLate => self.late_ruled.as_ref().map(|(_, version)| *version),
            AppealStanding::Pending | AppealStanding::NextCourt | AppealStanding::Ruled => None,
        }
    }
}

impl AppealStanding {
    /// Whether it is pending, which needs no word where nothing else is said.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        *self == Self::Pending
    }

    /// As one reads it.
    #[must_use]
    pub fn in_words(self) -> String {
        match self {
            Self::Lapsed => "nothing left to decide".to_owned(),
            Self::Pending
            | Self::NextCourt
            | Self::Ruled
            | Self::RejectedAsLate
            | Self::Withdrawn => crate::gist::words(self.as_str()),
        }
    }
}
