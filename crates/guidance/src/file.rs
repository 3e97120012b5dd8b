//! The two kinds of guidance file exactly as they are written, before anything is checked.

use std::collections::BTreeMap;

use serde::Deserialize as Derive;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use toml::Spanned;
use toml::de::DeTable;

use crate::fault::{Fault, Faults};
use crate::hash::GuidanceHash;
use crate::value::Value;

/// A file that is TOML, before its kind matters.
pub(crate) struct Written<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    pub(crate) hash: GuidanceHash,
    table: Spanned<DeTable<'a>>,
}

/// The two kinds of guidance file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Criteria,
    Profile,
}

impl<'a> Written<'a> {
    /// Parses a file and tells its kind by its key `kind`.
    pub(crate) fn parse(
        file: &'a str,
        text: &'a str,
        hash: GuidanceHash,
    ) -> Result<(FileKind, Self), Vec<Fault>> {
        let mut faults = Faults::new(file, text);
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                faults.parser(&error);
                return Err(faults.into_vec());
            }
        };
        let kind = table.get_ref().get("kind").and_then(|kind| kind.get_ref().as_str());
        let kind = match kind {
            Some("criteria") => FileKind::Criteria,
            Some("profile") => FileKind::Profile,
            other => {
                let found = other.map_or_else(String::new, |other| format!(", not `{other}`"));
                let reason = format!("`kind` is `criteria` or `profile`{found}");
                match table.get_ref().get("kind") {
                    Some(kind) => faults.at(&kind.span(), reason),
                    None => faults.whole(format!("{reason}: it is missing")),
                }
                return Err(faults.into_vec());
            }
        };
        Ok((kind, Self { file, text, hash, table }))
    }

    /// Reads the file as one of its kinds.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Vec<Fault>> {
        T::deserialize(toml::Deserializer::from(self.table.clone())).map_err(|error| {
            let mut faults = Faults::new(self.file, self.text);
            faults.parser(&error);
            faults.into_vec()
        })
    }
}

/// A criteria file.
#[derive(Derive)]
#[serde(deny_unknown_fields)]
pub(crate) struct CriteriaText {
    #[serde(rename = "kind")]
    pub(crate) _kind: String,
    pub(crate) title: String,
    pub(crate) derived: Vec<Spanned<String>>,
    pub(crate) met_when_unlisted_in_fixtures: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) standard: Vec<StandardText>,
    #[serde(default)]
    pub(crate) parameter: Vec<ParameterText>,
    #[serde(default)]
    pub(crate) criterion: Vec<CriterionText>,
    #[serde(default)]
    pub(crate) annotation: Vec<AnnotationText>,
    #[serde(default)]
    pub(crate) presumption: Vec<PresumptionText>,
    #[serde(default, rename = "override")]
    pub(crate) overrides: Vec<OverrideText>,
    #[serde(default)]
    pub(crate) decision: Vec<DecisionText>,
}

/// A legal or documentary source.
#[derive(Derive)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceText {
    pub(crate) cite: Spanned<String>,
    pub(crate) pinpoint: String,
    pub(crate) checked: Spanned<String>,
}

/// A rung of the ladder of standards of proof.
#[derive(Derive)]
#[serde(deny_unknown_fields)]
pub(crate) struct StandardText {
    pub(crate) id: Spanned<String>,
    pub(crate) words: String,
    #[serde(default)]
    pub(crate) sources: Vec<SourceText>,
}

/// A parameter that profiles set.
#[derive(Derive)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParameterText {
    pub(crate) id: Spanned<String>,
    pub(crate) title: String,
    pub(crate) values: Vec<String>,
}

/// A leaf, or a node when it has `all` or `any`.
#[derive(Derive)]
#[serde(deny_unknown_fields)]
pub(crate) struct CriterionText {
    pub(crate) id: Spanned<String>,
    pub(crate) title: String,
    pub(crate) question: String,
    #[serde(default)]
    pub(crate) facts: Vec<String>,
    #[serde(default)]
    pub(crate) supports: Vec<String>,
    #[serde(default)]
    pub(crate) undermines: Vec<String>,
    #[serde(default)]
    pub(crate) sources: Vec<SourceText>,
    #[serde(default)]
    pub(crate) seed: Vec<Spanned<String>>,
    pub(crate) all: Option<Vec<Spanned<MemberText>>>,
    pub(crate) any: Option<Vec<Spanned<MemberText>>>,
}

/// Something recorded beside the tree that no derivation reads.
#[derive(Derive)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnnotationText {
    pub(crate) id: Spanned<String>,
    pub(crate) title: String,
    pub(crate) question: String,
    #[serde(default)]
    pub(crate) finding: bool,
    #[serde(default)]
    pub(crate) words: Vec<String>,
    #[serde(default)]
    pub(crate) facts: Vec<String>,
    #[serde(default)]
    pub(crate) supports: Vec<String>,
    #[serde(default)]
    pub(crate) undermines: Vec<String>,
    pub(crate) why: String,
    #[serde(default)]
    pub(crate) sources: Vec<SourceText>,
    #[serde(default)]
    pub(crate) seed: Vec<Spanned<String>>,
}

/// A leaf that counts as met, though nobody could determine it.
#[derive(Derive)]
#[serde(deny_unknown_fields)]
pub(crate) struct PresumptionText {
    pub(crate) leaf: Spanned<String>,
    pub(crate) when: Spanned<String>,
    pub(crate) is: Spanned<String>,
    pub(crate) requires: Spanned<String>,
    #[serde(default)]
    pub(crate) facts: BTreeMap<String, Spanned<String>>,
    pub(crate) why: String,
    #[serde(default)]
    pub(crate) sources: Vec<SourceText>,
}

/// A fact that settles a node whatever its members say.
#[derive(Derive)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverrideText {
    pub(crate) criterion: Spanned<String>,
    pub(crate) value: Value,
    pub(crate) fact: Spanned<String>,
    pub(crate) is: Spanned<String>,
    pub(crate) why: String,
    #[serde(default)]
    pub(crate) sources: Vec<SourceText>,
}

/// One row of the decision table.
#[derive(Derive)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionText {
    pub(crate) outcome: Spanned<String>,
    pub(crate) sought: Vec<Spanned<String>>,
    pub(crate) criteria: BTreeMap<String, Spanned<Value>>,
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, Spanned<String>>,
    pub(crate) why: String,
}

/// A profile file.
#[derive(Derive)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileText {
    #[serde(rename = "kind")]
    pub(crate) _kind: String,
    pub(crate) profile: Spanned<String>,
    pub(crate) title: String,
    pub(crate) criteria: Spanned<String>,
    pub(crate) valid_from: Spanned<toml::value::Datetime>,
    pub(crate) valid_to: Option<Spanned<toml::value::Datetime>>,
    #[serde(default)]
    pub(crate) sources: Vec<SourceText>,
    #[serde(default)]
    pub(crate) standards: BTreeMap<String, Spanned<SettingText>>,
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, Spanned<SettingText>>,
    #[serde(default)]
    pub(crate) reading: Vec<ReadingText>,
}

/// One cell of the table of profiles, with its source.
#[derive(Derive)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingText {
    pub(crate) value: Spanned<String>,
    #[serde(default)]
    pub(crate) note: String,
    #[serde(default)]
    pub(crate) sources: Vec<SourceText>,
}

/// How the courts of a profile read a criterion.
#[derive(Derive)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadingText {
    pub(crate) criterion: Spanned<String>,
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) sources: Vec<SourceText>,
}

/// A member of a node: an id, or a table with one of `of`, `not`, `all`, `any`.
pub(crate) enum MemberText {
    Id(String),
    Table(MemberTable),
}

#[derive(Derive)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberTable {
    pub(crate) of: Option<String>,
    pub(crate) not: Option<String>,
    pub(crate) all: Option<Vec<Spanned<MemberText>>>,
    pub(crate) any: Option<Vec<Spanned<MemberText>>>,
    pub(crate) when: Option<String>,
    pub(crate) is: Option<String>,
}

impl<'de> Deserialize<'de> for MemberText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = MemberText;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an id, or a table with one of `of`, `not`, `all`, `any`")
            }

            fn visit_str<E: serde::de::Error>(self, id: &str) -> Result<MemberText, E> {
                Ok(MemberText::Id(id.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<MemberText, A::Error> {
                MemberTable::deserialize(MapAccessDeserializer::new(map)).map(MemberText::Table)
            }
        }

        deserializer.deserialize_any(Either)
    }
}
