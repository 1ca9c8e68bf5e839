//! An event as people read it, with the place of each value.

use crate::json::{Kind, Value};
use std::collections::HashMap;
use std::ops::Range;

/// JSON over several lines.
#[derive(Debug, Default)]
pub(super) struct Pretty {
    pub(super) text: String,
    /// Where the value at each path is, such as `security_result[0].summary`. Of two with one name it is the last.
    places: HashMap<String, Range<usize>>,
    /// Where values and keys begin and end.
    ends: HashMap<usize, usize>,
}

impl Pretty {
    pub(super) fn of(value: Value<'_>) -> Pretty {
        let mut pretty = Pretty::default();
        pretty.value(value, &mut String::new(), 0);
        pretty
    }

    /// Where the value at a path is.
    pub(super) fn at(&self, path: &str) -> Option<Range<usize>> {
        self.places.get(path).cloned()
    }

    /// The value or key that begins at a byte of the text.
    pub(super) fn from(&self, byte: usize) -> Option<Range<usize>> {
        self.ends.get(&byte).map(|end| byte..*end)
    }

    fn value(&mut self, value: Value<'_>, path: &mut String, level: usize) {
        let (start, length) = (self.text.len(), path.len());
        match value.kind() {
            Kind::Object | Kind::Array if !value.is_empty() => {
                let is_object = value.kind() == Kind::Object;
                self.text.push(if is_object { '{' } else { '[' });
                for (number, child) in value.children().enumerate() {
                    self.text.push_str(if number > 0 { "," } else { "" });
                    self.line(level + 1);
                    if is_object {
                        let key = self.text.len();
                        self.text.push('"');
                        self.text.push_str(child.raw_key());
                        self.text.push('"');
                        self.ends.insert(key, self.text.len());
                        self.text.push_str(": ");
                        path.push_str(if length > 0 { "." } else { "" });
                        path.push_str(&child.key());
                    } else {
                        path.push_str(&format!("[{number}]"));
                    }
                    self.value(child, path, level + 1);
                    path.truncate(length);
                }
                self.line(level);
                self.text.push(if is_object { '}' } else { ']' });
            }
            Kind::Object => self.text.push_str("{}"),
            Kind::Array => self.text.push_str("[]"),
            _ => self.text.push_str(value.raw()),
        }
        self.ends.insert(start, self.text.len());
        self.places.insert(path.clone(), start..self.text.len());
    }

    fn line(&mut self, level: usize) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", level));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tree;

    #[test]
    fn every_value_has_its_place() {
        let text = br#"{"a":{"b":[1,{"c":"x\n"}],"e":{}},"d":null,"f":[]}"#;
        let mut tree = Tree::default();
        let pretty = Pretty::of(tree.read(text).unwrap());
        let at = |path: &str| pretty.at(path).map(|range| &pretty.text[range]);
        assert_eq!(at("a.b[0]"), Some("1"));
        assert_eq!(at("a.b[1].c"), Some(r#""x\n""#));
        assert_eq!((at("d"), at("a.e"), at("f"), at("g")), (Some("null"), Some("{}"), Some("[]"), None));
        assert_eq!(at(""), Some(&*pretty.text));
        let key = pretty.text.find("\"c\"").unwrap();
        assert_eq!(pretty.from(key), Some(key..key + 3));
        // The same JSON, and nothing lost.
        let parse = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).unwrap();
        assert_eq!(parse(pretty.text.as_bytes()), parse(text));
        assert!(pretty.text.starts_with("{\n  \"a\": {\n    \"b\": [\n      1,\n"), "{}", pretty.text);
    }
}
