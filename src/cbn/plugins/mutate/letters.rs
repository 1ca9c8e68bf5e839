//! `uppercase`, `lowercase` and `strip`.

use crate::cbn::build::Build;
use crate::cbn::failure::Failure;
use crate::cbn::options::as_texts;
use crate::cbn::place::Place;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::state::State;
use crate::cbn::syntax::Literal;
use crate::cbn::template::kind;
use crate::cbn::value::{Text, Value};

#[derive(Debug)]
struct Letters {
    operation: &'static str,
    places: Vec<Place>,
}

pub(super) fn compile(
    operation: &'static str,
    value: &Literal,
    build: &mut Build,
) -> Result<Box<dyn Action>, ReadError> {
    let names = as_texts("mutate", operation, value)?;
    let places = names.into_iter().map(|name| Place::source(&name.text, build)).collect();
    Ok(Box::new(Letters { operation, places }))
}

impl Action for Letters {
    fn run<'p>(&'p self, state: &mut State, _: &mut Tools) -> Result<(), Failure<'p>> {
        for place in &self.places {
            let text = match place.get(state, self.operation)? {
                Value::Unset => continue,
                Value::Text(text) => text,
                value => {
                    let kind = kind(state, value);
                    return Err(Failure::WrongSource { source: place.text(), kind });
                }
            };
            state.spend(text.len as usize);
            let changed = match self.operation {
                "strip" => stripped(state, text),
                operation => {
                    state.check_more(text.len as usize)?;
                    let old = state.text(text);
                    let new = if operation == "uppercase" { old.to_uppercase() } else { old.to_lowercase() };
                    if new == old { text } else { state.keep(&new) }
                }
            };
            place.set(state, self.operation, Value::Text(changed))?;
        }
        Ok(())
    }
}

fn stripped(state: &State, text: Text) -> Text {
    let whole = state.text(text);
    let start = text.start as usize + whole.len() - whole.trim_start().len();
    Text::at(start..start + whole.trim().len())
}
