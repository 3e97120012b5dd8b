//! Personal content: sealed before the rules see it, opened only after reading.
//!
//! This crate never holds the words. It carries the sealed form, which names its key, so that a
//! field can be disclosed by its salt and words, withheld by leaving them out, and erased by
//! destroying the key, while the record's bytes stay as they are.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::generate::Contract;

use crate::ids::KeyId;

/// The sealed form of one field, exactly as it stands in a record.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// The key that opens the box.
    pub key: KeyId,
    /// Base64 of nonce ‖ XChaCha20-Poly1305 of salt ‖ plaintext ‖ padding.
    #[serde(rename = "box")]
    pub sealed_box: String,
    /// HMAC-SHA256(salt, plaintext), in hexadecimal.
    pub commit: String,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed")
    }
}

/// What a personal field may hold. It decides the checks before the words are sealed.
pub trait Content {
    /// How the words are checked before they are sealed.
    const KIND: ContentKind;
}

/// The kinds of personal content, with their limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentKind {
    /// A name, a nationality, a source: one line of at most 400 characters.
    Line,
    /// Reasons, grounds, a narrative: at most 30,000 characters.
    Words,
    /// A date of the world, see [`crate::WorldDate`].
    Date,
}

impl ContentKind {
    /// The greatest number of characters.
    pub(crate) const fn most_chars(self) -> usize {
        match self {
            Self::Line => 400,
            Self::Words => 30_000,
            Self::Date => 35,
        }
    }

    /// What [`Self::check`] takes, for schemas.
    const fn pattern(self) -> &'static str {
        match self {
            Self::Line => concat!(
                r"^(?=[\s\S]*\S)",
                r"[^\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]*$"
            ),
            Self::Words => concat!(
                r"^(?=[\s\S]*\S)",
                r"[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]*$"
            ),
            Self::Date => crate::date::WORLD_DATE,
        }
    }

    /// Checks plaintext before it is sealed. The error never repeats the words.
    pub fn check(self, text: &str) -> Result<(), &'static str> {
        if text.trim().is_empty() {
            return Err("must not be empty");
        }
        if text.chars().count() > self.most_chars() {
            return Err(match self {
                Self::Line => "is longer than 400 characters",
                Self::Words => "is longer than 30,000 characters",
                Self::Date => "is no date",
            });
        }
        if text.chars().any(|c| forbidden(c, self)) {
            return Err("holds a control character or one that changes the direction of writing");
        }
        let is_date = || crate::date::has_one_form(text) && crate::WorldDate::new(text).is_ok();
        if self == Self::Date && !is_date() {
            return Err("is no date: unknown, YYYY, YYYY-MM or YYYY-MM-DD");
        }
        Ok(())
    }
}

/// Control characters can rewrite a terminal, and overrides of direction can make reasons read
/// as what they do not say.
fn forbidden(c: char, kind: ContentKind) -> bool {
    let line_break = matches!(c, '\n' | '\r' | '\t') && kind == ContentKind::Words;
    let direction = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    direction || (c.is_control() && !line_break)
}

macro_rules! contents {
    ($($(#[$meta:meta])* $name:ident => $kind:ident;)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name;
        impl Content for $name {
            const KIND: ContentKind = ContentKind::$kind;
        }
    )*};
}

contents! {
    /// One line: a name, an alias, a nationality, a source.
    Line => Line;
    /// Words: reasons, grounds, a narrative.
    Words => Words;
    /// A date that says something about a person, such as a date of birth.
    PrivateDate => Date;
}

/// A field of personal content in its sealed form. `Debug` prints nothing of it.
///
/// In a command as it is sent the field is a plain string; the service seals it before the
/// command is read into its type. The generated schemas show the two forms accordingly.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Personal<T> {
    sealed: Sealed,
    #[serde(skip)]
    content: PhantomData<fn() -> T>,
}

impl<T> Personal<T> {
    /// Wraps a sealed form.
    #[must_use]
    pub const fn new(sealed: Sealed) -> Self {
        Self { sealed, content: PhantomData }
    }

    /// The sealed form.
    #[must_use]
    pub const fn sealed(&self) -> &Sealed {
        &self.sealed
    }
}

impl<T> Clone for Personal<T> {
    fn clone(&self) -> Self {
        Self::new(self.sealed.clone())
    }
}

impl<T> PartialEq for Personal<T> {
    fn eq(&self, other: &Self) -> bool {
        self.sealed == other.sealed
    }
}

impl<T> Eq for Personal<T> {}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal")
    }
}

impl<T: Content> schemars::JsonSchema for Personal<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Personal")
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        if *generator.contract() == Contract::Serialize {
            return generator.subschema_for::<Sealed>();
        }
        schemars::json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": T::KIND.most_chars(),
            "pattern": T::KIND.pattern(),
            "x-personal": match T::KIND {
                ContentKind::Line => "line",
                ContentKind::Words => "words",
                ContentKind::Date => "date",
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_may_have_lines_and_a_name_may_not() {
        assert!(ContentKind::Words.check("first\nsecond").is_ok());
        assert!(ContentKind::Line.check("first\nsecond").is_err());
    }

    #[test]
    fn an_escape_sequence_or_an_override_of_direction_is_refused() {
        for text in ["\u{1b}[31mred", "abc\u{202e}def", "nul\0", " "] {
            assert!(ContentKind::Words.check(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn debug_prints_nothing_of_the_box() {
        let key = "0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11".parse().unwrap();
        let sealed = Sealed { key, sealed_box: "QUJD".to_owned(), commit: "00".to_owned() };
        assert_eq!(format!("{:?}", Personal::<Words>::new(sealed)), "Personal");
    }
}
