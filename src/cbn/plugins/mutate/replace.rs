//! `replace`: sets tokens to texts.

use super::pairs::pairs_of;
use crate::cbn::build::Build;
use crate::cbn::failure::Failure;
use crate::cbn::place::Place;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::state::State;
use crate::cbn::syntax::Literal;
use crate::cbn::template::Template;
use crate::cbn::value::Value;

#[derive(Debug)]
struct Replace {
    pairs: Vec<(Place, Template)>,
}

pub(super) fn compile(value: &Literal, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let pairs = pairs_of("replace", value)?.into_iter();
    let pairs = pairs.map(|(key, text)| (Place::target(&key.text, build), build.template(&text.text)));
    Ok(Box::new(Replace { pairs: pairs.collect() }))
}

impl Action for Replace {
    fn run<'p>(&'p self, state: &mut State, _: &mut Tools) -> Result<(), Failure<'p>> {
        for (place, template) in &self.pairs {
            let text = template.fill(state, "replace", place.text())?;
            place.set(state, "replace", Value::Text(text))?;
        }
        Ok(())
    }
}
