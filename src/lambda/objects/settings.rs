//! Where objects come from and go to, and how they are converted, by the environment. The names are
//! those of `udmap convert`'s switches: the same values give the same outputs under the same keys.

use crate::convert::{Converter, Envelope, FieldNames, Options};
use crate::jobs::dump::{self, After, Filter, Format, Settings};
use crate::mapping::files;
use crate::store::Compression;
use glob::Pattern;

/// What a worker of a single object takes, so that memory is never promised twice.
const OWN_MEMORY: u64 = 64 << 20;

/// The settings, and the converter that they describe.
///
/// # Errors
/// A sentence that names the variable.
pub(super) fn read(env: &dyn Fn(&str) -> Option<String>) -> Result<(Settings, Converter), String> {
    let words = |name: &str| -> Vec<String> {
        env(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    let need = |name: &str, what: &str| env(name).ok_or_else(|| format!("{name} is missing: {what}"));
    let patterns = |name: &str| -> Result<Vec<Pattern>, String> {
        let pattern = |word: &String| {
            Pattern::new(word).map_err(|error| format!("`{word}` ({name}) is no pattern: {error}"))
        };
        words(name).iter().map(pattern).collect()
    };
    let choice = |name: &str, known: &[&str]| -> Result<usize, String> {
        let given = env(name).unwrap_or_else(|| known[0].to_owned());
        known
            .iter()
            .position(|it| *it == given.trim())
            .ok_or_else(|| format!("`{given}` ({name}) is none of {}", known.join(", ")))
    };
    let number = |name: &str, default: u64| match env(name) {
        None => Ok(default),
        Some(text) => match text.trim().parse() {
            Ok(number @ 1..) => Ok(number),
            _ => Err(format!("`{text}` ({name}) is no number from 1 on")),
        },
    };
    let inputs = words("UDMAP_INPUT");
    for input in &inputs {
        if !input.ends_with('/') {
            return Err(format!("`{input}` (UDMAP_INPUT) is no prefix: it ends in `/`"));
        }
    }
    if inputs.is_empty() {
        need("UDMAP_INPUT", "below which prefixes objects are converted, as in s3://bucket/logs/")?;
    }
    let label = |word: String| match word.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("`{word}` (UDMAP_LABELS) is no KEY=VALUE")),
    };
    let longest = number("UDMAP_MAX_RECORD_BYTES", crate::convert::MAX_RECORD_BYTES as u64)?;
    let options = Options {
        field_names: [FieldNames::Snake, FieldNames::Camel]
            [choice("UDMAP_FIELD_NAMES", &["snake", "camel"])?],
        envelope: [Envelope::Bare, Envelope::Event][choice("UDMAP_ENVELOPE", &["bare", "event"])?],
        namespace: env("UDMAP_NAMESPACE"),
        labels: words("UDMAP_LABELS").into_iter().map(label).collect::<Result<_, _>>()?,
        max_record_bytes: usize::try_from(longest.min(1 << 30)).unwrap_or(1 << 30),
        ..Options::default()
    };
    let compress = [Compression::Gzip, Compression::Zstd, Compression::None];
    let format = Format::Lines(compress[choice("UDMAP_COMPRESS", &["gzip", "zstd", "none"])?]);
    let table = env("UDMAP_MAPPING").unwrap_or_else(|| "duo_telephony".to_owned());
    let mapping = files::load(table.trim()).map_err(|error| format!("{error} (UDMAP_MAPPING)"))?.mapping;
    let megabytes = number("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 512)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let settings = Settings {
        inputs,
        output: need("UDMAP_OUTPUT", "where events go, as in s3://bucket/udm/")?,
        rejects: env("UDMAP_REJECTS"),
        manifest: env("UDMAP_MANIFEST"),
        filter: Filter {
            include: patterns("UDMAP_INCLUDE")?,
            exclude: patterns("UDMAP_EXCLUDE")?,
            ..Filter::default()
        },
        after: After::Keep,
        jobs: usize::try_from(number("UDMAP_JOBS", 16)?.min(256)).unwrap_or(16),
        threads,
        memory: (megabytes << 20).saturating_sub(OWN_MEMORY),
        format,
        pack: None,
        mapping: mapping.name().to_owned(),
        fingerprint: dump::fingerprint(&mapping, &options, format),
    };
    Ok((settings, Converter::new(&mapping, &options)))
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
            read(&find).map(|(settings, _)| settings)
        };
        let settings = with("", None).unwrap();
        assert_eq!((settings.inputs.len(), settings.filter.exclude.len()), (2, 1));
        let mut seen = vec![settings.fingerprint];
        for (name, value) in [
            ("UDMAP_FIELD_NAMES", "camel"),
            ("UDMAP_ENVELOPE", "event"),
            ("UDMAP_NAMESPACE", "corp"),
            ("UDMAP_LABELS", "env=dev"),
            ("UDMAP_MAX_RECORD_BYTES", "1000"),
            ("UDMAP_COMPRESS", "none"),
            ("UDMAP_MAPPING", "duo_telephony_extended"),
        ] {
            let fingerprint = with(name, Some(value)).unwrap().fingerprint;
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
