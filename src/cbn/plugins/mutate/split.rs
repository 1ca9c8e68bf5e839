//! `split`: makes a list of a text.

use super::pairs::pairs_of;
use crate::cbn::build::Build;
use crate::cbn::failure::Failure;
use crate::cbn::options::wrong;
use crate::cbn::path::Path;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::source::text_of;
use crate::cbn::state::State;
use crate::cbn::syntax::Literal;
use crate::cbn::value::{Shape, Text, Value};
use crate::cbn::warning::Code;
use crate::text::shown;

#[derive(Debug)]
struct Split {
    source: Path,
    separator: String,
    target: Path,
    /// Some parsers write it inside of the operation.
    on_error: Option<Path>,
}

pub(super) fn compile(value: &Literal, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let Literal::Hash(at, _) = value else {
        return Err(wrong("mutate", "split", "a hash with `source`, `separator` and `target`", value));
    };
    let (mut source, mut separator, mut target, mut on_error) = (None, None, None, None);
    for (key, text) in pairs_of("split", value)? {
        match key.text.as_str() {
            "source" => source = Some(text),
            "separator" => separator = Some(text),
            "target" => target = Some(text),
            "on_error" => on_error = Some(text),
            other => {
                let message = format!("`split` has no option `{}`: it does nothing", shown(other));
                build.warn(key.at, Code::UnknownOption, message);
            }
        }
    }
    let (Some(source), Some(target)) = (source, target) else {
        return Err(ReadError::new(*at, "expected `source` and `target` in `split`"));
    };
    Ok(Box::new(Split {
        source: build.path(&source.text),
        separator: separator.map_or_else(|| ",".to_owned(), |word| word.text.clone()),
        target: build.target(&target.text),
        on_error: on_error.map(|word| build.target(&word.text)),
    }))
}

impl Action for Split {
    fn run<'p>(&'p self, state: &mut State, _: &mut Tools) -> Result<(), Failure<'p>> {
        let result = self.split(state);
        let Some(on_error) = &self.on_error else { return result };
        match result {
            Err(failure) if failure.is_final() => Err(failure),
            result => {
                on_error.set(state, Value::Bool(result.is_err()));
                Ok(())
            }
        }
    }
}

impl Split {
    fn split<'p>(&'p self, state: &mut State) -> Result<(), Failure<'p>> {
        let text = text_of(&self.source, state)?;
        let list = state.make(Shape::List);
        let mut at = text.start as usize;
        let end = text.range().end;
        loop {
            state.check()?;
            let rest = state.text(Text::at(at..end));
            // Without a separator each character is a part, as in Go.
            let found = match self.separator.as_str() {
                "" => rest.chars().next().map(char::len_utf8).filter(|length| *length < rest.len()),
                separator => rest.find(separator),
            };
            let Some(found) = found else { break };
            state.push(list, Value::Text(Text::at(at..at + found)));
            at += found + self.separator.len();
        }
        state.push(list, Value::Text(Text::at(at..end)));
        self.target.set(state, Value::Container(list));
        Ok(())
    }
}
