//! `udmap fields`: searches UDM's fields, types and enums.

use super::NOTHING;
use crate::udm;
use std::fmt::Write as _;

/// How many fields are listed.
const MOST: usize = 50;
/// How many values of an enum are listed.
const MOST_VALUES: usize = 12;

/// Search UDM's fields, types and enum values.
///
/// Lists the fields whose path, type or enum values have all the words in them, as mapping tables write them.
/// `principal` stands for the other nouns (`target`, `src`, ...), which have the same fields.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  udmap fields userid
  udmap fields labels resource
  udmap fields event_type login")]
pub(super) struct Args {
    /// Words that a field must have, in any order.
    #[arg(value_name = "WORD", required = true)]
    words: Vec<String>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let found = udm::search(&args.words);
    if found.is_empty() {
        say!("no field of UDM has `{}`", crate::text::escaped(&args.words.join(" ")));
        return Ok(NOTHING);
    }
    let shown = &found[..found.len().min(MOST)];
    let wide = shown.iter().map(|field| field.path.len()).max().unwrap_or(0);
    let mut text = String::new();
    for field in shown {
        // Writing to a string can't fail.
        let _ = write!(text, "{:wide$}  {}", field.path, field.holds);
        if !field.values.is_empty() {
            let more = if field.values.len() > MOST_VALUES { ", ..." } else { "" };
            let values = &field.values[..field.values.len().min(MOST_VALUES)];
            let _ = write!(text, ": {}{more}", values.join(", "));
        }
        text.push('\n');
    }
    if found.len() > MOST {
        let _ = writeln!(text, "and {} more: add a word", found.len() - MOST);
    }
    super::mappings::print(&super::terminal::for_stdout(&text))
}
