//! The events of a log: what it has merged into `@output`.

use super::error::OutputError;
use super::platform::Platform;
use super::writer::{Lines, Writer};
use crate::cbn::state::State;
use crate::cbn::value::Value;
use crate::convert::FieldNames;
use crate::udm::index::index;

/// What is written.
#[derive(Debug)]
pub(in crate::cbn) struct Events<'o> {
    /// An event a line.
    pub(in crate::cbn) out: &'o mut Vec<u8>,
    pub(in crate::cbn) style: FieldNames,
    /// The most bytes of a log's events.
    pub(in crate::cbn) most_bytes: usize,
    /// For each event, if they are wanted.
    pub(in crate::cbn) lines: Option<&'o mut Vec<Lines>>,
}

/// Writes the events of a log, those in `@output`; how many they are. Of a log that fails nothing stays written: what is
/// wrong, and with which of its events.
pub(in crate::cbn) fn write(
    state: &State,
    output: Value,
    platform: Option<&Platform<'_>>,
    events: &mut Events<'_>,
) -> Result<u64, (usize, OutputError)> {
    let Value::Container(list) = output else { return Ok(0) };
    let start = events.out.len();
    let mut count = 0;
    for (at, (_, event, _)) in state.container(list).members().enumerate() {
        let written = one(state, event, platform, start, events);
        match written {
            Ok(more) => count += more,
            Err(error) => {
                events.out.truncate(start);
                return Err((at, error.below(&format!("@output.{at}"))));
            }
        }
    }
    Ok(count)
}

fn one(
    state: &State,
    event: Value,
    platform: Option<&Platform<'_>>,
    start: usize,
    events: &mut Events<'_>,
) -> Result<u64, OutputError> {
    let Value::Container(event) = event else {
        return Err(OutputError::new("expected an object"));
    };
    let Value::Container(idm) = state.named(event, "idm") else {
        return Err(OutputError::new("expected `idm.read_only_udm` or `idm.entity`"));
    };
    let mut count = 0;
    for (name, root) in [("read_only_udm", "UDM"), ("entity", "Entity")] {
        let id = match state.named(idm, name) {
            Value::Container(id) => id,
            _ => continue,
        };
        let is_event = root == "UDM";
        if !is_event {
            events.out.extend_from_slice(b"{\"idm\":{\"entity\":");
        }
        let Some(known) = index().named(root) else { continue };
        let limit = start + events.most_bytes;
        let platform = platform.filter(|_| is_event);
        let mut writer = Writer::new(state, platform, events.style, limit, events.lines.is_some());
        let written = writer.root(known, id, events.out);
        written.map_err(|error| error.below(name).below("idm"))?;
        if !is_event {
            events.out.extend_from_slice(b"}}");
        }
        events.out.push(b'\n');
        if let (Some(all), Some(lines)) = (&mut events.lines, writer.into_lines()) {
            all.push(lines);
        }
        count += 1;
    }
    if count == 0 { Err(OutputError::new("expected `idm.read_only_udm` or `idm.entity`")) } else { Ok(count) }
}
