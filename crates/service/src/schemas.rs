//! JSON Schemas of replies and queries, beside those of commands and events.

use std::collections::BTreeMap;

use case::picture::{Difference, Picture};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::documents::{FileCheckQuery, FileCheckReply, FileQuery, FileReply, PartQuery};
use crate::queries::{
    AccessQuery, AccessReply, AsOfQuery, AuditQuery, CardsReply, CaseQuery, CaseReply,
    CheckpointQuery, CheckpointReply, DiffQuery, DisclosuresQuery, DisclosuresReply, FamilyQuery,
    FamilyReply, HistoryQuery, HistoryReply, ListQuery, ListReply, NodeQuery, NodeReply,
    PersonQuery, PersonReply, RegisterQuery, RegisterReply, RemovalBarQuery, RemovalBarReply,
    ReplayReply, SearchQuery, SearchReply, StatisticsQuery, StatisticsReply, WhatIfPageQuery,
    WhatIfPageReply, WhatIfQuery, WhatIfReply,
};
use crate::reply::Reply;

/// Every schema of the project by file name below `schemas/`.
#[must_use]
pub fn all() -> BTreeMap<String, Value> {
    let mut files = case::schemas();
    files.insert("replies/command.json".to_owned(), written::<Reply>());
    // What answers is bytes of a file.
    files.insert("queries/evidence-part.json".to_owned(), read::<PartQuery>());
    query::<AccessQuery, AccessReply>(&mut files, "audit.access");
    query::<AsOfQuery, Picture>(&mut files, "audit.as-of");
    query::<AuditQuery, CardsReply>(&mut files, "audit.decisions");
    query::<DiffQuery, Difference>(&mut files, "audit.diff");
    query::<DisclosuresQuery, DisclosuresReply>(&mut files, "audit.disclosures");
    query::<AuditQuery, ReplayReply>(&mut files, "audit.replay");
    query::<WhatIfQuery, WhatIfReply>(&mut files, "audit.what-if");
    query::<WhatIfPageQuery, WhatIfPageReply>(&mut files, "audit.what-if-cases");
    query::<CaseQuery, CaseReply>(&mut files, "case");
    query::<CheckpointQuery, CheckpointReply>(&mut files, "checkpoint");
    query::<FileCheckQuery, FileCheckReply>(&mut files, "evidence-check");
    query::<FileQuery, FileReply>(&mut files, "evidence-file");
    query::<FamilyQuery, FamilyReply>(&mut files, "family");
    query::<HistoryQuery, HistoryReply>(&mut files, "history");
    query::<ListQuery, ListReply>(&mut files, "list");
    query::<NodeQuery, NodeReply>(&mut files, "node");
    query::<PersonQuery, PersonReply>(&mut files, "person");
    query::<RegisterQuery, RegisterReply>(&mut files, "register");
    query::<RemovalBarQuery, RemovalBarReply>(&mut files, "removal-bar");
    query::<SearchQuery, SearchReply>(&mut files, "search");
    query::<StatisticsQuery, StatisticsReply>(&mut files, "statistics");
    files
}

fn query<Q: JsonSchema, R: JsonSchema>(files: &mut BTreeMap<String, Value>, name: &str) {
    files.insert(format!("queries/{name}.json"), read::<Q>());
    files.insert(format!("replies/{name}.json"), written::<R>());
}

/// What the node takes.
fn read<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    let mut schema = settings.into_generator().into_root_schema_for::<T>().into();
    case::bound_integers(&mut schema);
    schema
}

/// What the node gives: of its members only those may be absent that are left out at times.
fn written<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>().into()
}
