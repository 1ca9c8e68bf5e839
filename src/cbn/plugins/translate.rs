//! `translate`: looks a text up in a dictionary.

use crate::cbn::build::Build;
use crate::cbn::failure::Failure;
use crate::cbn::options::{Options, wrong};
use crate::cbn::path::Path;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::source::text_of;
use crate::cbn::state::State;
use crate::cbn::syntax::Literal;
use crate::cbn::template::Template;
use crate::cbn::value::{Text, Value};
use std::collections::HashMap;

#[derive(Debug)]
struct Translate {
    source: Path,
    target: Path,
    dictionary: HashMap<String, Text>,
    fallback: Option<Template>,
}

pub(super) fn compile(options: &mut Options<'_>, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let source = options.required("source")?;
    let target = options.required("target")?;
    let mut dictionary = HashMap::new();
    for (key, value) in options.pairs("dictionary")?.unwrap_or_default() {
        let Literal::Text(value) = value else {
            return Err(wrong("translate", "dictionary", "a text for each key", value));
        };
        dictionary.insert(key.text.clone(), build.texts.keep(&value.text));
    }
    let fallback = options.text("fallback")?.map(|word| build.template(&word.text));
    options.end(build, &["source", "target", "dictionary", "fallback", "on_error"]);
    let (source, target) = (build.path(&source.text), build.target(&target.text));
    Ok(Box::new(Translate { source, target, dictionary, fallback }))
}

impl Action for Translate {
    fn run<'p>(&'p self, state: &mut State, _: &mut Tools) -> Result<(), Failure<'p>> {
        let text = text_of(&self.source, state)?;
        let found = match (self.dictionary.get(state.text(text)), &self.fallback) {
            (Some(found), _) => *found,
            (None, Some(fallback)) => fallback.fill(state, "translate", &self.target.text)?,
            (None, None) => {
                return Err(Failure::Other("translate failure: the dictionary has no such key".into()));
            }
        };
        self.target.set(state, Value::Text(found));
        Ok(())
    }
}
