//! Pieces of objects that are read leniently, and yet never with a key given twice.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

/// No object of a case has so many keys; each new key is compared with all before it.
pub(crate) const MOST_KEYS: usize = 1_000;

/// The keys of one object that were seen, to refuse one that comes twice.
#[derive(Default)]
pub(crate) struct Keys<'de>(Vec<Cow<'de, str>>);

impl<'de> Keys<'de> {
    /// Notes a key and gives it back; the path says where it stands.
    pub(crate) fn add<E: de::Error>(
        &mut self,
        Text(key): Text<'de>,
        path: impl FnOnce(&str) -> String,
    ) -> Result<&str, E> {
        if self.0.contains(&key) {
            return Err(E::custom(format!("{} is given twice", path(&key))));
        }
        if self.0.len() == MOST_KEYS {
            let words = format!("{} is one key too many: at most {MOST_KEYS}", path(&key));
            return Err(E::custom(words));
        }
        self.0.push(key);
        Ok(self.0.last().map_or("", |key| key.as_ref()))
    }
}

/// A text, borrowed where it can be.
pub(crate) struct Text<'de>(pub(crate) Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => Ok(Text(text)),
            Scalar::Other(what) => Err(de::Error::custom(format!("{what} is no key"))),
        }
    }
}

/// A text, or the name of what stands in its place.
pub(crate) enum Scalar<'de> {
    Text(Cow<'de, str>),
    Other(&'static str),
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other("null"))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other("true or false"))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other("a number"))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other("a number"))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other("a number"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar<'de>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other("an object"))
    }
}

/// Reads a value that the engine does not use; only keys given twice are refused in it. It knows
/// where the value stands, to say so then.
pub(crate) enum Skip<'p> {
    /// The value of a key of the case or of its facts, with what stands before the key.
    Top(&'static str, &'p str),
    /// The value of a key of an object that is skipped.
    Key(&'p Skip<'p>, &'p str),
    /// An element of a list that is skipped, counted from 0.
    Element(&'p Skip<'p>, usize),
}

impl fmt::Display for Skip<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Skip::Top(before, key) => write!(f, "{before}{key}"),
            Skip::Key(above, key) => write!(f, "{above}.{key}"),
            Skip::Element(above, place) => write!(f, "{above}[{place}]"),
        }
    }
}

impl<'de> DeserializeSeed<'de> for &Skip<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &Skip<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut place = 0;
        while list.next_element_seed(&Skip::Element(self, place))?.is_some() {
            place += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = Keys::default();
        while let Some(key) = map.next_key()? {
            let key = keys.add::<A::Error>(key, |key| format!("{self}.{key}"))?;
            map.next_value_seed(&Skip::Key(self, key))?;
        }
        Ok(())
    }
}
