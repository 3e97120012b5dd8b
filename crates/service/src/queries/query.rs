//! The table of the queries: what each is called, how it is let in, and what it waits for.

/// How a query is let in beside others; see `serve::lanes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LaneName {
    /// Files are read to their end.
    Checks,
    /// An answer must come soon, and reads next to nothing.
    Health,
    /// What is known of every case is gone through.
    Walks,
    /// All others.
    Others,
}

/// Whether an answer comes from the index, which follows the journal by moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Index,
    Log,
}

macro_rules! queries {
    ($($query:ident $name:literal, $lane:ident, $from:ident, $sentence:literal;)*) => {
        /// A query, by which everything that depends on it is found: whoever adds one is told by the
        /// compiler what it lacks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Query {
            $(#[doc = $sentence] $query,)*
        }

        impl Query {
            /// Every query.
            pub const ALL: &[Self] = &[$(Self::$query),*];

            /// Its name, as in `tebessa.query.<name>`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$query => $name,)* }
            }

            /// What it asks, in a sentence.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$query => $sentence,)* }
            }

            /// The lane in which it waits.
            pub(crate) const fn lane(self) -> LaneName {
                match self { $(Self::$query => LaneName::$lane,)* }
            }

            /// Whether its answer is only as new as the index.
            pub(super) const fn needs_index(self) -> bool {
                matches!(match self { $(Self::$query => Source::$from,)* }, Source::Index)
            }
        }
    };
}

queries! {
    AuditAccess "audit.access", Others, Log, "Who viewed cases, from the access log, page by page.";
    AuditAsOf "audit.as-of", Others, Log, "A case as it was known at a point in time.";
    AuditDecisions "audit.decisions", Others, Log, "The decisions of a case, each on a card.";
    AuditDiff "audit.diff", Others, Log, "What differs between two points of a case.";
    AuditDisclosures "audit.disclosures", Others, Log,
        "Personal fields of a case with their salts, page by page.";
    AuditReplay "audit.replay", Others, Log,
        "What a case's decisions come to when they are derived again.";
    AuditWhatIf "audit.what-if", Others, Log,
        "What a case's latest assessment would come to under other guidance or findings.";
    AuditWhatIfCases "audit.what-if-cases", Walks, Index,
        "What the latest assessments of all cases would come to, page by page.";
    Case "case", Others, Log, "The state of a case, now or at a version.";
    Checkpoint "checkpoint", Others, Log, "A signed checkpoint of the log as it is now.";
    EvidenceCheck "evidence-check", Checks, Log,
        "Whether the kept file of an item of evidence is still what it was.";
    EvidenceFile "evidence-file", Others, Log,
        "Opens the file of an item of evidence for reading.";
    EvidencePart "evidence-part", Others, Log, "The bytes of one part of a file that is open.";
    Family "family", Walks, Index,
        "The claims that are linked with a case as family, in both directions.";
    History "history", Others, Log, "The records of a case in order.";
    List "list", Walks, Index,
        "Cases by status, profile and age, the oldest first, page by page.";
    Node "node", Health, Log, "Whether the node is well and how far it is.";
    Person "person", Walks, Index, "The claims of a person, through all merges that hold.";
    Register "register", Others, Log, "The authority's register: persons, guidance, officers.";
    RemovalBar "removal-bar", Others, Index,
        "Whether the person of a case must not be removed, and why.";
    Search "search", Walks, Index, "Cases by the number of another body, or by their thread.";
    Statistics "statistics", Walks, Index,
        "Outcomes in numbers for the public; small numbers are hidden.";
}

impl Query {
    /// The query of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|query| query.name() == name)
    }

    /// The names of all.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        Self::ALL.iter().map(|query| query.name()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_query_is_found_by_its_name_and_no_other() {
        for query in Query::ALL {
            assert_eq!(Query::of(query.name()), Some(*query));
            assert!(query.sentence().ends_with('.'), "{query:?}");
        }
        assert_eq!(Query::of("starting"), None);
    }

    #[test]
    fn whether_somebody_may_be_removed_waits_behind_no_walk_and_for_the_index() {
        let walks = Query::ALL.iter().filter(|query| query.lane() == LaneName::Walks);
        let walks: Vec<_> = walks.map(|query| query.name()).collect();
        let expected = ["audit.what-if-cases", "family", "list", "person", "search", "statistics"];
        assert_eq!(walks, expected);
        assert!(Query::RemovalBar.lane() == LaneName::Others && Query::RemovalBar.needs_index());
    }
}
