//! Which record is meant: `FILE:LINE`, and the member of an archive, `ARCHIVE!MEMBER:LINE`.

use crate::cli::inputs::ListedInputs;
use crate::store::{Error, ErrorKind};
use crate::text::escaped;
use anyhow::bail;

/// A file or URL, and the part of it that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) file: String,
    /// The file in it, if it is an archive.
    pub(super) member: Option<String>,
    pub(super) line: Option<u64>,
}

impl Chosen {
    /// The file with the member, as readers of archives name it.
    pub(super) fn name(&self) -> String {
        match &self.member {
            Some(member) => format!("{}!{member}", self.file),
            None => self.file.clone(),
        }
    }
}

/// The place that `input` means, with what `list` finds there: the first of its readings of which there is something. A
/// name may hold `:` and `!`, so the whole of it comes first.
///
/// # Errors
/// If there is nothing, or if it can't be listed.
pub(super) fn find(
    input: &str,
    list: &dyn Fn(&str) -> anyhow::Result<ListedInputs>,
) -> anyhow::Result<(Chosen, ListedInputs)> {
    let (mut absent, mut no_line) = (None, false);
    for (chosen, line) in readings(input) {
        match list(&chosen.file) {
            Ok(inputs) => {
                if line.is_some() && chosen.line.is_none() {
                    bail!("`{}` is not a line: lines count from 1", escaped(line.unwrap_or_default()));
                }
                return Ok((chosen, inputs));
            }
            // Who may not list a bucket is not told what is not there.
            Err(error) if error.downcast_ref().is_some_and(is_absent) => {
                // The line is not part of the name that is missing.
                if absent.is_none() || !no_line && chosen.member.is_none() {
                    (absent, no_line) = (Some(error), line.is_some());
                }
            }
            Err(error) => return Err(error),
        }
    }
    match absent {
        Some(error) => Err(error),
        None => bail!("`{}` names nothing", escaped(input)),
    }
}

fn is_absent(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NoMatch | ErrorKind::BadPattern | ErrorKind::Denied | ErrorKind::Io
    )
}

/// How a name can be read, the likeliest first; and the text of its line.
fn readings(input: &str) -> Vec<(Chosen, Option<&str>)> {
    let whole = |name: &str, line: Option<&str>| Chosen {
        file: name.to_owned(),
        member: None,
        line: line.and_then(|line| line.parse().ok()).filter(|line| *line > 0),
    };
    let mut names = vec![(input, None)];
    if let Some((name, line)) = input.rsplit_once(':')
        && !line.is_empty()
        && line.bytes().all(|byte| byte.is_ascii_digit())
        && !name.is_empty()
    {
        names.push((name, Some(line)));
    }
    let mut all: Vec<_> = names.iter().map(|(name, line)| (whole(name, *line), *line)).collect();
    // A member is not looked for by both of its names: a number behind it is a line.
    for (name, line) in names.into_iter().rev().take(1) {
        for (at, _) in name.match_indices('!').filter(|(at, _)| *at > 0) {
            let member = Some(name[at + 1..].to_owned());
            all.push((Chosen { file: name[..at].to_owned(), member, ..whole(name, line) }, line));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_every_way() {
        let readings = |input: &str| {
            let shown = |(chosen, _): (Chosen, Option<&str>)| {
                let line = chosen.line.map_or(String::new(), |line| format!(" line {line}"));
                format!(
                    "{}{line}",
                    chosen.name().replacen('!', " member ", usize::from(chosen.member.is_some()))
                )
            };
            readings(input).into_iter().map(shown).collect::<Vec<_>>().join(", ")
        };
        let table = [
            ("a", "a"),
            ("a:b", "a:b"),
            ("a:12", "a:12, a line 12"),
            ("-:3", "-:3, - line 3"),
            ("s3://b/k:7", "s3://b/k:7, s3://b/k line 7"),
            ("a!b", "a!b, a member b"),
            ("a!b:2", "a!b:2, a!b line 2, a member b line 2"),
            (":2", ":2"),
            ("!x", "!x"),
        ];
        for (input, want) in table {
            assert_eq!(readings(input), want, "{input}");
        }
    }
}
