//! A case as a client has it: the folded state, its records by version, and the opened words.

use std::collections::BTreeMap;

use case::picture::guidance_of;
use case::replay::Shelf;
use case::{Case, Event, Recorded, Version, assessment, decisions, intake};
use guidance::{Guidance, Library};
use jiff::Timestamp;
use service::personal::Opened;
use service::queries::HistoryEntry;

use super::timeline;
use crate::output::CliError;

/// The records of a case and what they add up to.
#[derive(Default)]
pub(super) struct CaseFile {
    pub(super) case: Case,
    pub(super) records: BTreeMap<Version, Recorded>,
    /// The opened words by version and path; empty where they were not asked for.
    opened: BTreeMap<Version, BTreeMap<String, Opened>>,
}

impl CaseFile {
    /// Takes in the next record.
    pub(super) fn add(&mut self, entry: HistoryEntry) -> Result<(), CliError> {
        let record = timeline::decode(&entry)?;
        let version = record.envelope.version;
        if version != Version(self.case.version.0 + 1) {
            return Err(CliError::message(format!(
                "the history has a gap: version {version} follows {}",
                self.case.version
            )));
        }
        self.case.evolve(&record);
        if let Some(opened) = entry.opened {
            self.opened.insert(version, opened);
        }
        self.records.insert(version, record);
        Ok(())
    }

    /// The words of a record by path, where they were asked for.
    pub(super) fn words(&self, version: Version) -> impl Iterator<Item = (&String, &Opened)> {
        self.opened.get(&version).into_iter().flatten()
    }

    /// The day on which an event happened in the world.
    pub(super) fn day(&self, version: Version) -> &str {
        let occurred = self.records.get(&version).map_or("", |r| r.envelope.occurred.as_str());
        occurred.get(..10).unwrap_or(occurred)
    }

    /// When the last record was recorded.
    pub(super) fn updated(&self) -> Option<Timestamp> {
        self.records.values().next_back().map(|record| record.envelope.time)
    }

    pub(super) fn claim(&self) -> Option<&intake::RegisterClaim> {
        self.records.values().find_map(|record| {
            let Event::Intake(intake::Event::ClaimRegistered(claim)) = &record.event else {
                return None;
            };
            Some(&**claim)
        })
    }

    /// The event that completed an assessment.
    pub(super) fn completed(&self, version: Version) -> Option<&assessment::AssessmentCompleted> {
        let event = &self.records.get(&version)?.event;
        let Event::Assessment(assessment::Event::AssessmentCompleted(completed)) = event else {
            return None;
        };
        Some(completed)
    }

    /// The event that issued a decision.
    pub(super) fn issued(&self, version: Version) -> Option<&decisions::DecisionIssued> {
        let event = &self.records.get(&version)?.event;
        let Event::Decisions(decisions::Event::DecisionIssued(issued)) = event else {
            return None;
        };
        Some(issued)
    }

    /// The guidance whose titles fit: the one of the latest assessment, else the one in force at
    /// registration. `None` where this program does not have it.
    pub(super) fn guidance<'l>(&self, library: &'l Library) -> Option<&'l Guidance> {
        guidance_of(&self.case, Shelf(std::slice::from_ref(library)))
    }
}
