//! The pairs of an operation.

use crate::cbn::options::{as_texts, wrong};
use crate::cbn::position::{ReadError, Word};
use crate::cbn::syntax::Literal;

/// The pairs of an operation, their values as texts; a list of texts is a pair for each.
pub(super) fn pairs_of<'s>(
    operation: &str,
    value: &'s Literal,
) -> Result<Vec<(&'s Word, &'s Word)>, ReadError> {
    // As in Logstash, a list may hold keys and values by turns.
    if let Literal::Array(_, elements) = value
        && elements.len().is_multiple_of(2)
    {
        let texts = as_texts("mutate", operation, value)?;
        return Ok(texts.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect());
    }
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
