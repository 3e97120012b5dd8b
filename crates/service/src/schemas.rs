//! JSON Schemas of replies and queries, beside those of commands and events.

use std::collections::BTreeMap;

use case::picture::{Difference, Picture};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::documents::{FileCheckQuery, FileCheckReply, FileQuery, FileReply, PartQuery};
use crate::queries::{
    AccessQuery, AccessReply, AsOfQuery, AuditQuery, CaseQuery, CheckpointQuery, CheckpointReply,
    DiffQuery, DisclosuresQuery, DisclosuresReply, FamilyQuery, FamilyReply, HistoryQuery,
    ListQuery, ListReply, NodeQuery, NodeReply, PersonQuery, PersonReply, RegisterQuery,
    RemovalBarQuery, RemovalBarReply,
};
use crate::queries::{
    SearchQuery, SearchReply, StatisticsQuery, StatisticsReply, WhatIfPageQuery, WhatIfQuery,
};
use crate::reply::Reply;

/// Every schema of the project by file name below `schemas/`.
#[must_use]
pub fn all() -> BTreeMap<String, Value> {
    let mut files = case::schemas();
    files.insert("replies/command.json".to_owned(), of::<Reply>());
    files.insert("queries/audit.access.json".to_owned(), of::<AccessQuery>());
    files.insert("replies/audit.access.json".to_owned(), of::<AccessReply>());
    files.insert("queries/audit.as-of.json".to_owned(), of::<AsOfQuery>());
    files.insert("replies/audit.as-of.json".to_owned(), of::<Picture>());
    files.insert("queries/audit.diff.json".to_owned(), of::<DiffQuery>());
    files.insert("replies/audit.diff.json".to_owned(), of::<Difference>());
    files.insert("queries/audit.decisions.json".to_owned(), of::<AuditQuery>());
    files.insert("queries/audit.disclosures.json".to_owned(), of::<DisclosuresQuery>());
    files.insert("replies/audit.disclosures.json".to_owned(), of::<DisclosuresReply>());
    files.insert("queries/audit.replay.json".to_owned(), of::<AuditQuery>());
    files.insert("queries/audit.what-if.json".to_owned(), of::<WhatIfQuery>());
    files.insert("queries/audit.what-if-cases.json".to_owned(), of::<WhatIfPageQuery>());
    files.insert("queries/case.json".to_owned(), of::<CaseQuery>());
    files.insert("queries/checkpoint.json".to_owned(), of::<CheckpointQuery>());
    files.insert("replies/checkpoint.json".to_owned(), of::<CheckpointReply>());
    files.insert("queries/evidence-check.json".to_owned(), of::<FileCheckQuery>());
    files.insert("replies/evidence-check.json".to_owned(), of::<FileCheckReply>());
    files.insert("queries/evidence-file.json".to_owned(), of::<FileQuery>());
    files.insert("queries/evidence-part.json".to_owned(), of::<PartQuery>());
    files.insert("replies/evidence-file.json".to_owned(), of::<FileReply>());
    files.insert("queries/history.json".to_owned(), of::<HistoryQuery>());
    files.insert("queries/list.json".to_owned(), of::<ListQuery>());
    files.insert("queries/search.json".to_owned(), of::<SearchQuery>());
    files.insert("queries/statistics.json".to_owned(), of::<StatisticsQuery>());
    files.insert("replies/search.json".to_owned(), of::<SearchReply>());
    files.insert("replies/statistics.json".to_owned(), of::<StatisticsReply>());
    files.insert("queries/node.json".to_owned(), of::<NodeQuery>());
    files.insert("replies/list.json".to_owned(), of::<ListReply>());
    files.insert("queries/family.json".to_owned(), of::<FamilyQuery>());
    files.insert("replies/family.json".to_owned(), of::<FamilyReply>());
    files.insert("queries/person.json".to_owned(), of::<PersonQuery>());
    files.insert("replies/person.json".to_owned(), of::<PersonReply>());
    files.insert("queries/register.json".to_owned(), of::<RegisterQuery>());
    files.insert("replies/node.json".to_owned(), of::<NodeReply>());
    files.insert("queries/removal-bar.json".to_owned(), of::<RemovalBarQuery>());
    files.insert("replies/removal-bar.json".to_owned(), of::<RemovalBarReply>());
    files
}

fn of<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().into()
}
