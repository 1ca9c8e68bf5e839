//! Object stores that run for the tests: emulators of Azure's and Google's, and Ceph, an S3 that is no mock.
//!
//! Each runs once for all tests that ask for it, and ends when this process does, however that ends.

use crate::s3::SECRET;
use crate::support::{project, udmap};
use crate::tools::{Tool, need};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

/// A service that runs.
pub(crate) struct Service {
    tool: Tool,
    port: u16,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    _child: Child,
}

impl Service {
    /// Azure Blob Storage, by Azurite.
    pub(crate) fn azurite() -> Option<&'static Service> {
        static RUNS: OnceLock<Service> = OnceLock::new();
        shared(&RUNS, Tool::Azurite, "azurite")
    }

    /// Google Cloud Storage, by fake-gcs-server.
    pub(crate) fn fake_gcs() -> Option<&'static Service> {
        static RUNS: OnceLock<Service> = OnceLock::new();
        shared(&RUNS, Tool::FakeGcs, "fake-gcs")
    }

    /// S3, by Ceph.
    pub(crate) fn ceph() -> Option<&'static Service> {
        static RUNS: OnceLock<Service> = OnceLock::new();
        shared(&RUNS, Tool::Ceph, "ceph")
    }

    fn start(tool: Tool, kind: &str, found: PathBuf) -> Service {
        let mut command = Command::new("python3");
        command.arg(project("tests/services/serve.py")).arg(kind);
        if tool != Tool::Ceph {
            command.arg(found);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("Python starts");
        let stdin = child.stdin.take().expect("stdin");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout"));
        let mut port = String::new();
        stdout.read_line(&mut port).expect("a port");
        let port = port.trim().parse().unwrap_or_else(|_| panic!("{kind} does not start, see above"));
        Service { tool, port, pipes: Mutex::new((stdin, stdout)), _child: child }
    }

    /// Makes a bucket; its URL.
    pub(crate) fn bucket(&self, name: &str) -> String {
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(pipes.0, "{name}").expect("asked");
        let mut line = String::new();
        pipes.1.read_line(&mut line).expect("an answer");
        assert_eq!(line, "made\n", "the bucket {name} can't be made");
        let scheme = match self.tool {
            Tool::Azurite => "az",
            Tool::FakeGcs => "gs",
            _ => "s3",
        };
        format!("{scheme}://{name}")
    }

    /// What a user sets to reach it.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let url = format!("http://127.0.0.1:{}", self.port);
        match self.tool {
            Tool::Azurite => {
                vec![("AZURE_STORAGE_USE_EMULATOR", "true".to_owned()), ("AZURITE_BLOB_STORAGE_URL", url)]
            }
            Tool::FakeGcs => {
                let key = r#"{"disable_oauth":true,"client_email":"","private_key":"","private_key_id":""}"#;
                vec![("GOOGLE_BASE_URL", url), ("GOOGLE_SERVICE_ACCOUNT_KEY", key.to_owned())]
            }
            _ => vec![
                ("AWS_ENDPOINT_URL", url),
                ("AWS_ALLOW_HTTP", "true".to_owned()),
                ("AWS_REGION", "us-east-1".to_owned()),
                ("AWS_ACCESS_KEY_ID", "test".to_owned()),
                ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ],
        }
    }

    /// The command, with the environment of this service.
    pub(crate) fn udmap(&self) -> Command {
        let mut command = udmap();
        command.envs(self.environment());
        command
    }
}

fn shared(runs: &'static OnceLock<Service>, tool: Tool, kind: &str) -> Option<&'static Service> {
    let found = need(tool)?;
    Some(runs.get_or_init(|| Service::start(tool, kind, found)))
}
