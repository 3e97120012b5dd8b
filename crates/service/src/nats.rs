//! A NATS server that somebody gave: where it is, and what it wants to see.
//!
//! The client library does not look at a user, a password or a token that stand in a URL, so they are
//! taken out of it here.
//!
//! *Invariant:* neither of them is shown, by [`Server::shown`] or `Debug`.

mod line;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerAddr};
use percent_encoding::percent_decode_str;

pub use self::line::Cut;
pub(crate) use self::line::{Connector, Cuts, KeptLine, LastingLine, Line, NODE_INBOX_ALL};

/// What to do where a server does not let one in: the end of every message about it.
pub(crate) const HOW_TO_GET_IN: &str =
    "give nats://USER:PASSWORD@HOST as its URL, or a file of credentials by --nats-creds";

/// Where a NATS server is, or several of a cluster, and how to get in.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    url: String,
    credentials: Option<PathBuf>,
    roots: Option<PathBuf>,
    certificate: Option<Certificate>,
    inbox: Option<InboxPrefix>,
}

/// Where answers arrive: `_INBOX` where nothing is said. What is below it, only who may hear those answers
/// should be let subscribe to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InboxPrefix(String);

/// The text is no place for answers. Give words of letters, digits, `_` and `-`, parted by points.
#[derive(Debug, thiserror::Error)]
#[error(
    "an inbox is words of letters, digits, _ and -, parted by points, such as _INBOX_reader, and not below \
     tebessa, where the node gives no answers"
)]
pub struct BadInboxPrefix;

impl InboxPrefix {
    /// Reads it.
    pub fn of(text: &str) -> Result<Self, BadInboxPrefix> {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(is_letter);
        let fits = text.split('.').all(is_word) && text.split('.').next() != Some("tebessa");
        if fits { Ok(Self(text.to_owned())) } else { Err(BadInboxPrefix) }
    }
}

impl TryFrom<String> for InboxPrefix {
    type Error = BadInboxPrefix;

    fn try_from(text: String) -> Result<Self, BadInboxPrefix> {
        Self::of(&text)
    }
}

impl From<InboxPrefix> for String {
    fn from(prefix: InboxPrefix) -> Self {
        prefix.0
    }
}

/// Where the node's own answers arrive, such as pieces of a file in clear: no account that may only ask is
/// let subscribe there.
const NODE_INBOX: &str = "_INBOX_tebessa";

/// A certificate to show, and its key; both in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The file of the certificate, and of those between it and what the server believes.
    pub chain: PathBuf,
    /// The file of the key.
    pub key: PathBuf,
}

impl<S: AsRef<str> + ?Sized> From<&S> for Server {
    fn from(url: &S) -> Self {
        Self::new(url.as_ref())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.shown()).finish()
    }
}

impl Server {
    /// A URL such as `nats://host:4222`, or `tls://` where it speaks TLS only; before the host may stand
    /// `user:password@` or `token@`, in percent-encoding where needed. Those of a cluster are parted by
    /// commas, and the first that says who is there says it for all.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), credentials: None, roots: None, certificate: None, inbox: None }
    }

    /// With a file of credentials, as `nsc` writes it: a JWT and the seed of its key.
    #[must_use]
    pub fn with_credentials(mut self, file: Option<PathBuf>) -> Self {
        self.credentials = file;
        self
    }

    /// With a file of certificates, in PEM, that are believed when the server speaks TLS; without it
    /// those of the system are.
    #[must_use]
    pub fn with_roots(mut self, file: Option<PathBuf>) -> Self {
        self.roots = file;
        self
    }

    /// With a certificate to show to a server that speaks TLS and wants to see one.
    #[must_use]
    pub fn with_certificate(mut self, certificate: Option<Certificate>) -> Self {
        self.certificate = certificate;
        self
    }

    /// Without the user, password or token of its URL.
    #[must_use]
    pub fn without_user(mut self) -> Self {
        self.url = self.shown();
        self
    }

    /// As the node's account goes in: answers arrive where the node's do, unless another place is named.
    #[must_use]
    pub fn as_of_node(self) -> Self {
        let inbox = self.inbox.clone().unwrap_or_else(|| InboxPrefix(NODE_INBOX.to_owned()));
        self.with_inbox(Some(inbox))
    }

    /// With another place where answers arrive.
    #[must_use]
    pub fn with_inbox(mut self, inbox: Option<InboxPrefix>) -> Self {
        self.inbox = inbox;
        self
    }

    /// The URL as it was given, a password in it too.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The file of credentials.
    #[must_use]
    pub fn credentials(&self) -> Option<&PathBuf> {
        self.credentials.as_ref()
    }

    /// The file of certificates.
    #[must_use]
    pub fn roots(&self) -> Option<&PathBuf> {
        self.roots.as_ref()
    }

    /// The certificate that is shown.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// Where answers arrive, if it was said.
    #[must_use]
    pub fn inbox(&self) -> Option<&InboxPrefix> {
        self.inbox.as_ref()
    }

    /// The URL for logs and errors: without user, password and token.
    #[must_use]
    pub fn shown(&self) -> String {
        let shown: Vec<String> = self.each().iter().map(|url| without_credentials(url)).collect();
        shown.join(",")
    }

    /// The URLs of a cluster. A comma may also stand in a password: then an `@` is behind it, with no
    /// scheme between, and all from the last scheme on is one URL.
    fn each(&self) -> Vec<String> {
        let mut each: Vec<String> = Vec::new();
        for part in self.url.split(',') {
            let mut whole = part.to_owned();
            while whole.contains('@')
                && !whole.contains("://")
                && let Some(before) = each.pop()
            {
                whole = format!("{before},{whole}");
            }
            each.push(whole.trim().to_owned());
        }
        each
    }

    /// Connects, with these options beside what is known of the server.
    pub(crate) async fn connect(&self, options: ConnectOptions) -> Result<Client, ConnectError> {
        let unfit = |error| ConnectError::with_source(ConnectErrorKind::ServerParse, error);
        let servers = self.each().iter().map(|url| url.parse()).collect::<Result<Vec<_>, _>>();
        let servers: Vec<ServerAddr> = servers.map_err(unfit)?;
        let mut options = options;
        if let Some((user, password)) = servers.iter().find_map(user_of) {
            options = match password {
                Some(password) => options.user_and_password(user, password),
                None => options.token(user),
            };
        }
        if let Some(file) = &self.credentials {
            options = options.credentials_file(file).await.map_err(|error| {
                let what = format!("{}: {error}", file.display());
                ConnectError::with_source(ConnectErrorKind::Authentication, what)
            })?;
        }
        if let Some(file) = &self.roots {
            options = options.add_root_certificates(file.clone());
        }
        if let Some(InboxPrefix(prefix)) = &self.inbox {
            options = options.custom_inbox_prefix(prefix);
        }
        if let Some(Certificate { chain, key }) = &self.certificate {
            options = options.add_client_certificate(chain.clone(), key.clone());
        }
        options.connect(servers).await
    }
}

/// Whether the server said no to who wants in: then nothing comes of trying again.
pub(crate) fn refused(error: &ConnectError) -> bool {
    matches!(
        error.kind(),
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation
    )
}

/// How far apart lines are of which others can cause one with each message.
const SELDOM: Duration = Duration::from_secs(10);

/// Whether a line is to be written that was not for a while.
pub(crate) fn is_due(last: &Mutex<Option<Instant>>) -> bool {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    let due = last.is_none_or(|last| last.elapsed() >= SELDOM);
    if due {
        *last = Some(Instant::now());
    }
    due
}

/// Logs what happened to a connection.
pub(crate) fn log_event(whose: &str, event: &Event) {
    match event {
        // Denied permissions, and a password that is no longer right, are told here and nowhere else.
        Event::ServerError(_) => tracing::warn!(%event, "the connection for {whose}"),
        // One comes for each message that is lost.
        Event::SlowConsumer(_) => {
            static LAST: Mutex<Option<Instant>> = Mutex::new(None);
            if is_due(&LAST) {
                tracing::warn!(
                    %event,
                    "the connection for {whose}: more came at once than could be taken, and what came behind \
                     has no answer; whoever sent it sends it again"
                );
            }
        }
        // Among them each attempt that fails, while the server is away.
        Event::ClientError(_)
        | Event::Connected
        | Event::Disconnected
        | Event::Closed
        | Event::LameDuckMode
        | Event::Draining => tracing::info!(%event, "the connection for {whose}"),
    }
}

fn user_of(server: &ServerAddr) -> Option<(String, Option<String>)> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    server.username().map(|user| (decoded(user), server.password().map(decoded)))
}

fn without_credentials(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((front, host)) => match front.split_once("://") {
            Some((scheme, _)) => format!("{scheme}://{host}"),
            None => host.to_owned(),
        },
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
        for (url, shown) in [
            ("nats://host:4222", "nats://host:4222"),
            ("nats://node:s3cr3t@host:4222", "nats://host:4222"),
            ("tls://t0ken@a,tls://node:s3cr3t@b:1", "tls://a,tls://b:1"),
            ("node:s3cr3t@host", "host"),
            ("nats://node:p@ss@host", "nats://host"),
            ("nats://node:s3c,r3t@host:4222", "nats://host:4222"),
            ("tls://a, tls://node:s3,c,r3t@b:1,c", "tls://a,tls://b:1,c"),
        ] {
            let server = Server::from(url);
            assert_eq!(server.shown(), shown);
            assert_eq!(format!("{server:?}"), format!("Server({shown:?})"));
        }
    }

    #[test]
    fn an_inbox_has_no_wildcards_and_is_not_where_the_node_gives_no_answers() {
        for fit in ["_INBOX_reader", "answers.of-7", "tebessa_reader"] {
            assert_eq!(String::from(InboxPrefix::of(fit).unwrap()), fit);
        }
        for unfit in ["", ">", "_INBOX.*", "a..b", "a b", "$JS.API", "tebessa.cmd", "tebessa"] {
            assert!(InboxPrefix::of(unfit).is_err(), "{unfit}");
        }
    }

    #[test]
    fn who_is_there_is_read_from_the_url() {
        let of = |url: &str| user_of(&url.parse().unwrap());
        assert_eq!(of("nats://host"), None);
        assert_eq!(of("nats://t0ken@host"), Some(("t0ken".to_owned(), None)));
        let decoded = Some(("a node".to_owned(), Some("p@ss/w".to_owned())));
        assert_eq!(of("nats://a%20node:p%40ss%2Fw@host"), decoded);
    }
}
