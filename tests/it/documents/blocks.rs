//! The fenced blocks of a Markdown file, and the commands in a block.

use std::fmt;

/// A fenced block.
#[derive(Debug)]
pub(super) struct Block {
    /// The document, from the project's folder on.
    pub(super) file: String,
    /// The line of its first fence.
    pub(super) line: usize,
    /// The word behind the fence: `sh`, `json`, ...
    pub(super) language: String,
    pub(super) text: String,
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ({})", self.file, self.line, self.language)
    }
}

/// The blocks of a document, in order.
pub(super) fn blocks(file: &str, document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(Block, usize)> = None;
    for (number, line) in document.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(language), None) => {
                let (file, language) = (file.to_owned(), language.trim().to_owned());
                let block = Block { file, line: number + 1, language, text: String::new() };
                open = Some((block, indent));
            }
            (Some(_), Some(_)) => blocks.extend(open.take().map(|(block, _)| block)),
            (None, Some((block, indent))) => {
                block.text.push_str(line.get(*indent..).unwrap_or_default());
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{file}: a block is not closed");
    blocks
}

/// A command of a block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// As the shell reads it, perhaps over several lines.
    pub(super) text: String,
    /// The exit status that it must have: the one that its comment names (`# exit status 1: ...`), else 0.
    pub(super) status: i32,
    /// What a `console` block shows of its output.
    pub(super) shown: String,
}

impl Command {
    fn new(text: String) -> Command {
        let named =
            text.split("# exit status ").nth(1).map(|rest| rest.chars().take_while(char::is_ascii_digit));
        let status = named.and_then(|digits| digits.collect::<String>().parse().ok()).unwrap_or(0);
        Command { text, status, shown: String::new() }
    }

    /// The programs that it runs.
    pub(super) fn programs(&self) -> Vec<&str> {
        let code = self.text.split(" # ").next().unwrap_or_default();
        let mut programs = Vec::new();
        let mut first = true;
        for word in code.split_whitespace() {
            let inner = word.rfind("$(").map(|at| &word[at + 2..]);
            if matches!(word, "|" | "&&" | "||" | ";") {
                first = true;
            } else if word == "\\" {
                continue;
            } else if let Some(word) = inner {
                programs.push(word);
                first = false;
            } else if first && !word.contains('=') {
                programs.push(word.trim_start_matches('('));
                first = false;
            }
        }
        programs
    }
}

/// The commands of a `sh` block.
pub(super) fn commands(text: &str) -> Vec<Command> {
    let (mut commands, mut open) = (Vec::new(), String::new());
    for line in text.lines() {
        open.push_str(line);
        if line.ends_with('\\') {
            open.push('\n');
        } else {
            let command = std::mem::take(&mut open);
            if !command.trim().is_empty() && !command.starts_with('#') {
                commands.push(Command::new(command));
            }
        }
    }
    commands
}

/// The commands of a `console` block: lines behind `$ `, with what is shown of their output.
pub(super) fn console(text: &str) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push(Command::new(command.to_owned()));
        } else if let Some(last) = commands.last_mut() {
            last.shown.push_str(line);
            last.shown.push('\n');
        }
    }
    commands
}

#[test]
fn blocks_and_commands_are_found() {
    let text = "a\n  ```sh\n  x=1 udmap a \\\n    b | head   # exit status 3: none\n\n  # c\n  y=$(aws s3)\n  ```\n```text\nb\n```\n";
    let found = blocks("a.md", text);
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].line, found[0].language.as_str(), found[1].text.as_str()), (2, "sh", "b\n"));
    let commands = commands(&found[0].text);
    assert_eq!((commands.len(), commands[0].status, commands[1].status), (2, 3, 0));
    assert_eq!(commands[0].programs(), ["udmap", "head"]);
    assert_eq!(commands[1].programs(), ["aws"]);
    let shown = console("$ a\nb\n\nc\n$ d\n");
    assert_eq!((shown.len(), shown[0].shown.as_str(), shown[1].shown.as_str()), (2, "b\n\nc\n", ""));
}
