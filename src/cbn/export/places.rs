//! Where in the event a value goes.

use super::text::Lines;
use super::tokens::Tokens;
use crate::udm::{self, Index, Type};

/// The token of the event.
const EVENT: &str = "event.idm.read_only_udm";

/// The elements of lists that have fields of their own, each with the token that it is until it is merged.
#[derive(Debug, Default)]
pub(super) struct Elements {
    /// The list's token, the element's number, and its token.
    all: Vec<(String, u16, String)>,
}

/// A place of the event.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A field for one value.
    Field(String),
    /// One more element of a list.
    List(String),
    /// One more label of a list: the list, the label's key, and the token in it for the value.
    Label { list: String, key: String, value: &'static str },
}

impl Elements {
    /// The place at a path, and its type.
    pub(super) fn place(
        &mut self,
        path: &udm::Path,
        label: Option<&str>,
        tokens: &mut Tokens,
    ) -> Result<(Place, Type), String> {
        let mut token = EVENT.to_owned();
        let mut message = udm::message("UDM");
        let mut kind = Type::String;
        for segment in &path.segments {
            if let Type::Foreign(_) = kind {
                let (list, key) = (format!("{token}.fields"), said(&segment.name)?);
                return Ok((Place::Label { list, key, value: "value.string_value" }, Type::String));
            }
            token = format!("{token}.{}", segment.name);
            kind = message
                .and_then(|message| message.field(&segment.name))
                .map_or(Type::String, |field| field.kind);
            match segment.index {
                None => {}
                Some(Index::At(n)) => token = self.element(token, n, tokens),
                Some(Index::Append) => {
                    let place = match label {
                        None => Place::List(token),
                        Some(key) => Place::Label { list: token, key: said(key)?, value: "value" },
                    };
                    let kind = if label.is_some() { Type::String } else { kind };
                    return Ok((place, kind));
                }
            }
            message = match kind {
                Type::Message(name) => udm::message(name),
                _ => None,
            };
        }
        Ok((Place::Field(token), kind))
    }

    fn element(&mut self, list: String, number: u16, tokens: &mut Tokens) -> String {
        let known = self.all.iter().find(|(known, n, _)| (known, *n) == (&list, number));
        if let Some((.., token)) = known {
            return token.clone();
        }
        let words = list.trim_start_matches(EVENT).trim_start_matches('.').to_owned();
        let token = tokens.name(&words.replace('.', "_"), &number.to_string());
        self.all.push((list, number, token.clone()));
        token
    }

    /// The statements that make them empty.
    pub(super) fn begin(&self, lines: &mut Lines) {
        let empty: Vec<(String, String)> =
            self.all.iter().map(|(.., token)| (token.clone(), String::new())).collect();
        lines.mutate("replace", &empty, None);
    }

    /// The statements that merge those with fields into their lists, the inner ones first.
    pub(super) fn end(&self, lines: &mut Lines) {
        let is_in =
            |list: &str, token: &str| list.strip_prefix(token).is_some_and(|rest| rest.starts_with('.'));
        let depth = |list: &str| {
            let (mut depth, mut at) = (0, list);
            while let Some((outer, ..)) = self.all.iter().find(|(.., token)| is_in(at, token)) {
                (depth, at) = (depth + 1, outer);
            }
            depth
        };
        let mut all: Vec<&(String, u16, String)> = self.all.iter().collect();
        all.sort_by_key(|(list, number, _)| (std::cmp::Reverse(depth(list)), list.clone(), *number));
        for (list, _, token) in all {
            lines.when(&format!("[{token}] != \"\""), |lines| {
                lines.mutate("merge", &[(list.clone(), token.clone())], None);
            });
        }
    }
}

impl Place {
    /// The statement that puts a value, written as `replace` writes it, there.
    pub(super) fn put(&self, value: &str, tokens: &mut Tokens, lines: &mut Lines) {
        match self {
            Place::Field(token) => lines.mutate("replace", &[(token.clone(), value.to_owned())], None),
            Place::List(list) => {
                let token = value.strip_prefix("%{").and_then(|rest| rest.strip_suffix('}'));
                match token.filter(|token| !token.contains(['%', '}'])) {
                    Some(token) => lines.mutate("merge", &[(list.clone(), token.to_owned())], None),
                    None => {
                        let token = tokens.name("text", list.rsplit('.').next().unwrap_or(list));
                        lines.mutate("replace", &[(token.clone(), value.to_owned())], None);
                        lines.mutate("merge", &[(list.clone(), token)], None);
                    }
                }
            }
            Place::Label { list, key, value: member } => {
                let token = tokens.name("label", key);
                // An object of its own for each: lists hold objects, not copies of them.
                lines.mutate("replace", &[(token.clone(), String::new())], None);
                let pairs =
                    [(format!("{token}.key"), key.clone()), (format!("{token}.{member}"), value.to_owned())];
                lines.mutate("replace", &pairs, None);
                lines.mutate("merge", &[(list.clone(), token)], None);
            }
        }
    }
}

/// A text of the table, if `replace` can set it.
pub(super) fn said(text: &str) -> Result<String, String> {
    match text.contains("%{") {
        true => Err(format!("the language reads `%{{` in the text `{text}` as the beginning of a token")),
        false => Ok(text.to_owned()),
    }
}
