//! The catalogue: every command and every event by name, generated beside their types.

use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use crate::personal::ContentKind;
use crate::strict::Malformed;
use crate::vocabulary::Role;

/// One command of the catalogue.
#[derive(Clone, Copy)]
pub struct CommandEntry {
    /// The service that owns it, such as `intake`.
    pub service: &'static str,
    /// Its name within the service, such as `register-claim`.
    pub name: &'static str,
    /// What it asks for, as a sentence.
    pub summary: &'static str,
    /// Who may send it.
    pub roles: &'static [Role],
    /// The paths within `data` that are sealed before the command is read into its type;
    /// `[]` stands for every element of a list.
    pub personal: &'static [(&'static str, ContentKind)],
    /// Reads `data` whose personal fields are sealed already.
    pub parse: fn(Value) -> Result<crate::Command, Malformed>,
    /// The schema of `data`, in the generator's contract.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

impl CommandEntry {
    /// The full name, such as `intake.register-claim`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.service, self.name)
    }

    /// Whether the command begins a case, so that it goes to one that is not there yet.
    #[must_use]
    pub fn begins_a_case(&self) -> bool {
        self.service == "intake" && matches!(self.name, "make-claim" | "register-claim")
    }
}

/// One event of the catalogue.
#[derive(Clone, Copy)]
pub struct EventEntry {
    /// The type as it stands in a record, such as `tebessa.intake.claim-registered.v1`.
    pub kind: &'static str,
    /// What happened, as a sentence.
    pub summary: &'static str,
    /// The schema of `data`.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

/// Reads a command's data into its type.
pub(crate) fn read_data<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Malformed> {
    crate::strict::typed("data", value)
}

/// Declares the commands of a service: the enum, and the entries of the catalogue.
macro_rules! commands {
    (
        service $service:literal as $top:ident;
        $($variant:ident = $name:literal, $summary:literal,
            by [$($role:ident),* $(,)?], personal [$(($path:literal, $kind:ident)),* $(,)?];)*
    ) => {
        /// The commands of this service.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Command {
            $(#[doc = $summary] $variant(Box<$variant>),)*
        }

        #[expect(non_upper_case_globals, reason = "an entry has the name of its command's type")]
        mod entries {
            use $crate::catalogue::{CommandEntry, read_data};
            use $crate::personal::ContentKind;
            use $crate::vocabulary::Role;

            $(pub(super) static $variant: CommandEntry = CommandEntry {
                service: $service,
                name: $name,
                summary: $summary,
                roles: &[$(Role::$role),*],
                personal: &[$(($path, ContentKind::$kind)),*],
                parse: |value| {
                    let data = read_data::<super::$variant>(value)?;
                    Ok($crate::Command::$top(super::Command::$variant(Box::new(data))))
                },
                schema: <super::$variant as schemars::JsonSchema>::json_schema,
            };)*
        }

        /// The commands of this service in the catalogue.
        pub(crate) static COMMANDS: &[&$crate::catalogue::CommandEntry] =
            &[$(&entries::$variant),*];

        impl Command {
            /// The entry of the catalogue that this command belongs to.
            pub(crate) fn entry(&self) -> &'static $crate::catalogue::CommandEntry {
                match self { $(Self::$variant(_) => &entries::$variant,)* }
            }
        }
    };
}

/// Declares the events of a service: the enum, its types' names and its reading.
macro_rules! events {
    (service $service:literal as $top:ident; $($variant:ident = $name:literal, $summary:literal;)*) => {
        /// The events of this service.
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        #[serde(untagged)]
        pub enum Event {
            $(#[doc = $summary] $variant(Box<$variant>),)*
        }

        /// The events of this service in the catalogue.
        pub(crate) const EVENTS: &[$crate::catalogue::EventEntry] = &[$(
            $crate::catalogue::EventEntry {
                kind: concat!("tebessa.", $service, ".", $name, ".v1"),
                summary: $summary,
                schema: <$variant as schemars::JsonSchema>::json_schema,
            }
        ),*];

        impl Event {
            /// The type of the record.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => concat!("tebessa.", $service, ".", $name, ".v1"),)*
                }
            }

            /// Reads an event's data; `None` if the type is not this service's.
            pub(crate) fn read(kind: &str, data: &str) -> Option<serde_json::Result<Self>> {
                match kind {
                    $(concat!("tebessa.", $service, ".", $name, ".v1") => Some(
                        serde_json::from_str::<$variant>(data)
                            .map(|data| Self::$variant(Box::new(data)))
                    ),)*
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use {commands, events};
