//! How a command finds the node: a URL that is given, or what `up` wrote into the data directory.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use service::client::Client;
use service::nats::{Certificate, InboxPrefix, Server};

use crate::output::CliError;

/// The file in the data directory in which a running node says where it is.
pub(crate) const NODE_FILE: &str = "node.json";

/// Where the node is.
///
/// A URL comes first: --nats, else TEBESSA_NATS. Without one, the node that runs on the data
/// directory is asked where it is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Address {
    /// The NATS server behind which the node answers.
    #[arg(long, value_name = "URL", env = "TEBESSA_NATS", hide_env_values = true,
        value_parser = NonEmptyStringValueParser::new())]
    pub(crate) nats: Option<String>,
    /// The data directory of a node on this machine; used where no URL is given.
    #[arg(long, value_name = "DIR", default_value = "tebessa-data", env = "TEBESSA_DATA")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    options: NatsOptions,
}

/// What a NATS server wants to see.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct NatsOptions {
    /// A file of credentials for the NATS server, as nsc writes it. A user and a password, or a
    /// token, may stand in the URL instead: nats://USER:PASSWORD@HOST.
    #[arg(long = "nats-creds", id = "nats_creds", value_name = "FILE", env = "TEBESSA_NATS_CREDS")]
    creds: Option<PathBuf>,
    /// A file of certificates (PEM) to believe of a NATS server that speaks TLS, in place of the
    /// system's.
    #[arg(long = "nats-ca", id = "nats_ca", value_name = "FILE", env = "TEBESSA_NATS_CA")]
    ca: Option<PathBuf>,
    /// A file with a certificate (PEM) to show to a NATS server that speaks TLS and asks for one.
    #[arg(
        long = "nats-cert",
        id = "nats_cert",
        value_name = "FILE",
        requires = "nats_key",
        env = "TEBESSA_NATS_CERT"
    )]
    cert: Option<PathBuf>,
    /// The file with that certificate's key (PEM).
    #[arg(
        long = "nats-key",
        id = "nats_key",
        value_name = "FILE",
        requires = "nats_cert",
        env = "TEBESSA_NATS_KEY"
    )]
    key: Option<PathBuf>,
    /// Where answers from the NATS server arrive, such as _INBOX_reader. Give each account one of its own,
    /// and let it subscribe to what is below it only: who hears _INBOX.> reads what others are answered.
    #[arg(
        long = "nats-inbox",
        id = "nats_inbox",
        value_name = "PREFIX",
        env = "TEBESSA_NATS_INBOX",
        value_parser = InboxPrefix::of
    )]
    inbox: Option<InboxPrefix>,
}

impl NatsOptions {
    /// The server at a URL.
    pub(crate) fn server(&self, url: &str) -> Result<Server, CliError> {
        self.are_files()?;
        let certificate = certificate(self.cert.clone(), self.key.clone());
        Ok(Server::new(url)
            .with_credentials(self.creds.clone())
            .with_roots(self.ca.clone())
            .with_inbox(self.inbox.clone())
            .with_certificate(certificate))
    }

    /// The server of a node that says how it connects itself: what is given here takes the place of that, so
    /// that nobody who brings an account of their own goes in by the node's.
    fn server_of(&self, node: &NodeFile) -> Result<Server, CliError> {
        self.are_files()?;
        let server = node.server();
        let certificate = certificate(self.cert.clone(), self.key.clone());
        let roots = self.ca.clone().or_else(|| server.roots().cloned());
        let certificate = certificate.or_else(|| server.certificate().cloned());
        // Another account has no right to where the node's answers arrive.
        let inbox =
            self.inbox.clone().or_else(|| server.inbox().filter(|_| self.creds.is_none()).cloned());
        let server = match &self.creds {
            Some(_) => server.without_user().with_credentials(self.creds.clone()),
            None => server,
        };
        Ok(server.with_roots(roots).with_certificate(certificate).with_inbox(inbox))
    }

    /// Whether any is given, by its name.
    pub(crate) fn given(&self) -> Option<&'static str> {
        self.each().into_iter().find_map(|(option, file)| file.map(|_| option))
    }

    fn each(&self) -> [(&'static str, Option<&PathBuf>); 4] {
        [
            ("--nats-creds", self.creds.as_ref()),
            ("--nats-ca", self.ca.as_ref()),
            ("--nats-cert", self.cert.as_ref()),
            ("--nats-key", self.key.as_ref()),
        ]
    }

    /// The files must be there: else the library's words do not say which is not.
    fn are_files(&self) -> Result<(), CliError> {
        for (option, file) in self.each() {
            let Some(file) = file else { continue };
            let unfit =
                |why: String| CliError::usage(format!("{option} {}: {why}", file.display()));
            // Each connection reads it anew, which a pipe does not bear.
            if fs::metadata(file).is_ok_and(|found| !found.is_file()) {
                return Err(unfit("it is not a file".to_owned()));
            }
            File::open(file).map_err(|error| unfit(error.to_string()))?;
        }
        Ok(())
    }
}

fn certificate(chain: Option<PathBuf>, key: Option<PathBuf>) -> Option<Certificate> {
    Some(Certificate { chain: chain?, key: key? })
}

impl Address {
    /// The node's NATS server. Where no URL is given and no node runs, the error says what to do.
    pub(crate) fn server(&self) -> Result<Server, CliError> {
        match &self.nats {
            Some(url) => self.options.server(url),
            None => self.options.server_of(&self.node()?),
        }
    }

    /// Whether there is a node to ask: one is named by its server, or one runs on the data directory,
    /// as far as its file tells.
    pub(crate) fn has_node(&self) -> bool {
        self.nats.is_some() || NodeFile::read(&self.data).is_ok_and(|file| !file.gone())
    }

    fn node(&self) -> Result<NodeFile, CliError> {
        NodeFile::read(&self.data).map_err(|error| self.no_node(error))
    }

    /// Connects to the node's NATS server. The error says what to do.
    pub(crate) async fn connect(&self) -> Result<Client, CliError> {
        if let Some(url) = &self.nats {
            return Client::connect(self.options.server(url)?).await.map_err(CliError::other);
        }
        let file = self.node()?;
        let data = self.data.display();
        Client::connect(self.options.server_of(&file)?).await.map_err(|error| {
            if !file.gone() {
                return CliError::other(error);
            }
            let pid = file.pid;
            CliError::caused(
                format!(
                    "the node on {data} is gone (process {pid}); start it again with \
                     `tebessa up --data {data}`"
                ),
                error,
            )
        })
    }

    fn no_node(&self, error: NodeFileError) -> CliError {
        if !error.missing() {
            return CliError::other(error);
        }
        let data = self.data.display();
        CliError::message(format!(
            "no node runs on {data}: start one with `tebessa up --data {data}`, or say where one \
             is with --nats URL or --data DIR"
        ))
    }
}

/// What a running node writes about itself, so that clients on the same machine find it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct NodeFile {
    /// Where its NATS server listens; a password may stand in it.
    nats: String,
    /// The file of credentials that it connects with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nats_creds: Option<PathBuf>,
    /// The certificates that it believes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nats_ca: Option<PathBuf>,
    /// The certificate that it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nats_cert: Option<PathBuf>,
    /// That certificate's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nats_key: Option<PathBuf>,
    /// Where its answers arrive, if it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nats_inbox: Option<InboxPrefix>,
    /// The authority whose record it keeps.
    pub(crate) authority: String,
    /// Its process.
    pub(crate) pid: u32,
}

/// The node's file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NodeFileError {
    /// The disk. Where the file is missing, no node runs there.
    #[error("{} could not be {doing}", file.display())]
    Disk {
        /// The file.
        file: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The file is not what `up` writes. Delete it and start the node again.
    #[error("{} is not what `tebessa up` writes; delete it and start the node again", file.display())]
    Form {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

impl NodeFileError {
    /// Whether there is no such file: no node runs there.
    pub(crate) fn missing(&self) -> bool {
        matches!(self, Self::Disk { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

impl NodeFile {
    /// What this process says about itself.
    pub(crate) fn new(server: &Server, authority: &str) -> Self {
        // Who reads it may stand in another directory.
        let absolute = |file: &PathBuf| std::path::absolute(file).unwrap_or_else(|_| file.clone());
        Self {
            nats: server.url().to_owned(),
            nats_creds: server.credentials().map(absolute),
            nats_ca: server.roots().map(absolute),
            nats_cert: server.certificate().map(|shown| absolute(&shown.chain)),
            nats_key: server.certificate().map(|shown| absolute(&shown.key)),
            // By the node's account, which may have no right to any other.
            nats_inbox: server.clone().as_of_node().inbox().cloned(),
            authority: authority.to_owned(),
            pid: std::process::id(),
        }
    }

    /// Its NATS server.
    pub(crate) fn server(&self) -> Server {
        Server::new(&self.nats)
            .with_credentials(self.nats_creds.clone())
            .with_roots(self.nats_ca.clone())
            .with_inbox(self.nats_inbox.clone())
            .with_certificate(certificate(self.nats_cert.clone(), self.nats_key.clone()))
    }

    /// Reads the file of a data directory.
    pub(crate) fn read(data: &Path) -> Result<Self, NodeFileError> {
        let file = data.join(NODE_FILE);
        let bytes = fs::metadata(&file)
            // To open a pipe would wait for who writes to it.
            .and_then(|found| {
                if found.is_file() {
                    fs::read(&file)
                } else {
                    Err(io::Error::other("it is not a file"))
                }
            })
            .map_err(disk(&file, "read"))?;
        serde_json::from_slice(&bytes).map_err(|source| NodeFileError::Form { file, source })
    }

    /// Writes the file whole or not at all, for its owner only.
    pub(crate) fn write(&self, data: &Path) -> Result<(), NodeFileError> {
        let file = data.join(NODE_FILE);
        let fresh = data.join("node.json.new");
        let mut bytes = serde_json::to_vec(self)
            .map_err(|source| NodeFileError::Form { file: file.clone(), source })?;
        bytes.push(b'\n');
        // One that a killed node left may be another's to read.
        let _ = fs::remove_file(&fresh);
        File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)
            .and_then(|mut out| out.write_all(&bytes))
            .and_then(|()| fs::rename(&fresh, &file))
            .map_err(disk(&file, "written"))
    }

    /// Removes the file when the node stops. One that stays behind only misleads, so nothing
    /// depends on it.
    pub(crate) fn remove(data: &Path) {
        let _ = fs::remove_file(data.join(NODE_FILE));
    }

    /// Whether the process that wrote the file has ended, as far as `/proc` tells.
    pub(crate) fn gone(&self) -> bool {
        let processes = Path::new("/proc");
        processes.join("self").exists() && !processes.join(self.pid.to_string()).exists()
    }
}

fn disk(file: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> NodeFileError + use<> {
    let file = file.to_owned();
    move |source| NodeFileError::Disk { file, doing, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_writes_a_client_reads() {
        let data = tempfile::tempdir().unwrap();
        let file = NodeFile::new(&Server::new("nats://127.0.0.1:4333"), "local");
        file.write(data.path()).unwrap();
        assert_eq!(NodeFile::read(data.path()).unwrap(), file);
        assert!(!file.gone());
        NodeFile::remove(data.path());
        assert!(NodeFile::read(data.path()).unwrap_err().missing());
    }

    #[test]
    fn a_pipe_in_the_files_place_is_not_waited_for_and_is_replaced() {
        let data = tempfile::tempdir().unwrap();
        let made = std::process::Command::new("mkfifo").arg(data.path().join(NODE_FILE)).status();
        assert!(made.unwrap().success());
        let refused = NodeFile::read(data.path()).unwrap_err();
        assert!(std::error::Error::source(&refused).unwrap().to_string().contains("not a file"));
        let file = NodeFile::new(&Server::new("nats://127.0.0.1:4333"), "local");
        file.write(data.path()).unwrap();
        assert_eq!(NodeFile::read(data.path()).unwrap(), file);
    }

    #[tokio::test]
    async fn without_a_node_the_error_says_how_to_get_one() {
        let data = tempfile::tempdir().unwrap();
        let address =
            Address { nats: None, data: data.path().to_owned(), options: NatsOptions::default() };
        let error = address.connect().await.unwrap_err().to_string();
        assert!(error.contains("tebessa up --data"), "{error}");
    }

    #[tokio::test]
    async fn a_file_that_a_dead_node_left_behind_is_named_as_such() {
        let data = tempfile::tempdir().unwrap();
        let mut file = NodeFile::new(&Server::new("nats://127.0.0.1:1"), "local");
        file.pid = u32::MAX;
        file.write(data.path()).unwrap();
        let address =
            Address { nats: None, data: data.path().to_owned(), options: NatsOptions::default() };
        assert!(!address.has_node());
        let error = address.connect().await.unwrap_err().to_string();
        assert!(error.contains("is gone (process 4294967295)"), "{error}");
        NodeFile::new(&Server::new("nats://127.0.0.1:1"), "local").write(data.path()).unwrap();
        assert!(address.has_node());
        let elsewhere = Address { nats: Some("nats://127.0.0.1:1".to_owned()), ..address };
        NodeFile::remove(data.path());
        assert!(elsewhere.has_node());
    }
}
