//! UDM events beside the logs, if `UDMAP_CONVERT` says so: here the collector and the engine meet.

use crate::collect::{Derive, Derived, Error};
use crate::convert::{Converter, Options};
use crate::mapping::Mapping;
use crate::record::shown;
use std::fmt;
use std::sync::Arc;

/// Converts what is delivered, by a built-in mapping.
struct Conversion(Converter);

/// The conversion that the environment asks for: `UDMAP_CONVERT` (yes or no), `UDMAP_MAPPING` (`duo_telephony`).
///
/// # Errors
/// If it says something else, or if there is no such mapping.
pub(super) fn wanted(env: &dyn Fn(&str) -> Option<String>) -> Result<Option<Arc<dyn Derive>>, Error> {
    match env("UDMAP_CONVERT").unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "" | "no" | "false" | "0" | "off" => return Ok(None),
        "yes" | "true" | "1" | "on" => {}
        other => {
            return Err(Error::config(format!("`{}` does not fit UDMAP_CONVERT: yes or no", shown(other))));
        }
    }
    let name = env("UDMAP_MAPPING").unwrap_or_else(|| "duo_telephony".into());
    let mapping = Mapping::builtin(name.trim());
    let mapping = mapping
        .ok_or_else(|| Error::config(format!("there is no mapping `{}` (UDMAP_MAPPING)", shown(&name))))?;
    Ok(Some(Arc::new(Conversion(Converter::new(&mapping, &Options::default())))))
}

impl fmt::Debug for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Conversion")
    }
}

impl Derive for Conversion {
    fn derive(&self, name: &str, raw: &[u8]) -> Result<Vec<Derived>, String> {
        let batch = self.0.convert(raw);
        let mut rejects = Vec::new();
        for reject in &batch.rejects {
            reject.write_json(name, &mut rejects);
        }
        Ok(vec![
            Derived { target: "events", bytes: batch.events, lines: batch.tally.events },
            Derived { target: "rejects", bytes: rejects, lines: batch.tally.rejects },
        ])
    }
}
