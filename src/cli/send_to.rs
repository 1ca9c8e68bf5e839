//! Where events are sent, and how: the options that `udmap send` has, and `udmap collect --send`.

use crate::jobs::send::{
    Error, GivenCredentials, Method, Patience, Rate, RejectsTo, Settings, Target, api_url, batch_bytes,
    period, rate,
};
use crate::jobs::settings::{named, time, whole};
use std::time::Duration;
use url::Url;

/// The options, by the names that `udmap send` has for them; see [`with_prefix`].
#[derive(Debug, clap::Args)]
pub(super) struct SendTo {
    /// The Google Cloud project that the SecOps instance belongs to.
    #[arg(id = "send_project", long = "project", value_name = "ID", env = "UDMAP_SEND_PROJECT")]
    project: Option<String>,

    /// The location of the instance: us, eu, europe-west2, asia-southeast1, ...
    #[arg(id = "send_location", long = "location", value_name = "NAME", env = "UDMAP_SEND_LOCATION")]
    location: Option<String>,

    /// The instance: SecOps' customer ID.
    #[arg(id = "send_instance", long = "instance", value_name = "ID", env = "UDMAP_SEND_INSTANCE")]
    instance: Option<String>,

    /// Credentials: a file of JSON [default: as Google's own tools find them].
    #[arg(
        id = "send_credentials",
        long = "credentials",
        value_name = "FILE",
        env = "UDMAP_SEND_CREDENTIALS"
    )]
    credentials: Option<String>,

    /// The API's address [default: chronicle.LOCATION.rep.googleapis.com].
    #[arg(id = "send_api_url", long = "api-url", value_name = "URL", env = "UDMAP_SEND_API_URL", value_parser = api_url)]
    api_url: Option<Url>,

    /// The API's version: v1, v1beta or v1alpha.
    #[arg(
        id = "send_api_version",
        long = "api-version",
        value_name = "VERSION",
        env = "UDMAP_SEND_API_VERSION",
        default_value = "v1"
    )]
    api_version: String,

    /// What is done: a file, or s3://bucket/key (gs://, az://).
    #[arg(id = "send_state", long = "state", value_name = "FILE|URL", env = "UDMAP_SEND_STATE")]
    state: Option<String>,

    /// Where the events go that can't be sent, as NDJSON with place, reason and bytes. It only grows.
    #[arg(id = "send_rejects", long = "rejects", value_name = "FILE", env = "UDMAP_SEND_REJECTS")]
    rejects: Option<String>,

    /// The most events of a request; the first run decides [default: 1000].
    #[arg(id = "send_batch_events", long = "batch-events", value_name = "N", env = "UDMAP_SEND_BATCH_EVENTS", value_parser = |text: &str| whole(text, 1, 100_000))]
    batch_events: Option<u64>,

    /// The most bytes of a request, up to 4MB; the first run decides [default: 2MB].
    #[arg(id = "send_batch_bytes", long = "batch-bytes", value_name = "SIZE", env = "UDMAP_SEND_BATCH_BYTES", value_parser = batch_bytes)]
    batch_bytes: Option<u64>,

    /// How many requests are under way at once.
    #[arg(id = "send_parallel", long = "parallel", value_name = "N", env = "UDMAP_SEND_PARALLEL", default_value = "4",
          value_parser = |text: &str| whole(text, 1, 64))]
    parallel: u64,

    /// The most bytes a second, or `none`: SecOps' limit depends on what the tenant has bought.
    #[arg(id = "send_rate", long = "rate", value_name = "SIZE/s", env = "UDMAP_SEND_RATE", default_value = "5MB/s", value_parser = rate)]
    rate: Rate,

    /// How long an answer may take. SecOps itself takes up to 120 s.
    #[arg(id = "send_timeout", long = "timeout", value_name = "TIME", env = "UDMAP_SEND_TIMEOUT", default_value = "150s", value_parser = period)]
    timeout: Duration,

    /// The first wait after a failure; it doubles each time. After "too many requests" it is 30 times that, or what SecOps
    /// asks for.
    #[arg(id = "send_retry_wait", long = "retry-wait", value_name = "TIME", env = "UDMAP_SEND_RETRY_WAIT", default_value = "1s", value_parser = time)]
    retry_wait: Duration,

    /// How long a request is repeated before the run ends.
    #[arg(id = "send_give_up", long = "give-up", value_name = "TIME", env = "UDMAP_SEND_GIVE_UP", default_value = "1h", value_parser = time)]
    give_up: Duration,
}

/// What the identifier of each of these options begins with.
const PREFIX: &str = "send_";

/// An option of [`SendTo`] in another command: `--send-project`, as its variable says it, too.
pub(super) fn with_prefix(option: clap::Arg) -> clap::Arg {
    match (option.get_id().as_str().starts_with(PREFIX), option.get_long()) {
        (true, Some(long)) => {
            let long = format!("send-{long}");
            option.long(long).help_heading("Sending")
        }
        _ => option,
    }
}

impl SendTo {
    /// What to send where, of this sort.
    ///
    /// # Errors
    /// If something is missing, or can't be a target.
    pub(super) fn settings(&self, method: Method) -> Result<Settings, Error> {
        let target = Target::new(
            given(self.project.as_deref(), "UDMAP_SEND_PROJECT")?,
            given(self.location.as_deref(), "UDMAP_SEND_LOCATION")?,
            given(self.instance.as_deref(), "UDMAP_SEND_INSTANCE")?,
            &self.api_version,
            self.api_url.as_ref(),
        )?;
        Ok(Settings {
            target,
            method,
            times: None,
            credentials: self.credentials.clone().map(GivenCredentials::File),
            state: given(self.state.as_deref(), "UDMAP_SEND_STATE")?.to_owned(),
            rejects: RejectsTo::File(self.rejects.clone().unwrap_or_default()),
            batch_events: self.batch_events,
            batch_bytes: self.batch_bytes,
            // At most 64.
            parallel: self.parallel as usize,
            rate: self.rate.0,
            patience: Patience { timeout: self.timeout, retry_wait: self.retry_wait, give_up: self.give_up },
        })
    }

    /// The file of rejects.
    pub(super) fn rejects(&self) -> Option<&str> {
        self.rejects.as_deref()
    }
}

/// A setting that has to be there. `udmap send` asks for it before.
pub(super) fn given<'a>(value: Option<&'a str>, name: &str) -> Result<&'a str, Error> {
    value.ok_or_else(|| Error::new(format!("{} is missing", named(name))))
}
