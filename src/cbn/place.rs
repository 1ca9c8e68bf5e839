//! Tokens whose names may hold other tokens: `labels.%{key}`.

use super::build::{Build, has_tokens};
use super::failure::Failure;
use super::path::Path;
use super::state::State;
use super::template::Template;
use super::value::Value;

/// Where a value is, or goes.
#[derive(Debug)]
pub(super) enum Place {
    Fixed(Path),
    /// A name that is made for each log.
    Made(Template, Box<str>),
}

impl Place {
    /// A place that is set.
    pub(super) fn target(text: &str, build: &mut Build) -> Place {
        if has_tokens(text) {
            build.sets_any(None);
            return Place::Made(build.template(text), text.into());
        }
        Place::Fixed(build.target(text))
    }

    /// A place that is read. A token in place of a whole name is that token itself.
    pub(super) fn source(text: &str, build: &mut Build) -> Place {
        let whole = text.strip_prefix("%{").and_then(|rest| rest.strip_suffix('}'));
        match whole.filter(|name| !name.contains('}')) {
            Some(name) => Place::Fixed(build.path(name)),
            None if has_tokens(text) => Place::Made(build.template(text), text.into()),
            None => Place::Fixed(build.path(text)),
        }
    }

    /// As the parser writes it.
    pub(super) fn text(&self) -> &str {
        match self {
            Place::Fixed(path) => &path.text,
            Place::Made(_, text) => text,
        }
    }

    /// The path, made if it has to be.
    fn made<'p>(
        &'p self,
        state: &mut State,
        operation: &'static str,
    ) -> Result<std::borrow::Cow<'p, Path>, Failure<'p>> {
        match self {
            Place::Fixed(path) => Ok(std::borrow::Cow::Borrowed(path)),
            Place::Made(template, text) => {
                let name = template.fill(state, operation, text)?;
                let name = state.text(name).to_owned();
                Ok(std::borrow::Cow::Owned(Path::new(&name, &mut state.symbols)))
            }
        }
    }

    pub(super) fn get<'p>(
        &'p self,
        state: &mut State,
        operation: &'static str,
    ) -> Result<Value, Failure<'p>> {
        Ok(self.made(state, operation)?.get(state))
    }

    pub(super) fn set<'p>(
        &'p self,
        state: &mut State,
        operation: &'static str,
        value: Value,
    ) -> Result<(), Failure<'p>> {
        self.made(state, operation)?.set(state, value);
        Ok(())
    }

    pub(super) fn remove<'p>(
        &'p self,
        state: &mut State,
        operation: &'static str,
    ) -> Result<Value, Failure<'p>> {
        Ok(self.made(state, operation)?.remove(state))
    }
}
