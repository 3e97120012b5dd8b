//! The decider: a command on a case gives an event or a refusal, and nothing else.

use jiff::civil::Date;

use crate::law::Law;
use crate::rejection::{Code, Rejection, refuse};
use crate::state::Case;
use crate::token::{ActorId, Basis};
use crate::vocabulary::Role;
use crate::{
    Command, CommandEntry, Event, Instant, WorldDate, appeals, assessment, deadlines, decisions,
    evidence, intake, register, registry,
};

/// Who acts, in which capacity, and on which legal basis (I19).
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// An opaque id of the authority's own.
    pub id: ActorId,
    /// The capacity.
    pub role: Role,
    /// The legal basis.
    pub basis: Basis,
}

/// What a decision may look at besides the case and the command.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Who acts.
    pub by: &'a Actor,
    /// When it happened in the world, at least to the day.
    pub occurred: &'a WorldDate,
    /// The guidance.
    pub law: Law<'a>,
}

impl Context<'_> {
    /// The instant of the command. Where it says a day, the first of that day where the authority of
    /// the case's profile sits: whether a time is over is not for the sender's zone to say.
    #[must_use]
    pub fn instant(&self, case: &Case) -> Option<Instant> {
        let said = self.occurred.instant();
        said.or_else(|| self.law.begins(case, self.occurred.exact_day()?))
    }

    /// The same, or the refusal that it is not known.
    pub(crate) fn at(&self, case: &Case) -> Result<Instant, Rejection> {
        let at = self.instant(case);
        at.ok_or_else(|| Rejection::new(Code::DateUnfit, "occurred must be a day or an instant"))
    }

    /// The day of the command.
    pub(crate) fn day(&self) -> Result<Date, Rejection> {
        self.occurred
            .exact_day()
            .ok_or_else(|| Rejection::new(Code::DateUnfit, "occurred must be a day or an instant"))
    }
}

/// Decides a command on a case. Pure and deterministic: no clock, no random id, no disk.
///
/// Idempotence and the expected version are checked before by [`crate::admit`], because they
/// need the command's digest.
pub fn decide(case: &Case, command: &Command, context: &Context<'_>) -> Result<Event, Rejection> {
    context.day()?;
    role_fits(command.entry(), context.by.role)?;
    of_one_kind(case, command)?;
    intake::may_represent(case, command.entry().service, context)?;
    match command {
        Command::Intake(command) => intake::decide(case, command, context).map(Event::Intake),
        Command::Evidence(command) => evidence::decide(case, command, context).map(Event::Evidence),
        Command::Assessment(command) => {
            assessment::decide(case, command, context).map(Event::Assessment)
        }
        Command::Decisions(command) => {
            decisions::decide(case, command, context).map(Event::Decisions)
        }
        Command::Appeals(command) => appeals::decide(case, command, context).map(Event::Appeals),
        Command::Registry(command) => registry::decide(case, command, context).map(Event::Registry),
        Command::Deadlines(command) => {
            deadlines::decide(case, command, context).map(Event::Deadlines)
        }
        Command::Register(command) => register::decide(case, command, context).map(Event::Register),
    }
}

/// A case takes no command of the register, and the register none of a case.
fn of_one_kind(case: &Case, command: &Command) -> Result<(), Rejection> {
    let begun = case.version > crate::Version(0);
    let of_register = matches!(command, Command::Register(_));
    if begun && of_register == case.register.is_empty() {
        return refuse(
            Code::NotTheRegister,
            "this is a command of the register for a case, or of a case for the register",
        );
    }
    Ok(())
}

fn role_fits(entry: &CommandEntry, role: Role) -> Result<(), Rejection> {
    if entry.roles.contains(&role) {
        return Ok(());
    }
    let roles: Vec<_> = entry.roles.iter().map(|role| role.as_str()).collect();
    refuse(
        Code::WrongRole,
        format!("{} is sent by {}, not by {role}", entry.full_name(), roles.join(", ")),
    )
}

impl Command {
    /// The entry of the catalogue that this command belongs to.
    #[must_use]
    pub fn entry(&self) -> &'static CommandEntry {
        match self {
            Self::Intake(command) => command.entry(),
            Self::Evidence(command) => command.entry(),
            Self::Assessment(command) => command.entry(),
            Self::Decisions(command) => command.entry(),
            Self::Appeals(command) => command.entry(),
            Self::Registry(command) => command.entry(),
            Self::Deadlines(command) => command.entry(),
            Self::Register(command) => command.entry(),
        }
    }
}
