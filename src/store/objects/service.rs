//! Opens a bucket of a service by what the environment says: credentials, region, endpoint.

use super::credentials::Checked;
use super::http::{Connector, Requests};
use super::profile::Process;
use super::settings::{self, Credentials, Wrong};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig, StaticCredentialProvider};
use std::sync::Arc;
use std::time::Duration;

/// How a bucket is asked.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    /// How often a request is tried again that failed for a reason that may pass.
    pub(crate) retries: usize,
    /// For how long.
    pub(crate) retry_for: Duration,
    /// The longest time for one request, its answer's body included. Without one, the longest
    /// silence is a minute.
    pub(crate) timeout: Option<Duration>,
    /// Whether requests go unsigned.
    pub(crate) anonymous: bool,
    /// Counts the requests.
    pub(crate) requests: Arc<Requests>,
}

impl Default for Manner {
    /// Fewer and shorter tries than the crate's own three minutes: a run has a deadline.
    fn default() -> Manner {
        let minute = Duration::from_secs(60);
        Manner {
            retries: 6,
            retry_for: minute,
            timeout: Some(minute),
            anonymous: false,
            requests: Arc::default(),
        }
    }
}

impl Manner {
    fn retry(&self) -> RetryConfig {
        RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: self.retries,
            retry_timeout: self.retry_for,
        }
    }
}

/// The bucket of `scheme://bucket`.
pub(crate) fn build(scheme: &str, bucket: &str, manner: &Manner) -> Result<Arc<dyn ObjectStore>, Wrong> {
    settings::bucket(bucket)?;
    match scheme {
        "s3" | "s3a" => s3(bucket, manner),
        #[cfg(feature = "gcs")]
        "gs" => {
            let connector = other(manner, "GOOGLE_")?;
            let builder = object_store::gcp::GoogleCloudStorageBuilder::from_env();
            let builder = builder
                .with_bucket_name(bucket)
                .with_retry(manner.retry())
                .with_skip_signature(manner.anonymous)
                .with_http_connector(connector);
            Ok(Arc::new(builder.build().map_err(|error| Wrong::new(error.to_string()))?))
        }
        #[cfg(feature = "azure")]
        "az" => {
            let connector = other(manner, "AZURE_")?;
            let builder = object_store::azure::MicrosoftAzureBuilder::from_env();
            let builder = builder
                .with_container_name(bucket)
                .with_retry(manner.retry())
                .with_skip_signature(manner.anonymous)
                .with_http_connector(connector);
            Ok(Arc::new(builder.build().map_err(|error| Wrong::new(error.to_string()))?))
        }
        #[cfg(not(feature = "gcs"))]
        "gs" => Err(Wrong::new("this udmap was built without the feature `gcs`")),
        #[cfg(not(feature = "azure"))]
        "az" => Err(Wrong::new("this udmap was built without the feature `azure`")),
        _ => Err(Wrong::new(format!(
            "expected one of: s3, gs, az, or a path; found `{}://`",
            crate::text::shown(scheme)
        ))),
    }
}

fn s3(bucket: &str, manner: &Manner) -> Result<Arc<dyn ObjectStore>, Wrong> {
    let settings = settings::s3(&|name| std::env::var_os(name), manner.anonymous)?;
    let fails = |error: object_store::Error| Wrong::new(error.to_string());
    let connector = Connector::new(manner, settings.certificates.as_deref())?;
    let configured = || {
        let builder = AmazonS3Builder::new().with_bucket_name(bucket);
        settings.config.iter().fold(builder, |builder, (key, value)| builder.with_config(*key, value))
    };
    // Who gives credentials answers at once, or not at all.
    let given = |retries| {
        let retry =
            RetryConfig { max_retries: retries, retry_timeout: Duration::from_secs(20), ..manner.retry() };
        let builder = configured().with_retry(retry).with_http_connector(connector.for_credentials());
        Ok(Arc::clone(builder.build().map_err(fails)?.credentials()))
    };
    let mut builder = configured()
        .with_retry(manner.retry())
        .with_client_options(ClientOptions::new().with_allow_http(settings.allow_http))
        .with_http_connector(connector.clone())
        // Deletions of single objects have a condition, those of many have none.
        .with_config(AmazonS3ConfigKey::DisableBulkDelete, "true");
    builder = match settings.credentials {
        Credentials::None => builder.with_skip_signature(true),
        Credentials::Keys(keys) => builder.with_credentials(Arc::new(StaticCredentialProvider::new(keys))),
        Credentials::Program(command) => {
            builder.with_credentials(Arc::new(Checked::new(Arc::new(Process::new(command)))))
        }
        Credentials::Service => builder.with_credentials(Arc::new(Checked::new(given(3)?))),
        Credentials::Instance { disabled: true } => {
            builder.with_credentials(Arc::new(Checked::last_resort(None)))
        }
        Credentials::Instance { disabled: false } => {
            builder.with_credentials(Arc::new(Checked::last_resort(Some(given(1)?))))
        }
    };
    let store = builder.build().map_err(fails)?;
    // Each bucket has a connector of its own, so nothing was set.
    let _ = connector.keys.set(Arc::clone(store.credentials()));
    Ok(Arc::new(store))
}

/// The connector to a service whose own variables begin so.
#[cfg(any(feature = "gcs", feature = "azure"))]
fn other(manner: &Manner, prefix: &str) -> Result<Connector, Wrong> {
    let lookup = |name: &str| std::env::var_os(name);
    settings::others(prefix, std::env::vars_os())?;
    settings::proxies(&lookup, true)?;
    Connector::new(manner, settings::certificates(&lookup)?.as_deref())
}
