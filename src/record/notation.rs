//! Notations of other tools, which look like fields and would be read as odd names.

/// What a text in another tool's notation is, and what to write in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notation {
    /// What is wrong, as the end of a sentence.
    pub(crate) why: &'static str,
    /// What to do.
    pub(crate) hint: String,
}

/// Characters that stand in a key only inside quotes.
const MARKS: &[char] =
    &['[', ']', '{', '}', '(', ')', '|', '*', '?', '\'', '`', '\\', ',', ';', '=', '<', '>', '!', '&', '$'];

/// Signs that begin a template, and those that end it.
const TEMPLATES: [(&str, &str); 5] = [("${", "}"), ("%{", "}"), ("{{", "}}"), ("<%", "%>"), ("$(", ")")];

/// Whether a key can stand in a path without quotes.
pub(crate) fn is_plain(key: &str) -> bool {
    let acts = |c: char| c.is_control() || MARKS.contains(&c) || matches!(c, '.' | '"');
    !key.is_empty()
        && key.trim() == key
        && !key.starts_with('/')
        && !key.contains(acts)
        && join(key).is_none()
}

/// What is wrong with `text` as the path of a field, if it is in another notation.
pub(crate) fn of_field(text: &str) -> Option<Notation> {
    let say = |why, hint: String| Some(Notation { why, hint });
    let write = |field: &str| format!("write `{field}`");
    if text.trim() != text {
        return say("there are blanks at its ends", write(text.trim()));
    }
    if let Some(inner) = inside_template(text) {
        return say("fields are named without signs around them", write(inner));
    }
    if let Some(rest) = text.strip_prefix("$.") {
        return say("a path begins with its first key, not with `$`", write(rest));
    }
    if let Some(keys) = text.strip_prefix('/').filter(|keys| !keys.is_empty()) {
        return say("keys are joined by dots", write(&keys.replace('/', ".")));
    }
    if let Some(rest) = text.strip_prefix('.').filter(|rest| !rest.is_empty() && !rest.starts_with('.')) {
        return say("a path begins with its first key", write(rest));
    }
    if let Some((first, second)) = join(text) {
        return say(
            "it names several fields",
            format!("write a list: `[\"{}\", \"{}\"]`", first.trim(), second.trim()),
        );
    }
    if let Some((field, _)) = text.split_once('|') {
        let hint = format!("write `{}`, and in the rule `read = \"lower\"`", field.trim());
        return say("a path holds no functions", hint);
    }
    if text.contains(['[', '*']) {
        let hint = "elements of lists: in a rule, `name[]` reads each, `name[0]` the first";
        return say("here a path leads through objects only, not into lists", hint.into());
    }
    if let Some(inner) = text.strip_prefix(['\'', '`']).and_then(|rest| rest.strip_suffix(['\'', '`'])) {
        return say("a key is quoted with `\"`, where it needs quotes", write(inner));
    }
    if text.contains(MARKS) {
        return say("it has characters that stand in a key only inside double quotes", String::new());
    }
    None
}

/// What is wrong with `text` as a fixed value, if it looks like something to be filled in.
pub(crate) fn of_value(text: &str) -> Option<Notation> {
    let say = |why, field: &str| {
        let hint = format!(
            "for a field's value write `from = \"{field}\"`; if the text is meant, add `literal = true`"
        );
        Some(Notation { why, hint })
    };
    for (open, close) in TEMPLATES {
        let Some((_, rest)) = text.split_once(open) else { continue };
        if let Some((inner, _)) = rest.split_once(close) {
            let hint = format!(
                "for a field's value write `from = \"{}\"`, for a text with values in it `template`; \
                 if the text is meant, add `literal = true`",
                inner.trim()
            );
            return Some(Notation { why: "looks like a template, which `value` does not fill in", hint });
        }
    }
    if let Some(rest) = text.strip_prefix("$.") {
        return say("looks like a path, which is not followed", rest);
    }
    if let Some((field, function)) = text.split_once('|').or_else(|| text.split_once("??"))
        && is_name(field.trim())
        && is_name(function.trim())
    {
        return say("looks like an expression, which is not computed", field.trim());
    }
    if let Some((field, rest)) = text.split_once('[')
        && let Some((index, _)) = rest.split_once(']')
        && is_name(field)
        && (index == "*" || index.bytes().all(|b| b.is_ascii_digit()))
    {
        return say("looks like a path, which is not followed", field);
    }
    let hint = || "if the text is meant, add `literal = true`".to_owned();
    if text.trim() != text {
        return Some(Notation { why: "has blanks at its ends", hint: hint() });
    }
    let is_quoted = |quote| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    if is_quoted('"') || is_quoted('\'') {
        return Some(Notation { why: "has quotes inside the quotes", hint: hint() });
    }
    None
}

fn inside_template(text: &str) -> Option<&str> {
    let inner = |(open, close): &(&str, &str)| Some(text.strip_prefix(open)?.strip_suffix(close)?.trim());
    TEMPLATES.iter().find_map(inner)
}

/// The sides of an expression that means "the one, or the other".
fn join(text: &str) -> Option<(&str, &str)> {
    ["??", "||", ",", " or ", " else ", " and ", " + "].iter().find_map(|sign| text.split_once(sign))
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_in_other_notations_are_told_what_to_write() {
        for (text, hint) in [
            ("$.ips", "write `ips`"),
            ("${a}", "write `a`"),
            ("%{a.b}", "write `a.b`"),
            ("{{ a }}", "write `a`"),
            ("/a/b", "write `a.b`"),
            (".a", "write `a`"),
            (" a", "write `a`"),
            ("a ", "write `a`"),
            ("a | lower", "write `a`,"),
            ("a|lower", "write `a`,"),
            ("a ?? b", "write a list: `[\"a\", \"b\"]`"),
            ("a or b", "write a list"),
            ("a, b", "write a list"),
            ("'a'", "write `a`"),
            ("ips[0]", "elements of lists"),
            ("ips[]", "elements of lists"),
            ("a[*].b", "elements of lists"),
            ("a.*", "elements of lists"),
            ("$['a']", "elements of lists"),
            ("lower(a)", ""),
            ("a=b", ""),
        ] {
            let notation = of_field(text).expect(text);
            assert!(notation.hint.starts_with(hint), "{text}: {notation:?}");
            assert!(!is_plain(text), "{text}");
        }
        for text in
            ["a", "a.b", "@timestamp", "user-name", "b c", "a/b", "x:y", "__class_uuid__", "é", "#1", "a+b"]
        {
            assert_eq!(of_field(text), None, "{text}");
        }
    }

    #[test]
    fn values_that_look_like_expressions_are_refused() {
        for text in [
            "${a}",
            "x ${a} y",
            "%{a}",
            "{{a}}",
            "$.ips",
            "ips[0]",
            "a.b[*].c",
            "a | lower",
            "a|lower",
            "a ?? b",
            " a",
            "a ",
            "\"a\"",
            "'a'",
            "$(a)",
        ] {
            assert!(of_value(text).is_some(), "{text}");
        }
        for text in
            ["", "a", "Duo Telephony", "a | b c", "[0]", "$5", "100%", "{a}", "/a/b", "a.b", "it's", "a[b]"]
        {
            assert_eq!(of_value(text), None, "{text}");
        }
    }
}
