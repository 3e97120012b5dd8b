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
    PersonQuery, PersonReply, Query, RegisterQuery, RegisterReply, RemovalBarQuery,
    RemovalBarReply, ReplayReply, SearchQuery, SearchReply, StatisticsQuery, StatisticsReply,
    WhatIfPageQuery, WhatIfPageReply, WhatIfQuery, WhatIfReply,
};
use crate::reply::Reply;

/// Every schema of the project by file name below `schemas/`.
#[must_use]
pub fn all() -> BTreeMap<String, Value> {
    let mut files = case::schemas();
    files.insert("replies/command.json".to_owned(), written::<Reply>());
    for query in Query::ALL {
        let (question, answer) = of(*query);
        files.insert(format!("queries/{}.json", query.name()), question);
        if let Some(answer) = answer {
            files.insert(format!("replies/{}.json", query.name()), answer);
        }
    }
    files
}

/// The schemas of a query and of its reply, unless that is no JSON.
fn of(query: Query) -> (Value, Option<Value>) {
    match query {
        Query::AuditAccess => both::<AccessQuery, AccessReply>(),
        Query::AuditAsOf => both::<AsOfQuery, Picture>(),
        Query::AuditDecisions => both::<AuditQuery, CardsReply>(),
        Query::AuditDiff => both::<DiffQuery, Difference>(),
        Query::AuditDisclosures => both::<DisclosuresQuery, DisclosuresReply>(),
        Query::AuditReplay => both::<AuditQuery, ReplayReply>(),
        Query::AuditWhatIf => both::<WhatIfQuery, WhatIfReply>(),
        Query::AuditWhatIfCases => both::<WhatIfPageQuery, WhatIfPageReply>(),
        Query::Case => both::<CaseQuery, CaseReply>(),
        Query::Checkpoint => both::<CheckpointQuery, CheckpointReply>(),
        Query::EvidenceCheck => both::<FileCheckQuery, FileCheckReply>(),
        Query::EvidenceFile => both::<FileQuery, FileReply>(),
        Query::Family => both::<FamilyQuery, FamilyReply>(),
        Query::History => both::<HistoryQuery, HistoryReply>(),
        Query::List => both::<ListQuery, ListReply>(),
        Query::Node => both::<NodeQuery, NodeReply>(),
        Query::Person => both::<PersonQuery, PersonReply>(),
        Query::Register => both::<RegisterQuery, RegisterReply>(),
        Query::RemovalBar => both::<RemovalBarQuery, RemovalBarReply>(),
        Query::Search => both::<SearchQuery, SearchReply>(),
        Query::Statistics => both::<StatisticsQuery, StatisticsReply>(),
        // What answers is bytes of a file.
        Query::EvidencePart => (read::<PartQuery>(), None),
    }
}

fn both<Q: JsonSchema, R: JsonSchema>() -> (Value, Option<Value>) {
    (read::<Q>(), Some(written::<R>()))
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
