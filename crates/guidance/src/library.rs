//! All guidance that is known: found by hash, or by profile and date.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;

use crate::embedded;
use crate::fault::{Fault, Faults};
use crate::file::{FileKind, Written};
use crate::guidance::Guidance;
use crate::hash::GuidanceHash;
use crate::{check, profile};

/// Why no guidance was found for a profile at a date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotInForce {
    /// No file has this profile.
    #[error("unknown profile `{profile}`: {known}")]
    Profile {
        /// The profile that was asked for.
        profile: String,
        /// The profiles that are known, with commas.
        known: String,
    },
    /// The profile is known, and no version of it was in force then.
    #[error("no version of {profile} is in force on {on}: {versions}")]
    Date {
        /// The profile that was asked for.
        profile: String,
        /// The date that was asked for.
        on: Date,
        /// From when to when its versions are in force.
        versions: String,
    },
}

/// Guidance files that passed every check.
#[derive(Debug, Default)]
pub struct Library {
    /// By profile, then by first day.
    guidance: Vec<Guidance>,
    by_hash: BTreeMap<GuidanceHash, usize>,
}

impl Library {
    /// The guidance that is built into this program.
    pub fn embedded() -> Result<Self, Vec<Fault>> {
        let files = embedded::FILES.iter();
        Self::from_files(files.map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())))
    }

    /// Reads files that the caller brings: criteria files, and the profile files that pin them.
    ///
    /// All or nothing: with one bad file there is no library, but every fault of every file.
    pub fn from_files<I>(files: I) -> Result<Self, Vec<Fault>>
    where
        I: IntoIterator<Item = (String, Vec<u8>)>,
    {
        let mut faults = Vec::new();
        let files: Vec<(String, String, GuidanceHash)> = files
            .into_iter()
            .filter_map(|(file, bytes)| match text(&file, bytes) {
                Ok((text, hash)) => Some((file, text, hash)),
                Err(fault) => {
                    faults.push(fault);
                    None
                }
            })
            .collect();
        let mut criteria = Vec::new();
        let mut profiles = Vec::new();
        for (file, text, hash) in &files {
            match Written::parse(file, text, *hash) {
                Ok((FileKind::Criteria, written)) => match check::read(&written) {
                    Ok(read) => criteria.push((file.as_str(), Arc::new(read))),
                    Err(found) => faults.extend(found),
                },
                Ok((FileKind::Profile, written)) => profiles.push(written),
                Err(found) => faults.extend(found),
            }
        }
        let criteria_refused = !faults.is_empty();
        let mut read: Vec<Version<'_>> = Vec::new();
        for written in &profiles {
            match profile::read(written, &criteria, criteria_refused) {
                Ok((guidance, place)) => {
                    let Written { file, text, .. } = *written;
                    read.push(Version { file, text, place, guidance });
                }
                Err(found) => faults.extend(found),
            }
        }
        read.sort_by(|a, b| {
            let key = |version: &Version| (version.guidance.valid_from, version.guidance.hash);
            a.guidance.profile.cmp(&b.guidance.profile).then_with(|| key(a).cmp(&key(b)))
        });
        succeed(&mut read);
        faults.extend(overlaps(&read));
        if !faults.is_empty() {
            return Err(faults);
        }
        let guidance: Vec<Guidance> = read.into_iter().map(|version| version.guidance).collect();
        let by_hash = guidance.iter().enumerate().map(|(place, g)| (g.hash, place)).collect();
        Ok(Self { guidance, by_hash })
    }

    /// The guidance of a hash, in force or not: what a replay asks for.
    #[must_use]
    pub fn by_hash(&self, hash: &GuidanceHash) -> Option<&Guidance> {
        self.by_hash.get(hash).and_then(|place| self.guidance.get(*place))
    }

    /// The version of a profile in force on a day; there is never more than one.
    #[must_use]
    pub fn in_force(&self, profile: &str, on: Date) -> Option<&Guidance> {
        self.guidance.iter().find(|guidance| guidance.profile == profile && guidance.in_force(on))
    }

    /// As [`Library::in_force`], and says why there is none.
    pub fn require(&self, profile: &str, on: Date) -> Result<&Guidance, NotInForce> {
        self.in_force(profile, on).ok_or_else(|| {
            let versions: Vec<String> = self
                .guidance
                .iter()
                .filter(|guidance| guidance.profile == profile)
                .map(|guidance| match guidance.valid_to {
                    Some(end) => format!("from {} to {end}", guidance.valid_from),
                    None => format!("from {}", guidance.valid_from),
                })
                .collect();
            if versions.is_empty() {
                let mut known: Vec<&str> =
                    self.guidance.iter().map(|guidance| guidance.profile.as_str()).collect();
                known.dedup();
                return NotInForce::Profile {
                    profile: profile.to_owned(),
                    known: known.join(", "),
                };
            }
            NotInForce::Date { profile: profile.to_owned(), on, versions: versions.join(", ") }
        })
    }

    /// Every version of every profile, by profile and then by first day.
    pub fn all(&self) -> impl Iterator<Item = &Guidance> {
        self.guidance.iter()
    }
}

/// A profile version with what is needed to point into its file.
struct Version<'a> {
    file: &'a str,
    text: &'a str,
    place: Range<usize>,
    guidance: Guidance,
}

/// Names a file by its bytes and takes it as text.
fn text(file: &str, bytes: Vec<u8>) -> Result<(String, GuidanceHash), Fault> {
    let hash = GuidanceHash::of(&bytes);
    let reason = "the file is not UTF-8".to_owned();
    match String::from_utf8(bytes) {
        Ok(text) => Ok((text, hash)),
        Err(_) => Err(Fault { file: file.to_owned(), line: None, reason }),
    }
}

/// A version without an end ends on the eve of the next version of its profile.
///
/// So what is published later needs no change to a file that assessments name by its hash.
fn succeed(versions: &mut [Version<'_>]) {
    let mut next: Option<(String, Date)> = None;
    for Version { guidance, .. } in versions.iter_mut().rev() {
        if let Some((profile, first)) = &next
            && *profile == guidance.profile
            && guidance.valid_to.is_none()
            && guidance.valid_from < *first
        {
            guidance.valid_to = first.yesterday().ok();
        }
        next = Some((guidance.profile.clone(), guidance.valid_from));
    }
}

/// Refuses versions of one profile that are in force on the same day.
fn overlaps(versions: &[Version<'_>]) -> Vec<Fault> {
    let mut found = Vec::new();
    for (earlier, later) in versions.iter().zip(versions.iter().skip(1)) {
        let (before, after) = (&earlier.guidance, &later.guidance);
        if before.profile == after.profile && before.in_force(after.valid_from) {
            let mut faults = Faults::new(later.file, later.text);
            faults.at(
                &later.place,
                format!(
                    "overlaps {}: {} is in force there on {} too",
                    earlier.file, before.profile, after.valid_from
                ),
            );
            found.extend(faults.into_vec());
        }
    }
    found
}
