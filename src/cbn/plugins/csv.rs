//! `csv`: takes a line of separated values apart, as Go's `encoding/csv` does.

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
struct Csv {
    source: Path,
    separator: Option<char>,
    is_lazy: bool,
    target: Option<Path>,
}

pub(super) fn compile(options: &mut Options<'_>, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let source = options.text("source")?.map_or("message", |word| &word.text);
    let target = options.text("target")?.map(|word| word.text.as_str());
    build.sets_any(target);
    let separator = options.text("separator")?;
    let text = separator.map_or(",", |word| &word.text);
    let text =
        if options.switch("unescape_separator")? { super::kv::unescape(text) } else { text.to_owned() };
    let mut chars = text.chars();
    let one = chars.next().filter(|c| chars.next().is_none() && !matches!(c, '"' | '\r' | '\n'));
    if let (None, Some(word)) = (one, separator) {
        let message =
            format!("`{}` is not one character that can separate values, so it fails", shown(&word.text));
        build.warn(word.at, Code::BadValue, message);
    }
    let is_lazy = options.switch("lazy_quotes")?;
    options.end(build, &["source", "target", "separator", "unescape_separator", "lazy_quotes", "on_error"]);
    let target = target.map(|target| build.target(target));
    Ok(Box::new(Csv { source: build.path(source), separator: one, is_lazy, target }))
}

impl Action for Csv {
    fn run<'p>(&'p self, state: &mut State, _: &mut Tools) -> Result<(), Failure<'p>> {
        let text = text_of(&self.source, state)?;
        let Some(separator) = self.separator else {
            return Err(Failure::Other("csv failure: the separator is not one character".into()));
        };
        state.check_more(text.len as usize)?;
        let values = record(state.text(text), separator, self.is_lazy);
        let values = values.map_err(|why| Failure::Other(format!("csv failure: {why}").into()))?;
        let below = self.target.as_ref().map(|target| {
            let made = state.make(Shape::Object);
            target.set(state, Value::Container(made));
            made
        });
        for (at, value) in values.iter().enumerate() {
            let value = Value::Text(match value {
                Field::Part(start, end) => Text::at(text.start as usize + start..text.start as usize + end),
                Field::Made(made) => state.keep(made),
            });
            let key = state.symbols.intern(&format!("column{}", at + 1));
            match below {
                Some(id) => state.set_member(id, key, value),
                None => state.set_root(key, value),
            }
            state.check()?;
        }
        Ok(())
    }
}

/// A value: a part of the text, or one that had quotes in it.
#[derive(Debug)]
enum Field {
    Part(usize, usize),
    Made(String),
}

/// The values of the first record.
fn record(text: &str, separator: char, is_lazy: bool) -> Result<Vec<Field>, &'static str> {
    let mut at = 0;
    // Blank lines before it are passed.
    while let Some(rest) = text.get(at..).filter(|rest| rest.starts_with(['\n', '\r'])) {
        match rest.strip_prefix("\r\n").or(rest.strip_prefix('\n')) {
            Some(behind) => at = text.len() - behind.len(),
            None => break,
        }
    }
    if at == text.len() {
        return Err("there is nothing in the text");
    }
    let mut fields = Vec::new();
    loop {
        let rest = &text[at..];
        if let Some(quoted) = rest.strip_prefix('"') {
            let (value, length, ends) = quoted_field(quoted, separator, is_lazy)?;
            fields.push(Field::Made(value));
            if ends {
                return Ok(fields);
            }
            at += 1 + length;
            continue;
        }
        let end = rest.find([separator, '\n']).unwrap_or(rest.len());
        let ends = !rest[end..].starts_with(separator);
        let field = if ends { rest[..end].strip_suffix('\r').unwrap_or(&rest[..end]) } else { &rest[..end] };
        if !is_lazy && field.contains('"') {
            return Err("a quote inside of a value without quotes");
        }
        fields.push(Field::Part(at, at + field.len()));
        if ends {
            return Ok(fields);
        }
        at += end + separator.len_utf8();
    }
}

/// A value behind its first quote: the value, how long it was with what ends it, and whether the record ends with it.
fn quoted_field(text: &str, separator: char, is_lazy: bool) -> Result<(String, usize, bool), &'static str> {
    let mut value = String::new();
    let mut at = 0;
    loop {
        let Some(quote) = text[at..].find('"') else {
            if !is_lazy {
                return Err("a quote is not closed");
            }
            value.push_str(&text[at..]);
            return Ok((value.replace("\r\n", "\n"), text.len(), true));
        };
        value.push_str(&text[at..at + quote]);
        at += quote + 1;
        let rest = &text[at..];
        if rest.starts_with('"') {
            value.push('"');
            at += 1;
        } else if rest.starts_with(separator) {
            return Ok((value.replace("\r\n", "\n"), at + separator.len_utf8(), false));
        } else if matches!(rest, "" | "\r") || rest.starts_with('\n') || rest.starts_with("\r\n") {
            return Ok((value.replace("\r\n", "\n"), at, true));
        } else if is_lazy {
            value.push('"');
        } else {
            return Err("something follows a closing quote");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, is_lazy: bool) -> Option<Vec<String>> {
        let fields = record(text, ',', is_lazy).ok()?;
        let value = |field: &Field| match field {
            Field::Part(start, end) => text[*start..*end].to_owned(),
            Field::Made(made) => made.clone(),
        };
        Some(fields.iter().map(value).collect())
    }

    #[test]
    fn records_are_read_as_go_reads_them() {
        for (text, expected, lazy) in [
            ("a,b", Some(vec!["a", "b"]), Some(vec!["a", "b"])),
            ("a,", Some(vec!["a", ""]), Some(vec!["a", ""])),
            (",a\r\nb", Some(vec!["", "a"]), Some(vec!["", "a"])),
            ("\n\na", Some(vec!["a"]), Some(vec!["a"])),
            (r#"a,"b,""c""",d"#, Some(vec!["a", "b,\"c\"", "d"]), Some(vec!["a", "b,\"c\"", "d"])),
            ("\"a\nb\",c", Some(vec!["a\nb", "c"]), Some(vec!["a\nb", "c"])),
            (r#"a"b,c"#, None, Some(vec!["a\"b", "c"])),
            (r#""a"b",c"#, None, Some(vec!["a\"b", "c"])),
            (r#""a,b"#, None, Some(vec!["a,b"])),
            ("\"a\",\"b\"\r", Some(vec!["a", "b"]), Some(vec!["a", "b"])),
            (" \"a\"", None, Some(vec![" \"a\""])),
            ("", None, None),
        ] {
            let owned = |texts: Option<Vec<&str>>| texts.map(|t| t.into_iter().map(str::to_owned).collect());
            assert_eq!(read(text, false), owned(expected), "{text}");
            assert_eq!(read(text, true), owned(lazy), "{text}");
        }
    }
}
