//! Values of findings and criteria: met, not met, or undetermined.

use serde::{Deserialize, Serialize};

use crate::terms::UnknownTerm;

/// What was found about a leaf, or derived for a criterion, in strong Kleene logic.
///
/// The text form, and the form in JSON, is one letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Value {
    /// `M`: the criterion is met.
    #[serde(rename = "M")]
    Met,
    /// `N`: the criterion is not met.
    #[serde(rename = "N")]
    NotMet,
    /// `U`: it cannot be determined.
    #[serde(rename = "U")]
    Undetermined,
}

impl Value {
    /// Every value, in the order M, N, U.
    pub const ALL: [Self; 3] = [Self::Met, Self::NotMet, Self::Undetermined];

    /// The letter of this value: `M`, `N` or `U`.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Met => 'M',
            Self::NotMet => 'N',
            Self::Undetermined => 'U',
        }
    }

    /// The value in words, to stand behind "is".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::Undetermined => "undetermined",
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Write::write_char(f, self.letter())
    }
}

impl std::str::FromStr for Value {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, UnknownTerm> {
        match text {
            "M" => Ok(Self::Met),
            "N" => Ok(Self::NotMet),
            "U" => Ok(Self::Undetermined),
            _ => Err(UnknownTerm { found: text.to_owned(), known: "M, N, U" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn the_text_form_is_one_letter_and_goes_both_ways() {
        for value in Value::ALL {
            assert_eq!(value.to_string().parse(), Ok(value));
            assert_eq!(serde_json::to_string(&value).unwrap(), format!("\"{value}\""));
        }
        assert_eq!(Value::ALL.map(Value::words), ["met", "not met", "undetermined"]);
        assert!("m".parse::<Value>().is_err());
    }
}
