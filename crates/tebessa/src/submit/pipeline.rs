//! Commands under way: side by side across cases, one after the other within a case, answered in
//! the order of the lines.

use std::collections::{HashMap, VecDeque};

use case::CaseId;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};

use super::answer::Answer;
use super::input::Line;
use super::peek::{self, Way};
use super::send::{Courier, Service};

/// How many commands are under way at once.
const MOST_IN_FLIGHT: usize = 256;
/// How many lines may wait for an earlier line's answer; enough that input which is sorted by
/// case is still sent side by side.
const MOST_LINES: usize = 4_096;
/// How many bytes these lines may have.
const MOST_BYTES: usize = 16 << 20;

/// A line that waits for its turn.
struct Waiting {
    place: u64,
    line: Line,
    way: Way,
}

/// A line that was answered.
struct Landed {
    place: u64,
    case: Option<CaseId>,
    bytes: usize,
    answer: Answer,
}

/// The place of a line's answer in the output.
struct Place {
    length: u64,
    answer: Option<Answer>,
}

/// Commands under way.
pub(super) struct Pipeline<S> {
    courier: Courier<S>,
    flights: FuturesUnordered<BoxFuture<'static, Landed>>,
    /// Cases with a command under way, and the lines that wait behind it.
    busy: HashMap<CaseId, VecDeque<Waiting>>,
    /// Lines whose turn it is as soon as there is room.
    ready: VecDeque<Waiting>,
    /// The answers in the order of the lines; the first is the next to be printed.
    places: VecDeque<Place>,
    /// The place of the first of `places`.
    first: u64,
    bytes: usize,
}

impl<S: Service> Pipeline<S> {
    pub(super) fn new(courier: Courier<S>) -> Self {
        Self {
            courier,
            flights: FuturesUnordered::new(),
            busy: HashMap::new(),
            ready: VecDeque::new(),
            places: VecDeque::new(),
            first: 0,
            bytes: 0,
        }
    }

    /// Whether another line can be taken.
    pub(super) fn has_room(&self) -> bool {
        self.places.len() < MOST_LINES && self.bytes < MOST_BYTES
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.flights.is_empty()
    }

    /// How many lines were taken whose answers were not given out.
    pub(super) fn unanswered(&self) -> usize {
        self.places.len()
    }

    /// Takes a line. One that cannot be sent has its answer at once.
    pub(super) fn take(&mut self, line: Line) {
        let place = self.first + self.places.len() as u64;
        let way = peek::way(&line);
        let mut slot = Place { length: line.length, answer: None };
        match way {
            Err(answer) => slot.answer = Some(answer),
            Ok(way) => self.queue(Waiting { place, line, way }),
        }
        self.places.push_back(slot);
        self.start();
    }

    fn queue(&mut self, waiting: Waiting) {
        self.bytes += waiting.line.bytes.len();
        if let Some(case) = waiting.way.case {
            if let Some(behind) = self.busy.get_mut(&case) {
                behind.push_back(waiting);
                return;
            }
            self.busy.insert(case, VecDeque::new());
        }
        self.ready.push_back(waiting);
    }

    fn start(&mut self) {
        while self.flights.len() < MOST_IN_FLIGHT {
            let Some(waiting) = self.ready.pop_front() else { return };
            let courier = self.courier.clone();
            self.flights.push(
                async move {
                    let Waiting { place, line, way } = waiting;
                    let answer = courier.send(&way.command, &line).await;
                    Landed { place, case: way.case, bytes: line.bytes.len(), answer }
                }
                .boxed(),
            );
        }
    }

    /// Waits until at least one command was answered, and takes in all that were.
    pub(super) async fn landed(&mut self) {
        let mut next = self.flights.next().await;
        while let Some(landed) = next {
            self.land(landed);
            next = self.flights.next().now_or_never().flatten();
        }
        self.start();
    }

    fn land(&mut self, landed: Landed) {
        self.bytes = self.bytes.saturating_sub(landed.bytes);
        if let Some(case) = landed.case {
            match self.busy.get_mut(&case).and_then(VecDeque::pop_front) {
                Some(behind) => self.ready.push_back(behind),
                None => {
                    self.busy.remove(&case);
                }
            }
        }
        let index = usize::try_from(landed.place.saturating_sub(self.first)).ok();
        if let Some(place) = index.and_then(|index| self.places.get_mut(index)) {
            place.answer = Some(landed.answer);
        }
    }

    /// The next answer in the order of the lines, with the line's length in bytes, if it is here.
    pub(super) fn next_answer(&mut self) -> Option<(Answer, u64)> {
        let answer = self.places.front_mut()?.answer.take()?;
        let length = self.places.pop_front()?.length;
        self.first += 1;
        Some((answer, length))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use service::client::ClientError;

    use super::*;

    /// Answers after a while that differs from command to command, and checks that a case has
    /// never two commands under way.
    #[derive(Clone, Default)]
    struct Checked {
        under_way: Arc<Mutex<Vec<String>>>,
        most: Arc<Mutex<usize>>,
    }

    impl Service for Checked {
        async fn command(&self, _: &str, body: Vec<u8>) -> Result<Vec<u8>, ClientError> {
            let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let case = value["case"].as_str().unwrap().to_owned();
            {
                let mut under_way = self.under_way.lock().unwrap();
                assert!(!under_way.contains(&case), "two commands of one case at once");
                under_way.push(case.clone());
                let mut most = self.most.lock().unwrap();
                *most = (*most).max(under_way.len());
            }
            let pause = value["id"].as_u64().unwrap() * 7 % 5;
            tokio::time::sleep(Duration::from_millis(pause)).await;
            self.under_way.lock().unwrap().retain(|other| *other != case);
            let message = value["id"].to_string();
            Ok(format!(r#"{{"outcome":"rejected","code":"wrong_role","message":"{message}"}}"#)
                .into_bytes())
        }

        fn is_connected(&self) -> bool {
            true
        }
    }

    fn line(number: u64, case: u128) -> Line {
        let case = uuid::Uuid::from_u128(case + 1);
        let bytes = format!(r#"{{"command":"evidence.attach","id":{number},"case":"{case}"}}"#);
        Line { number, length: bytes.len() as u64, bytes: bytes.into_bytes() }
    }

    async fn run(lines: Vec<Line>) -> (Vec<String>, usize) {
        let service = Checked::default();
        let mut pipeline = Pipeline::new(Courier::hasty(service.clone()));
        let mut lines = lines.into_iter().peekable();
        let mut answers = Vec::new();
        loop {
            while pipeline.has_room() && lines.peek().is_some() {
                pipeline.take(lines.next().unwrap());
            }
            while let Some((answer, _)) = pipeline.next_answer() {
                answers.push(String::from_utf8(answer.line).unwrap());
            }
            if pipeline.is_idle() && lines.peek().is_none() {
                break;
            }
            pipeline.landed().await;
        }
        assert_eq!((pipeline.unanswered(), pipeline.bytes, pipeline.busy.len()), (0, 0, 0));
        let most = *service.most.lock().unwrap();
        (answers, most)
    }

    fn in_order(answers: &[String]) -> bool {
        answers.iter().enumerate().all(|(n, line)| line.contains(&format!("\"message\":\"{n}\"")))
    }

    #[tokio::test]
    async fn answers_come_in_the_order_of_the_lines() {
        let lines = (0..1_000).map(|n| line(n, u128::from(n) * 31 % 40)).collect();
        let (answers, most) = run(lines).await;
        assert_eq!(answers.len(), 1_000);
        assert!(in_order(&answers));
        assert_eq!(most, 40);
    }

    #[tokio::test]
    async fn input_that_is_sorted_by_case_is_sent_side_by_side() {
        let lines = (0..600).map(|n| line(n, u128::from(n) / 60)).collect();
        let (answers, most) = run(lines).await;
        assert!(in_order(&answers));
        assert_eq!(most, 10);
    }

    #[tokio::test]
    async fn never_more_are_under_way_than_may_be() {
        let lines = (0..2_000).map(|n| line(n, u128::from(n))).collect();
        let (answers, most) = run(lines).await;
        assert!(in_order(&answers));
        assert_eq!(most, MOST_IN_FLIGHT);
    }

    #[tokio::test]
    async fn a_line_that_cannot_be_sent_keeps_its_place() {
        let bad = Line { number: 2, bytes: b"nope".to_vec(), length: 5 };
        let (answers, _) = run(vec![line(0, 1), bad, line(2, 1)]).await;
        assert!(answers[0].contains("\"message\":\"0\""));
        assert!(answers[1].contains("line 2: is not JSON"), "{}", answers[1]);
        assert!(answers[2].contains("\"message\":\"2\""));
    }

    #[tokio::test]
    async fn a_service_that_is_slow_is_not_flooded() {
        let mut pipeline = Pipeline::new(Courier::hasty(Checked::default()));
        let mut number = 0;
        while pipeline.has_room() {
            pipeline.take(line(number, 1));
            number += 1;
        }
        assert_eq!(number, MOST_LINES as u64);
    }
}
