//! Opens a bucket of a service by what the environment says: credentials, region, endpoint.

use super::client::{Connector, Speaks};
use super::config::ClientConfig;
use super::credentials::Checked;
use super::given::SettingError;
#[cfg(any(feature = "gcs", feature = "azure"))]
use super::network;
use super::profile::Process;
use super::settings::{self, Credentials};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{ClientOptions, ObjectStore, RetryConfig, StaticCredentialProvider};
use std::sync::Arc;
use std::time::Duration;

/// A bucket that was opened.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) parts: Parts,
}

/// How an object of several parts comes to be only where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    /// The service completes it on that condition.
    Conditional,
    /// It is complete under another key first, and copied on that condition.
    ThenCopied,
}

/// The bucket of `scheme://bucket`.
pub(crate) fn open(scheme: &str, bucket: &str, config: &ClientConfig) -> Result<Opened, SettingError> {
    settings::bucket(bucket)?;
    match scheme {
        "s3" | "s3a" => Ok(Opened { store: s3(bucket, config)?, parts: Parts::Conditional }),
        #[cfg(feature = "gcs")]
        "gs" => {
            let connector = other(config, Speaks::Google, "GOOGLE_")?;
            let builder = object_store::gcp::GoogleCloudStorageBuilder::from_env();
            let builder = builder
                .with_bucket_name(bucket)
                .with_retry(config.retry())
                .with_skip_signature(config.anonymous)
                .with_http_connector(connector);
            let store = builder.build().map_err(|error| SettingError::new(error.to_string()))?;
            Ok(Opened { store: Arc::new(store), parts: Parts::ThenCopied })
        }
        #[cfg(feature = "azure")]
        "az" => {
            let connector = other(config, Speaks::Azure, "AZURE_")?;
            let builder = object_store::azure::MicrosoftAzureBuilder::from_env();
            let builder = builder
                .with_container_name(bucket)
                .with_retry(config.retry())
                .with_skip_signature(config.anonymous)
                .with_http_connector(connector.clone());
            let store = builder.build().map_err(|error| SettingError::new(error.to_string()))?;
            // Each container has a connector of its own, so nothing was set.
            let _ = connector.azure.set(Arc::clone(store.credentials()));
            Ok(Opened { store: Arc::new(store), parts: Parts::Conditional })
        }
        #[cfg(not(feature = "gcs"))]
        "gs" => Err(SettingError::new("this udmap was built without the feature `gcs`")),
        #[cfg(not(feature = "azure"))]
        "az" => Err(SettingError::new("this udmap was built without the feature `azure`")),
        _ => Err(SettingError::new(format!(
            "expected one of: s3, gs, az, or a path; found `{}://`",
            crate::text::shown(scheme)
        ))),
    }
}

fn s3(bucket: &str, config: &ClientConfig) -> Result<Arc<dyn ObjectStore>, SettingError> {
    let settings = settings::s3(&|name| std::env::var_os(name), config.anonymous)?;
    let fails = |error: object_store::Error| SettingError::new(error.to_string());
    let connector = Connector::new(config, Speaks::S3, settings.certificates.as_deref())?;
    let configured = || {
        let builder = AmazonS3Builder::new().with_bucket_name(bucket);
        settings.config.iter().fold(builder, |builder, (key, value)| builder.with_config(*key, value))
    };
    // Who gives credentials answers at once, or not at all.
    let given = |retries| {
        let retry =
            RetryConfig { max_retries: retries, retry_timeout: Duration::from_secs(20), ..config.retry() };
        let builder = configured().with_retry(retry).with_http_connector(connector.for_credentials());
        Ok(Arc::clone(builder.build().map_err(fails)?.credentials()))
    };
    let mut builder = configured()
        .with_retry(config.retry())
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
fn other(config: &ClientConfig, speaks: Speaks, prefix: &str) -> Result<Connector, SettingError> {
    let lookup = |name: &str| std::env::var_os(name);
    network::others(prefix, std::env::vars_os())?;
    network::proxies(&lookup, true)?;
    Connector::new(config, speaks, network::certificates(&lookup)?.as_deref())
}
