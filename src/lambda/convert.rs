//! UDM events next to the logs, with `UDMAP_CONVERT`, by a built-in mapping.

use crate::convert::{Converter, Options};
use crate::jobs::collect::{Derive, Error, Log};
use crate::jobs::events::Events;
use crate::jobs::settings::Environment;
use crate::mapping::Mapping;
use crate::text::shown;
use std::sync::Arc;

/// The conversion by the mapping that the environment names, `UDMAP_MAPPING`, or by the log's own.
///
/// # Errors
/// If there is no such mapping.
pub(super) fn derivation(env: Environment<'_>, log: &Log) -> Result<Arc<dyn Derive>, Error> {
    let name = env.text("UDMAP_MAPPING").unwrap_or_else(|| log.table.into());
    let mapping = Mapping::builtin(name.trim());
    let mapping = mapping
        .ok_or_else(|| Error::config(format!("there is no mapping `{}` (UDMAP_MAPPING)", shown(&name))))?;
    Ok(Arc::new(Events(Converter::new(&mapping, &Options::default()))))
}
