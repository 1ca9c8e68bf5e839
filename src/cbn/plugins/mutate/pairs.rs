//! The pairs of an operation.

use crate::cbn::options::{as_texts, wrong};
use crate::cbn::position::{ReadError, Word};
use crate::cbn::syntax::Literal;

/// The pairs of an operation, their values as texts; a list of texts is a pair for each.
pub(super) fn pairs_of<'s>(
    operation: &str,
    value: &'s Literal,
) -> Result<Vec<(&'s Word, &'s Word)>, ReadError> {
    let Literal::Hash(_, given) = value else {
        return Err(wrong("mutate", operation, "a hash such as `{ \"a\" => \"b\" }`", value));
    };
    let mut all = Vec::new();
    for (key, value) in given {
        for text in as_texts("mutate", operation, value)? {
            all.push((key, text));
        }
    }
    Ok(all)
}
