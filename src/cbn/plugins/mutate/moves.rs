//! `rename`, `copy` and `remove_field`: tokens that move, are copied, or go.

use super::pairs::pairs_of;
use crate::cbn::build::Build;
use crate::cbn::copy::deep_copy;
use crate::cbn::failure::Failure;
use crate::cbn::options::as_texts;
use crate::cbn::place::Place;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::state::State;
use crate::cbn::syntax::Literal;
use crate::cbn::value::Value;

#[derive(Debug)]
struct Rename {
    /// From, to.
    pairs: Vec<(Place, Place)>,
}

pub(super) fn rename(value: &Literal, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let pairs = pairs_of("rename", value)?.into_iter();
    let pairs = pairs.map(|(from, to)| (Place::source(&from.text, build), Place::target(&to.text, build)));
    Ok(Box::new(Rename { pairs: pairs.collect() }))
}

impl Action for Rename {
    fn run<'p>(&'p self, state: &mut State, _: &mut Tools) -> Result<(), Failure<'p>> {
        for (from, to) in &self.pairs {
            let value = from.remove(state, "rename")?;
            if value.is_set() {
                to.set(state, "rename", value)?;
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Copy {
    /// To, from.
    pairs: Vec<(Place, Place)>,
}

pub(super) fn copy(value: &Literal, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let pairs = pairs_of("copy", value)?.into_iter();
    let pairs = pairs.map(|(to, from)| (Place::target(&to.text, build), Place::source(&from.text, build)));
    Ok(Box::new(Copy { pairs: pairs.collect() }))
}

impl Action for Copy {
    fn run<'p>(&'p self, state: &mut State, _: &mut Tools) -> Result<(), Failure<'p>> {
        for (to, from) in &self.pairs {
            let value = from.get(state, "copy")?;
            if matches!(value, Value::Unset) {
                return Err(Failure::Copy { source: from.text() });
            }
            let copied = deep_copy(state, value)?;
            to.set(state, "copy", copied)?;
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Remove {
    places: Vec<Place>,
}

pub(super) fn remove(value: &Literal, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let names = as_texts("mutate", "remove_field", value)?;
    let places = names.into_iter().map(|name| {
        if crate::cbn::build::has_tokens(&name.text) {
            return Place::Made(build.template(&name.text), name.text.as_str().into());
        }
        Place::Fixed(build.path(&name.text))
    });
    Ok(Box::new(Remove { places: places.collect() }))
}

impl Action for Remove {
    fn run<'p>(&'p self, state: &mut State, _: &mut Tools) -> Result<(), Failure<'p>> {
        for place in &self.places {
            place.remove(state, "remove_field")?;
        }
        Ok(())
    }
}
