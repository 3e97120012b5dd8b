//! The command line: what there is, and where it goes.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::builder::Resettable;
use clap::{Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::output::{CliError, Exit, note};
use crate::{
    audit, bench, case, clocks, demo, evidence, guidance, health, journal, register, serve, stats,
    submit, up, watch,
};

const HELP: &str = "\
Exit codes:
  0  done; of commands that were sent, all were accepted
  1  a failure: no answer from the node, damage found, input or output
  2  the command line is wrong
  3  the rules rejected some commands, none failed

With --json, which may stand anywhere, a command prints JSON.

Environment:
  TEBESSA_NATS   the NATS server behind which the node answers, as --nats
  TEBESSA_DATA   the data directory, as --data
  TEBESSA_LOG    what a node logs to standard error: info, service=debug
  NO_COLOR       no colours, not even on a terminal

Examples:
  tebessa up
  tebessa submit commands.jsonl > replies.jsonl
  tebessa case list --status awaiting_decision
  tebessa audit verify";

/// Tebessa keeps the record of protection claims by people who flee conscription.
///
/// Every step of a case is an event that is kept; the state of a case is what its events add up
/// to. `tebessa up` starts a node, the other commands ask one.
#[derive(Debug, Parser)]
#[command(name = "tebessa", version, after_help = HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Commands,
}

#[derive(Debug, Subcommand)]
enum Commands {
    Up(up::Args),
    /// Run one service as a process of its own
    Serve {
        #[command(subcommand)]
        command: serve::Commands,
    },
    Submit(submit::Args),
    /// Look at cases: list them, show one, read its history
    Case {
        #[command(subcommand)]
        command: case::Commands,
    },
    /// Look at the authority's register: persons, guidance, officers
    Register {
        #[command(subcommand)]
        command: register::Commands,
    },
    /// Files of evidence: attach one to a case, fetch one
    Evidence {
        #[command(subcommand)]
        command: evidence::Commands,
    },
    Watch(watch::Args),
    /// Check the record, replay its decisions
    Audit {
        #[command(subcommand)]
        command: audit::Commands,
    },
    /// The log itself: sign, prove, back up, repair
    Journal {
        #[command(subcommand)]
        command: journal::Commands,
    },
    /// The law as data: list, show, check, compare, evaluate
    Guidance(guidance::Args),
    /// Time limits as data: list the profiles, show one with sources
    Clocks(clocks::Args),
    Stats(stats::Args),
    Health(health::Args),
    /// Measure how fast this is on this machine, beside the machine's limit
    Bench {
        #[command(subcommand)]
        command: bench::Commands,
    },
    Demo(demo::Args),
}

/// Reads the arguments, runs the command and gives the exit code.
pub(crate) async fn run() -> ExitCode {
    let cli = match parse(json_at_the_end(std::env::args_os())) {
        Ok(cli) => cli,
        Err(wanted) => return told(&wanted),
    };
    let only_shows = cli.command.only_shows();
    let result: Result<Exit, CliError> = match cli.command {
        Commands::Up(args) => up::run(args).await,
        Commands::Serve { command } => serve::run(command).await,
        Commands::Submit(args) => submit::run(args).await,
        Commands::Case { command } => case::run(command).await,
        Commands::Register { command } => register::run(command).await,
        Commands::Evidence { command } => evidence::run(command).await,
        Commands::Watch(args) => watch::run(args).await,
        Commands::Audit { command } => audit::run(command).await,
        Commands::Journal { command } => journal::run(command).await,
        Commands::Clocks(args) => clocks::run(&args),
        Commands::Stats(args) => stats::run(args).await,
        Commands::Health(args) => health::run(args).await,
        Commands::Bench { command } => bench::run(command).await,
        Commands::Demo(args) => demo::run(args).await,
        Commands::Guidance(args) => guidance::run(&args),
    };
    match result {
        Ok(exit) => exit.into(),
        // Whoever reads a list may stop; of a verdict that was not read, no exit code says that it is good.
        Err(CliError::Closed) if only_shows => Exit::Done.into(),
        Err(error) => error.report(),
    }
}

impl Commands {
    /// Whether the command shows something and its exit code says no more than that it was shown.
    fn only_shows(&self) -> bool {
        match self {
            Self::Case { command } => command.only_shows(),
            Self::Audit { command } => command.only_shows(),
            Self::Guidance(args) => args.only_shows(),
            Self::Register { .. } | Self::Watch(_) | Self::Clocks(_) | Self::Stats(_) => true,
            Self::Up(_)
            | Self::Serve { .. }
            | Self::Submit(_)
            | Self::Evidence { .. }
            | Self::Journal { .. }
            | Self::Health(_)
            | Self::Bench { .. }
            | Self::Demo(_) => false,
        }
    }
}

fn parse(arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let mut command = flowing(without_variables(Cli::command(), &is_empty));
    let matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Takes the variables of the environment that are there and empty, as `TEBESSA_NATS=`, for not given.
fn without_variables(command: Command, is_empty: &dyn Fn(&OsStr) -> bool) -> Command {
    let none = Resettable::<clap::builder::OsStr>::Reset;
    command
        .mut_args(|argument| match argument.get_env() {
            Some(name) if is_empty(name) => argument.env(none.clone()),
            Some(_) | None => argument,
        })
        .mut_subcommands(|command| without_variables(command, is_empty))
}

/// What stands behind the options, for any width of a terminal: wrapped there and nowhere else.
fn flowing(command: Command) -> Command {
    let help = command.get_after_help().map(|help| in_whole_paragraphs(&help.to_string()));
    let command = match help {
        Some(help) => command.after_help(help),
        None => command,
    };
    command.mut_subcommands(flowing)
}

/// Joins the lines of a paragraph; what is indented keeps its lines.
fn in_whole_paragraphs(text: &str) -> String {
    let mut whole = String::new();
    let mut flows = false;
    for line in text.lines() {
        let words = !line.is_empty() && !line.starts_with(' ');
        if !whole.is_empty() {
            whole.push(if flows && words { ' ' } else { '\n' });
        }
        whole.push_str(line);
        flows = words;
    }
    whole
}

/// `--json` may stand anywhere, also before the command that it belongs to.
fn json_at_the_end(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let is_json = |argument: &OsString| argument == "--json";
    let arguments: Vec<_> = arguments.collect();
    // What stands behind `--` is no option.
    let end = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    let (before, behind) = arguments.split_at(end);
    let json = before.iter().find(|argument| is_json(argument));
    let others = before.iter().filter(|argument| !is_json(argument));
    others.chain(json).chain(behind).cloned().collect()
}

/// Prints help, the version, or what is wrong with the command line, which fits the terminal.
fn told(wanted: &clap::Error) -> ExitCode {
    if wanted.use_stderr() {
        note(wanted.render().ansi().to_string().trim_end());
        return u8::try_from(wanted.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
    }
    match wanted.print().map_err(CliError::output) {
        Ok(()) => u8::try_from(wanted.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(CliError::Closed) => Exit::Done.into(),
        Err(error) => error.report(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    /// Every command's help on a terminal of 80 columns, with its name.
    fn helps(command: &Command, helps: &mut Vec<(String, String)>) {
        let name = command.get_name().to_owned();
        let behind = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in behind.lines().filter(|line| line.starts_with(' ')) {
            assert!(line.chars().count() <= 80, "{name} has a line that would be broken: {line}");
        }
        assert!(!behind.starts_with(' '), "{name}: this indent is not printed");
        helps.push((name, command.clone().term_width(80).render_help().to_string()));
        for command in command.get_subcommands() {
            self::helps(command, helps);
        }
    }

    #[test]
    fn help_is_wrapped_at_the_terminals_width_and_nowhere_else() {
        let mut all = Vec::new();
        // Else usage lines lack the names before their own.
        let mut command = flowing(Cli::command());
        command.build();
        helps(&command, &mut all);
        assert!(all.len() > 40, "{}", all.len());
        for (name, help) in all {
            let lines: Vec<_> = help.lines().collect();
            for (line, next) in lines.iter().zip(lines.iter().skip(1)) {
                assert!(line.chars().count() <= 80, "{name}: {line}");
                let words = |line: &str| !line.is_empty() && !line.starts_with(' ');
                if words(line) && words(next) {
                    let word = next.split(' ').next().unwrap_or_default();
                    let with_it = line.chars().count() + 1 + word.chars().count();
                    assert!(with_it > 80, "{name}: {line}");
                }
            }
        }
    }

    #[test]
    fn only_what_is_for_the_access_log_stands_under_its_heading() {
        let mut all = Vec::new();
        helps(&flowing(Cli::command()), &mut all);
        let of_access = all.iter().filter_map(|(_, help)| help.split_once("For the access log:"));
        let mut seen = 0;
        for (_, behind) in of_access {
            let group = behind.split("\n\n").next().unwrap_or_default();
            assert!(group.contains("--purpose") && !group.contains("--data"), "{group}");
            seen += 1;
        }
        assert!(seen > 5, "{seen}");
    }

    #[test]
    fn a_variable_that_is_empty_counts_as_not_given() {
        fn with(command: &Command, name: &str) -> usize {
            let here =
                command.get_arguments().filter(|one| one.get_env() == Some(OsStr::new(name)));
            here.count() + command.get_subcommands().map(|below| with(below, name)).sum::<usize>()
        }
        let command = without_variables(Cli::command(), &|name| name == "TEBESSA_NATS");
        assert!(with(&Cli::command(), "TEBESSA_NATS") > 5);
        assert_eq!(with(&command, "TEBESSA_NATS"), 0);
        assert_eq!(with(&command, "TEBESSA_DATA"), with(&Cli::command(), "TEBESSA_DATA"));
    }

    #[test]
    fn json_may_stand_anywhere_but_behind_the_end_of_options() {
        let moved = |line: &str| {
            let moved = json_at_the_end(line.split(' ').map(OsString::from));
            moved.join(std::ffi::OsStr::new(" ")).into_string().unwrap()
        };
        for line in ["tebessa --json case list", "tebessa case --json list --json"] {
            assert_eq!(moved(line), "tebessa case list --json");
        }
        assert_eq!(moved("tebessa --json submit -- --json"), "tebessa submit --json -- --json");
        assert_eq!(moved("tebessa case list"), "tebessa case list");
    }
}
