//! What log shippers wrap records in, for tables that ask for it.

use super::own;
use super::problem::MappingError;
use super::read;
use super::table::Mapping;
use crate::record::formats::{EnvelopeHolds, EnvelopeRule};

const SHIPPERS: &str = include_str!("../../mappings/shippers.toml");

/// Adds the envelopes of shippers behind the table's own, if it asks for them.
///
/// # Errors
/// A [`MappingError`] if their file is faulty, which a test rules out.
pub(super) fn add(mapping: &mut Mapping) -> Result<(), MappingError> {
    if !mapping.opens_shippers {
        return Ok(());
    }
    // What a rule reads is a field, and holds no records.
    let read = own::read_by(&mapping.rules);
    let is_free = |envelope: &EnvelopeRule| match &envelope.holds {
        EnvelopeHolds::Records(places) | EnvelopeHolds::Error(places) => {
            places.iter().all(|place| place.keys().first().is_none_or(|key| !read.contains(key)))
        }
    };
    let shippers = read::envelopes("shippers.toml", SHIPPERS)?;
    mapping.formats.envelopes.extend(shippers.into_iter().filter(is_free));
    Ok(())
}
