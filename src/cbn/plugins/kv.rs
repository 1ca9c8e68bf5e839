//! `kv`: takes a text of keys and values apart.

use super::json::set_named;
use crate::cbn::build::Build;
use crate::cbn::failure::Failure;
use crate::cbn::options::Options;
use crate::cbn::path::Path;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::source::text_of;
use crate::cbn::state::State;
use crate::cbn::value::{Shape, Text, Value};
use crate::cbn::warning::Code;
use crate::text::shown;

#[derive(Debug)]
struct KeyValue {
    source: Path,
    field_split: String,
    value_split: String,
    trim_value: Vec<char>,
    /// Whether blanks around keys and values stay.
    is_strict: bool,
    target: Option<Path>,
}

pub(super) fn compile(options: &mut Options<'_>, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let source = options.text("source")?.map_or("message", |word| &word.text);
    let target = options.text("target")?.map(|word| word.text.as_str());
    build.sets_any(target);
    let text = |word: Option<&crate::cbn::position::Word>, default: &str, escaped: bool| {
        let text = word.map_or(default, |word| &word.text);
        if escaped { unescape(text) } else { text.to_owned() }
    };
    let field_split = options.text("field_split")?;
    let field_split = text(field_split, " ", options.switch("unescape_field_split")?);
    let value_split = options.text("value_split")?;
    let value_split = text(value_split, "=", options.switch("unescape_value_split")?);
    let trim_value = options.text("trim_value")?.map_or_else(Vec::new, |word| word.text.chars().collect());
    let mut is_strict = false;
    if let Some(whitespace) = options.text("whitespace")? {
        is_strict = whitespace.text == "strict";
        if !is_strict && whitespace.text != "lenient" {
            let message = format!("`whitespace` is `strict` or `lenient`, not `{}`", shown(&whitespace.text));
            build.warn(whitespace.at, Code::BadValue, message);
        }
    }
    options.end(
        build,
        &[
            "source",
            "target",
            "field_split",
            "value_split",
            "trim_value",
            "whitespace",
            "unescape_field_split",
            "unescape_value_split",
            "on_error",
        ],
    );
    let target = target.map(|target| build.target(target));
    Ok(Box::new(KeyValue {
        source: build.path(source),
        field_split,
        value_split,
        trim_value,
        is_strict,
        target,
    }))
}

/// `\t`, `\n`, `\r` as what they mean.
pub(super) fn unescape(text: &str) -> String {
    text.replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r")
}

impl Action for KeyValue {
    fn run<'p>(&'p self, state: &mut State, _: &mut Tools) -> Result<(), Failure<'p>> {
        let text = text_of(&self.source, state)?;
        let end = text.range().end;
        let (mut at, mut below, mut is_found) = (text.start as usize, None, false);
        while at <= end {
            let rest = state.text(Text::at(at..end));
            let found = (!self.field_split.is_empty()).then(|| rest.find(&self.field_split)).flatten();
            let length = found.unwrap_or(rest.len());
            let part = Text::at(at..at + length);
            at += length + found.map_or(1, |_| self.field_split.len());
            let Some((key, value)) = self.pair(state, part) else { continue };
            if !is_found && let Some(target) = &self.target {
                let made = state.make(Shape::Object);
                target.set(state, Value::Container(made));
                below = Some(made);
            }
            is_found = true;
            let name = state.text(key).to_owned();
            set_named(state, below, &name, Value::Text(value));
            state.check()?;
        }
        if is_found {
            Ok(())
        } else {
            Err(Failure::Other("kv failure: the text holds no key with a value".into()))
        }
    }
}

impl KeyValue {
    /// A key and its value.
    fn pair(&self, state: &State, part: Text) -> Option<(Text, Text)> {
        let text = state.text(part);
        let at = if self.value_split.is_empty() { None } else { text.find(&self.value_split) }?;
        let start = part.start as usize;
        let key = self.without_blanks(state, Text::at(start..start + at));
        let value = Text::at(start + at + self.value_split.len()..part.range().end);
        let value = self.without_blanks(state, value);
        let value = trimmed(state, value, |c| self.trim_value.contains(&c));
        let value = self.without_blanks(state, value);
        (!key.is_empty()).then_some((key, value))
    }

    fn without_blanks(&self, state: &State, text: Text) -> Text {
        if self.is_strict { text } else { trimmed(state, text, char::is_whitespace) }
    }
}

fn trimmed(state: &State, text: Text, goes: impl Fn(char) -> bool) -> Text {
    let whole = state.text(text);
    let start = whole.len() - whole.trim_start_matches(&goes).len();
    let length = whole[start..].trim_end_matches(&goes).len();
    Text::at(text.start as usize + start..text.start as usize + start + length)
}
