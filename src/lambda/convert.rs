//! UDM events beside the logs, with `UDMAP_CONVERT`: here the collector and the engine meet.

use crate::collect::{Derive, Derived, Error};
use crate::convert::{Converter, Options};
use crate::mapping::Mapping;
use crate::record::shown;
use std::sync::Arc;

/// Converts what is delivered, by a built-in mapping.
#[derive(Debug)]
struct Conversion(Converter);

/// The conversion by the mapping that the environment names: `UDMAP_MAPPING` (`duo_telephony`).
///
/// # Errors
/// If there is no such mapping.
pub(super) fn derivation(env: &dyn Fn(&str) -> Option<String>) -> Result<Arc<dyn Derive>, Error> {
    let name = env("UDMAP_MAPPING").unwrap_or_else(|| "duo_telephony".into());
    let mapping = Mapping::builtin(name.trim());
    let mapping = mapping
        .ok_or_else(|| Error::config(format!("there is no mapping `{}` (UDMAP_MAPPING)", shown(&name))))?;
    Ok(Arc::new(Conversion(Converter::new(&mapping, &Options::default()))))
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
