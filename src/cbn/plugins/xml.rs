//! `xml`: sets tokens by paths into an XML text.

use crate::cbn::build::Build;
use crate::cbn::failure::Failure;
use crate::cbn::options::Options;
use crate::cbn::path::Path;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::source::text_of;
use crate::cbn::state::State;
use crate::cbn::syntax::Literal;
use crate::cbn::template::Template;
use crate::cbn::value::Value;
use crate::cbn::warning::Code;
use crate::cbn::xml::XPath;
use crate::text::shown;

#[derive(Debug)]
struct Xml {
    source: Path,
    /// Paths, and the tokens they set.
    paths: Vec<(XPathSource, Path)>,
}

/// A path that is known, or made for each log.
#[derive(Debug)]
pub(in crate::cbn) struct XPathSource {
    text: String,
    known: Option<XPath>,
    template: Template,
}

impl XPathSource {
    pub(in crate::cbn) fn new(word: &crate::cbn::position::Word, build: &mut Build) -> XPathSource {
        let template = build.template(&word.text);
        let is_made = template.constant().is_none();
        let known = if is_made { None } else { XPath::read(&word.text) };
        // With a number in place of each token the path must be one.
        let sample = crate::cbn::template::parts(&word.text).into_iter().map(|part| part.unwrap_or("1"));
        if XPath::read(&sample.collect::<String>()).is_none() {
            let message = format!(
                "`{}` is not a path such as `/a/b[1]/@c`, so it fails when a log comes here",
                shown(&word.text)
            );
            build.warn(word.at, Code::BadValue, message);
        }
        XPathSource { text: word.text.clone(), known, template }
    }

    /// Does something with the path.
    pub(in crate::cbn) fn with<'p, T>(
        &'p self,
        state: &mut State,
        act: impl FnOnce(&mut State, &XPath) -> Result<T, Failure<'p>>,
    ) -> Result<T, Failure<'p>> {
        let bad = || Failure::Other(format!("xml failure: `{}` is not a path", shown(&self.text)).into());
        if self.template.constant().is_some() {
            return act(state, self.known.as_ref().ok_or_else(bad)?);
        }
        let text = self.template.fill(state, "xml", &self.text)?;
        let made = XPath::read(state.text(text)).ok_or_else(bad)?;
        act(state, &made)
    }
}

pub(super) fn compile(options: &mut Options<'_>, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let source = options.text("source")?.map_or("message", |word| &word.text);
    let mut paths = Vec::new();
    for (xpath, token) in options.pairs("xpath")?.unwrap_or_default() {
        let Literal::Text(token) = token else {
            return Err(crate::cbn::options::wrong("xml", "xpath", "the token's name", token));
        };
        paths.push((XPathSource::new(xpath, build), build.target(&token.text)));
    }
    options.end(build, &["source", "xpath", "on_error"]);
    Ok(Box::new(Xml { source: build.path(source), paths }))
}

impl Action for Xml {
    fn run<'p>(&'p self, state: &mut State, tools: &mut Tools) -> Result<(), Failure<'p>> {
        let text = text_of(&self.source, state)?;
        for (path, token) in &self.paths {
            let found = path.with(state, |state, path| {
                let Some(document) = tools.documents.get(text.range(), state.text(text)) else {
                    return Err(Failure::Other("xml failure: the text is not well-formed XML".into()));
                };
                state.spend_by(|left| document.first(path, left)).ok_or(Failure::TooLong)
            })?;
            if let Some(found) = found {
                state.check_more(found.len())?;
                let text = state.keep(&found);
                token.set(state, Value::Text(text));
            }
        }
        Ok(())
    }
}
