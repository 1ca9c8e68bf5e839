//! A plugin's options, taken one by one.

use super::build::Build;
use super::position::{Position, ReadError, Word};
use super::syntax::{Literal, Plugin, PluginOption};
use super::warning::Code;
use crate::text::shown;

/// The options of one plugin that were not taken yet.
#[derive(Debug)]
pub(super) struct Options<'s> {
    pub(super) plugin: &'s str,
    pub(super) at: Position,
    left: Vec<&'s PluginOption>,
}

impl<'s> Options<'s> {
    pub(super) fn new(plugin: &'s Plugin) -> Options<'s> {
        Options { plugin: &plugin.name.text, at: plugin.name.at, left: plugin.options.iter().collect() }
    }

    /// The option with this name; of several, the last.
    pub(super) fn take(&mut self, name: &str) -> Option<&'s Literal> {
        let mut found = None;
        self.left.retain(|option| {
            let is_it = option.name.text == name;
            if is_it {
                found = Some(&option.value);
            }
            !is_it
        });
        found
    }

    /// All that is left.
    pub(super) fn take_all(&mut self) -> Vec<&'s PluginOption> {
        std::mem::take(&mut self.left)
    }

    /// The text of an option.
    ///
    /// # Errors
    /// If it is a list or a hash.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<&'s Word>, ReadError> {
        self.take(name).map(|value| self.as_text(name, value)).transpose()
    }

    /// The text of an option that must be there.
    ///
    /// # Errors
    /// If it is not, or is not a text.
    pub(super) fn required(&mut self, name: &str) -> Result<&'s Word, ReadError> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    pub(super) fn missing(&self, name: &str) -> ReadError {
        ReadError::new(self.at, format!("expected the option `{name}` in `{}`", shown(self.plugin)))
    }

    /// The texts of an option: one, or a list of them.
    ///
    /// # Errors
    /// If it is something else.
    pub(super) fn texts(&mut self, name: &str) -> Result<Option<Vec<&'s Word>>, ReadError> {
        self.take(name).map(|value| as_texts(self.plugin, name, value)).transpose()
    }

    /// The pairs of an option.
    ///
    /// # Errors
    /// If it is not a hash.
    pub(super) fn pairs(&mut self, name: &str) -> Result<Option<&'s [(Word, Literal)]>, ReadError> {
        match self.take(name) {
            None => Ok(None),
            Some(Literal::Hash(_, pairs)) => Ok(Some(pairs)),
            Some(other) => Err(wrong(self.plugin, name, "a hash such as `{ \"a\" => \"b\" }`", other)),
        }
    }

    /// Whether an option is `true`.
    ///
    /// # Errors
    /// If it is neither `true` nor `false`.
    pub(super) fn switch(&mut self, name: &str) -> Result<bool, ReadError> {
        match self.text(name)? {
            None => Ok(false),
            Some(word) => match word.text.as_str() {
                "true" => Ok(true),
                "false" => Ok(false),
                other => Err(ReadError::new(
                    word.at,
                    format!("expected `true` or `false` for `{name}`, found `{}`", shown(other)),
                )),
            },
        }
    }

    fn as_text(&self, name: &str, value: &'s Literal) -> Result<&'s Word, ReadError> {
        match value {
            Literal::Text(word) => Ok(word),
            other => Err(wrong(self.plugin, name, "a text", other)),
        }
    }

    /// Warns of the options that nobody took.
    pub(super) fn end(&mut self, build: &mut Build, known: &[&str]) {
        for option in self.take_all() {
            let name = &option.name;
            let near = crate::udm::nearest(&name.text, known.iter().copied());
            let near = near.map_or(String::new(), |near| format!("; the nearest is `{near}`"));
            let message =
                format!("`{}` has no option `{}`: it does nothing{near}", self.plugin, shown(&name.text));
            build.warn(name.at, Code::UnknownOption, message);
        }
    }
}

/// The texts of a value: one, or a list of them.
pub(super) fn as_texts<'s>(plugin: &str, name: &str, value: &'s Literal) -> Result<Vec<&'s Word>, ReadError> {
    match value {
        Literal::Text(word) => Ok(vec![word]),
        Literal::Array(_, elements) => {
            let text = |element: &'s Literal| match element {
                Literal::Text(word) => Ok(word),
                other => Err(wrong(plugin, name, "a list of texts", other)),
            };
            elements.iter().map(text).collect()
        }
        Literal::Hash(..) => Err(wrong(plugin, name, "a text or a list of texts", value)),
    }
}

/// A value that is not what an option takes.
pub(super) fn wrong(plugin: &str, name: &str, expected: &str, found: &Literal) -> ReadError {
    ReadError::new(
        found.at(),
        format!("expected {expected} for `{}` of `{}`, found {}", shown(name), shown(plugin), found.kind()),
    )
}
