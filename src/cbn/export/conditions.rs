//! Conditions of a table in the language's words.

use super::text::{list, quoted_in_condition, regex_of};
use super::tokens::Tokens;
use crate::mapping::{Case, Condition, When};
use crate::record::{FieldPath, TestPart, ValueTest};

/// White space as `char::is_whitespace` has it.
const BLANK: &str =
    "\\t-\\r \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}";

/// What only groups a phone number's digits, as a class of characters.
pub(super) fn grouping() -> String {
    format!("[{BLANK}.()-]")
}

/// A condition; nothing if it always holds.
pub(super) fn condition(asked: &Condition, tokens: &mut Tokens) -> Result<Option<String>, String> {
    let mut all = Vec::new();
    for (path, test) in &asked.tests {
        all.push(test_of(path, test, tokens)?);
    }
    Ok(joined(&all, " and "))
}

/// What a case asks; nothing if it always holds.
pub(super) fn case(case: &Case, tokens: &mut Tokens) -> Result<Option<String>, String> {
    let mut all = Vec::new();
    let paths =
        case.present.iter().map(|path| (path, "!=")).chain(case.absent.iter().map(|path| (path, "==")));
    for (path, op) in paths {
        all.push(format!("[{}] {op} \"\"", single(path, tokens)?));
    }
    all.extend(condition(&case.when, tokens)?);
    Ok(joined(&all, " and "))
}

/// Conditions as one.
pub(super) fn joined(all: &[String], word: &str) -> Option<String> {
    (!all.is_empty()).then(|| all.join(word))
}

/// The test of a value, by a word, of a text in a token. `is_ip` is what asks whether it is an address.
pub(super) fn when(when: When, token: &str, is_ip: &dyn Fn() -> String) -> String {
    let phone = || {
        let g = grouping();
        quoted_in_condition(&format!("^{g}*\\+?({g}*[0-9]){{7,15}}{g}*$"))
    };
    let email = || quoted_in_condition(&format!("^[^@{BLANK}]+@[^@{BLANK}]+$"));
    match when {
        When::Ip => is_ip(),
        When::NotIp => is_ip().trim_start_matches('!').to_owned(),
        When::Phone => format!("[{token}] =~ {}", phone()),
        When::NotPhone => format!("[{token}] !~ {}", phone()),
        When::Email => format!("[{token}] =~ {}", email()),
        When::NotEmail => format!("[{token}] !~ {}", email()),
    }
}

/// Whether a text is one of these, without regard to the case of ASCII letters.
pub(super) fn is_one_of(token: &str, texts: &[String]) -> String {
    let all: Vec<String> = texts.iter().map(|text| regex_of(text, true)).collect();
    format!("[{token}] =~ {}", quoted_in_condition(&format!("^(?:{})$", all.join("|"))))
}

fn single(path: &FieldPath, tokens: &mut Tokens) -> Result<String, String> {
    if path.is_many() {
        return Err(format!("a parser can't ask whether one element of `{path}` passes a test"));
    }
    tokens.text(path)
}

fn test_of(path: &FieldPath, test: &ValueTest, tokens: &mut Tokens) -> Result<String, String> {
    test_text(&single(path, tokens)?, path, test)
}

fn test_text(token: &str, path: &FieldPath, test: &ValueTest) -> Result<String, String> {
    let mut all = Vec::new();
    for part in &test.parts {
        all.push(part_of(token, path, part, test.ignore_case)?);
    }
    Ok(match &all[..] {
        // A test without parts holds of everything.
        [] => format!("[{token}] == [{token}]"),
        [one] => one.clone(),
        all => all.join(" and "),
    })
}

fn part_of(token: &str, path: &FieldPath, part: &TestPart, ignore_case: bool) -> Result<String, String> {
    let fits = |regex: &str| format!("[{token}] =~ {}", quoted_in_condition(regex));
    // What is absent is the empty text, which passes none of these.
    let there = |fits: String, text: &str| match text.is_empty() {
        true => format!("[{token}] != \"\""),
        false => fits,
    };
    Ok(match part {
        TestPart::Present(true) => format!("[{token}] != \"\""),
        TestPart::Present(false) => format!("[{token}] == \"\""),
        TestPart::OneOf(texts) => {
            let texts: Vec<String> = texts.iter().filter(|text| !text.is_empty()).cloned().collect();
            match &texts[..] {
                [] => format!("([{token}] == \"\" and [{token}] != \"\")"),
                texts if ignore_case => is_one_of(token, texts),
                [one] => format!("[{token}] == {}", quoted_in_condition(one)),
                texts => format!("[{token}] in {}", list(texts.iter().map(String::as_str))),
            }
        }
        TestPart::Contains(text) => there(fits(&regex_of(text, ignore_case)), text),
        TestPart::StartsWith(text) => there(fits(&format!("^{}", regex_of(text, ignore_case))), text),
        TestPart::Matches(regex) => format!("([{token}] != \"\" and {})", fits(regex.as_str())),
        TestPart::Cidr(_) => {
            return Err(format!("the language has no test for the network of `{path}` (`cidr`)"));
        }
        TestPart::Not(inner) => format!("not ({})", test_text(token, path, inner)?),
    })
}
