//! Three of the worked histories: long lives of claims, as commands that anyone could submit.

use serde_json::Value as Json;
use uuid::Uuid;

use super::script::{Script, Step};

/// A worked history: its label in the demo, what the engine proposes last, and its commands.
struct Story {
    label: &'static str,
    proposed: &'static str,
    commands: &'static str,
}

/// What the demo needs to know of a command.
#[derive(serde::Deserialize)]
struct Head {
    command: String,
    case: Uuid,
}

const STORIES: [Story; 3] = [
    Story {
        label: "Remitted",
        proposed: "refugee",
        commands: include_str!("../../../../tests/fixtures/stories/remitted-and-granted.jsonl"),
    },
    Story {
        label: "Either side",
        proposed: "refugee",
        commands: include_str!("../../../../tests/fixtures/stories/ukrainian-claimant.jsonl"),
    },
    Story {
        label: "Excluded",
        proposed: "excluded_not_removable",
        commands: include_str!("../../../../tests/fixtures/stories/excluded-not-removable.jsonl"),
    },
];

/// The stories as scripts; each is the life of one case.
pub(super) fn scripts() -> Result<Vec<Script>, serde_json::Error> {
    STORIES.iter().map(script).collect()
}

/// What the engine proposes last in each story, by label.
pub(super) fn expectations() -> impl Iterator<Item = (String, String)> {
    STORIES.iter().map(|story| (story.label.to_owned(), story.proposed.to_owned()))
}

fn script(story: &Story) -> Result<Script, serde_json::Error> {
    let mut script = Script { label: story.label.to_owned(), case: Uuid::nil(), steps: Vec::new() };
    for line in story.commands.lines() {
        let body: Json = serde_json::from_str(line)?;
        let Head { command, case } = serde_json::from_str(line)?;
        script.case = case;
        script.steps.push(Step { name: command, body });
    }
    Ok(script)
}
