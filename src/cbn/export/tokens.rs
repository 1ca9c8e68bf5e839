//! The raw fields of a table, each with the token that holds it.

use super::text::{Lines, quoted, quoted_in_condition};
use crate::mapping::Mapping;
use crate::record::{FieldPath, ListStep};
use std::collections::HashSet;

/// The raw fields that a parser reads.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    fields: Vec<Token>,
    names: HashSet<String>,
    /// The fields whose texts hold JSON, the outer ones first.
    embedded: Vec<FieldPath>,
}

/// A raw field with its token.
#[derive(Debug)]
struct Token {
    path: FieldPath,
    name: String,
    /// Whether it is read as a text. Otherwise it only matters whether it is there.
    is_text: bool,
    /// Whether it is tested for being an IP address.
    is_tested: bool,
}

impl Tokens {
    /// With the fields of a table whose texts hold JSON.
    pub(super) fn new(mapping: &Mapping) -> Result<Tokens, String> {
        let mut tokens = Tokens::default();
        for text in mapping.embedded() {
            if text.objects || text.from.has_lists() {
                let path = &text.from;
                return Err(format!(
                    "`{path}` in [[embedded]]: a parser can't take lists or objects for JSON texts"
                ));
            }
            tokens.text(&text.from)?;
            tokens.embedded.push(text.from.clone());
        }
        tokens.embedded.sort_by_key(|path| path.keys().len());
        Ok(tokens)
    }

    /// A token's name that no other has.
    pub(super) fn name(&mut self, prefix: &str, words: &str) -> String {
        let plain: String =
            words.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(60).collect();
        let name = format!("{prefix}_{plain}");
        let numbered = (2..).map(|n| format!("{name}_{n}"));
        let name = std::iter::once(name.clone()).chain(numbered).find(|name| !self.names.contains(name));
        let name = name.unwrap_or_default();
        self.names.insert(name.clone());
        name
    }

    /// The token of a field that is read as a text.
    pub(super) fn text(&mut self, path: &FieldPath) -> Result<String, String> {
        self.token(path, true)
    }

    /// The token of a field of which only matters whether it is there.
    pub(super) fn presence(&mut self, path: &FieldPath) -> Result<String, String> {
        self.token(path, false)
    }

    /// A condition that holds if the field's value is an IP address.
    pub(super) fn is_ip(&mut self, path: &FieldPath) -> Result<String, String> {
        let name = self.text(path)?;
        self.fields.iter_mut().filter(|field| field.path == *path).for_each(|field| field.is_tested = true);
        Ok(format!("![{name}_is_no_ip]"))
    }

    fn token(&mut self, path: &FieldPath, is_text: bool) -> Result<String, String> {
        if let Some(known) = self.fields.iter_mut().find(|known| known.path == *path) {
            known.is_text |= is_text;
            return Ok(known.name.clone());
        }
        sayable(path)?;
        let name = self.name("field", &path.to_string());
        let field = Token { path: path.clone(), name: name.clone(), is_text, is_tested: false };
        self.fields.push(field);
        Ok(name)
    }

    /// Where a field is when the log's JSON has been read.
    pub(super) fn place(&self, path: &FieldPath) -> String {
        let inside = |outer: &&FieldPath| {
            outer.keys().len() < path.keys().len() && path.keys().starts_with(outer.keys())
        };
        let outer = self.embedded.iter().rev().find(inside);
        let (mut place, from) = match outer {
            None => ("raw".to_owned(), 0),
            Some(outer) => (self.json_of(outer), outer.keys().len()),
        };
        for (number, key) in path.keys().iter().enumerate().skip(from) {
            place.push('.');
            place.push_str(key);
            if let Some(ListStep::At(n)) = path.list(number) {
                place.push_str(&format!(".{n}"));
            }
        }
        place
    }

    /// Takes a field out of a list's element with a number. Elements that are null or "" do not count.
    fn numbered(&self, field: &Token, lines: &mut Lines) {
        let (path, name) = (&field.path, &field.name);
        let at = (0..path.keys().len()).find(|number| path.list(*number).is_some()).unwrap_or(0);
        let list = self.place(&path.first(at + 1, false));
        let inside = self.place(path);
        let inside = inside.strip_prefix(&list).unwrap_or_default();
        // `merge` leaves out what is null, and makes a list of one value.
        lines.mutate("merge", &[(format!("{name}_all"), list)], None);
        lines.block(&format!("for {name}_one in {name}_all"), |lines| {
            lines.when(&format!("[{name}_one] != \"\""), |lines| {
                lines.mutate("merge", &[(format!("{name}_list"), format!("{name}_one"))], None);
            });
        });
        let from = format!("{name}_list{inside}");
        lines.mutate("copy", &[(name.clone(), from)], Some(&format!("{name}_is_absent")));
    }

    /// The token of what is in a text that holds JSON.
    fn json_of(&self, path: &FieldPath) -> String {
        let known = self.fields.iter().find(|known| known.path == *path);
        known.map_or_else(String::new, |known| format!("{}_json", known.name))
    }

    /// The statements that make texts of all fields.
    pub(super) fn write(&self, lines: &mut Lines) {
        lines.comment("A field that is absent, null or \"\" is the empty text.");
        let empty: Vec<(String, String)> =
            self.fields.iter().map(|field| (field.name.clone(), String::new())).collect();
        lines.mutate("replace", &empty, None);
        lines.line("json { source => \"message\" target => \"raw\" array_function => \"split_columns\" on_error => \"is_no_json\" }");
        lines.drop_if("[is_no_json]");
        let depth = |path: &FieldPath| {
            self.embedded
                .iter()
                .filter(|outer| {
                    path.keys().len() > outer.keys().len() && path.keys().starts_with(outer.keys())
                })
                .count()
        };
        // What is inside of a text comes after the text has been read.
        let deepest = self.fields.iter().map(|field| depth(&field.path)).max().unwrap_or(0);
        for level in 0..=deepest {
            let fields = || self.fields.iter().filter(|field| depth(&field.path) == level);
            let moves: Vec<(String, String)> = fields()
                .filter(|field| !field.path.has_lists())
                .map(|field| (self.place(&field.path), field.name.clone()))
                .collect();
            lines.mutate("rename", &moves, None);
            // What is in lists stays there, for the rules that read all elements.
            for field in fields().filter(|field| field.path.has_lists()) {
                self.numbered(field, lines);
            }
            for field in fields().filter(|field| field.is_text) {
                let flag = format!("{}_is_no_text", field.name);
                lines.mutate("convert", &[(field.name.clone(), "string".into())], Some(&flag));
            }
            let flags: Vec<String> = fields()
                .filter(|field| field.is_text)
                .map(|field| format!("[{}_is_no_text]", field.name))
                .collect();
            if !flags.is_empty() {
                lines.comment("An object or a list where a text is read.");
                lines.drop_if(&flags.join(" or "));
            }
            for path in self.embedded.iter().filter(|path| depth(path) == level) {
                self.open(path, lines);
            }
        }
        for field in self.fields.iter().filter(|field| field.is_tested) {
            let flag = format!("{}_is_no_ip", field.name);
            lines.mutate("convert", &[(field.name.clone(), "ipaddress".into())], Some(&flag));
        }
        lines.line("");
    }

    /// Reads the JSON in a text, if it is an object.
    fn open(&self, path: &FieldPath, lines: &mut Lines) {
        let Some(field) = self.fields.iter().find(|field| field.path == *path) else { return };
        let name = &field.name;
        let object = quoted_in_condition("^[ \\t\\r\\n]*\\{");
        lines.when(&format!("[{name}] =~ {object}"), |lines| {
            let target = quoted(&self.json_of(path));
            lines.line(&format!(
                "json {{ source => {} target => {target} array_function => \"split_columns\" on_error => \"{name}_is_no_json\" }}",
                quoted(name)
            ));
            lines.when(&format!("![{name}_is_no_json]"), |lines| {
                lines.mutate("replace", &[(name.clone(), String::new())], None);
            });
        });
    }
}

/// Whether the language has a path for a field.
pub(super) fn sayable(path: &FieldPath) -> Result<(), String> {
    let keys = path.keys();
    for (number, key) in keys.iter().enumerate() {
        if key.contains("%{") {
            return Err(format!("the language reads `%{{` in `{path}` as the beginning of a token"));
        }
        if key.contains('.') && number + 1 < keys.len() {
            return Err(format!("the language has no path for `{path}`, whose key has a dot on the way"));
        }
        if key.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("the language takes the number in `{path}` for that of a list's element"));
        }
    }
    Ok(())
}
