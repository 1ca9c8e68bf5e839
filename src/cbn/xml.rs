//! XML as a tree, and the paths that parsers ask it by.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::ops::Range;

/// The most elements and texts of a document.
const MOST_NODES: usize = 1 << 20;

/// How deep elements may nest.
const DEEPEST: usize = 200;

/// The documents of a log that were read last.
#[derive(Debug, Default)]
pub(super) struct Documents {
    read: Option<(Range<usize>, Option<Document>)>,
}

impl Documents {
    /// Forgets what it knows: another log begins.
    pub(super) fn clear(&mut self) {
        self.read = None;
    }

    /// The document of a text that lies here in the state's buffer; nothing if it is not well-formed.
    pub(super) fn get(&mut self, range: Range<usize>, text: &str) -> Option<&Document> {
        if self.read.as_ref().is_none_or(|(known, _)| *known != range) {
            self.read = Some((range, Document::read(text)));
        }
        self.read.as_ref().and_then(|(_, document)| document.as_ref())
    }
}

/// A document: its nodes in the order of the text.
#[derive(Debug)]
pub(super) struct Document {
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    /// An element's name; nothing for text.
    name: Option<String>,
    attributes: Vec<(String, String)>,
    text: String,
    /// The node behind this one and all below it.
    end: usize,
}

impl Document {
    /// Reads a document without entities of its own; nothing if it is not well-formed.
    fn read(text: &str) -> Option<Document> {
        let mut reader = Reader::from_str(text);
        let mut nodes: Vec<Node> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        let mut roots = 0;
        loop {
            if nodes.len() > MOST_NODES || open.len() > DEEPEST {
                return None;
            }
            match reader.read_event().ok()? {
                Event::Start(start) => {
                    roots += usize::from(open.is_empty());
                    open.push(nodes.len());
                    nodes.push(element(&start, &reader)?);
                }
                Event::Empty(start) => {
                    roots += usize::from(open.is_empty());
                    let node = element(&start, &reader)?;
                    nodes.push(Node { end: nodes.len() + 1, ..node });
                }
                Event::End(_) => {
                    let at = open.pop()?;
                    nodes[at].end = nodes.len();
                }
                Event::Text(text) => push_text(&mut nodes, &open, &text.decode().ok()?)?,
                Event::CData(text) if !open.is_empty() => {
                    push_text(&mut nodes, &open, &text.decode().ok()?)?;
                }
                Event::GeneralRef(reference) => {
                    let c = match reference.resolve_char_ref().ok()? {
                        Some(c) => c,
                        None => entity(&reference.decode().ok()?)?,
                    };
                    if open.is_empty() {
                        return None;
                    }
                    push_text(&mut nodes, &open, c.encode_utf8(&mut [0; 4]))?;
                }
                Event::Eof => break,
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                // What a DTD declares is not known here.
                Event::DocType(_) => {}
                Event::CData(_) => return None,
            }
        }
        (open.is_empty() && roots == 1).then_some(Document { nodes })
    }

    /// The text of a node and of all below it.
    fn text(&self, node: usize) -> String {
        self.nodes[node..self.nodes[node].end].iter().map(|node| node.text.as_str()).collect()
    }

    /// The elements right below a node; the root element below nothing.
    fn children(&self, node: Option<usize>) -> impl Iterator<Item = usize> + '_ {
        let (mut at, end) = node.map_or((0, self.nodes.len()), |node| (node + 1, self.nodes[node].end));
        std::iter::from_fn(move || {
            while at < end {
                let found = at;
                at = self.nodes[at].end;
                if self.nodes[found].name.is_some() {
                    return Some(found);
                }
            }
            None
        })
    }

    /// How many nodes a path finds; `visits` is what the search may still look at.
    pub(super) fn count(&self, path: &XPath, visits: &mut u64) -> Option<usize> {
        let mut count = 0;
        self.walk(None, &path.steps, visits, &mut |_| {
            count += 1;
            false
        })?;
        Some(count)
    }

    /// The text of the first node that a path finds. The outer option is nothing if there is too much to look at.
    pub(super) fn first(&self, path: &XPath, visits: &mut u64) -> Option<Option<String>> {
        let mut first = None;
        self.walk(None, &path.steps, visits, &mut |found| {
            first = Some(match found {
                Found::Element(node) => self.text(node),
                Found::Text(text) => text.to_owned(),
            });
            true
        })?;
        Some(first)
    }

    /// Goes to all that a path finds, in the order of the document, until `found` says that it is enough. Whether it did;
    /// nothing if there was too much to look at.
    fn walk(
        &self,
        from: Option<usize>,
        steps: &[Step],
        visits: &mut u64,
        found: &mut dyn FnMut(Found<'_>) -> bool,
    ) -> Option<bool> {
        let Some((step, rest)) = steps.split_first() else {
            return Some(from.is_some_and(|node| found(Found::Element(node))));
        };
        match step {
            Step::Attribute(name) => {
                let attributes = from.map_or(&[][..], |node| &self.nodes[node].attributes);
                let value = attributes.iter().find(|(known, _)| known == name);
                Some(value.is_some_and(|(_, value)| found(Found::Text(value))))
            }
            Step::Text => {
                let Some(node) = from else { return Some(false) };
                let mut at = node + 1;
                while at < self.nodes[node].end {
                    *visits = visits.checked_sub(1)?;
                    if self.nodes[at].name.is_none() && found(Found::Text(&self.nodes[at].text)) {
                        return Some(true);
                    }
                    at = self.nodes[at].end;
                }
                Some(false)
            }
            Step::Child { name, is_deep, filter } => {
                let mut counted = 0;
                for child in self.children(from) {
                    *visits = visits.checked_sub(1)?;
                    let node = &self.nodes[child];
                    let is_named = name == "*" || node.name.as_deref() == Some(name);
                    if is_named {
                        counted += 1;
                        let fits = match filter {
                            None => true,
                            Some(Filter::Number(number)) => *number == counted,
                            Some(Filter::Attribute(name, value)) => {
                                let known = node.attributes.iter().find(|(known, _)| known == name);
                                known.is_some_and(|(_, known)| known == value)
                            }
                        };
                        if fits && self.walk(Some(child), rest, visits, found)? {
                            return Some(true);
                        }
                        if matches!(filter, Some(Filter::Number(number)) if *number == counted) && !is_deep {
                            break;
                        }
                    }
                    if *is_deep && self.walk(Some(child), steps, visits, found)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
        }
    }
}

enum Found<'d> {
    Element(usize),
    Text(&'d str),
}

fn element(start: &BytesStart<'_>, reader: &Reader<&[u8]>) -> Option<Node> {
    let name = std::str::from_utf8(start.name().into_inner()).ok()?.to_owned();
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let key = std::str::from_utf8(attribute.key.into_inner()).ok()?.to_owned();
        let value = attribute.decoded_and_normalized_value(XmlVersion::Implicit1_0, reader.decoder()).ok()?;
        attributes.push((key, value.into_owned()));
    }
    Some(Node { name: Some(name), attributes, text: String::new(), end: 0 })
}

/// Adds text below what is open; outside of the root element there may be blanks alone.
fn push_text(nodes: &mut Vec<Node>, open: &[usize], text: &str) -> Option<()> {
    if open.is_empty() {
        return text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').is_empty().then_some(());
    }
    let end = nodes.len() + 1;
    nodes.push(Node { name: None, attributes: Vec::new(), text: text.to_owned(), end });
    Some(())
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

/// A path: `/Event/Row[2]/@id`.
#[derive(Debug, PartialEq)]
pub(super) struct XPath {
    steps: Vec<Step>,
}

#[derive(Debug, PartialEq)]
enum Step {
    Child {
        /// A name, or `*`.
        name: String,
        /// Whether it may be at any depth (`//name`).
        is_deep: bool,
        filter: Option<Filter>,
    },
    Attribute(String),
    Text,
}

#[derive(Debug, PartialEq)]
enum Filter {
    /// Among its siblings of that name, from 1.
    Number(usize),
    Attribute(String, String),
}

impl XPath {
    /// Reads a path; nothing if it is another than those that parsers are known to use.
    pub(super) fn read(text: &str) -> Option<XPath> {
        let mut steps = Vec::new();
        let mut rest = text.trim();
        if !rest.starts_with('/') {
            return None;
        }
        while let Some(behind) = rest.strip_prefix('/') {
            let is_deep = behind.starts_with('/');
            let behind = behind.strip_prefix('/').unwrap_or(behind);
            let end = step_end(behind);
            let step = &behind[..end];
            rest = &behind[end..];
            steps.push(Step::read(step.trim(), is_deep)?);
        }
        let last = steps.len().checked_sub(1)?;
        let ends_early = steps[..last].iter().any(|step| !matches!(step, Step::Child { .. }));
        (rest.is_empty() && !ends_early).then_some(XPath { steps })
    }
}

/// Where a step ends: at the next slash outside of brackets.
fn step_end(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            '/' if depth <= 0 => return at,
            _ => {}
        }
    }
    text.len()
}

impl Step {
    fn read(text: &str, is_deep: bool) -> Option<Step> {
        let is_name = |name: &str| {
            name == "*"
                || (!name.is_empty()
                    && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')))
        };
        if let Some(name) = text.strip_prefix('@') {
            return (is_name(name) && !is_deep).then(|| Step::Attribute(name.to_owned()));
        }
        if text == "text()" {
            return (!is_deep).then_some(Step::Text);
        }
        let (name, filter) = match text.split_once('[') {
            None => (text, None),
            Some((name, filter)) => (name, Some(Filter::read(filter.strip_suffix(']')?.trim())?)),
        };
        let name = name.trim();
        is_name(name).then(|| Step::Child { name: name.to_owned(), is_deep, filter })
    }
}

impl Filter {
    fn read(text: &str) -> Option<Filter> {
        if let Ok(number) = text.parse() {
            return Some(Filter::Number(number));
        }
        let (name, value) = text.strip_prefix('@')?.split_once('=')?;
        let value = value.trim();
        let inside = |quote| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
        let value = inside('\'').or_else(|| inside('"'))?;
        Some(Filter::Attribute(name.trim().to_owned(), value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "<?xml version='1.0'?>\n<R g='G&amp;' xmlns:x='u'><D><Row id='1'><N>a<b>c</b></N></Row>\
                        <x:Row/><Row id='2'><N>&lt;<![CDATA[<d>]]>&#33;</N></Row></D><D><Row id='3'/></D></R>\n";

    fn first(path: &str) -> Option<String> {
        let document = Document::read(TEXT).unwrap();
        document.first(&XPath::read(path).unwrap(), &mut 1000).unwrap()
    }

    #[test]
    fn paths_find_what_they_say() {
        for (path, expected) in [
            ("/R/@g", Some("G&")),
            ("/R/D/Row/N", Some("ac")),
            ("/R/D/Row[1]/@id", Some("1")),
            ("/R/D/Row[2]/N", Some("<<d>!")),
            ("/R/D/Row[@id='3']/@id", Some("3")),
            ("/R/D[2]/Row/@id", Some("3")),
            ("//N", Some("ac")),
            ("/R/*/x:Row", Some("")),
            ("/R/D/Row[3]/N", None),
            ("/X", None),
            ("/R/D/Row/N/text()", Some("a")),
            ("/R/@none", None),
        ] {
            assert_eq!(first(path).as_deref(), expected, "{path}");
        }
        let document = Document::read(TEXT).unwrap();
        assert_eq!(document.count(&XPath::read("/R/D/Row").unwrap(), &mut 1000), Some(3));
        assert_eq!(document.count(&XPath::read("/R/D/Row").unwrap(), &mut 2), None);
    }

    #[test]
    fn what_is_not_well_formed_is_no_document() {
        for text in [
            "",
            "a",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "<a>&nope;</a>",
            "<a b=c/>",
            "<a b='1' b='2'/>",
            "</a>",
            "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
        ] {
            assert!(Document::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn other_paths_are_refused() {
        for path in ["", "R/D", "/", "/a[last()]", "/a/@b/c", "/a b", "/a[1", "/count(a)"] {
            assert!(XPath::read(path).is_none(), "{path}");
        }
    }
}
