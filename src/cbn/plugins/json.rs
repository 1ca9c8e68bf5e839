//! `json`: makes tokens of a JSON text.

use crate::cbn::build::Build;
use crate::cbn::failure::Failure;
use crate::cbn::options::Options;
use crate::cbn::path::Path;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::source::text_of;
use crate::cbn::state::State;
use crate::cbn::symbols::Symbol;
use crate::cbn::value::{ContainerId, Shape, Text, Value};
use crate::cbn::warning::Code;
use crate::json::{Kind, Tree, Value as Json};
use crate::text::shown;
use memchr::memchr;

#[derive(Debug)]
struct JsonPlugin {
    source: Path,
    target: Option<Path>,
    /// What lists become.
    lists: Shape,
}

pub(super) fn compile(options: &mut Options<'_>, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let source = options.text("source")?.map_or("message", |word| &word.text);
    let target = options.text("target")?.map(|word| word.text.as_str());
    build.sets_any(target);
    let mut lists = Shape::List;
    if let Some(function) = options.text("array_function")? {
        if function.text == "split_columns" {
            lists = Shape::Split;
        } else {
            let message = format!(
                "`array_function` is not `split_columns` but `{}`: it does nothing",
                shown(&function.text)
            );
            build.warn(function.at, Code::BadValue, message);
        }
    }
    options.end(build, &["source", "target", "array_function", "on_error"]);
    let target = target.map(|target| build.target(target));
    Ok(Box::new(JsonPlugin { source: build.path(source), target, lists }))
}

impl Action for JsonPlugin {
    fn run<'p>(&'p self, state: &mut State, tools: &mut Tools) -> Result<(), Failure<'p>> {
        let text = text_of(&self.source, state)?;
        state.check_more(text.len as usize)?;
        let made = self.read(state, &mut tools.tree, text)?;
        match &self.target {
            Some(target) => target.set(state, made),
            None => {
                let Value::Container(id) = made else { return Err(not_an_object()) };
                if state.container(id).shape != Shape::Object {
                    return Err(not_an_object());
                }
                lay(state, None, id);
            }
        }
        state.check()?;
        Ok(())
    }
}

fn not_an_object<'p>() -> Failure<'p> {
    Failure::Other("json failure: the text is JSON, but not an object".into())
}

impl JsonPlugin {
    /// As Go reads it: half of a surrogate pair becomes a replacement character.
    fn read<'p>(&self, state: &mut State, tree: &mut Tree, text: Text) -> Result<Value, Failure<'p>> {
        let text = match without_lone_surrogates(state.text(text)) {
            Some(replaced) => state.keep(&replaced),
            None => text,
        };
        // The tree's values are ranges of the buffer, which must not move while they are read.
        let buffer = state.take_buffer();
        let made = match tree.read(&buffer.as_bytes()[text.range()]) {
            Ok(value) => {
                let mut maker = Maker {
                    state,
                    lists: self.lists,
                    start: text.start as usize,
                    end: buffer.len(),
                    unescaped: String::new(),
                };
                let made = maker.value(value);
                Ok((made, maker.unescaped))
            }
            Err(error) => Err(Failure::Other(format!("json failure: {error}").into())),
        };
        state.give_back(buffer);
        let (made, unescaped) = made?;
        let made = made?;
        state.keep(&unescaped);
        match made {
            Value::Container(_) => Ok(made),
            _ => Err(not_an_object()),
        }
    }
}

/// The JSON text with `\ufffd` in place of escapes of surrogates that are not in pairs, if there are any.
fn without_lone_surrogates(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let escape = |at: usize| {
        let digits = text.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let mut replaced = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr(b'\\', rest)) {
        at += found;
        match escape(at) {
            Some(0xd800..0xdc00) if matches!(escape(at + 6), Some(0xdc00..0xe000)) => at += 12,
            Some(0xd800..0xe000) => {
                replaced.push_str(&text[copied..at]);
                replaced.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            // Whatever is escaped, a second backslash among it.
            _ => at += 2,
        }
    }
    replaced.push_str(&text[copied..]);
    (copied > 0).then_some(replaced)
}

/// Makes tokens of JSON values.
struct Maker<'s> {
    state: &'s mut State,
    lists: Shape,
    /// Where the text begins in the buffer.
    start: usize,
    /// Where the buffer ends: there the texts go that had escapes.
    end: usize,
    unescaped: String,
}

impl Maker<'_> {
    fn value<'p>(&mut self, value: Json<'_>) -> Result<Value, Failure<'p>> {
        Ok(match value.kind() {
            Kind::Null => Value::Unset,
            Kind::Bool => Value::Bool(value.raw() == "true"),
            Kind::Number => {
                let number: f64 = value.raw().parse().unwrap_or(f64::INFINITY);
                if !number.is_finite() {
                    return Err(Failure::Other("json failure: a number is too large".into()));
                }
                Value::Number(number)
            }
            Kind::Text if value.is_escaped() => {
                let start = self.end + self.unescaped.len();
                self.unescaped.push_str(&value.text());
                Value::Text(Text::at(start..self.end + self.unescaped.len()))
            }
            Kind::Text => {
                let start = self.start + value.start() + 1;
                Value::Text(Text::at(start..start + value.raw().len() - 2))
            }
            Kind::Array => {
                let id = self.state.make(self.lists);
                for element in value.children() {
                    let element = self.value(element)?;
                    self.state.push(id, element);
                    self.state.check()?;
                }
                Value::Container(id)
            }
            Kind::Object => {
                let id = self.state.make(Shape::Object);
                for member in value.children() {
                    let key = self.state.symbols.intern(&member.key());
                    let member = self.value(member)?;
                    self.state.set_member(id, key, member);
                    self.state.check()?;
                }
                Value::Container(id)
            }
        })
    }
}

/// Lays an object over another one, or over the root: what is not in it stays.
fn lay(state: &mut State, over: Option<ContainerId>, new: ContainerId) {
    for place in 0..state.container(new).len() {
        let Some((key, value, _)) = state.container(new).at(place) else { break };
        if !value.is_set() {
            continue;
        }
        let key = match key {
            Some(key) => key,
            None => state.symbols.intern(&place.to_string()),
        };
        if set_dotted(state, over, key, value) {
            continue;
        }
        let old = match over {
            Some(id) => state.member(id, key),
            None => state.root(key),
        };
        match (old, value) {
            (Value::Container(old), Value::Container(new)) if can_lie(state, old, new) => {
                lay(state, Some(old), new);
            }
            _ => set_plain(state, over, key, value),
        }
    }
}

/// Whether both are objects; a list that was split counts as one.
fn can_lie(state: &State, old: ContainerId, new: ContainerId) -> bool {
    old != new && state.container(old).shape != Shape::List && state.container(new).shape != Shape::List
}

/// Sets the nested token that a key with dots spells, if there is one.
fn set_dotted(state: &mut State, over: Option<ContainerId>, key: Symbol, value: Value) -> bool {
    if !state.symbols.name(key).contains('.') {
        return false;
    }
    let name = state.symbols.name(key).to_owned();
    let get = |state: &State, key| match over {
        Some(id) => state.member(id, key),
        None => state.root(key),
    };
    // Most names begin with none that is set, and then they spell no nested token.
    let first = name.split('.').next().and_then(|first| state.symbols.find(first));
    if !first.is_some_and(|first| get(state, first).is_set()) {
        let is_set = get(state, key).is_set();
        if is_set {
            set_plain(state, over, key, value);
        }
        return is_set;
    }
    let path = Path::new(&name, &mut state.symbols);
    let old = match over {
        Some(id) => path.get_in(state, id),
        None => path.get(state),
    };
    if !old.is_set() {
        return false;
    }
    match over {
        Some(id) => path.set_in(state, id, value),
        None => path.set(state, value),
    }
    true
}

/// Sets tokens by name, as `kv` and `json` do: a name with dots takes the place of the nested token that it spells, if
/// there is one, and else stays one name.
pub(super) fn set_named(state: &mut State, below: Option<ContainerId>, name: &str, value: Value) {
    let key = state.symbols.intern(name);
    if !set_dotted(state, below, key, value) {
        set_plain(state, below, key, value);
    }
}

/// Sets the member of this name, whatever dots are in it.
fn set_plain(state: &mut State, over: Option<ContainerId>, key: Symbol, value: Value) {
    match over {
        Some(id) => state.set_member(id, key, value),
        None => state.set_root(key, value),
    }
}

#[cfg(test)]
mod tests {
    use super::without_lone_surrogates;

    #[test]
    fn lone_surrogates_are_replaced_as_in_go() {
        for (text, expected) in [
            (r#"{"a":"\ud83d"}"#, Some(r#"{"a":"\ufffd"}"#)),
            (r#""\udc00\ud83d\ude00\uD83D""#, Some(r#""\ufffd\ud83d\ude00\ufffd""#)),
            (r#""\ud83d\ud83d\ude00""#, Some(r#""\ufffd\ud83d\ude00""#)),
            (r#""\\ud83d\n\u00e9""#, None),
            (r#""\ud83"#, None),
            ("\\", None),
        ] {
            assert_eq!(without_lone_surrogates(text).as_deref(), expected, "{text}");
        }
    }
}
