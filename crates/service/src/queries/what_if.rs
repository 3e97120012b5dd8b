//! `tebessa.query.audit.what-if` and `.audit.what-if-cases`: what would come of assessments.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::slice;

use case::replay::Shelf;
use case::token::ProfileName;
use case::what_if::{Answer, Asking, Supposed, Supposition};
use case::{CaseId, Recorded};
use guidance::Library;
use journal::Position;

use super::audit::{records, seen};
use crate::access::{View, Viewer};
use crate::audit::{NotSupposable, WhatIfEntry, check_leaf, check_outcome, check_profile};
use crate::node::Node;
use crate::reply::Failure;
use crate::summaries::visit_summaries;

/// How many cases are asked about at once; the entries of all of them fit into one message.
const CASES_OF_A_PAGE: usize = 500;

/// Asks what would come of a case's latest assessment. What is not supposed stays as recorded.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct WhatIfQuery {
    /// The case.
    pub case: CaseId,
    /// Another profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileName>,
    /// The day whose guidance is supposed to apply, `2024-02-13`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// Other findings: `M`, `N` or `U` by leaf.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Who asks; recorded in the access log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer: Option<Viewer>,
}

/// What would come of a case's latest assessment.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct WhatIfReply {
    /// The case.
    pub case: CaseId,
    /// The answer; absent where no assessment was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// Asks the same of every case, page by page.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct WhatIfPageQuery {
    /// Only cases whose standing outcome, or the proposed one where nothing was decided, is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
    /// Another profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileName>,
    /// The day whose guidance is supposed to apply, `2024-02-13`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// Other findings: `M`, `N` or `U` by leaf.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Where to go on: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u64>,
}

/// A page of the cases whose outcome turns or could not be derived. Whoever asks adds up the pages.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct WhatIfPageReply {
    /// Cases of this page with an assessment that were asked about.
    pub assessed: u64,
    /// Those whose outcome stays.
    pub same: u64,
    /// Those that turn or could not be derived, the case that was recorded first before the others.
    pub entries: Vec<WhatIfEntry>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// The journal's position up to which cases are known to the list that is walked.
    pub position: u64,
}

pub(super) fn of_case(node: &Node, query: &WhatIfQuery) -> Result<WhatIfReply, Failure> {
    let WhatIfQuery { profile, as_of, set, .. } = query;
    let supposition = supposed(node.library(), profile.as_ref(), as_of.as_ref(), set)?;
    let (_, read) = records(node, query.case)?;
    let answer = ask(node, &read, &supposition);
    seen(node, View::Replay, query.case, query.viewer.as_ref())?;
    Ok(WhatIfReply { case: query.case, answer })
}

/// One page: so many cases that an answer takes a moment only, and always fits a message.
pub(super) fn page(node: &Node, query: &WhatIfPageQuery) -> Result<WhatIfPageReply, Failure> {
    let WhatIfPageQuery { profile, as_of, set, .. } = query;
    let supposition = supposed(node.library(), profile.as_ref(), as_of.as_ref(), set)?;
    query.only.as_deref().map_or(Ok(()), check_outcome).map_err(|bad| unfit("only", &bad))?;
    let position = node.journal().index_position().0;
    let (cases, next) = cases_of_page(node, query.cursor)?;
    let mut reply = WhatIfPageReply { assessed: 0, same: 0, entries: Vec::new(), next, position };
    for case in cases {
        let (_, read) = records(node, case)?;
        let Some(answer) = ask(node, &read, &supposition) else { continue };
        if query.only.as_deref().is_some_and(|only| only != answer.stands()) {
            continue;
        }
        reply.assessed += 1;
        if answer.supposed == Supposed::Same {
            reply.same += 1;
        } else {
            reply.entries.push(WhatIfEntry { case, answer });
        }
    }
    Ok(reply)
}

/// The cases behind a cursor, and the cursor behind them if there are more.
fn cases_of_page(node: &Node, cursor: Option<u64>) -> Result<(Vec<CaseId>, Option<u64>), Failure> {
    let (mut cases, mut last, mut next) = (Vec::new(), 0, None);
    visit_summaries(node.journal(), cursor.map(Position), &mut |first, summary| {
        if cases.len() == CASES_OF_A_PAGE {
            next = Some(last);
            return ControlFlow::Break(());
        }
        cases.push(summary.case);
        last = first.0;
        ControlFlow::Continue(())
    })?;
    Ok((cases, next))
}

fn unfit(field: &str, bad: &NotSupposable) -> Failure {
    Failure::malformed(format!("{field}: {bad}"))
}

fn ask(node: &Node, read: &[Recorded], supposition: &Supposition<'_>) -> Option<Answer> {
    let mut asking = Asking::default();
    for record in read {
        asking.take(record, Shelf(slice::from_ref(node.library())), supposition);
    }
    asking.end()
}

/// What is supposed by a query, read strictly.
fn supposed<'a>(
    library: &'a Library,
    profile: Option<&ProfileName>,
    as_of: Option<&String>,
    findings: &BTreeMap<String, String>,
) -> Result<Supposition<'a>, Failure> {
    let mut set = BTreeMap::new();
    for (leaf, value) in findings {
        let read = leaf.parse().ok().zip(value.parse().ok());
        let (leaf, value) = read.ok_or_else(|| {
            Failure::malformed("set: expected leaves of the guidance, and M, N or U for each")
        })?;
        check_leaf(library, &leaf).map_err(|bad| unfit("set", &bad))?;
        set.insert(leaf, value);
    }
    let day = |text: &String| {
        text.parse().map_err(|_| Failure::malformed("as_of: expected a day such as 2024-02-13"))
    };
    let as_of = as_of.map(day).transpose()?;
    if let Some(profile) = profile {
        check_profile(library, profile).map_err(|bad| unfit("profile", &bad))?;
    }
    let law = (profile.is_some() || as_of.is_some()).then_some(library);
    Ok(Supposition { law, profile: profile.cloned(), as_of, set })
}
