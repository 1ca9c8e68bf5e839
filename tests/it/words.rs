//! The project's texts are in plain English: no phrase of a short list, and no long sentences in the documents.

use crate::support::project;
use std::fs;
use std::path::{Path, PathBuf};

/// Phrases that a reader stumbles over, and what to say instead.
const BANNED: &[(&str, &str)] = &[
    ("wanted is", "`expected X, found Y`"),
    ("is no", "`is not a ...` (`there is no ...` is fine)"),
    ("are no", "`are not ...` (`there are no ...` is fine)"),
    ("was no", "`was not a ...` (`there was no ...` is fine)"),
    ("were no", "`were not ...` (`there were no ...` is fine)"),
    ("stands", "`is` (`stands for` is fine)"),
    ("lately", "`recently`, or name the time"),
    ("whoever", "`anyone who`, or name them"),
    ("held against", "`compared with`"),
    ("holds it against", "`compares it with`"),
    ("told from", "`distinguished from`, `follows from`"),
    ("told apart", "`distinguished`"),
    ("of no account", "`does not matter`"),
    ("gone on with", "`continued`"),
    ("goes on with", "`continues with`"),
    ("so many", "name the number: `this many`, `N`"),
    ("beside", "`next to`, `and`, `compared with`"),
    ("for ever", "`forever`, or `without end`"),
    ("what became of", "`the outcome of`"),
    ("one writing of", "`one version of`"),
];

/// Words that make a phrase ordinary English: before it, behind it.
const FINE_BEFORE: &[&str] = &["there"];
const FINE_BEHIND: &[&str] = &["longer", "more", "less", "fewer", "larger", "smaller", "later", "earlier"];

/// Sentences of more than this many words are too long.
const LONGEST: usize = 25;

/// The documents.
fn documents() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        ["README.md", "DESIGN.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
            .map(project)
            .into_iter()
            .filter(|path| path.exists())
            .collect();
    gather(&project("docs"), "md", &mut found);
    found
}

/// The files with this extension in a folder and the folders below it.
fn gather(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            gather(&path, extension, found);
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
}

/// A path from the project's folder on.
fn named(path: &Path) -> String {
    path.strip_prefix(project("")).expect("a file of the project").display().to_string()
}

/// A word of a text with its line: in lower case, without the signs around it.
type Word = (usize, String);

/// The words of a text. Signs of comments are passed over, so that a phrase may go over the end of a line.
fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start().trim_start_matches(['/', '!', '\\', '#']);
        // A text in code begins behind a quote.
        for word in line.split(|c: char| c.is_whitespace() || c == '"') {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            if !word.is_empty() {
                words.push((number + 1, word));
            }
        }
    }
    words
}

/// The banned phrases in a text: the line and the place in [`BANNED`] of each.
fn phrases(text: &str) -> Vec<(usize, usize)> {
    let words = words(text);
    let mut found = Vec::new();
    for at in 0..words.len() {
        for (which, (phrase, _)) in BANNED.iter().enumerate() {
            let parts: Vec<&str> = phrase.split(' ').collect();
            let Some(here) = words.get(at..at + parts.len()) else { continue };
            if here.iter().map(|(_, word)| word.as_str()).ne(parts.iter().copied()) {
                continue;
            }
            let before = at.checked_sub(1).map_or("", |before| &words[before].1);
            let behind = words.get(at + parts.len()).map_or("", |(_, word)| word);
            let fine = phrase.ends_with(" no")
                && (FINE_BEFORE.contains(&before) || FINE_BEHIND.contains(&behind))
                || *phrase == "stands" && behind == "for";
            if !fine {
                found.push((words[at].0, which));
            }
        }
    }
    found
}

#[test]
fn no_banned_phrase_in_sources_and_documents() {
    let mut files = documents();
    gather(&project("src"), "rs", &mut files);
    let mut found = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("a text");
        let name = named(&path);
        for (line, which) in phrases(&text) {
            let (phrase, instead) = BANNED[which];
            let line = format!("{name}:{line}: \"{phrase}\"; say {instead}");
            found.push(line);
        }
    }
    assert!(found.is_empty(), "banned phrases:\n{}", found.join("\n"));
}

#[test]
fn sentences_in_documents_are_short() {
    let mut found = Vec::new();
    for path in documents().into_iter().filter(|path| !path.ends_with("CHANGELOG.md")) {
        let text = fs::read_to_string(&path).expect("a text");
        for (line, sentence) in sentences(&text) {
            let length = length(&sentence);
            if length > LONGEST {
                let line = format!("{}:{line}: {length} words: {sentence}", named(&path));
                found.push(line);
            }
        }
    }
    assert!(found.is_empty(), "sentences of more than {LONGEST} words:\n{}", found.join("\n"));
}

/// How many words a sentence has; a piece of code counts as one.
fn length(sentence: &str) -> usize {
    let mut plain = String::new();
    for (i, part) in sentence.split('`').enumerate() {
        plain.push_str(if i % 2 == 0 { part } else { "code" });
    }
    plain.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

/// The sentences of a Markdown text with the lines on which they begin: paragraphs, items of lists and cells of
/// tables, but no blocks of code.
fn sentences(text: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let (mut fenced, mut open) = (false, false);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with("```") {
            (fenced, open) = (!fenced, false);
        } else if fenced {
        } else if line.is_empty() {
            open = false;
        } else if line.starts_with('|') {
            blocks.extend(line.split(" | ").map(|cell| (number + 1, cell.to_owned())));
            open = false;
        } else {
            let (item, rest) = item(line);
            match blocks.last_mut().filter(|_| open && !item) {
                Some((_, block)) => {
                    block.push(' ');
                    block.push_str(rest);
                }
                None => blocks.push((number + 1, rest.to_owned())),
            }
            open = true;
        }
    }
    let mut sentences = Vec::new();
    for (line, block) in blocks {
        let mut sentence = String::new();
        for word in block.split(' ') {
            sentence.push_str(word);
            let bare = word.trim_end_matches(['*', ')', '"', '_']);
            if bare.ends_with(['.', '?', '!'])
                && !bare.ends_with("...")
                && sentence.matches('`').count().is_multiple_of(2)
            {
                sentences.push((line, std::mem::take(&mut sentence)));
            } else {
                sentence.push(' ');
            }
        }
        sentences.push((line, sentence));
    }
    sentences
}

/// Whether a line begins an item of a list or is a heading, and what is behind the sign for it.
fn item(line: &str) -> (bool, &str) {
    let behind = line.trim_start_matches(|c: char| c.is_ascii_digit());
    for sign in ["- ", "* ", "# ", "## ", "### ", "#### ", "> "] {
        if let Some(rest) = line.strip_prefix(sign) {
            return (true, rest);
        }
    }
    match behind.strip_prefix(". ") {
        Some(rest) if behind.len() < line.len() => (true, rest),
        _ => (false, line),
    }
}

#[test]
fn readme_is_short() {
    let lines = fs::read_to_string(project("README.md")).expect("README.md").lines().count();
    assert!(lines <= 150, "README.md has {lines} lines: what is more than an overview belongs into docs/");
}

#[test]
fn phrases_and_sentences_are_found() {
    let lines = |text: &str| -> Vec<usize> { phrases(text).into_iter().map(|(line, _)| line).collect() };
    assert_eq!(lines("/// It is held\n/// against both.\n"), [1]);
    assert_eq!(lines("//! `x` is no number,\n//! and there is no other; it is no longer one."), [1]);
    assert_eq!(lines("It stands for SMS.\nIt stands here, Beside it."), [2, 2]);
    assert_eq!(lines("besides, understands"), Vec::<usize>::new());
    assert_eq!(lines("format!(\"there is no x\"); say(\"so many\")"), [1]);
    let text = "# A title\n\nOne. Two is `a. b` here\nand on.\n- Three\n1. Four\n\n```\nnot. this\n```\n| a | b. c |\n";
    let found: Vec<String> = sentences(text).into_iter().map(|(_, it)| it.trim().to_owned()).collect();
    let found: Vec<&str> = found.iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
    assert_eq!(found, ["A title", "One.", "Two is `a. b` here and on.", "Three", "Four", "| a", "b.", "c |"]);
    assert_eq!(length("Two is `a. b c` here."), 4);
}
