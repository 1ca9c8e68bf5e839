//! Texts with tokens in them: `%{user}@%{domain}`.

use super::failure::Failure;
use super::number;
use super::path::Path;
use super::state::State;
use super::symbols::Symbols;
use super::value::{Shape, Text, Value};

/// A text with tokens in it.
#[derive(Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(Text),
    Token(Path),
}

/// The texts of a parser, which lie before those of each log in the state's buffer.
#[derive(Debug, Default)]
pub(super) struct Texts {
    buffer: String,
}

impl Texts {
    pub(super) fn keep(&mut self, text: &str) -> Text {
        let start = self.buffer.len();
        self.buffer.push_str(text);
        Text::at(start..self.buffer.len())
    }

    pub(super) fn buffer(&self) -> &str {
        &self.buffer
    }
}

/// The parts of a text: what lies between tokens, and their paths.
pub(super) fn parts(text: &str) -> Vec<Result<&str, &str>> {
    let (mut parts, mut rest) = (Vec::new(), text);
    let mut from = 0;
    while let Some(start) = rest[from..].find("%{").map(|at| at + from) {
        let Some(end) = rest[start..].find('}').map(|at| at + start) else { break };
        let path = &rest[start + 2..end];
        if path.is_empty() {
            from = end;
            continue;
        }
        if start > 0 {
            parts.push(Ok(&rest[..start]));
        }
        parts.push(Err(path));
        rest = &rest[end + 1..];
        from = 0;
    }
    if !rest.is_empty() || parts.is_empty() {
        parts.push(Ok(rest));
    }
    parts
}

/// What a value is, with its article.
pub(super) fn kind(state: &State, value: Value) -> &'static str {
    match value {
        Value::Unset => "nothing",
        Value::Text(_) => "a text",
        Value::Number(_) | Value::Integer(_) | Value::Unsigned(_) | Value::Counter(_) => "a number",
        Value::Bool(_) => "a boolean",
        Value::Time { .. } => "a time",
        Value::Container(id) if state.container(id).shape == Shape::Object => "an object",
        Value::Container(_) => "a list",
    }
}

impl Template {
    pub(super) fn new(text: &str, symbols: &mut Symbols, texts: &mut Texts) -> Template {
        let part = |part: Result<&str, &str>| match part {
            Ok(text) => Part::Text(texts.keep(text)),
            Err(path) => Part::Token(Path::new(path, symbols)),
        };
        Template { parts: parts(text).into_iter().map(part).collect() }
    }

    /// The text, if there is no token in it.
    pub(super) fn constant(&self) -> Option<Text> {
        match self.parts[..] {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text with the tokens' values.
    pub(super) fn fill<'p>(
        &'p self,
        state: &mut State,
        operation: &'static str,
        field: &'p str,
    ) -> Result<Text, Failure<'p>> {
        if let [part] = &self.parts[..] {
            return text(part, state, operation, field);
        }
        let mut texts = std::mem::take(&mut state.texts);
        texts.clear();
        let found = self.parts.iter().try_for_each(|part| {
            texts.push(text(part, state, operation, field)?);
            Ok(())
        });
        let filled = found.and_then(|()| {
            state.check_more(texts.iter().map(|text| text.len as usize).sum())?;
            let mark = state.mark();
            texts.iter().for_each(|text| state.append(*text));
            Ok(state.since(mark))
        });
        state.texts = texts;
        filled
    }
}

fn text<'p>(
    part: &'p Part,
    state: &mut State,
    operation: &'static str,
    field: &'p str,
) -> Result<Text, Failure<'p>> {
    let path = match part {
        Part::Text(text) => return Ok(*text),
        Part::Token(path) => path,
    };
    match path.get(state) {
        Value::Text(text) => Ok(text),
        Value::Unset => Err(Failure::NotSet { operation, field, source: &path.text }),
        value => {
            let counter = matches!(value, Value::Counter(_)).then(|| number::keep(state, value)).flatten();
            let kind = kind(state, value);
            counter.ok_or(Failure::NotText { operation, field, source: &path.text, kind })
        }
    }
}
