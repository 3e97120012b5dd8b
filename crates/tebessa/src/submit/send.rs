//! One command on its way: sent, and sent again with the same bytes where no answer came.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use service::client::{Client, ClientError};

use super::answer::Answer;
use super::input::Line;

/// The pauses before a command is sent again: three times. Its id makes that safe.
const PAUSES: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(15)];
/// How long a command may take with all that.
const PATIENCE: Duration = Duration::from_mins(1);

/// Whoever takes commands and answers them.
pub(super) trait Service: Clone + Send + Sync + 'static {
    /// Sends a command and waits for the reply.
    fn command(
        &self,
        name: &str,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<Vec<u8>, ClientError>> + Send;

    /// Whether a command would leave this machine now.
    fn is_connected(&self) -> bool;
}

impl Service for Client {
    async fn command(&self, name: &str, body: Vec<u8>) -> Result<Vec<u8>, ClientError> {
        Client::command(self, name, body).await.map(|reply| reply.to_vec())
    }

    fn is_connected(&self) -> bool {
        Client::is_connected(self)
    }
}

/// Sends commands. Cheap to clone.
#[derive(Clone)]
pub(super) struct Courier<S> {
    service: S,
    pauses: [Duration; 3],
    /// Set when the patience with a command is at its end, until an answer comes again: with a
    /// node that is gone, not every one of many commands waits for a minute.
    gone: Arc<AtomicBool>,
}

impl<S: Service> Courier<S> {
    pub(super) fn new(service: S) -> Self {
        Self { service, pauses: PAUSES, gone: Arc::default() }
    }

    /// The same without pauses.
    #[cfg(test)]
    pub(super) fn hasty(service: S) -> Self {
        Self { pauses: [Duration::ZERO; 3], ..Self::new(service) }
    }

    /// Sends a line until it is answered, or until it was sent four times or for a minute. Not at
    /// all where the connection is lost and was waited for already.
    pub(super) async fn send(&self, name: &str, line: &Line) -> Answer {
        if self.gone.load(Ordering::Relaxed) && !self.service.is_connected() {
            return Answer::failed(line.number, 503, "not sent: the connection to NATS is lost");
        }
        let begun = Instant::now();
        let mut pauses = self.pauses.iter();
        let mut times = 0;
        loop {
            let error = match self.service.command(name, line.bytes.clone()).await {
                Ok(reply) => {
                    self.gone.store(false, Ordering::Relaxed);
                    return Answer::of_reply(line.number, &reply);
                }
                Err(error) => error,
            };
            times += 1;
            if !may_pass(&error) {
                self.gone.store(false, Ordering::Relaxed);
                return failed(line, &error, times);
            }
            let pause = pauses.next().filter(|pause| begun.elapsed() + **pause < PATIENCE);
            match pause {
                Some(pause) if !self.gone.load(Ordering::Relaxed) => {
                    tokio::time::sleep(*pause).await;
                }
                _ => {
                    self.gone.store(true, Ordering::Relaxed);
                    return failed(line, &error, times);
                }
            }
        }
    }
}

/// Whether the same command may get an answer a little later.
fn may_pass(error: &ClientError) -> bool {
    match error {
        ClientError::NobodyThere(_) | ClientError::Timeout(_) | ClientError::Broken(_) => true,
        ClientError::Service { code, .. } => matches!(code, 409 | 503),
        ClientError::Connect { .. }
        | ClientError::Refused { .. }
        | ClientError::Denied(_)
        | ClientError::Deaf
        | ClientError::NoStream
        | ClientError::File(_) => false,
    }
}

fn failed(line: &Line, error: &ClientError, times: u32) -> Answer {
    let again = if times > 1 { format!(" (sent {times} times)") } else { String::new() };
    let (code, reason) = match error {
        ClientError::Service { code, message } => (*code, message.clone()),
        ClientError::Denied(_) => (403, service::chain(error)),
        ClientError::Timeout(_) | ClientError::Deaf => (504, service::chain(error)),
        ClientError::NobodyThere(_)
        | ClientError::Broken(_)
        | ClientError::File(_)
        | ClientError::NoStream
        | ClientError::Connect { .. }
        | ClientError::Refused { .. } => (503, service::chain(error)),
    };
    Answer::failed(line.number, code, &format!("{reason}{again}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::answer::Kind;
    use super::*;

    type Scripting = Result<Vec<u8>, ClientError>;

    /// Answers from a list, the last one first, and keeps what it was sent.
    #[derive(Clone, Default)]
    struct Scripted {
        answers: Arc<Mutex<Vec<Scripting>>>,
        cut: Arc<AtomicBool>,
        sent: Arc<Mutex<Vec<Vec<u8>>>>,
    }

    impl Service for Scripted {
        async fn command(&self, _: &str, body: Vec<u8>) -> Result<Vec<u8>, ClientError> {
            self.sent.lock().unwrap().push(body);
            let next = self.answers.lock().unwrap().pop();
            next.unwrap_or_else(|| Err(timeout()))
        }

        fn is_connected(&self) -> bool {
            !self.cut.load(Ordering::Relaxed)
        }
    }

    fn timeout() -> ClientError {
        ClientError::Timeout("tebessa.cmd.intake.register-claim".to_owned())
    }

    fn rejected() -> Vec<u8> {
        br#"{"outcome":"rejected","code":"wrong_role","message":"no"}"#.to_vec()
    }

    async fn send(answers: Vec<Result<Vec<u8>, ClientError>>) -> (Answer, usize) {
        let scripted = Scripted::default();
        *scripted.answers.lock().unwrap() = answers;
        let line = Line { number: 9, bytes: b"{}".to_vec(), length: 3 };
        let answer = Courier::hasty(scripted.clone()).send("intake.register-claim", &line).await;
        let sent = scripted.sent.lock().unwrap();
        assert!(sent.iter().all(|body| body == b"{}"), "the bytes changed");
        (answer, sent.len())
    }

    #[tokio::test]
    async fn an_answer_that_did_not_come_is_asked_for_again() {
        let (answer, sent) = send(vec![Ok(rejected()), Err(timeout()), Err(timeout())]).await;
        assert_eq!((answer.kind, sent), (Kind::Rejected, 3));
    }

    #[tokio::test]
    async fn a_command_is_sent_four_times_and_no_more() {
        let (answer, sent) = send(vec![]).await;
        assert_eq!((answer.kind, sent), (Kind::Failed, 4));
        assert!(answer.about.ends_with("(sent 4 times)"), "{}", answer.about);
        assert!(answer.line.starts_with(br#"{"outcome":"failed","code":504,"#));
    }

    #[tokio::test]
    async fn a_malformed_command_is_not_sent_again() {
        let malformed = ClientError::Service {
            code: 400,
            message: "data.size: expected a whole number from 0".to_owned(),
        };
        let (answer, sent) = send(vec![Err(malformed)]).await;
        assert_eq!(
            (answer.about.as_str(), sent),
            ("line 9: data.size: expected a whole number from 0", 1)
        );
    }

    #[tokio::test]
    async fn after_a_node_was_given_up_the_next_commands_do_not_wait_for_it() {
        let scripted = Scripted::default();
        let courier = Courier::hasty(scripted.clone());
        let line = Line { number: 1, bytes: b"{}".to_vec(), length: 3 };
        courier.send("intake.register-claim", &line).await;
        courier.send("intake.register-claim", &line).await;
        assert_eq!(scripted.sent.lock().unwrap().len(), 5);
        scripted.answers.lock().unwrap().push(Ok(rejected()));
        courier.send("intake.register-claim", &line).await;
        courier.send("intake.register-claim", &line).await;
        assert_eq!(scripted.sent.lock().unwrap().len(), 10);
        scripted.cut.store(true, Ordering::Relaxed);
        let answer = courier.send("intake.register-claim", &line).await;
        assert!(answer.line.starts_with(br#"{"outcome":"failed","code":503,"#));
        assert_eq!(scripted.sent.lock().unwrap().len(), 10, "not sent");
    }
}
