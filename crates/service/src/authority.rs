//! The authority that keeps the record, by its short name.

/// The authority that keeps the record: a short name in every record's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority(String);

impl Authority {
    /// Reads the name: 1 to 64 ASCII letters, digits, `.` or `-`.
    pub fn new(name: &str) -> Result<Self, &'static str> {
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
        if (1..=64).contains(&name.len()) && name.chars().all(plain) {
            Ok(Self(name.to_owned()))
        } else {
            Err("an authority is named by 1 to 64 ASCII letters, digits, '.' or '-'")
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
