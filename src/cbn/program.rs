//! A parser, compiled.

use super::build::Build;
use super::condition::{self, Condition};
use super::failure::Failure;
use super::options::Options;
use super::path::Path;
use super::plugin::{Action, Tools};
use super::plugins::{self, NAMES, XPathSource};
use super::position::{Position, ReadError};
use super::state::State;
use super::symbols::Symbols;
use super::syntax::{self, Literal, Over};
use super::warning::Code;
use crate::text::shown;
use crate::udm::nearest;

/// A parser, ready to run.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) statements: Vec<Node>,
    pub(super) symbols: Symbols,
    /// The texts that lie before those of a log.
    pub(super) texts: String,
    /// What each number names.
    pub(super) parts: Vec<ParserPart>,
    pub(super) own: Own,
}

/// A plugin, a branch or a loop of a parser.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParserPart {
    /// The plugin's name, `conditional`, or `for`.
    pub name: String,
    /// Where it begins.
    pub at: Position,
    /// Whether it is a branch or a loop, which a log reaches when it goes into it.
    pub is_branch: bool,
    /// How many of the next parts are inside of it.
    pub inside: usize,
}

/// The tokens that every log has.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) message: Path,
    pub(super) output: Path,
    pub(super) errors: Path,
    pub(super) created: Path,
    pub(super) collected: Path,
    pub(super) timestamp: Path,
    pub(super) timezone: Path,
    pub(super) loops: Path,
    /// A token of this name dates events, if it holds a time.
    pub(super) plain_timestamp: Path,
}

/// Something to do.
#[derive(Debug)]
pub(super) enum Node {
    Action { number: u32, action: Box<dyn Action>, on_error: Option<Path> },
    Drop { number: u32, tag: String },
    If(Vec<Branch>),
    For(For),
}

#[derive(Debug)]
pub(super) struct Branch {
    pub(super) number: u32,
    pub(super) condition: Option<Condition>,
    pub(super) body: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct For {
    pub(super) number: u32,
    pub(super) variables: Vec<Path>,
    pub(super) over: LoopSource,
    pub(super) is_map: bool,
    pub(super) body: Vec<Node>,
}

#[derive(Debug)]
pub(super) enum LoopSource {
    Token(Path),
    Xml(Path, XPathSource),
}

/// The tags of `drop` that Google names.
const TAGS: [&str; 5] = [
    "TAG_MALFORMED_MESSAGE",
    "TAG_MALFORMED_ENCODING",
    "TAG_UNSUPPORTED",
    "TAG_UNSPECIFIED",
    "TAG_NO_SECURITY_VALUE",
];

/// Compiles what a parser's text says.
pub(super) fn compile(statements: &[syntax::Statement], build: &mut Build) -> Result<Program, ReadError> {
    let own = Own {
        message: build.path("message"),
        output: build.path("@output"),
        errors: build.path("@onErrorCount"),
        created: build.path("@createTimestamp"),
        collected: build.path("@collectionTimestamp"),
        timestamp: build.path("@timestamp"),
        timezone: build.path("@timezone"),
        loops: build.path("@enableCbnForLoop"),
        plain_timestamp: build.path("timestamp"),
    };
    let mut parts = Vec::new();
    let statements = block(statements, build, &mut parts)?;
    build.warn_of_unset();
    build.warnings.sort_by_key(|warning| warning.at);
    Ok(Program {
        statements,
        symbols: std::mem::take(&mut build.symbols),
        texts: build.texts.buffer().to_owned(),
        parts,
        own,
    })
}

fn block(
    statements: &[syntax::Statement],
    build: &mut Build,
    parts: &mut Vec<ParserPart>,
) -> Result<Vec<Node>, ReadError> {
    statements.iter().map(|statement| node(statement, build, parts)).collect()
}

/// Notes what a number names.
fn note(parts: &mut Vec<ParserPart>, number: u32, name: &str, at: Position) {
    // Numbers are given in the order of the text, which is the order in which they are noted.
    debug_assert_eq!(parts.len(), number as usize);
    parts.push(ParserPart { name: name.to_owned(), at, is_branch: false, inside: 0 });
}

/// Compiles what is inside of the part that was noted last.
fn inside(
    body: &[syntax::Statement],
    build: &mut Build,
    parts: &mut Vec<ParserPart>,
) -> Result<Vec<Node>, ReadError> {
    let first = parts.len();
    let body = block(body, build, parts)?;
    let inside = parts.len() - first;
    if let Some(part) = first.checked_sub(1).and_then(|outer| parts.get_mut(outer)) {
        (part.is_branch, part.inside) = (true, inside);
    }
    Ok(body)
}

fn node(
    statement: &syntax::Statement,
    build: &mut Build,
    parts: &mut Vec<ParserPart>,
) -> Result<Node, ReadError> {
    match statement {
        syntax::Statement::Plugin(plugin) => {
            note(parts, plugin.number, &plugin.name.text, plugin.name.at);
            plugin_node(plugin, build)
        }
        syntax::Statement::If(found) => {
            let mut branches = Vec::new();
            for branch in &found.branches {
                note(parts, branch.number, "conditional", branch.at);
                let condition = branch.condition.as_ref().map(|one| condition::compile(one, build));
                let body = inside(&branch.body, build, parts)?;
                branches.push(Branch { number: branch.number, condition, body });
            }
            Ok(Node::If(branches))
        }
        syntax::Statement::For(found) => {
            note(parts, found.number, "for", found.at);
            let variables = found.variables.iter().map(|word| build.target(&word.text)).collect();
            found.variables.iter().for_each(|word| build.sets_any(Some(&word.text)));
            let over = match &found.over {
                Over::Token(token) => LoopSource::Token(build.path(&token.text)),
                Over::Xml { source, xpath } => {
                    LoopSource::Xml(build.path(&source.text), XPathSource::new(xpath, build))
                }
            };
            let body = inside(&found.body, build, parts)?;
            Ok(Node::For(For { number: found.number, variables, over, is_map: found.is_map, body }))
        }
    }
}

fn plugin_node(plugin: &syntax::Plugin, build: &mut Build) -> Result<Node, ReadError> {
    let mut options = Options::new(plugin);
    let name = plugin.name.text.as_str();
    if name == "drop" {
        return drop_node(plugin.number, &mut options, build);
    }
    let on_error = match options.take("on_error") {
        Some(Literal::Text(word)) => Some(word),
        Some(other) => {
            build.warn(other.at(), Code::BadValue, "expected a token's name for `on_error`: it does nothing");
            None
        }
        None => None,
    };
    let compiled = match plugins::compile(name, &mut options, build) {
        Ok(compiled) => compiled,
        // Parsers with options that a plugin does not take are in use: it fails when a log comes there.
        Err(error) => {
            build.warn(error.at, Code::BadValue, format!("{}, so `{name}` fails", error.message));
            Some(Box::new(Misconfigured { why: error.message }) as Box<dyn Action>)
        }
    };
    let Some(action) = compiled else {
        let at = plugin.name.at;
        if name == "code" {
            let message = "the plugin `code` runs JavaScript, which udmap does not";
            return Err(
                ReadError::new(at, message).with_hint("only Google SecOps itself can run this parser")
            );
        }
        let near = nearest(name, NAMES).map_or(String::new(), |near| format!("; the nearest is `{near}`"));
        return Err(ReadError::new(at, format!("there is no plugin `{}`{near}", shown(name))));
    };
    let on_error = on_error.map(|word| build.target(&word.text));
    Ok(Node::Action { number: plugin.number, action, on_error })
}

/// A plugin whose options are not what it takes.
#[derive(Debug)]
struct Misconfigured {
    why: String,
}

impl Action for Misconfigured {
    fn run<'p>(&'p self, _: &mut State, _: &mut Tools) -> Result<(), Failure<'p>> {
        Err(Failure::Other(self.why.clone().into()))
    }
}

fn drop_node(number: u32, options: &mut Options<'_>, build: &mut Build) -> Result<Node, ReadError> {
    let tag = options.text("tag").unwrap_or_else(|error| {
        build.warn(error.at, Code::BadValue, format!("{}: it does nothing", error.message));
        None
    });
    // A `drop` can't fail.
    options.take("on_error");
    options.end(build, &["tag", "on_error"]);
    if let Some(tag) = tag.filter(|tag| !TAGS.contains(&tag.text.as_str())) {
        let near =
            nearest(&tag.text, TAGS).map_or(String::new(), |near| format!("; the nearest is `{near}`"));
        let message = format!("`{}` is not a tag that Google names{near}", shown(&tag.text));
        build.warn(tag.at, Code::UnknownTag, message);
    }
    Ok(Node::Drop { number, tag: tag.map(|word| word.text.clone()).unwrap_or_default() })
}
