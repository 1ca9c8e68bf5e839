//! Where objects come from and go to, and how they are converted, by the environment. The names are
//! those of `udmap convert`'s options: the same values give the same outputs under the same keys.

use crate::convert::{Converter, Envelope, FieldNames, MAX_RECORD_BYTES, Options};
use crate::jobs::dump::{Format, JOBS, Settings};
use crate::jobs::settings::{Environment, compression, label, one_of, pattern, whole};
use crate::mapping::files;

/// What a worker of a single object takes, so that memory is never promised twice.
const OWN_MEMORY: u64 = 64 << 20;

/// The settings, and the converter that they describe.
///
/// # Errors
/// A sentence that names the variable.
pub(in crate::lambda) fn read(env: Environment<'_>) -> Result<(Settings, Converter), String> {
    let need = |name: &str, what: &str| env.text(name).ok_or_else(|| format!("{name} is missing: {what}"));
    let number = |text: &str| whole(text, 1, u64::MAX);
    let inputs = inputs(env)?;
    let longest = env.value("UDMAP_MAX_RECORD_BYTES", number)?.unwrap_or(MAX_RECORD_BYTES as u64);
    let options = Options {
        field_names: env
            .value("UDMAP_FIELD_NAMES", |text| one_of(text, &FieldNames::ALL))?
            .unwrap_or_default(),
        envelope: env.value("UDMAP_ENVELOPE", |text| one_of(text, &Envelope::ALL))?.unwrap_or_default(),
        namespace: env.text("UDMAP_NAMESPACE"),
        labels: env.values("UDMAP_LABELS", label)?,
        max_record_bytes: usize::try_from(longest.min(1 << 30)).unwrap_or(1 << 30),
        ..Options::default()
    };
    let format = Format::Lines(env.value("UDMAP_COMPRESS", compression)?.unwrap_or_default());
    let table = env.text("UDMAP_MAPPING").unwrap_or_else(|| "duo_telephony".to_owned());
    let mapping = files::load(table.trim()).map_err(|error| format!("{error} (UDMAP_MAPPING)"))?.mapping;
    let output = need("UDMAP_OUTPUT", "where events go, as in s3://bucket/udm/")?;
    let mut settings = Settings::new(&mapping, &options, format, output);
    settings.inputs = inputs;
    settings.rejects = env.text("UDMAP_REJECTS");
    settings.manifest = env.text("UDMAP_MANIFEST");
    settings.filter.include = env.values("UDMAP_INCLUDE", pattern)?;
    settings.filter.exclude = env.values("UDMAP_EXCLUDE", pattern)?;
    let jobs = env.value("UDMAP_JOBS", number)?.map(|jobs| jobs.min(256));
    settings.jobs = jobs.and_then(|jobs| usize::try_from(jobs).ok()).unwrap_or(JOBS);
    let megabytes = env.value("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", number)?.unwrap_or(512);
    settings.memory = megabytes.saturating_mul(1 << 20).saturating_sub(OWN_MEMORY);
    Ok((settings, Converter::new(&mapping, &options)))
}

/// The prefixes below which objects are taken.
///
/// # Errors
/// A sentence that names the variable.
pub(in crate::lambda) fn inputs(env: Environment<'_>) -> Result<Vec<String>, String> {
    let inputs = env.values("UDMAP_INPUT", |input| match input.ends_with('/') {
        true => Ok(input.to_owned()),
        false => Err("expected a prefix that ends in `/`".to_owned()),
    })?;
    if inputs.is_empty() {
        return Err(
            "UDMAP_INPUT is missing: below which prefixes objects are taken, as in s3://bucket/logs/".into(),
        );
    }
    Ok(inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variable_is_read_and_checked() {
        let good = [
            ("UDMAP_INPUT", "s3://logs/a/ s3://logs/b/"),
            ("UDMAP_OUTPUT", "s3://udm/"),
            ("UDMAP_LABELS", "env=prod team=iam"),
            ("UDMAP_COMPRESS", "zstd"),
            ("UDMAP_EXCLUDE", "*.tmp"),
        ];
        let with = |name: &str, value: Option<&str>| {
            let find = |asked: &str| {
                let given = good.iter().find(|(known, _)| *known == asked).map(|(_, it)| (*it).to_owned());
                if asked == name { value.map(str::to_owned) } else { given }
            };
            read(Environment(&find)).map(|(settings, _)| settings)
        };
        let settings = with("", None).unwrap();
        assert_eq!((settings.inputs.len(), settings.filter.exclude.len()), (2, 1));
        let mut seen = vec![settings.fingerprint().to_owned()];
        for (name, value) in [
            ("UDMAP_FIELD_NAMES", "camel"),
            ("UDMAP_ENVELOPE", "event"),
            ("UDMAP_NAMESPACE", "corp"),
            ("UDMAP_LABELS", "env=dev"),
            ("UDMAP_MAX_RECORD_BYTES", "1000"),
            ("UDMAP_COMPRESS", "none"),
            ("UDMAP_MAPPING", "duo_telephony_extended"),
        ] {
            let fingerprint = with(name, Some(value)).unwrap().fingerprint().to_owned();
            assert!(!seen.contains(&fingerprint), "{name} decides over outputs");
            seen.push(fingerprint);
        }
        for (name, value) in [
            ("UDMAP_INPUT", None),
            ("UDMAP_INPUT", Some("s3://logs/a")),
            ("UDMAP_OUTPUT", None),
            ("UDMAP_LABELS", Some("x")),
            ("UDMAP_COMPRESS", Some("lz4")),
            ("UDMAP_FIELD_NAMES", Some("x")),
            ("UDMAP_ENVELOPE", Some("x")),
            ("UDMAP_INCLUDE", Some("[")),
            ("UDMAP_MAPPING", Some("x")),
            ("UDMAP_JOBS", Some("0")),
        ] {
            let error = with(name, value).unwrap_err();
            assert!(error.contains(name), "{name}: {error}");
        }
    }
}
