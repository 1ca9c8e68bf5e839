//! A table written as a parser.

use super::conditions;
use super::places::{Elements, Place};
use super::refused::Refused;
use super::text::{Lines, list};
use super::tokens::Tokens;
use super::values::Value;
use crate::mapping::{Content, Mapping, Rule, Transform};
use crate::record::TestPart;
use crate::udm::Type;
use std::fmt::Write as _;

/// Writes a table as a parser, whose events are those of the table. What can't be the same is said in its header.
///
/// # Errors
/// The first part of the table that a parser can't say.
pub fn export(mapping: &Mapping) -> Result<String, Refused> {
    if mapping.set().is_some() {
        let name = mapping.name();
        return Err(Refused::table(format!(
            "`{name}` is a set of tables: a parser is one table; export each"
        )));
    }
    if mapping.notes_bad_fields() {
        return Err(Refused::table(
            "a parser can't list the fields that it can't take (`on_bad_field = \"note\"`)",
        ));
    }
    if let Some(rest) = mapping.rest() {
        let message =
            "a parser can't put fields somewhere whose names it does not know (`[rest]`)".to_owned();
        return Err(Refused { at: Some((rest.file().to_owned(), rest.line())), message });
    }
    let mut tokens = Tokens::new(mapping).map_err(Refused::table)?;
    let mut elements = Elements::default();
    let mut rules = Lines::new();
    for target in targets(mapping.rules()) {
        write_target(&target, &mut elements, &mut tokens, &mut rules)?;
    }
    let mut own = Lines::new();
    write_own(mapping, &mut tokens, &mut own).map_err(Refused::table)?;

    let mut lines = Lines::new();
    elements.begin(&mut lines);
    tokens.write(&mut lines);
    let (own, rules) = (own.into_text(), rules.into_text());
    let mut end = Lines::new();
    elements.end(&mut end);
    end.mutate("merge", &[("@output".into(), "event".into())], None);
    let (start, end) = (lines.into_text(), end.into_text());
    Ok(format!("{}filter {{\n{start}{own}{rules}\n{end}}}\n", header(mapping)))
}

/// The rules of each UDM field, in the order of the table; of one for a single value, the lowest order first.
fn targets(rules: &[Rule]) -> Vec<Vec<&Rule>> {
    let mut targets: Vec<Vec<&Rule>> = Vec::new();
    for rule in rules {
        match targets.iter_mut().find(|known| known[0].target == rule.target) {
            Some(known) => known.push(rule),
            None => targets.push(vec![rule]),
        }
    }
    for target in &mut targets {
        let appends = target[0].target.segments.last().is_some_and(|segment| segment.index.is_some());
        if !appends {
            target.sort_by_key(|rule| rule.order.unwrap_or(0));
        }
    }
    targets
}

fn write_target(
    rules: &[&Rule],
    elements: &mut Elements,
    tokens: &mut Tokens,
    lines: &mut Lines,
) -> Result<(), Refused> {
    let refused = |rule: &Rule, why: String| Refused {
        at: Some((rule.file().to_owned(), rule.line())),
        message: format!("the rule for `{}`: {why}", rule.target),
    };
    let is_list = |place: &Place, rule: &Rule| {
        matches!(place, Place::List(_)) || rule.target.segments.last().is_some_and(|s| s.index.is_some())
    };
    // Of several rules for one value the first that gives one counts.
    let mut chosen: Option<(String, Place, Type)> = None;
    for (number, rule) in rules.iter().enumerate() {
        let (place, kind) =
            elements.place(&rule.target, rule.label.as_deref(), tokens).map_err(|why| refused(rule, why))?;
        lines.line("");
        lines.comment(&said(rule));
        if rules.len() == 1 || is_list(&place, rule) {
            let value = Value { rule, place: &place, kind };
            value.write(tokens, lines).map_err(|why| refused(rule, why))?;
            continue;
        }
        if matches!(rule.content, Content::Time(_)) {
            return Err(refused(rule, "a parser can't choose between times of several rules".into()));
        }
        if number == 0 {
            let token = tokens.name("chosen", &rule.target.to_string());
            lines.mutate("replace", &[(token.clone(), String::new())], None);
            chosen = Some((token, place, kind));
        }
        let Some((token, ..)) = &chosen else { continue };
        let choice = Place::Field(token.clone());
        let value = Value { rule, place: &choice, kind };
        let mut result = Ok(());
        match number {
            0 => result = value.write(tokens, lines),
            _ => lines.when(&format!("[{token}] == \"\""), |lines| result = value.write(tokens, lines)),
        }
        result.map_err(|why| refused(rule, why))?;
    }
    if let Some((token, place, _)) = chosen {
        lines.when(&format!("[{token}] != \"\""), |lines| place.put(&format!("%{{{token}}}"), tokens, lines));
    }
    Ok(())
}

/// A rule in words.
fn said(rule: &Rule) -> String {
    let mut text = format!("{} <- ", rule.target);
    // Writing to a string can't fail.
    match (&rule.content, &rule.label) {
        (Content::From { fields, .. }, label) => {
            let paths: Vec<String> = fields.iter().map(ToString::to_string).collect();
            if let Some(label) = label {
                let _ = write!(text, "{label}: ");
            }
            text.push_str(&paths.join(", else "));
        }
        (Content::Cases(_), _) => text.push_str("the first case that fits"),
        (content, _) => {
            let _ = write!(text, "{content}");
        }
    }
    if let Some(when) = rule.when {
        let _ = write!(text, ", if it is {}", when.words());
    }
    text
}

/// The statements that drop records of other logs.
fn write_own(mapping: &Mapping, tokens: &mut Tokens, lines: &mut Lines) -> Result<(), String> {
    let own = &mapping.formats().own;
    if !own.fields.is_empty() || !own.any.is_empty() {
        lines.comment("Records of other logs.");
    }
    for (path, texts) in &own.fields {
        let token = tokens.text(path)?;
        let texts: Vec<String> = texts.iter().filter(|text| !text.is_empty()).cloned().collect();
        let asked = match texts.is_empty() {
            true => format!("[{token}] != \"\""),
            false => format!("[{token}] != \"\" and not ({})", conditions::is_one_of(&token, &texts)),
        };
        lines.drop_if(&asked);
    }
    if own.any.is_empty() {
        return Ok(());
    }
    let mut none = Vec::new();
    for path in &own.any {
        none.push(format!("[{}] == \"\"", tokens.presence(path)?));
    }
    let known = list(own.known.iter().map(String::as_str));
    lines.when(&none.join(" and "), |lines| {
        lines.comment("Fields that the table does not know.");
        lines.block("for key, member in raw map", |lines| {
            lines.drop_if(&format!("[member] != \"\" and [key] not in {known}"));
        });
    });
    Ok(())
}

fn header(mapping: &Mapping) -> String {
    let mut lines = vec![
        format!("{}: {}", mapping.name(), mapping.description()),
        format!("Log type {}. Written by `udmap parser export`.", mapping.log_type()),
        String::new(),
        "Its events are those of `udmap convert` with this table, except for what the language can't say:".into(),
        "- A number is kept as a double. 1.50 becomes 1.5, 1E5 becomes 100000, and of more than 17 digits some are lost."
            .into(),
        "- A log with a number that is too large for a double, such as 1E400, is dropped.".into(),
        "- So is a time that is a number: what is finer than a microsecond is lost.".into(),
        "- A record that `udmap convert` rejects is dropped, with the tag TAG_MALFORMED_MESSAGE.".into(),
        "- One log is one record. There are no envelopes, arrays, CEF or key=value lines.".into(),
        "- Records of more than 1 MiB, which `udmap convert` rejects, are left to the platform.".into(),
        "- Where it runs on the platform, metadata.log_type is the log type, whatever the record says.".into(),
    ];
    if mapping.rules().iter().flat_map(Rule::fields).any(|path| path.keys().len() > 1) {
        lines.push("- A key with dots, such as \"a.b\", is taken for b in a where there is no a.".into());
    }
    if mapping.rules().iter().any(has_regex) {
        lines.push("- In regexes \\d, \\w, \\s, \\b and (?i) are about ASCII alone.".into());
    }
    let comment = |line: String| match line.is_empty() {
        true => "#\n".to_owned(),
        false => format!("# {}\n", crate::text::escaped(&line)),
    };
    lines.into_iter().map(comment).collect()
}

/// Whether the rule has a regex of the table's author.
fn has_regex(rule: &Rule) -> bool {
    let matches = |part: &TestPart| match part {
        TestPart::Matches(_) => true,
        TestPart::Not(test) => test.parts.iter().any(|part| matches!(part, TestPart::Matches(_))),
        _ => false,
    };
    let in_cases = match &rule.content {
        Content::Cases(cases) => {
            cases.iter().flat_map(|case| &case.when.tests).any(|(_, test)| test.parts.iter().any(matches))
        }
        Content::From { change, .. } => change.steps.iter().any(|step| matches!(step, Transform::Capture(_))),
        _ => false,
    };
    in_cases || rule.only_if.tests.iter().any(|(_, test)| test.parts.iter().any(matches))
}
