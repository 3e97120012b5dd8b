//! The fixed words of an assessment: what is sought, what comes out, and the facts that rules read.

use serde::{Deserialize, Serialize};

/// A word that is none of those known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not one of {known}")]
pub struct UnknownTerm {
    /// The word as it was given.
    pub found: String,
    /// The words that are known, with commas.
    pub known: &'static str,
}

/// Writes an enum of words with its text form, which is also its form in JSON.
macro_rules! terms {
    ($(#[$doc:meta])* $name:ident, $known:literal { $($(#[$each:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$each])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every value, in the order of this type.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The text form.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownTerm;

            fn from_str(text: &str) -> Result<Self, UnknownTerm> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(UnknownTerm { found: text.to_owned(), known: $known }),
                }
            }
        }
    };
}

terms! {
    /// What the claimant asks the authority for.
    Sought, "refugee, protection, nonrefoulement" {
        /// Refugee status only.
        Refugee = "refugee",
        /// Refugee status, else the status that the profile has below it.
        Protection = "protection",
        /// Only not to be returned: article 3 and its parallels.
        Nonrefoulement = "nonrefoulement",
    }
}

terms! {
    /// What the engine proposes. People decide.
    Outcome, "refugee, subsidiary, nonrefoulement_only, refused, excluded, excluded_not_removable, undetermined" {
        /// Refugee status.
        Refugee = "refugee",
        /// Subsidiary or complementary protection.
        Subsidiary = "subsidiary",
        /// No status, and no return.
        NonrefoulementOnly = "nonrefoulement_only",
        /// No protection.
        Refused = "refused",
        /// Included, and excluded from protection.
        Excluded = "excluded",
        /// Excluded from protection, and still not to be returned.
        ExcludedNotRemovable = "excluded_not_removable",
        /// The findings leave it open.
        Undetermined = "undetermined",
    }
}

terms! {
    /// Whether it is known where the person would serve.
    Posting, "unknown, known" {
        /// The unit or place of service is not known.
        Unknown = "unknown",
        /// It is known.
        Known = "known",
    }
}

terms! {
    /// How the person came, or would come, into service.
    Enlistment, "conscript, volunteer" {
        /// By conscription.
        Conscript = "conscript",
        /// Of their own will.
        Volunteer = "volunteer",
    }
}

terms! {
    /// A finding about the motive that bars the path of belief.
    Motive, "fear_of_combat_only" {
        /// The only motive is dislike or fear of combat.
        FearOfCombatOnly = "fear_of_combat_only",
    }
}

impl Motive {
    /// Reads what was found about the motive: `other`, as a case records it, is none that bars.
    pub(crate) fn that_bars(found: &str) -> Result<Option<Self>, UnknownTerm> {
        match found {
            "other" => Ok(None),
            word => word
                .parse()
                .map(Some)
                .map_err(|unknown| UnknownTerm { known: "fear_of_combat_only, other", ..unknown }),
        }
    }
}

/// The facts that rules read; whatever else is known about a person stays outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Whether the posting is known; `None` when nobody found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posting: Option<Posting>,
    /// Conscript or volunteer; `None` when nobody found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enlistment: Option<Enlistment>,
    /// A motive that bars the path of belief; `None` when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub motive: Option<Motive>,
}

impl Facts {
    /// The names of the facts and their words, as guidance files may name them.
    pub(crate) const WORDS: [(&'static str, &'static [&'static str]); 3] = [
        ("posting", &["unknown", "known"]),
        ("enlistment", &["conscript", "volunteer"]),
        ("motive", &["fear_of_combat_only"]),
    ];

    /// The facts as one bit each, in the order of [`Facts::WORDS`], to compare at speed.
    pub(crate) fn bits(self) -> u8 {
        let posting = match self.posting {
            None => 0,
            Some(Posting::Unknown) => 1,
            Some(Posting::Known) => 1 << 1,
        };
        let enlistment = match self.enlistment {
            None => 0,
            Some(Enlistment::Conscript) => 1 << 2,
            Some(Enlistment::Volunteer) => 1 << 3,
        };
        let motive = match self.motive {
            None => 0,
            Some(Motive::FearOfCombatOnly) => 1 << 4,
        };
        posting | enlistment | motive
    }

    /// The bit of a fact's word, as in [`Facts::bits`]; `None` when there is no such fact or word.
    pub(crate) fn bit(fact: &str, word: &str) -> Option<u8> {
        let mut bit = 0;
        for (name, words) in Self::WORDS {
            for known in words {
                if name == fact && *known == word {
                    return Some(1 << bit);
                }
                bit += 1;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Enlistment, Facts, Motive, Outcome, Posting, Sought};

    #[test]
    fn every_word_goes_both_ways() {
        for sought in Sought::ALL {
            assert_eq!(sought.as_str().parse(), Ok(*sought));
        }
        for outcome in Outcome::ALL {
            assert_eq!(outcome.to_string().parse(), Ok(*outcome));
            assert_eq!(serde_json::to_string(outcome).unwrap(), format!("\"{outcome}\""));
        }
        assert_eq!(
            "asylum".parse::<Sought>().unwrap_err().to_string(),
            "`asylum` is not one of refugee, protection, nonrefoulement"
        );
    }

    #[test]
    fn each_word_of_a_fact_has_a_bit_of_its_own() {
        let facts = [
            Facts { posting: Some(Posting::Unknown), ..Facts::default() },
            Facts { posting: Some(Posting::Known), ..Facts::default() },
            Facts { enlistment: Some(Enlistment::Conscript), ..Facts::default() },
            Facts { enlistment: Some(Enlistment::Volunteer), ..Facts::default() },
            Facts { motive: Some(Motive::FearOfCombatOnly), ..Facts::default() },
        ];
        let words = Facts::WORDS.iter().flat_map(|(fact, words)| words.iter().map(|w| (*fact, *w)));
        for (facts, (fact, word)) in facts.into_iter().zip(words) {
            assert_eq!(Some(facts.bits()), Facts::bit(fact, word), "{fact} {word}");
        }
        assert_eq!(Facts::bit("posting", "conscript"), None);
        assert_eq!(Facts::bit("nationality", "known"), None);
        let both = Facts {
            posting: Some(Posting::Unknown),
            enlistment: Some(Enlistment::Conscript),
            motive: None,
        };
        assert_eq!(both.bits(), 0b101);
    }
}
