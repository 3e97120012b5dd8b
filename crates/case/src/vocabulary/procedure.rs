//! The vocabulary of the procedure after the fact-finding: clocks, decisions, appeals and what comes
//! later.

vocabulary! {
    /// What a deadline is for.
    DeadlineKind {
        /// A claim that was made is registered.
        Registration = "registration",
        /// A registered claim is lodged.
        Lodging = "lodging",
        /// The claim is decided on its merits.
        Merits = "merits",
        /// The decision is appealed.
        Appeal = "appeal",
        /// A further appeal, or the permission for it, is sought.
        Onward = "onward",
        /// A warning is answered before a claim counts as withdrawn.
        Response = "response",
        /// A withdrawn claim is taken up again.
        Reinstatement = "reinstatement",
        /// The next step of a transfer to another state.
        Transfer = "transfer",
        /// A status or a file is looked at again.
        Review = "review",
        /// Another one, set by a person.
        Other = "other",
    }
    /// How a deadline ended.
    DeadlineEnd {
        /// It ran out.
        Expired = "expired",
        /// What it waited for happened in time, or cannot happen any more.
        Met = "met",
    }
}
