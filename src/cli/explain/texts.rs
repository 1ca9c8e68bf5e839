//! Explains the texts of a source: the source itself, or the members of an archive.

use super::chosen::Chosen;
use crate::check::explain::{self as check, Explanation};
use crate::convert::Options;
use crate::mapping::Mapping;
use crate::store::{Input, Source, store_error};
use crate::text::{NextText, escaped};
use anyhow::bail;
use std::io::{self, Read as _};
use std::ops::ControlFlow;
use std::sync::Arc;

/// How many records of a line wait.
const MOST_WAITING: usize = 1000;

/// Explains the records of `source` that are chosen, or all of them, until `each` breaks.
///
/// # Errors
/// When the source can't be read, or when there are several members and the one with the line is not named.
pub(super) fn explain(
    mapping: &Mapping,
    options: &Options,
    source: &Source,
    chosen: &Chosen,
    each: &mut dyn FnMut(&Explanation) -> ControlFlow<()>,
) -> anyhow::Result<()> {
    let mut input = source.open(Arc::default(), Arc::default())?.with_members();
    let mut name = source.name().to_owned();
    let mut first: Option<String> = None;
    // What is on the line waits until it is certain that no other member could be meant.
    let (mut found, mut seen) = (Vec::new(), false);
    loop {
        let wanted = match &chosen.member {
            Some(member) => name == format!("{}!{member}", source.name()),
            None => true,
        };
        let waits = first.is_some() && chosen.line.is_some() && chosen.member.is_none();
        let (mut broken, mut too_many) = (false, false);
        let ended = if wanted {
            check::explain(mapping, options, &name, &mut input, chosen.line, &mut |record| {
                if !waits {
                    let flow = each(&record);
                    broken = flow.is_break();
                    return flow;
                }
                too_many = found.len() == MOST_WAITING;
                found.push(record);
                if too_many { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        } else if first.is_none() {
            // The first read says whether it is an archive.
            input.read(&mut [0; 4096]).map(|_| ())
        } else {
            pass(&mut input)
        };
        seen |= wanted && chosen.member.is_some();
        if broken || ended.is_ok() && (first.is_none() || seen) {
            break;
        }
        let several = |first: &str| {
            let (file, first, line) = (escaped(source.name()), escaped(first), chosen.line.unwrap_or(1));
            anyhow::anyhow!("`{file}` holds several files; name one: `{first}:{line}`")
        };
        if too_many {
            return Err(several(&name));
        }
        let Err(error) = ended.and_then(|()| pass(&mut input)) else { break };
        let next = NextText::of(error).map_err(store_error)?;
        if let Some(failed) = next.failed {
            return Err(store_error(failed));
        }
        if seen {
            break;
        }
        name = next.name;
        match &first {
            Some(first) if waits => return Err(several(first)),
            Some(_) => {}
            None => first = Some(name.clone()),
        }
    }
    if chosen.member.is_some() && !seen {
        bail!("there is no `{}`", escaped(&chosen.name()));
    }
    for record in &found {
        if each(record).is_break() {
            break;
        }
    }
    Ok(())
}

/// Reads over what is left of a text; the error says whether another one follows.
fn pass(input: &mut Input) -> io::Result<()> {
    let mut piece = [0; 16 * 1024];
    while input.read(&mut piece)? > 0 {}
    Ok(())
}
