//! A decided case as findings: the form in which cases are written down to test the engine.
//!
//! Read it from any serde format. It is strict about what the engine uses and lenient about the
//! rest: keys that the engine does not use may hold anything, but no object names a key twice.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use crate::evaluate::Question;
use crate::guidance::Guidance;
use crate::lenient::{Keys, MOST_KEYS, Scalar, Skip, Text};
use crate::terms::{Facts, Motive, Sought, UnknownTerm};
use crate::value::Value;

/// A decided case, as far as the engine uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixture<'a> {
    /// The profile's name.
    pub profile: Cow<'a, str>,
    /// The date for which guidance is looked up.
    pub as_of: Date,
    /// What was sought.
    pub sought: Sought,
    /// The facts that rules read; others are skipped.
    pub facts: Facts,
    /// The findings as they were listed; ids are checked by [`Fixture::question`].
    pub findings: Vec<(Cow<'a, str>, Value)>,
    /// The id as it was given.
    pub id: FixtureId<'a>,
}

/// The id of a fixture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FixtureId<'a> {
    /// None was given, or null.
    None,
    /// A text.
    Text(Cow<'a, str>),
    /// A whole number.
    Number(i64),
}

impl Fixture<'_> {
    /// The question of this fixture; leaves that it does not list take their value for decided
    /// cases. The error is a sentence that names the finding.
    pub fn question(&self, guidance: &Guidance) -> Result<Question, String> {
        let mut findings = guidance.decided_findings();
        for (id, value) in &self.findings {
            guidance
                .find(&mut findings, id, *value)
                .map_err(|error| format!("findings.{id}: {error}"))?;
        }
        Ok(Question { sought: self.sought, facts: self.facts, findings })
    }
}

/// Reads a year, a month and a day of exactly the form `2004-10-20`.
fn date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 {
        return None;
    }
    let mut numbers = [0_i16; 3];
    let mut part = 0;
    for (place, byte) in bytes.iter().enumerate() {
        match (place, byte) {
            (4 | 7, b'-') => part += 1,
            (4 | 7, _) => return None,
            (_, b'0'..=b'9') => {
                let number = numbers.get_mut(part)?;
                *number = *number * 10 + i16::from(byte - b'0');
            }
            _ => return None,
        }
    }
    let [year, month, day] = numbers;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

impl<'de: 'a, 'a> Deserialize<'de> for Fixture<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FixtureVisitor)
    }
}

struct FixtureVisitor;

impl<'de> Visitor<'de> for FixtureVisitor {
    type Value = Fixture<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with profile, as_of, sought, facts and findings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fixture<'de>, A::Error> {
        let mut keys = Keys::default();
        let (mut id, mut facts, mut findings) =
            (FixtureId::None, Facts::default(), Findings(Vec::new()));
        let (mut profile, mut as_of, mut sought) = (None, None, None);
        while let Some(key) = map.next_key()? {
            match keys.add::<A::Error>(key, str::to_owned)? {
                "id" => id = map.next_value::<Id<'de>>()?.0,
                "profile" => profile = Some(field(&mut map, "profile")?),
                "as_of" => {
                    let text: Cow<'de, str> = field(&mut map, "as_of")?;
                    as_of = Some(date(&text).ok_or_else(|| {
                        de::Error::custom(format!(
                            "as_of: `{text}` is no date of the form 2004-10-20"
                        ))
                    })?);
                }
                "sought" => {
                    let text: Cow<'de, str> = field(&mut map, "sought")?;
                    sought = Some(
                        text.parse()
                            .map_err(|error| de::Error::custom(format!("sought: {error}")))?,
                    );
                }
                "facts" => {
                    facts = map.next_value::<Option<FactsOf>>()?.map_or(facts, |read| read.0);
                }
                "findings" => {
                    findings = map.next_value::<Option<Findings<'de>>>()?.unwrap_or(findings);
                }
                unused => map.next_value_seed(&Skip::Top("", unused))?,
            }
        }
        let missing = |name| de::Error::custom(format!("{name} is missing"));
        Ok(Fixture {
            profile: profile.ok_or_else(|| missing("profile"))?,
            as_of: as_of.ok_or_else(|| missing("as_of"))?,
            sought: sought.ok_or_else(|| missing("sought"))?,
            facts,
            findings: findings.0,
            id,
        })
    }
}

/// Reads a text that must be there, and names the field when it is something else.
fn field<'de, A: MapAccess<'de>>(map: &mut A, name: &str) -> Result<Cow<'de, str>, A::Error> {
    match map.next_value::<Scalar<'de>>()? {
        Scalar::Text(text) => Ok(text),
        Scalar::Other(what) => {
            Err(de::Error::custom(format!("{name}: {what} stands where a text belongs")))
        }
    }
}

/// Reads a word of which each is a fact.
fn word<T: FromStr>(text: &str) -> Result<Option<T>, T::Err> {
    text.parse().map(Some)
}

/// An id of any scalar form.
struct Id<'de>(FixtureId<'de>);

impl<'de> Deserialize<'de> for Id<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor;

        impl<'de> Visitor<'de> for IdVisitor {
            type Value = Id<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id: a text, a whole number or null")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Id<'de>, E> {
                Ok(Id(FixtureId::Text(Cow::Borrowed(text))))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id<'de>, E> {
                Ok(Id(FixtureId::Text(Cow::Owned(text.to_owned()))))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Id<'de>, E> {
                Ok(Id(FixtureId::None))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Id<'de>, E> {
                Ok(Id(FixtureId::Number(number)))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Id<'de>, E> {
                let number = i64::try_from(number).map_err(|_| E::custom("id: too large"))?;
                Ok(Id(FixtureId::Number(number)))
            }
        }

        deserializer.deserialize_any(IdVisitor)
    }
}

/// The facts that rules read; others are skipped.
struct FactsOf(Facts);

impl<'de> Deserialize<'de> for FactsOf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FactsVisitor;

        impl<'de> Visitor<'de> for FactsVisitor {
            type Value = FactsOf;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("facts: an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FactsOf, A::Error> {
                let mut keys = Keys::default();
                let mut facts = Facts::default();
                while let Some(key) = map.next_key()? {
                    match keys.add::<A::Error>(key, |key| format!("facts.{key}"))? {
                        "posting" => facts.posting = fact(&mut map, "facts.posting", word)?,
                        "enlistment" => {
                            facts.enlistment = fact(&mut map, "facts.enlistment", word)?;
                        }
                        "motive" => {
                            facts.motive = fact(&mut map, "facts.motive", Motive::that_bars)?;
                        }
                        unused => map.next_value_seed(&Skip::Top("facts.", unused))?,
                    }
                }
                Ok(FactsOf(facts))
            }
        }

        deserializer.deserialize_map(FactsVisitor)
    }
}

/// Reads a fact's word; null is a fact that nobody found.
fn fact<'de, A: MapAccess<'de>, T>(
    map: &mut A,
    path: &str,
    read: impl FnOnce(&str) -> Result<Option<T>, UnknownTerm>,
) -> Result<Option<T>, A::Error> {
    match map.next_value::<Scalar<'de>>()? {
        Scalar::Text(text) => {
            read(&text).map_err(|error| de::Error::custom(format!("{path}: {error}")))
        }
        Scalar::Other("null") => Ok(None),
        Scalar::Other(what) => {
            Err(de::Error::custom(format!("{path}: {what} stands where a text belongs")))
        }
    }
}

/// The findings as they were listed.
struct Findings<'a>(Vec<(Cow<'a, str>, Value)>);

impl<'de: 'a, 'a> Deserialize<'de> for Findings<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FindingsVisitor;

        impl<'de> Visitor<'de> for FindingsVisitor {
            type Value = Findings<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("findings: an object of M, N and U")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Findings<'de>, A::Error> {
                let mut findings: Vec<(Cow<'de, str>, Value)> = Vec::with_capacity(8);
                while let Some(Text(key)) = map.next_key()? {
                    if findings.iter().any(|(known, _)| *known == key) {
                        return Err(de::Error::custom(format!("findings.{key} is given twice")));
                    }
                    if findings.len() == MOST_KEYS {
                        let words = format!("findings.{key} is one too many: at most {MOST_KEYS}");
                        return Err(de::Error::custom(words));
                    }
                    let value = match map.next_value::<Scalar<'de>>()? {
                        Scalar::Text(text) => text.parse().map_err(|error| {
                            de::Error::custom(format!("findings.{key}: {error}"))
                        })?,
                        Scalar::Other(what) => {
                            return Err(de::Error::custom(format!(
                                "findings.{key}: {what} stands where M, N or U belongs"
                            )));
                        }
                    };
                    findings.push((key, value));
                }
                Ok(Findings(findings))
            }
        }

        deserializer.deserialize_map(FindingsVisitor)
    }
}
