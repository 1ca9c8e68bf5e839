//! What a profile says of rejects.

use super::days::Counted;
use super::rejected::{Example, Group, Rejected};
use super::times::Span;
use super::types::{RejectExample, RejectInput, RejectReason};

/// How many inputs are listed.
const MOST_INPUTS: usize = 100;

fn example(first: &Example, with_values: bool) -> RejectExample {
    let message = with_values.then(|| first.message.clone());
    RejectExample { input: first.name.to_string(), line: first.line, message }
}

/// Rejects by reason.
pub(super) fn reject_reasons(rejected: &Rejected, span: &Span<'_>, with_values: bool) -> Vec<RejectReason> {
    let mut reasons: Vec<RejectReason> = rejected
        .by_reason
        .iter()
        .map(|(reason, group)| RejectReason {
            reason: reason.code(),
            rejects: group.rejects,
            by_time: span.by_part(&|day| day.count(Counted::Reject(*reason as u16))),
            first: group.first.as_ref().map(|first| example(first, with_values)),
        })
        .collect();
    // A stable sort leaves equals in the order of the reasons.
    reasons.sort_by_key(|it| std::cmp::Reverse(it.rejects));
    reasons
}

/// The inputs with most rejects, and how many more have some.
pub(super) fn reject_inputs(rejected: &Rejected, with_values: bool) -> (Vec<RejectInput>, u64) {
    let mut inputs: Vec<&Group> = rejected.by_input.values().collect();
    inputs.sort_by_key(|group| std::cmp::Reverse(group.rejects));
    let more = inputs.len().saturating_sub(MOST_INPUTS) as u64;
    let input = |group: &Group| RejectInput {
        input: group.first.as_ref().map_or(String::new(), |first| first.name.to_string()),
        rejects: group.rejects,
        by_reason: group.by_reason.iter().map(|(reason, n)| (reason.code(), *n)).collect(),
        first: group.first.as_ref().map(|first| example(first, with_values)),
    };
    (inputs.into_iter().take(MOST_INPUTS).map(input).collect(), more)
}
