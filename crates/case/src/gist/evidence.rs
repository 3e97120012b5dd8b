//! The events of fact-finding in words.

use crate::evidence::{Attach, AttachCountryInfo, Event, HoldInterview, Link};
use crate::vocabulary::Polarity;

use super::{Gist, bytes, gist, listed, relied, words};

pub(super) fn gist_of(event: &Event) -> Gist {
    match event {
        Event::Attached(item) => attached(item),
        Event::CountryInfoAttached(info) => country_info(info),
        Event::Translated(one) => gist(
            format!("Translation added, in {}", one.language),
            [
                one.evidence.to_string(),
                format!("{}, {}", one.media_type, bytes(one.size)),
                listed("translated by", one.translator.iter().map(ToString::to_string)),
            ],
        ),
        Event::AuthenticityAssessed(assessed) => gist(
            format!("Authenticity assessed: {}", assessed.result),
            [assessed.evidence.to_string()],
        ),
        Event::Linked(link) => linked(link),
        Event::Withdrawn(one) => gist("Evidence withdrawn", [one.evidence.to_string()]),
        Event::CountryInfoDisclosed(one) => gist(
            "Country information disclosed to the claimant",
            [
                relied("items", &one.evidence),
                format!("{}, in {}", words(one.method.as_str()), one.language),
            ],
        ),
        Event::FactFound(found) => gist(
            format!("Fact found: {} = {}", found.fact, found.value),
            found.standard.map(|standard| format!("standard: {}", words(standard.as_str()))),
        ),
        Event::FactSuperseded(newer) => {
            let value = newer.value.map_or_else(|| "none any more".to_owned(), |v| v.to_string());
            gist(
                format!("Fact superseded: {} = {value}", newer.fact),
                [format!("instead of the one of version {}", newer.supersedes)],
            )
        }
        Event::InterviewScheduled(_)
        | Event::InterviewRescheduled(_)
        | Event::InterviewHeld(_)
        | Event::InterviewNotAttended(_)
        | Event::TranscriptServed(_)
        | Event::TranscriptCorrected(_) => of_interview(event),
    }
}

fn attached(item: &Attach) -> Gist {
    let dated = item.dated.as_ref().map(|date| format!(", dated {date}")).unwrap_or_default();
    gist(
        format!("Evidence attached: {}", words(item.kind.as_str())),
        [
            item.evidence.to_string(),
            format!("{}, {}, in {}{dated}", item.media_type, bytes(item.size), item.language),
        ],
    )
}

fn country_info(info: &AttachCountryInfo) -> Gist {
    let until = info.valid_to.as_ref().map(|date| format!(" to {date}")).unwrap_or_default();
    gist(
        "Country information attached",
        [
            info.evidence.to_string(),
            format!("published {}, holds from {}{until}", info.published, info.valid_from),
            format!("{}, {}, in {}", info.media_type, bytes(info.size), info.language),
        ],
    )
}

fn linked(link: &Link) -> Gist {
    let points = match link.polarity {
        Polarity::Supports => "supports",
        Polarity::Undermines => "undermines",
        Polarity::Neutral => "bears on",
    };
    gist(format!("Evidence {points} {}", link.criterion), [link.evidence.to_string()])
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the caller sends these events only")]
fn of_interview(event: &Event) -> Gist {
    match event {
        Event::InterviewScheduled(one) => {
            let choice = one.choice.map(|choice| words(choice.as_str()));
            gist(
                format!("Interview scheduled for {}", one.at),
                [
                    one.interview.to_string(),
                    format!("in {}", one.language),
                    listed("interviewer and interpreter asked for", choice),
                ],
            )
        }
        Event::InterviewRescheduled(one) => gist(
            format!("Interview put off to {}", one.at),
            [one.interview.to_string(), format!("cause: {}", words(one.cause.as_str()))],
        ),
        Event::InterviewHeld(one) => held(one),
        Event::InterviewNotAttended(one) => gist(
            "Interview not attended",
            [one.interview.to_string(), format!("excuse: {}", words(one.excuse.as_str()))],
        ),
        Event::TranscriptServed(one) => {
            let until = one.comments_until.as_ref();
            gist(
                "Transcript served",
                [
                    one.interview.to_string(),
                    format!("{}, in {}", words(one.method.as_str()), one.language),
                    until.map(|date| format!("comments until {date}")).unwrap_or_default(),
                ],
            )
        }
        Event::TranscriptCorrected(one) => gist(
            format!("Transcript corrected by the {}", one.corrected_by),
            [
                one.interview.to_string(),
                listed("at", one.items.iter().map(|item| item.place.to_string())),
            ],
        ),
        _ => gist(event.kind(), []),
    }
}

fn held(one: &HoldInterview) -> Gist {
    gist(
        "Interview held",
        [
            one.interview.to_string(),
            listed("interpreted by", one.interpreter.iter().map(ToString::to_string)),
            listed("accompanied by", one.representative.iter().map(ToString::to_string)),
            if one.recorded { "recorded".to_owned() } else { String::new() },
        ],
    )
}
