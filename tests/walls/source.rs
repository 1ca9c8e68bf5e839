//! Reads the crate's source files far enough to know which file names what of which other file.
//!
//! The tokens come from proc-macro2, so comments and texts are out of the way. Code for tests alone does not count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The files of one crate.
#[derive(Debug)]
pub(crate) struct Source {
    files: BTreeMap<Vec<String>, File>,
}

/// One module's file.
#[derive(Debug, Default)]
struct File {
    /// Its path below the package: `src/store/mod.rs`.
    path: String,
    /// Its module: `["store"]`. The root has none.
    module: Vec<String>,
    /// The modules that it declares.
    children: BTreeSet<String>,
    imports: Vec<Import>,
    /// The paths in its code, of two segments or more, with their lines.
    paths: Vec<(Vec<String>, usize)>,
    /// Every name in its code outside of `use`.
    names: BTreeSet<String>,
    /// How many modules within the file (`mod a { ... }`) are open while it is read.
    depth: usize,
}

#[derive(Debug)]
struct Import {
    path: Vec<String>,
    name: String,
    exported: bool,
    line: usize,
}

/// A file that names something of another file, or of another crate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrow {
    pub(crate) from: String,
    /// A file's path, or a crate's name.
    pub(crate) to: String,
    /// What is named, as it is written.
    pub(crate) name: String,
    pub(crate) line: usize,
}

/// What a path leads to.
enum Target<'s> {
    Module(&'s File),
    /// Something that this file defines.
    Item(&'s File),
    /// Something of another crate; or of this file's own, as `Kind::Text`.
    Other(&'s str),
}

impl Source {
    /// Reads `src/lib.rs` and every module that is declared from there on. `text` gives the files there are.
    pub(crate) fn read(text: impl Fn(&Path) -> Option<String>) -> Source {
        let mut files = BTreeMap::new();
        let mut open = vec![(Vec::new(), PathBuf::from("src/lib.rs"))];
        while let Some((module, path)) = open.pop() {
            let text_of_it = text(&path).unwrap_or_else(|| panic!("cannot read {}", path.display()));
            let tokens: TokenStream =
                text_of_it.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let mut file = File { path: path.display().to_string(), module, ..File::default() };
            file.take(tokens);
            let folder = match path.file_name().and_then(|name| name.to_str()) {
                Some("lib.rs" | "mod.rs") => path.with_file_name(""),
                _ => path.with_extension(""),
            };
            for child in &file.children {
                let alone = folder.join(format!("{child}.rs"));
                let path = if text(&alone).is_some() { alone } else { folder.join(child).join("mod.rs") };
                open.push((file.module.iter().chain([child]).cloned().collect(), path));
            }
            files.insert(file.module.clone(), file);
        }
        Source { files }
    }

    /// All arrows. A module's file that only declares modules and hands their names on points at none of them: who
    /// takes a name from it points at the file that defines the name.
    pub(crate) fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = Vec::new();
        for file in self.files.values() {
            let imports =
                file.imports.iter().filter(|import| !import.exported || file.names.contains(&import.name));
            let imports = imports.map(|import| (&import.path, import.line));
            for (path, line) in imports.chain(file.paths.iter().map(|(path, line)| (path, *line))) {
                let to = match self.target(file, path, 0) {
                    // A module is only a way to what is in it.
                    Target::Module(_) => continue,
                    Target::Item(other) if other.path == file.path => continue,
                    Target::Item(other) => &other.path,
                    Target::Other(name) => name,
                };
                arrows.push(Arrow {
                    from: file.path.clone(),
                    to: to.to_owned(),
                    name: path.join("::"),
                    line,
                });
            }
        }
        arrows.sort();
        arrows
    }

    fn target<'s>(&'s self, from: &'s File, path: &'s [String], depth: usize) -> Target<'s> {
        let [first, rest @ ..] = path else { return Target::Module(from) };
        // A name may be imported from where it is imported under that name: a crate's, for example.
        if depth > 32 {
            return Target::Other(first);
        }
        match first.as_str() {
            "crate" => self.within(&self.files[&Vec::new()], rest, depth),
            "self" => self.within(from, rest, depth),
            "super" => {
                let parent = &from.module[..from.module.len().saturating_sub(1)];
                self.target_from(&self.files[parent], rest, depth)
            }
            _ if from.children.contains(first)
                || from.imports.iter().any(|i| i.name == *first && i.path != path) =>
            {
                self.within(from, path, depth)
            }
            _ => Target::Other(first),
        }
    }

    /// Behind `super`, another `super` may follow.
    fn target_from<'s>(&'s self, parent: &'s File, rest: &'s [String], depth: usize) -> Target<'s> {
        match rest.first().map(String::as_str) {
            Some("super") => self.target(parent, rest, depth),
            _ => self.within(parent, rest, depth),
        }
    }

    /// Follows `path` from inside of a module.
    fn within<'s>(&'s self, module: &'s File, path: &'s [String], depth: usize) -> Target<'s> {
        let [name, rest @ ..] = path else { return Target::Module(module) };
        if module.children.contains(name) {
            let child: Vec<String> = module.module.iter().chain([name]).cloned().collect();
            return self.within(&self.files[&child], rest, depth);
        }
        match module.imports.iter().find(|import| import.name == *name) {
            Some(import) => match self.target(module, &import.path, depth + 1) {
                Target::Module(module) => self.within(module, rest, depth),
                other => other,
            },
            None => Target::Item(module),
        }
    }
}

impl File {
    /// Takes what is in `tokens`: imports, declared modules, and names.
    fn take(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == '#' && is_for_tests(tokens.get(at + 1)) => {
                    at = end_of_item(&tokens, at + 2);
                    continue;
                }
                TokenTree::Ident(word) if word == "use" && !is_mark(tokens.get(at + 1), '<') => {
                    let end =
                        (at..tokens.len()).find(|&end| is_mark(tokens.get(end), ';')).unwrap_or(tokens.len());
                    let exported = is_visible(&tokens[..at]);
                    self.take_use(&tokens[at + 1..end], &[], exported);
                    at = end;
                }
                TokenTree::Ident(word) if word == "mod" && is_mark(tokens.get(at + 2), ';') => {
                    self.children.insert(tokens[at + 1].to_string());
                    at += 2;
                }
                TokenTree::Ident(word)
                    if word == "mod" && matches!(tokens.get(at + 2), Some(TokenTree::Group(_))) =>
                {
                    let Some(TokenTree::Group(inside)) = tokens.get(at + 2) else { unreachable!() };
                    self.depth += 1;
                    self.take(inside.stream());
                    self.depth -= 1;
                    at += 2;
                }
                TokenTree::Ident(word) => {
                    let behind = at > 0
                        && is_mark(tokens.get(at - 1), ':')
                        && at > 1
                        && is_mark(tokens.get(at - 2), ':');
                    let line = word.span().start().line;
                    let mut path = vec![word.to_string()];
                    while is_mark(tokens.get(at + 1), ':') && is_mark(tokens.get(at + 2), ':') {
                        let Some(TokenTree::Ident(next)) = tokens.get(at + 3) else { break };
                        path.push(next.to_string());
                        at += 3;
                    }
                    self.names.insert(path[0].clone());
                    if path.len() > 1 && !behind && self.leaves(&mut path) {
                        self.paths.push((path, line));
                    }
                }
                TokenTree::Group(group) => self.take(group.stream()),
                _ => {}
            }
            at += 1;
        }
    }

    /// Takes one tree of a `use`: `a::b::{c, d as e}`.
    fn take_use(&mut self, tokens: &[TokenTree], before: &[String], exported: bool) {
        let mut path = before.to_vec();
        let mut name = None;
        let mut line = 0;
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Ident(word) if word == "as" => {
                    name = tokens.get(at + 1).map(ToString::to_string);
                    break;
                }
                // `{self}` is the module itself; at the beginning it is where the path starts.
                TokenTree::Ident(word) if word == "self" && !path.is_empty() => {
                    line = word.span().start().line
                }
                TokenTree::Ident(word) => {
                    path.push(word.to_string());
                    line = word.span().start().line;
                }
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                    for tree in
                        inside.split(|token| is_mark(Some(token), ',')).filter(|tree| !tree.is_empty())
                    {
                        self.take_use(tree, &path, exported);
                    }
                    return;
                }
                TokenTree::Punct(mark) if mark.as_char() == '*' => {
                    let named = path.join("::");
                    assert!(path[0] == "std", "{}: `use {named}::*` hides what is named; name it", self.path);
                    return;
                }
                _ => {}
            }
        }
        let name = name.or_else(|| path.last().cloned()).unwrap_or_default();
        if self.leaves(&mut path) {
            self.imports.push(Import { path, name, exported, line });
        }
    }

    /// Makes `path` one that starts from the file's own module, if it leads out of the modules within the file.
    fn leaves(&self, path: &mut Vec<String>) -> bool {
        let up = path.iter().take_while(|step| *step == "super").count();
        if self.depth == 0 || !matches!(path[0].as_str(), "super" | "self") {
            return true;
        }
        path.drain(..up.min(self.depth));
        up > self.depth
    }
}

fn is_mark(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == mark)
}

/// Whether what follows these tokens is `pub`, or `pub(crate)` and the like.
fn is_visible(before: &[TokenTree]) -> bool {
    match before {
        [.., TokenTree::Ident(word)] => word == "pub",
        [.., TokenTree::Ident(word), TokenTree::Group(group)] => {
            word == "pub" && group.delimiter() == Delimiter::Parenthesis
        }
        _ => false,
    }
}

/// Whether an attribute's brackets hold `cfg(test)`, alone or among other conditions that must all hold.
fn is_for_tests(attribute: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(group)) = attribute else { return false };
    let text = group.stream().to_string().replace(' ', "");
    text == "cfg(test)"
        || (text.starts_with("cfg(all(") && text.contains("test") && !text.contains("not(test)"))
}

/// The token behind the item that begins at `at`, with its other attributes.
fn end_of_item(tokens: &[TokenTree], mut at: usize) -> usize {
    while is_mark(tokens.get(at), '#') {
        at += 2;
    }
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is_mark(Some(token), ';'),
    };
    tokens[at..].iter().position(ends).map_or(tokens.len(), |end| at + end + 1)
}
