//! Writes messages of UDM from tokens.

use super::error::OutputError;
use super::platform::{COPIED, NOUNS, Platform};
use super::{additional, scalar, user_agent};
use crate::cbn::copy::DEEPEST;
use crate::cbn::state::State;
use crate::cbn::template::kind;
use crate::cbn::value::{ContainerId, Value};
use crate::convert::FieldNames;
use crate::udm::index::{Below, Entry, Known, index};
use crate::udm::{Cardinality, Type};

/// Where the fields of events came from: the statement that set each, by path.
pub(in crate::cbn) type Lines = Vec<(String, u32)>;

/// What the platform adds to a message.
#[derive(Debug, Clone, Copy)]
enum Hook {
    None,
    Root,
    Metadata,
    Noun,
    /// An asset, of this noun.
    Asset(ContainerId),
}

impl Hook {
    /// The hook of a field.
    fn of(self, name: &str, id: ContainerId) -> Hook {
        match self {
            Hook::Root if name == "metadata" => Hook::Metadata,
            Hook::Root if NOUNS.contains(&name) => Hook::Noun,
            Hook::Noun if name == "asset" => Hook::Asset(id),
            _ => Hook::None,
        }
    }
}

/// Writes the messages of one event.
pub(super) struct Writer<'s> {
    state: &'s State,
    platform: Option<&'s Platform<'s>>,
    style: FieldNames,
    /// How long the output may become.
    limit: usize,
    lines: Option<Lines>,
    path: String,
}

impl<'s> Writer<'s> {
    /// Writes what the state holds, until the output is `limit` bytes long. With a platform it is an event of UDM, and gets
    /// what the platform adds.
    pub(super) fn new(
        state: &'s State,
        platform: Option<&'s Platform<'s>>,
        style: FieldNames,
        limit: usize,
        notes_lines: bool,
    ) -> Writer<'s> {
        Writer { state, platform, style, limit, lines: notes_lines.then(Vec::new), path: String::new() }
    }

    /// Which statement set each field, if that is noted.
    pub(super) fn into_lines(self) -> Option<Lines> {
        self.lines
    }

    /// Writes the message at the root.
    pub(super) fn root(
        &mut self,
        known: &Known,
        id: ContainerId,
        out: &mut Vec<u8>,
    ) -> Result<(), OutputError> {
        let hook = if self.platform.is_some() { Hook::Root } else { Hook::None };
        self.message(known, id, hook, 0, out)
    }
}

impl Writer<'_> {
    fn name(&self, entry: &Entry) -> &'static str {
        if self.style == FieldNames::Snake { entry.field.name } else { entry.field.json_name }
    }

    /// Writes a message, and what the platform adds to it.
    fn message(
        &mut self,
        known: &Known,
        id: ContainerId,
        hook: Hook,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), OutputError> {
        if depth > DEEPEST {
            return Err(OutputError::new("nests too deeply, or holds itself"));
        }
        if self.state.container(id).shape.is_list() && !self.state.container(id).is_empty() {
            return Err(OutputError::new("expected an object, found a list"));
        }
        out.push(b'{');
        let start = out.len();
        let state = self.state;
        for (key, value, setter) in state.container(id).members() {
            let Some(key) = key else { continue };
            let name = state.symbols.name(key);
            let field = known.field(name).filter(|entry| entry.field.name == name);
            let Some(entry) = field else {
                self.unknown_field(known, name, value, setter, start, out)?;
                continue;
            };
            if matches!(hook, Hook::Metadata) && self.adds(name, value) {
                continue;
            }
            let result = self.field(entry, value, hook.of(name, id), setter, depth, start, out);
            result.map_err(|error| error.below(name))?;
        }
        self.additions(known, id, hook, depth, start, out)?;
        out.push(b'}');
        Ok(())
    }

    /// A field that the schema lacks: there is one that SecOps has.
    fn unknown_field(
        &mut self,
        known: &Known,
        name: &str,
        value: Value,
        setter: u32,
        start: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), OutputError> {
        let is_http = || index().named("Http").is_some_and(|http| std::ptr::eq(http, known));
        if name != user_agent::FIELD || !is_http() {
            return Err(unknown(known, name));
        }
        match value {
            Value::Container(id) => {
                let at = self.begin_named(user_agent::name(self.style), user_agent::FIELD, start, out);
                let written = user_agent::write(self.state, id, self.style, out);
                written.map_err(|error| error.below(name))?;
                self.note(setter);
                self.end(at);
                Ok(())
            }
            Value::Text(text) if text.is_empty() => Ok(()),
            other => {
                let message = format!(
                    "expected what `convert => {{ ... => \"parseduseragent\" }}` makes, found {}",
                    kind(self.state, other)
                );
                Err(OutputError::new(message).below(name))
            }
        }
    }

    /// Whether the platform's value of a field of the metadata takes the place of the parser's.
    fn adds(&self, name: &str, value: Value) -> bool {
        let Some(platform) = self.platform else { return false };
        let is_nothing = match value {
            Value::Text(text) => text.is_empty(),
            value => !value.is_set(),
        };
        (name == "log_type" && platform.log_type.is_some()) || (name == "event_timestamp" && is_nothing)
    }

    fn additions(
        &mut self,
        known: &Known,
        id: ContainerId,
        hook: Hook,
        depth: usize,
        start: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), OutputError> {
        let Some(platform) = self.platform else { return Ok(()) };
        match hook {
            Hook::None => {}
            Hook::Root => {
                let is_there = matches!(self.state.named(id, "metadata"), Value::Container(_));
                if let Some(entry) = known.field("metadata").filter(|_| !is_there)
                    && let Below::Message(below) = entry.below
                {
                    let at = self.begin(entry, start, out);
                    out.push(b'{');
                    let inside = out.len();
                    self.metadata(index().message(below), platform, true, inside, out)?;
                    out.push(b'}');
                    self.end(at);
                }
            }
            Hook::Metadata => {
                let has_time = matches!(
                    self.state.named(id, "event_timestamp"),
                    Value::Container(_) | Value::Time { .. }
                );
                self.metadata(known, platform, !has_time, start, out)?;
            }
            Hook::Noun => {
                let has_asset = matches!(self.state.named(id, "asset"), Value::Container(_));
                if let Some(entry) = known.field("asset").filter(|_| !has_asset)
                    && let Below::Message(below) = entry.below
                    && COPIED.iter().any(|name| self.is_something(self.state.named(id, name)))
                {
                    let at = self.begin(entry, start, out);
                    out.push(b'{');
                    let inside = out.len();
                    self.copied(index().message(below), None, id, depth + 1, inside, out)?;
                    out.push(b'}');
                    self.end(at);
                }
            }
            Hook::Asset(noun) => self.copied(known, Some(id), noun, depth, start, out)?,
        }
        Ok(())
    }

    fn metadata(
        &mut self,
        known: &Known,
        platform: &Platform<'_>,
        needs_time: bool,
        start: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), OutputError> {
        if let (Some(log_type), Some(entry)) = (platform.log_type, known.field("log_type")) {
            let at = self.begin(entry, start, out);
            scalar::quoted(log_type, out);
            self.end(at);
        }
        if let Some(entry) = known.field("event_timestamp").filter(|_| needs_time) {
            let at = self.begin(entry, start, out);
            let (seconds, nanos) = platform.time;
            let written = scalar::write_time(seconds, nanos.into(), out);
            written.ok_or_else(|| OutputError::new("the time is outside of the years 0 to 9999"))?;
            self.end(at);
        }
        Ok(())
    }

    /// What an asset gets of its noun.
    fn copied(
        &mut self,
        known: &Known,
        asset: Option<ContainerId>,
        noun: ContainerId,
        depth: usize,
        start: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), OutputError> {
        for name in COPIED {
            let has = asset.is_some_and(|asset| self.is_something(self.state.named(asset, name)));
            let value = self.state.named(noun, name);
            if has || !self.is_something(value) {
                continue;
            }
            if let Some(entry) = known.field(name) {
                self.field(entry, value, Hook::None, 0, depth, start, out)
                    .map_err(|error| error.below(name))?;
            }
        }
        Ok(())
    }

    fn is_something(&self, value: Value) -> bool {
        match value {
            Value::Unset => false,
            Value::Text(text) => !text.is_empty(),
            Value::Container(id) => !self.state.container(id).is_empty(),
            _ => true,
        }
    }

    /// Writes a field's name; where the path ends for [`end`](Writer::end).
    fn begin(&mut self, entry: &Entry, start: usize, out: &mut Vec<u8>) -> usize {
        self.begin_named(self.name(entry), entry.field.name, start, out)
    }

    fn begin_named(&mut self, name: &str, snake: &str, start: usize, out: &mut Vec<u8>) -> usize {
        if out.len() > start {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        let at = self.path.len();
        if self.lines.is_some() {
            if at > 0 {
                self.path.push('.');
            }
            self.path.push_str(snake);
        }
        at
    }

    fn end(&mut self, at: usize) {
        self.path.truncate(at);
    }

    /// Notes which statement set what was just written.
    fn note(&mut self, setter: u32) {
        if let Some(lines) = &mut self.lines {
            lines.push((self.path.clone(), setter));
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what a field is, and where it goes")]
    fn field(
        &mut self,
        entry: &Entry,
        value: Value,
        hook: Hook,
        setter: u32,
        depth: usize,
        start: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), OutputError> {
        let before = out.len();
        let at = self.begin(entry, start, out);
        let written = match entry.field.cardinality {
            Cardinality::Repeated => self.list(entry, value, setter, depth, out)?,
            Cardinality::Map => self.map(entry, value, depth, out)?,
            _ => {
                let elements = match value {
                    Value::Container(id) => self.state.list(id),
                    _ => None,
                };
                let single = match elements {
                    Some(mut elements) => {
                        let first = elements.next().map_or(Value::Unset, |(value, _)| value);
                        if elements.next().is_some() {
                            return Err(OutputError::new("expected one value, found several"));
                        }
                        first
                    }
                    None => value,
                };
                single.is_set() && self.element(entry, single, hook, setter, depth, false, out)?
            }
        };
        if !written {
            out.truncate(before);
        }
        self.end(at);
        Ok(())
    }

    fn list(
        &mut self,
        entry: &Entry,
        value: Value,
        setter: u32,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, OutputError> {
        out.push(b'[');
        let start = out.len();
        let state = self.state;
        let mut count = 0;
        let mut element = |writer: &mut Self, value: Value, setter: u32, out: &mut Vec<u8>| {
            let before = out.len();
            if before > start {
                out.push(b',');
            }
            let at = writer.path.len();
            if writer.lines.is_some() {
                writer.path.push_str(&format!("[{count}]"));
            }
            let written = writer.element(entry, value, Hook::None, setter, depth, true, out)?;
            writer.path.truncate(at);
            if written {
                count += 1;
            } else {
                out.truncate(before);
            }
            Ok::<(), OutputError>(())
        };
        let elements = match value {
            Value::Container(id) => state.list(id),
            _ => None,
        };
        match (elements, value) {
            (Some(elements), _) => {
                for (value, setter) in elements {
                    element(self, value, setter, out)?;
                }
            }
            (None, Value::Text(text)) if text.is_empty() => {}
            (None, single) => element(self, single, setter, out)?,
        }
        let is_empty = out.len() == start;
        out.push(b']');
        Ok(!is_empty)
    }

    fn map(
        &mut self,
        entry: &Entry,
        value: Value,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, OutputError> {
        let id = match value {
            Value::Container(id) => id,
            Value::Text(text) if text.is_empty() => return Ok(false),
            other => {
                return Err(OutputError::new(format!(
                    "expected an object, found {}",
                    kind(self.state, other)
                )));
            }
        };
        out.push(b'{');
        let (start, state) = (out.len(), self.state);
        for (key, value, setter) in state.container(id).members() {
            let key = key.map_or("", |key| state.symbols.name(key));
            let before = out.len();
            if before > start {
                out.push(b',');
            }
            scalar::quoted(key, out);
            out.push(b':');
            let written = self.element(entry, value, Hook::None, setter, depth, true, out);
            if !written.map_err(|error| error.below(key))? {
                out.truncate(before);
            }
        }
        out.push(b'}');
        Ok(out.len() > start + 1)
    }

    /// Writes one value; whether there was something to write.
    #[expect(clippy::too_many_arguments, reason = "what a value is, and where it goes")]
    fn element(
        &mut self,
        entry: &Entry,
        value: Value,
        hook: Hook,
        setter: u32,
        depth: usize,
        is_listed: bool,
        out: &mut Vec<u8>,
    ) -> Result<bool, OutputError> {
        if out.len() > self.limit {
            return Err(OutputError::new("the event is too large"));
        }
        let is_empty_text = matches!(value, Value::Text(text) if text.is_empty());
        match (entry.below, value) {
            (Below::Message(_) | Below::Struct, _) if is_empty_text => Ok(false),
            (Below::Message(below), Value::Container(id)) => {
                self.message(index().message(below), id, hook, depth + 1, out)?;
                Ok(true)
            }
            (Below::Struct, Value::Container(id)) => {
                additional::structure(self.state, id, depth + 1, self.limit, out)?;
                self.note(setter);
                Ok(true)
            }
            (Below::Message(_) | Below::Struct, other) => {
                Err(OutputError::new(format!("expected an object, found {}", kind(self.state, other))))
            }
            (Below::Scalar | Below::Enum(_), value) => {
                let is_default = scalar::write(self.state, entry, value, is_listed, out)?;
                // A time or duration that is not there has no default that could stay in a list.
                let is_nothing =
                    is_empty_text && matches!(entry.field.kind, Type::Timestamp | Type::Foreign(_));
                let is_written = !is_nothing && (is_listed || !is_default);
                if is_written {
                    self.note(setter);
                }
                Ok(is_written)
            }
        }
    }
}

fn unknown(known: &Known, name: &str) -> OutputError {
    let near = crate::udm::nearest(name, known.fields.iter().map(|entry| entry.field.name));
    let near = near.map_or(String::new(), |near| format!("; the nearest is `{near}`"));
    OutputError::new(format!("UDM has no such field{near}")).below(name)
}
