//! What a rule puts somewhere, as statements.

use super::conditions::{self, grouping};
use super::places::{Place, said};
use super::text::{Lines, list, quoted, quoted_in_condition};
use super::tokens::{Tokens, sayable};
use crate::mapping::{Change, Content, Rule, TemplatePart, Transform, ValueMap, When};
use crate::record::FieldPath;
use crate::time::{Reading, TimeReading};
use crate::udm::{Type, enumeration};

/// A rule that is being written, with where its value goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'r> {
    pub(super) rule: &'r Rule,
    pub(super) place: &'r Place,
    pub(super) kind: Type,
}

impl Value<'_> {
    /// The statements of the rule.
    pub(super) fn write(self, tokens: &mut Tokens, lines: &mut Lines) -> Result<(), String> {
        if let Content::Time(times) = &self.rule.content {
            return self.time(times, tokens, lines);
        }
        let Some(asked) = conditions::condition(&self.rule.only_if, tokens)? else {
            return self.content(tokens, lines);
        };
        let mut result = Ok(());
        lines.when(&asked, |lines| result = self.content(tokens, lines));
        result
    }

    fn content(self, tokens: &mut Tokens, lines: &mut Lines) -> Result<(), String> {
        match &self.rule.content {
            Content::Fixed(text) => self.fixed(text, tokens, lines),
            Content::Cases(cases) => {
                let mut chain = Chain::default();
                for case in cases {
                    let asked = conditions::case(case, tokens)?;
                    chain.next(asked.as_deref(), lines, |lines| self.fixed(&case.value, tokens, lines))?;
                }
                Ok(())
            }
            Content::Template(template) => {
                let (mut asked, mut text) = (Vec::new(), String::new());
                for part in &template.parts {
                    match part {
                        TemplatePart::Text(part) => text.push_str(&said(part)?),
                        TemplatePart::Field(path) => {
                            let token = tokens.text(path)?;
                            text.push_str(&format!("%{{{token}}}"));
                            asked.push(format!("[{token}] != \"\""));
                        }
                    }
                }
                let asked = conditions::joined(&asked, " and ");
                Chain::default().next(asked.as_deref(), lines, |lines| {
                    self.place.put(&text, tokens, lines);
                    Ok(())
                })
            }
            Content::From { fields, default, change } => match &fields[..] {
                [path] if path.is_many() => match default {
                    Some(_) => Err("a parser can't say a default for a list".into()),
                    None => self.each(path, change, tokens, lines),
                },
                paths if paths.iter().any(FieldPath::is_many) => {
                    Err("a parser can't choose between lists by what is in them".into())
                }
                paths => {
                    let mut chain = Chain::default();
                    for path in paths {
                        let token = tokens.text(path)?;
                        let is_ip = match self.rule.when {
                            Some(When::Ip | When::NotIp) => tokens.is_ip(path)?,
                            _ => String::new(),
                        };
                        let asked = counts(&token, change);
                        chain.next(Some(&asked), lines, |lines| {
                            self.text(&token, &is_ip, change, tokens, lines)
                        })?;
                    }
                    match default {
                        Some(text) => chain.next(None, lines, |lines| self.fixed(text, tokens, lines)),
                        None => Ok(()),
                    }
                }
            },
            Content::Time(_) => Ok(()),
        }
    }

    /// A text of the table.
    fn fixed(self, text: &str, tokens: &mut Tokens, lines: &mut Lines) -> Result<(), String> {
        if self.is_zero(text) {
            lines.comment(&format!("{text} is the zero of its enum, which UDM leaves out."));
            return Ok(());
        }
        self.place.put(&said(text)?, tokens, lines);
        Ok(())
    }

    /// Whether a text is the value that a field for one value never holds.
    fn is_zero(self, text: &str) -> bool {
        let Type::Enum(name) = self.kind else { return false };
        let is_list = !matches!(self.place, Place::Field(_));
        let values = enumeration(name).filter(|_| !is_list).map(|found| &found.values);
        values.is_some_and(|values| values.iter().any(|(value, number)| *number == 0 && *value == text))
    }

    /// What is made of the text in a token, which is there.
    fn text(
        self,
        token: &str,
        is_ip: &str,
        change: &Change,
        tokens: &mut Tokens,
        lines: &mut Lines,
    ) -> Result<(), String> {
        let Some(when) = self.rule.when else { return self.changed(token, change, tokens, lines) };
        let asked = conditions::when(when, token, &|| is_ip.to_owned());
        let mut result = Ok(());
        lines.when(&asked, |lines| result = self.changed(token, change, tokens, lines));
        result
    }

    fn changed(
        self,
        token: &str,
        change: &Change,
        tokens: &mut Tokens,
        lines: &mut Lines,
    ) -> Result<(), String> {
        if change.steps.is_empty() {
            return self.mapped(token, change.map.as_ref(), tokens, lines);
        }
        let made = tokens.name("made_of", token);
        lines.mutate("replace", &[(made.clone(), format!("%{{{token}}}"))], None);
        for step in &change.steps {
            make(step, &made, lines)?;
        }
        let mut result = Ok(());
        lines.when(&format!("[{made}] != \"\""), |lines| {
            result = self.mapped(&made, change.map.as_ref(), tokens, lines);
        });
        result
    }

    fn mapped(
        self,
        token: &str,
        map: Option<&ValueMap>,
        tokens: &mut Tokens,
        lines: &mut Lines,
    ) -> Result<(), String> {
        let Some(map) = map else {
            if let Some(expected) = form(self.kind) {
                lines.drop_if(&format!("[{token}] !~ {}", quoted_in_condition(expected)));
            }
            self.place.put(&format!("%{{{token}}}"), tokens, lines);
            return Ok(());
        };
        let mut by_result: Vec<(&str, Vec<&str>)> = Vec::new();
        for (value, result) in &map.entries {
            match by_result.iter_mut().find(|(known, _)| known == result) {
                Some((_, values)) => values.push(value),
                None => by_result.push((result, vec![value])),
            }
        }
        let mut chain = Chain::default();
        for (result, values) in by_result {
            let asked = match &values[..] {
                [one] => format!("[{token}] == {}", quoted_in_condition(one)),
                all => format!("[{token}] in {}", list(all.iter().copied())),
            };
            chain.next(Some(&asked), lines, |lines| self.fixed(result, tokens, lines))?;
        }
        match &map.otherwise {
            Some(text) => chain.next(None, lines, |lines| self.fixed(text, tokens, lines)),
            None => Ok(()),
        }
    }

    /// Each element of a list.
    fn each(
        self,
        path: &FieldPath,
        change: &Change,
        tokens: &mut Tokens,
        lines: &mut Lines,
    ) -> Result<(), String> {
        let keys = path.keys();
        let lists: Vec<usize> = (0..keys.len()).filter(|number| path.list(*number).is_some()).collect();
        let [at] = lists[..] else { return Err(format!("`{path}` leads into lists within lists")) };
        let (outer, inner) = (path.first(at + 1, false), keys[at + 1..].join("."));
        sayable(path)?;
        let all = tokens.name("list", &outer.to_string());
        let element = tokens.name("element", &outer.to_string());
        let value = tokens.name("value", &path.to_string());
        lines.comment("A list of the log, or one value in its place.");
        lines.mutate("merge", &[(all.clone(), tokens.place(&outer))], None);
        let mut result = Ok(());
        lines.block(&format!("for {element} in {all}"), |lines| {
            lines.mutate("replace", &[(value.clone(), String::new())], None);
            let from = if inner.is_empty() { element.clone() } else { format!("{element}.{inner}") };
            lines.mutate("copy", &[(value.clone(), from)], Some(&format!("{value}_is_absent")));
            let flag = format!("{value}_is_no_text");
            lines.mutate("convert", &[(value.clone(), "string".into())], Some(&flag));
            lines.drop_if(&format!("[{flag}]"));
            let is_ip = format!("{value}_is_no_ip");
            if matches!(self.rule.when, Some(When::Ip | When::NotIp)) {
                lines.mutate("convert", &[(value.clone(), "ipaddress".into())], Some(&is_ip));
            }
            lines.when(&counts(&value, change), |lines| {
                result = self.text(&value, &format!("![{is_ip}]"), change, tokens, lines);
            });
        });
        result
    }

    /// The first time that is present.
    fn time(
        self,
        times: &[(FieldPath, TimeReading)],
        tokens: &mut Tokens,
        lines: &mut Lines,
    ) -> Result<(), String> {
        let Place::Field(target) = self.place else {
            return Err("the language has no list of times".into());
        };
        let is_required = self.rule.target.to_string() == "metadata.event_timestamp";
        let asked = conditions::condition(&self.rule.only_if, tokens)?;
        let time = match asked {
            None => target.clone(),
            Some(_) => tokens.name("time", &self.rule.target.to_string()),
        };
        let flag = tokens.name("no_time", &self.rule.target.to_string());
        let mut chain = Chain::default();
        for (path, reading) in times {
            let token = tokens.text(path)?;
            let format = match reading {
                TimeReading::Named(Reading::EpochSeconds) => "UNIX",
                TimeReading::Named(Reading::EpochMilliseconds) => "UNIX_MS",
                TimeReading::Named(Reading::EpochMicroseconds) => "UNIX_US",
                TimeReading::Named(Reading::EpochNanoseconds) => "UNIX_NS",
                TimeReading::Named(Reading::Iso8601) => "ISO8601",
                TimeReading::Format(_) => {
                    return Err(format!("the language's formats of times are others than {reading}"));
                }
            };
            chain.next(Some(&format!("[{token}] != \"\"")), lines, |lines| {
                let (token, time) = (quoted(&token), quoted(&time));
                lines.line(&format!(
                    "date {{ match => [{token}, \"{format}\"] target => {time} timezone => \"UTC\" on_error => \"{flag}\" }}"
                ));
                lines.drop_if(&format!("[{flag}]"));
                Ok(())
            })?;
        }
        if is_required {
            chain.next(None, lines, |lines| {
                lines.drop_log();
                Ok(())
            })?;
        }
        if let Some(asked) = asked {
            lines.when(&asked, |lines| lines.mutate("rename", &[(time, target.clone())], None));
        }
        Ok(())
    }
}

/// A chain of `if`, `else if` and `else`.
#[derive(Debug, Default)]
struct Chain {
    has_begun: bool,
}

impl Chain {
    /// The next branch; without a condition the last one.
    fn next(
        &mut self,
        asked: Option<&str>,
        lines: &mut Lines,
        body: impl FnOnce(&mut Lines) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut result = Ok(());
        let within = |lines: &mut Lines| result = body(lines);
        match (self.has_begun, asked) {
            (false, None) => within(lines),
            (false, Some(asked)) => lines.when(asked, within),
            (true, asked) => lines.or_when(asked, within),
        }
        self.has_begun = true;
        result
    }
}

/// Whether the text in a token is there, and none that stands for nothing.
fn counts(token: &str, change: &Change) -> String {
    match &change.absent[..] {
        [] => format!("[{token}] != \"\""),
        absent => {
            let none = std::iter::once("").chain(absent.iter().map(String::as_str));
            format!("[{token}] not in {}", list(none))
        }
    }
}

/// The form that a text must have for a field of this type; nothing if any will do.
fn form(kind: Type) -> Option<&'static str> {
    match kind {
        Type::Bool => Some("^(true|false)$"),
        Type::Integer { min: 0, .. } => Some("^(0|[1-9][0-9]*)$"),
        Type::Integer { .. } => Some("^(0|-?[1-9][0-9]*)$"),
        Type::Float { .. } => Some("^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?$"),
        _ => None,
    }
}

/// A step on the text in a token; what has no result becomes the empty text.
fn make(step: &Transform, token: &str, lines: &mut Lines) -> Result<(), String> {
    // Where the regex fits, its group is the whole text in the end; elsewhere nothing is left.
    let group = |regex: &str, lines: &mut Lines| {
        lines.when(&format!("[{token}] !~ {}", quoted_in_condition(regex)), |lines| {
            lines.mutate("replace", &[(token.to_owned(), String::new())], None);
        });
        let whole = quoted(&format!("(?s)^.*?(?-s:{regex}).*$"));
        lines.line(&format!("mutate {{ gsub => [{}, {whole}, \"$1\"] }}", quoted(token)));
    };
    let letters = |operation: &str, lines: &mut Lines| {
        lines.line(&format!("mutate {{ {operation} => [{}] }}", quoted(token)));
    };
    match step {
        Transform::Capture(regex) => group(regex.as_str(), lines),
        Transform::FirstRdn => group("^[^=]*=((?:\\\\,|[^,])*)", lines),
        Transform::Lower => letters("lowercase", lines),
        Transform::Upper => letters("uppercase", lines),
        Transform::Trim => letters("strip", lines),
        Transform::Phone => {
            let asked = conditions::when(When::NotPhone, token, &String::new);
            lines.when(&asked, |lines| lines.mutate("replace", &[(token.to_owned(), String::new())], None));
            lines.line(&format!("mutate {{ gsub => [{}, {}, \"\"] }}", quoted(token), quoted(&grouping())));
        }
        Transform::Split { .. } => {
            return Err("a parser can't say which part of a text is taken (`split`)".into());
        }
    }
    Ok(())
}
