//! `merge`: adds values to lists.

use super::pairs::pairs_of;
use crate::cbn::build::Build;
use crate::cbn::failure::Failure;
use crate::cbn::place::Place;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::state::State;
use crate::cbn::syntax::Literal;
use crate::cbn::value::{ContainerId, Shape, Value};
use crate::cbn::warning::Code;
use crate::text::shown;
use std::collections::HashSet;

#[derive(Debug)]
struct Merge {
    pairs: Vec<Pair>,
}

#[derive(Debug)]
struct Pair {
    to: Place,
    from: Place,
    /// Whether it goes to the events, which must be objects.
    is_output: bool,
}

pub(super) fn compile(value: &Literal, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let mut keys = HashSet::new();
    let mut pairs = Vec::new();
    for (to, from) in pairs_of("merge", value)? {
        if !keys.insert(to.text.as_str()) {
            let message = format!(
                "`{}` is given twice in one merge: Google may take one of them alone; write two merges",
                shown(&to.text)
            );
            build.warn(to.at, Code::TwiceGiven, message);
        }
        if from.text.is_empty() {
            build.warn(from.at, Code::EmptyMerge, "the name of the token to merge is empty");
        }
        pairs.push(Pair {
            is_output: to.text == "@output",
            to: Place::target(&to.text, build),
            from: Place::source(&from.text, build),
        });
    }
    Ok(Box::new(Merge { pairs }))
}

impl Action for Merge {
    fn run<'p>(&'p self, state: &mut State, _: &mut Tools) -> Result<(), Failure<'p>> {
        self.pairs.iter().try_for_each(|pair| pair.merge(state))
    }
}

impl Pair {
    fn merge<'p>(&'p self, state: &mut State) -> Result<(), Failure<'p>> {
        let value = self.from.get(state, "merge")?;
        if !value.is_set() {
            return Ok(());
        }
        let object = |state: &State| match value {
            Value::Container(id) => state.container(id).shape == Shape::Object,
            _ => false,
        };
        if self.is_output && !object(state) {
            let words = format!(
                "merge failure: field \"@output\": source field \"{}\": expected an object",
                self.from.text()
            );
            return Err(Failure::Other(words.into()));
        }
        let list = match self.to.get(state, "merge")? {
            Value::Container(id) if state.container(id).shape.is_list() => id,
            found => {
                let list = state.make(Shape::List);
                let is_nothing = match found {
                    Value::Unset => true,
                    Value::Text(text) => text.is_empty(),
                    _ => false,
                };
                if !is_nothing {
                    append(state, list, found);
                }
                self.to.set(state, "merge", Value::Container(list))?;
                list
            }
        };
        append(state, list, value);
        state.check()?;
        Ok(())
    }
}

/// Adds a value at a list's end; of what counts as a list, its elements.
fn append(state: &mut State, list: ContainerId, value: Value) {
    let elements = match value {
        Value::Container(id) => state.elements(id).map(|places| (id, places)),
        _ => None,
    };
    let Some((id, places)) = elements else { return state.push(list, value) };
    for place in places {
        if let Some((_, element, _)) = state.container(id).at(place)
            && element.is_set()
        {
            state.push(list, element);
        }
    }
}
