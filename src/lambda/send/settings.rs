//! What is sent where, by the environment. The names are those of `udmap send`'s options, and of `udmap convert`'s for
//! objects that are converted first.

use crate::convert::Converter;
use crate::jobs::dump;
use crate::jobs::send::{
    Method, Patience, Rate, RejectsTo, Settings, Target, api_url, batch_bytes, period, rate,
};
use crate::jobs::settings::{Environment, time, whole};
use crate::lambda::failed::with_hint;
use crate::lambda::objects;
use crate::store::objects::StorePath;
use std::time::Duration;

/// The setting that names the secret with the credentials.
pub(super) const SECRET: &str = "UDMAP_SEND_SECRET_ARN";
/// The name of the mapping of objects that hold UDM events.
const NONE: &str = "none";
/// Bytes a second, if nothing else is said.
const RATE: Rate = Rate(Some(5_000_000));

/// What the function is told.
pub(super) struct Sending {
    /// How objects are converted, if they are not events already.
    pub(super) convert: Option<(dump::Settings, Converter)>,
    /// Below which prefixes objects are sent.
    pub(super) inputs: Vec<String>,
    /// What the names of states begin with.
    pub(super) state: String,
    /// What the names of rejects begin with.
    pub(super) rejects: String,
    /// The ARN of the secret that holds the credentials.
    pub(super) secret: Option<String>,
    /// The rest; each object has a state and rejects of its own.
    pub(super) settings: Settings,
}

/// Reads them.
///
/// # Errors
/// A sentence that names the variable.
pub(super) fn read(env: Environment<'_>) -> Result<Sending, String> {
    let need = |name: &str, what: &str| env.text(name).ok_or_else(|| format!("{name} is missing: {what}"));
    let prefix = |name: &str, what: &str| match need(name, what)? {
        prefix if prefix.ends_with('/') => Ok(prefix),
        _ => Err(format!("{name}: expected a prefix that ends in `/`")),
    };
    let mapping =
        need("UDMAP_MAPPING", "the mapping table of the logs, or `none` for objects that hold UDM events")?;
    let (convert, inputs) = if mapping.trim() == NONE {
        (None, objects::settings::inputs(env)?)
    } else {
        let (settings, converter) = objects::settings::read(env)?;
        let inputs = settings.inputs.clone();
        (Some((settings, converter)), inputs)
    };
    let state =
        prefix("UDMAP_SEND_STATE", "where it is kept what is done, as in s3://bucket/udmap-state/sent/")?;
    let rejects =
        prefix("UDMAP_SEND_REJECTS", "where events go that SecOps refuses, as in s3://bucket/refused/")?;
    // A state below an input would be told of as an object, and sent.
    for (name, place) in [("UDMAP_SEND_STATE", &state), ("UDMAP_SEND_REJECTS", &rejects)] {
        let open = |text: &str| StorePath::prefix(text).map_err(|error| format!("{error} ({name})"));
        for input in &inputs {
            if open(input)?.holds(&open(place)?) {
                return Err(format!(
                    "{name} is below an input (UDMAP_INPUT): what is written there would be sent"
                ));
            }
        }
    }
    let part = |name: &str| need(name, "it is part of the instance's name");
    let target = Target::new(
        &part("UDMAP_SEND_PROJECT")?,
        &part("UDMAP_SEND_LOCATION")?,
        &part("UDMAP_SEND_INSTANCE")?,
        &env.text("UDMAP_SEND_API_VERSION").unwrap_or_else(|| "v1".into()),
        env.value("UDMAP_SEND_API_URL", api_url)?.as_ref(),
    )
    .map_err(|error| with_hint(&error, error.hint()))?;
    let number = |name: &str, most| env.value(name, |text| whole(text, 1, most));
    let settings = Settings {
        target,
        method: Method::Events,
        times: None,
        credentials: None,
        state: state.clone(),
        rejects: RejectsTo::Objects(rejects.clone()),
        batch_events: number("UDMAP_SEND_BATCH_EVENTS", 100_000)?,
        batch_bytes: env.value("UDMAP_SEND_BATCH_BYTES", batch_bytes)?,
        // At most 64.
        parallel: number("UDMAP_SEND_PARALLEL", 64)?.unwrap_or(4) as usize,
        rate: env.value("UDMAP_SEND_RATE", rate)?.unwrap_or(RATE).0,
        patience: Patience {
            timeout: env.value("UDMAP_SEND_TIMEOUT", period)?.unwrap_or(Duration::from_secs(150)),
            retry_wait: env.value("UDMAP_SEND_RETRY_WAIT", time)?.unwrap_or(Duration::from_secs(1)),
            give_up: env.value("UDMAP_SEND_GIVE_UP", time)?.unwrap_or(Duration::from_secs(3600)),
        },
    };
    Ok(Sending { convert, inputs, state, rejects, secret: env.text(SECRET), settings })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variable_is_read_and_checked() {
        let good = [
            ("UDMAP_INPUT", "s3://logs/a/ s3://logs/b/"),
            ("UDMAP_MAPPING", "none"),
            ("UDMAP_SEND_STATE", "s3://logs/udmap-state/sent/"),
            ("UDMAP_SEND_REJECTS", "s3://logs/refused/"),
            ("UDMAP_SEND_PROJECT", "p"),
            ("UDMAP_SEND_LOCATION", "eu"),
            ("UDMAP_SEND_INSTANCE", "i"),
        ];
        let with = |name: &str, value: Option<&str>| {
            let find = |asked: &str| {
                let given = good.iter().find(|(known, _)| *known == asked).map(|(_, it)| (*it).to_owned());
                if asked == name { value.map(str::to_owned) } else { given }
            };
            read(Environment(&find))
        };
        let sending = with("", None).unwrap();
        assert_eq!((sending.inputs.len(), sending.convert.is_none(), sending.secret), (2, true, None));
        let Settings { rate, parallel, patience, .. } = sending.settings;
        assert_eq!((rate, parallel, patience.timeout.as_secs()), (Some(5_000_000), 4, 150));
        assert_eq!(with("UDMAP_SEND_RATE", Some("none")).unwrap().settings.rate, None);
        assert_eq!(with("UDMAP_SEND_BATCH_EVENTS", Some("7")).unwrap().settings.batch_events, Some(7));
        for (name, value) in [
            ("UDMAP_INPUT", None),
            ("UDMAP_INPUT", Some("s3://logs/a")),
            ("UDMAP_MAPPING", None),
            ("UDMAP_SEND_STATE", None),
            ("UDMAP_SEND_STATE", Some("s3://logs/state")),
            ("UDMAP_SEND_STATE", Some("s3://logs/a/state/")),
            ("UDMAP_SEND_REJECTS", Some("s3://logs/b/")),
            ("UDMAP_SEND_PROJECT", None),
            ("UDMAP_SEND_INSTANCE", Some(" ")),
            ("UDMAP_SEND_API_URL", Some("http://example.com")),
            ("UDMAP_SEND_BATCH_BYTES", Some("5MB")),
            ("UDMAP_SEND_PARALLEL", Some("0")),
            ("UDMAP_SEND_RATE", Some("fast")),
            ("UDMAP_SEND_TIMEOUT", Some("0s")),
            ("UDMAP_SEND_GIVE_UP", Some("x")),
        ] {
            let error = with(name, value).err().unwrap_or_else(|| panic!("{name} {value:?}"));
            assert!(error.contains(name), "{name}: {error}");
        }
        // Objects that are converted need what conversion needs.
        let error = with("UDMAP_MAPPING", Some("duo_telephony")).err().unwrap();
        assert!(error.contains("UDMAP_OUTPUT"), "{error}");
    }
}
