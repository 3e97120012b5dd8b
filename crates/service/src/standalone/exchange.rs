//! The exchange: a connection and the services on it, both made again where the connection ended for good.
//!
//! One for commands and one for queries, so that what those send who may only ask ends neither the node nor
//! the connection of commands. What was taken from a connection that ended is worked on to its end: a command
//! is in the log or it is not, and who sends it again has its first answer.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::connections;
use crate::lasting::Part;
use crate::nats::LastingLine;
use crate::serve::{ServeError, Services, Side, Workplace, stopped};

/// How long it may take until it is known that a connection ended with what ended on it.
const KNOWN_WITHIN: Duration = Duration::from_secs(2);

/// A side of the exchange that runs. Dropping it stops it too, without waiting.
pub(super) struct Exchange {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    part: Part,
}

impl Exchange {
    /// Starts it on a connection.
    pub(super) async fn start(
        common: Workplace,
        side: Side,
        lasting: LastingLine,
    ) -> Result<Self, ServeError> {
        let services = Services::start(&common, side, &lasting.line.client).await?;
        let (stop, stopping) = watch::channel(false);
        let running = Running { common, side, lasting, left: JoinSet::new() };
        let name = match side {
            Side::Commands => "what takes commands and answers them",
            Side::Queries => "what takes queries and answers them",
        };
        let (task, part) = Part::spawn(name, running.run(services, stopping));
        Ok(Self { stop, task, part })
    }

    pub(super) fn part(&self) -> Part {
        self.part.clone()
    }

    /// Takes no new messages, answers those that were taken, and sends the last answers.
    pub(super) async fn drain(self) {
        // A task that is gone has nothing to stop.
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::error!(reason = %crate::chain(&error), "the exchange failed");
        }
    }
}

struct Running {
    common: Workplace,
    side: Side,
    lasting: LastingLine,
    /// What works on what was taken from connections that ended.
    left: JoinSet<()>,
}

impl Running {
    async fn run(mut self, services: Services, mut stopping: watch::Receiver<bool>) {
        let mut services = Some(services);
        loop {
            let Some(ran) = services.take() else { break };
            tokio::select! {
                () = stopped(&mut stopping) => {
                    ran.drain().await;
                    break;
                }
                over = over(&self.lasting, &ran) => {
                    self.left.spawn(ran.finish());
                    if over.is_err() {
                        return;
                    }
                }
            }
            tokio::select! {
                () = stopped(&mut stopping) => {}
                again = self.start_again() => services = Some(again),
            }
            while self.left.try_join_next().is_some() {}
        }
        while self.left.join_next().await.is_some() {}
        connections::flush(&self.lasting.line.client).await;
    }

    async fn start_again(&mut self) -> Services {
        loop {
            self.lasting.renew().await;
            match Services::start(&self.common, self.side, &self.lasting.line.client).await {
                Ok(services) => return services,
                Err(error) => {
                    tracing::warn!(reason = %crate::chain(&error), "the services are not there yet");
                }
            }
        }
    }
}

/// Something of the services ended, and not with its connection: a defect.
struct Defect;

/// Returns when the connection has ended for good.
async fn over(lasting: &LastingLine, services: &Services) -> Result<(), Defect> {
    let part = tokio::select! {
        () = lasting.line.over() => return Ok(()),
        part = services.ended() => part,
    };
    if tokio::time::timeout(KNOWN_WITHIN, lasting.line.over()).await.is_ok() {
        return Ok(());
    }
    tracing::error!("{part} ended, and its connection did not");
    Err(Defect)
}
