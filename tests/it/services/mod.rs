//! Object stores that run for the tests: emulators of Azure's and Google's, and Ceph, an S3 that is no mock.
//!
//! Each runs once for all tests that ask for it, and ends when this process does, however that ends.
#![cfg_attr(not(feature = "azure"), allow(dead_code))]

#[cfg(all(feature = "azure", feature = "gcs"))]
mod command;

use crate::s3::SECRET;
use crate::support::{project, udmap};
use crate::tools::{Tool, need};
#[cfg(all(feature = "azure", feature = "gcs"))]
use object_store::ObjectStore;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
#[cfg(all(feature = "azure", feature = "gcs"))]
use std::sync::Arc;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Azurite's account and key, as its documents say.
const AZURE_ACCOUNT: &str = "devstoreaccount1";
const AZURE_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
/// Credentials for a service that asks for none.
const GOOGLE_KEY: &str = r#"{"disable_oauth":true,"client_email":"","private_key":"","private_key_id":""}"#;

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
                vec![("GOOGLE_BASE_URL", url), ("GOOGLE_SERVICE_ACCOUNT_KEY", GOOGLE_KEY.to_owned())]
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

    /// A bucket as the object_store crate sees it, apart from udmap's own store.
    #[cfg(all(feature = "azure", feature = "gcs"))]
    fn store(&self, bucket: &str) -> Arc<dyn ObjectStore> {
        use object_store::{aws, azure, gcp};
        let url = format!("http://127.0.0.1:{}", self.port);
        match self.tool {
            Tool::Azurite => {
                let builder = azure::MicrosoftAzureBuilder::new().with_account(AZURE_ACCOUNT);
                let builder = builder.with_access_key(AZURE_KEY).with_allow_http(true);
                let builder = builder.with_endpoint(format!("{url}/{AZURE_ACCOUNT}"));
                Arc::new(builder.with_container_name(bucket).build().expect("a store"))
            }
            Tool::FakeGcs => {
                let builder = gcp::GoogleCloudStorageBuilder::new().with_base_url(&url);
                let builder = builder.with_service_account_key(GOOGLE_KEY);
                Arc::new(builder.with_bucket_name(bucket).build().expect("a store"))
            }
            _ => {
                let builder = aws::AmazonS3Builder::new().with_endpoint(url).with_allow_http(true);
                let builder = builder.with_region("us-east-1").with_access_key_id("test");
                let builder = builder.with_secret_access_key(SECRET);
                Arc::new(builder.with_bucket_name(bucket).build().expect("a store"))
            }
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
