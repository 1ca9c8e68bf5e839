//! The documents name all commands and options of the command, and no others.

use super::blocks::{blocks, commands as commands_in, console};
use super::{documents, text};
use crate::support::run;
use std::collections::{BTreeMap, BTreeSet};

/// Options of other programs that the documents' sentences name.
const OTHERS: &[&str] = &["--long", "--open", "--locked", "--rm"];

/// The commands, as `udmap help` lists them.
fn commands() -> Vec<String> {
    let help = run(&["help"]).stdout;
    let list = help.split("\nCommands:\n").nth(1).expect("a list").split("\n\n").next().expect("a list");
    let names = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next().map(str::to_owned));
    names.filter(|name| name != "help").collect()
}

/// The long options in a text.
fn options(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let long = words.filter(|word| word.starts_with("--") && word.len() > 3);
    let long = long.map(|word| word.trim_end_matches('-').to_owned());
    long.filter(|word| word[2..].starts_with(|c: char| c.is_ascii_lowercase())).collect()
}

/// The options that begin a line of each command's help.
fn known() -> BTreeMap<String, BTreeSet<String>> {
    let mut known = BTreeMap::new();
    let mut more: Vec<String> =
        ["mappings show", "parser check", "parser export", "parser run", "parser test"]
            .map(str::to_owned)
            .into();
    more.extend(commands());
    for command in more {
        let args: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = run(&args).stdout;
        let lines = help.lines().filter(|line| line.trim_start().starts_with('-'));
        let heads = lines.filter_map(|line| line.trim_start().split("  ").next());
        known.insert(command.clone(), heads.flat_map(options).collect());
    }
    known
}

#[test]
fn every_command_is_in_readme_and_every_option_in_a_document() {
    let readme = text("README.md");
    for command in commands() {
        assert!(readme.contains(&format!("`udmap {command}")), "README says nothing of `udmap {command}`");
    }
    let all = documents().iter().map(|file| text(file)).collect::<String>();
    let said = options(&all);
    let mut missing = Vec::new();
    for (command, options) in known() {
        let mut options: Vec<String> = options.into_iter().filter(|it| !said.contains(it)).collect();
        options.retain(|it| !["--help", "--version"].contains(&it.as_str()));
        if !options.is_empty() {
            missing.push(format!("{command}: {}", options.join(", ")));
        }
    }
    assert!(missing.is_empty(), "options that no document names:\n{}", missing.join("\n"));
}

/// What a document says of the command: its sentences, and the commands in its blocks that run it.
fn about_udmap(file: &str) -> String {
    let document = text(file);
    let mut about = String::new();
    let mut fenced = false;
    for line in document.lines() {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        if !fenced && !fence {
            about.push_str(line);
            about.push('\n');
        }
    }
    for block in blocks(file, &document) {
        let commands = match block.language.as_str() {
            "sh" => commands_in(&block.text),
            "console" => console(&block.text),
            _ => Vec::new(),
        };
        for command in commands.iter().filter(|command| command.programs().contains(&"udmap")) {
            about.push_str(&command.text);
            about.push('\n');
        }
    }
    about
}

#[test]
fn documents_name_no_option_that_is_not() {
    let known: BTreeSet<String> = known().into_values().flatten().collect();
    let mut wrong = Vec::new();
    for file in documents() {
        for option in options(&about_udmap(&file)) {
            if !known.contains(&option) && !OTHERS.contains(&option.as_str()) {
                wrong.push(format!("{file}: {option}"));
            }
        }
    }
    assert!(wrong.is_empty(), "options that no command has:\n{}", wrong.join("\n"));
}
