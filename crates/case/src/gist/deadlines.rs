//! The events of deadlines in words.

use crate::deadlines::Event;

use super::{Gist, gist, words};

pub(super) fn gist_of(event: &Event) -> Gist {
    match event {
        Event::DeadlineSet(set) => {
            let concerns = set.concerns.map(|event| format!(", runs from version {event}"));
            let about = format!("{}{}", set.deadline, concerns.unwrap_or_default());
            gist(format!("Deadline set: {}, due {}", words(set.kind.as_str()), set.due), [about])
        }
        Event::DeadlineExtended(moved) => {
            gist(format!("Deadline extended to {}", moved.due), [moved.deadline.to_string()])
        }
        Event::DeadlineExpired(over) => {
            gist(format!("Deadline of {} expired", over.due), [over.deadline.to_string()])
        }
    }
}
