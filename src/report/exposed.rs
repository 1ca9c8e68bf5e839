//! What lies below the outputs of a run and would be read with them, as hints of its summary.

use crate::jobs::dump::{Exposed, Sort};
use crate::text::escaped;
use std::fmt::Write as _;

/// What a reader of all outputs would read, too, and what to do about it.
pub(super) fn text(to: &mut String, exposed: &[Exposed]) -> std::fmt::Result {
    for it in exposed {
        let (what, verb) = match it.what {
            Sort::Manifest => ("the manifest", "is"),
            Sort::Rejects => ("the rejects", "are"),
        };
        let (place, below) = (escaped(&it.place), escaped(&it.below));
        let option = match &it.option {
            Some(option) => format!("`{}`", escaped(option)),
            None => format!("`--{}` in another bucket", it.what.name()),
        };
        let reader = format!("a feed, or whatever else reads all of `{below}`, reads {what}, too");
        if !it.exists {
            writeln!(
                to,
                "hint: {what} would be in `{place}`, and {reader}; to keep {what} apart, add {option}"
            )?;
            continue;
        }
        write!(to, "hint: {what} {verb} in `{place}`, and {reader}; ")?;
        match (it.what, &it.move_with) {
            (Sort::Manifest, Some(command)) => {
                writeln!(to, "to keep it apart, `{}`, and add {option} from then on", escaped(command))?;
            }
            (Sort::Manifest, None) => {
                writeln!(to, "to keep it apart, move everything there, and add {option} from then on")?;
            }
            (Sort::Rejects, _) => writeln!(
                to,
                "to keep them apart, add {option}: inputs with rejects are then converted again, to the same events, and \
                 `udmap prune` removes the old rejects"
            )?,
        }
    }
    Ok(())
}
