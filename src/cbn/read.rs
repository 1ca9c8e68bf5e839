//! Reads a parser's text.

use super::position::{Position, ReadError, Word};
use super::scan::{Scanner, is_bare, unescaped};
use super::syntax::{
    Branch, Comparison, Condition, For, If, Literal, Operand, Over, Plugin, PluginOption, Statement,
};
use crate::text::shown;

/// How deep blocks, values and conditions may nest.
const DEEPEST: u32 = 100;

/// Reads a text: what it has to do, in order.
///
/// # Errors
/// Where it can't be understood, and what was expected there.
pub(super) fn read(text: &str) -> Result<Vec<Statement>, ReadError> {
    let mut reader = Reader { scanner: Scanner::new(text), depth: 0, number: 0 };
    let mut statements = Vec::new();
    let mut is_there = false;
    while reader.scanner.ahead().is_some() {
        if !reader.scanner.take_word("filter") {
            return Err(reader.scanner.expected("`filter {`"));
        }
        statements.extend(reader.block()?);
        is_there = true;
    }
    if !is_there {
        return Err(reader.scanner.expected("`filter {`"));
    }
    Ok(statements)
}

struct Reader<'t> {
    scanner: Scanner<'t>,
    depth: u32,
    /// Of the next statement.
    number: u32,
}

impl Reader<'_> {
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, ReadError>) -> Result<T, ReadError> {
        if self.depth == DEEPEST {
            let message = format!("blocks, lists and brackets nest deeper than {DEEPEST}");
            return Err(ReadError::new(self.scanner.position(), message));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn count(&mut self) -> u32 {
        self.number += 1;
        self.number - 1
    }

    fn block(&mut self) -> Result<Vec<Statement>, ReadError> {
        self.scanner.require("{", "`{`")?;
        self.deeper(|reader| {
            let mut statements = Vec::new();
            while !reader.scanner.take("}") {
                statements.push(reader.statement()?);
            }
            Ok(statements)
        })
    }

    fn statement(&mut self) -> Result<Statement, ReadError> {
        self.scanner.space();
        let at = self.scanner.position();
        if self.scanner.take_word("if") {
            return self.branches(at).map(Statement::If);
        }
        if self.scanner.take_word("for") {
            return self.repeat(at).map(Statement::For);
        }
        if self.scanner.rest().starts_with("else") {
            return Err(self.scanner.expected("a statement (`else` has no `if` before it)"));
        }
        let Some(name) = self.scanner.name() else {
            return Err(self.scanner.expected("a plugin, `if`, `for` or `}`"));
        };
        let number = self.count();
        self.scanner.require("{", &format!("`{{` behind the plugin `{}`", shown(&name.text)))?;
        let mut options = Vec::new();
        while !self.scanner.take("}") {
            options.push(self.option()?);
            self.scanner.take(",");
        }
        Ok(Statement::Plugin(Plugin { name, options, number }))
    }

    fn option(&mut self) -> Result<PluginOption, ReadError> {
        let name = match self.scanner.quoted()? {
            Some(name) => Some(name),
            None => self.scanner.name(),
        };
        let Some(name) = name else { return Err(self.scanner.expected("an option's name or `}`")) };
        // `statedump { label }`
        if self.scanner.ahead() == Some('}') {
            let value = Literal::Text(Word { text: String::new(), at: name.at });
            return Ok(PluginOption { name, value });
        }
        self.assign(&name.text)?;
        let value = self.literal()?;
        Ok(PluginOption { name, value })
    }

    /// The sign between a name and its value; before `{` and `[` it may be left out.
    fn assign(&mut self, name: &str) -> Result<(), ReadError> {
        if self.scanner.take("=>") || self.scanner.take("=") || self.scanner.take(":") {
            return Ok(());
        }
        match self.scanner.ahead() {
            Some('{' | '[') => Ok(()),
            _ => Err(self.scanner.expected(&format!("`=>` behind `{}`", shown(name)))),
        }
    }

    fn literal(&mut self) -> Result<Literal, ReadError> {
        if let Some(text) = self.scanner.quoted()? {
            return Ok(Literal::Text(text));
        }
        if let Some(bare) = self.scanner.bare() {
            return Ok(Literal::Text(bare));
        }
        let at = self.scanner.position();
        if self.scanner.take("[") {
            return self.deeper(|reader| {
                let mut elements = Vec::new();
                while !reader.scanner.take("]") {
                    if !reader.scanner.take(",") {
                        elements.push(reader.literal()?);
                    }
                }
                Ok(Literal::Array(at, elements))
            });
        }
        if self.scanner.take("{") {
            return self.deeper(|reader| {
                let mut pairs = Vec::new();
                while !reader.scanner.take("}") {
                    if !reader.scanner.take(",") {
                        pairs.push(reader.pair()?);
                    }
                }
                Ok(Literal::Hash(at, pairs))
            });
        }
        Err(self.scanner.expected("a value: a text in quotes, a word, `[` or `{`"))
    }

    fn pair(&mut self) -> Result<(Word, Literal), ReadError> {
        let key = match self.scanner.quoted()? {
            Some(key) => Some(key),
            None => self.scanner.bare(),
        };
        let Some(key) = key else { return Err(self.scanner.expected("a key or `}`")) };
        self.assign(&key.text)?;
        Ok((key, self.literal()?))
    }

    fn branches(&mut self, at: Position) -> Result<If, ReadError> {
        let mut branches = Vec::new();
        let (mut at, mut condition) = (at, Some(()));
        loop {
            let number = self.count();
            let condition_of = condition.take().map(|()| self.condition()).transpose()?;
            let is_else = condition_of.is_none();
            let body = self.block()?;
            branches.push(Branch { at, number, condition: condition_of, body });
            if is_else {
                return Ok(If { branches });
            }
            self.scanner.space();
            at = self.scanner.position();
            if !self.scanner.take_word("else") {
                return Ok(If { branches });
            }
            condition = self.scanner.take_word("if").then_some(());
        }
    }

    fn repeat(&mut self, at: Position) -> Result<For, ReadError> {
        let number = self.count();
        let mut variables = Vec::new();
        loop {
            match self.scanner.name() {
                Some(name) => variables.push(name),
                None => return Err(self.scanner.expected("a variable's name")),
            }
            if !self.scanner.take(",") {
                break;
            }
        }
        if variables.len() > 2 {
            return Err(ReadError::new(variables[2].at, "expected one variable or two"));
        }
        if !self.scanner.take_word("in") && !self.scanner.take_word("IN") {
            return Err(self.scanner.expected("`in`"));
        }
        let token = match self.scanner.quoted()? {
            Some(token) => Some(token),
            None => match self.scanner.bare() {
                Some(token) => Some(token),
                None => self.reference(false)?,
            },
        };
        let Some(token) = token else {
            return Err(self.scanner.expected("the token to go over, or `xml(token, /path)`"));
        };
        let over =
            if token.text == "xml" && self.scanner.take("(") { self.xml_over()? } else { Over::Token(token) };
        let is_map = self.scanner.take_word("map");
        let body = self.block()?;
        Ok(For { at, number, variables, over, is_map, body })
    }

    fn xml_over(&mut self) -> Result<Over, ReadError> {
        let Some(source) = self.scanner.bare() else {
            return Err(self.scanner.expected("the token that holds the XML"));
        };
        self.scanner.require(",", "`,`")?;
        self.scanner.space();
        let at = self.scanner.position();
        let xpath = match self.scanner.quoted()? {
            Some(text) => {
                self.scanner.require(")", "`)`")?;
                text.text
            }
            None => self.scanner.until(')').ok_or_else(|| {
                ReadError::new(at, "expected a path such as `/Event/Row` and `)` on the same line")
            })?,
        };
        Ok(Over::Xml { source, xpath: Word { text: xpath.trim().to_owned(), at } })
    }

    fn condition(&mut self) -> Result<Condition, ReadError> {
        self.deeper(|reader| {
            let mut any = vec![reader.conjunction()?];
            while reader.scanner.take_word("or") || reader.scanner.take("||") {
                any.push(reader.conjunction()?);
            }
            Ok(if any.len() == 1 { any.remove(0) } else { Condition::Or(any) })
        })
    }

    fn conjunction(&mut self) -> Result<Condition, ReadError> {
        let mut all = vec![self.unary()?];
        while self.scanner.take_word("and") || self.scanner.take("&&") {
            all.push(self.unary()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::And(all) })
    }

    fn unary(&mut self) -> Result<Condition, ReadError> {
        if self.scanner.take("!") || self.scanner.take_word("not") {
            return self.deeper(|reader| Ok(Condition::Not(Box::new(reader.unary()?))));
        }
        if self.scanner.take("(") {
            let condition = self.condition()?;
            self.scanner.require(")", "`)`, `and` or `or`")?;
            return Ok(condition);
        }
        let left = self.operand(false)?;
        let Some(op) = self.comparison() else { return Ok(Condition::Holds(left)) };
        let is_list = matches!(op, Comparison::In | Comparison::NotIn);
        let right = if self.scanner.take("(") {
            let operand = self.operand(is_list)?;
            self.scanner.require(")", "`)`")?;
            operand
        } else {
            self.operand(is_list)?
        };
        Ok(Condition::Compare { left, op, right })
    }

    fn comparison(&mut self) -> Option<Comparison> {
        for (sign, op) in [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("=~", Comparison::Matches),
            ("!~", Comparison::MatchesNot),
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ] {
            if self.scanner.take(sign) {
                return Some(op);
            }
        }
        if self.scanner.take_word("in") || self.scanner.take_word("IN") {
            return Some(Comparison::In);
        }
        let mut ahead = self.scanner.clone();
        if ahead.take_word("not") && (ahead.take_word("in") || ahead.take_word("IN")) {
            self.scanner = ahead;
            return Some(Comparison::NotIn);
        }
        None
    }

    /// A value; `is_list` says that a bracket opens a list, unless it holds one name alone.
    fn operand(&mut self, is_list: bool) -> Result<Operand, ReadError> {
        if let Some(Word { text: once, at }) = self.scanner.quoted()? {
            return Ok(Operand::Text { value: Word { text: unescaped(&once), at }, once });
        }
        if self.scanner.ahead() == Some('[') {
            return match self.reference(is_list)? {
                Some(token) => Ok(Operand::Token(token)),
                None => self.list(),
            };
        }
        if self.scanner.take("/") {
            let at = self.scanner.position();
            let pattern = self.scanner.until('/');
            let pattern =
                pattern.ok_or_else(|| ReadError::new(at, "a regex that begins with / does not end"))?;
            return Ok(Operand::Pattern(Word { text: pattern, at }));
        }
        self.scanner.space();
        let at = self.scanner.position();
        let Some(bare) = self.scanner.bare() else {
            return Err(self.scanner.expected("a value: `[token]`, a text in quotes, a number or a list"));
        };
        Ok(match bare.text.as_str() {
            "true" => Operand::Bool(at, true),
            "false" => Operand::Bool(at, false),
            text => number(text).map_or(Operand::Token(bare), |number| Operand::Number(at, number)),
        })
    }

    fn list(&mut self) -> Result<Operand, ReadError> {
        self.scanner.space();
        let at = self.scanner.position();
        self.scanner.require("[", "`[`")?;
        self.deeper(|reader| {
            let mut elements = Vec::new();
            while !reader.scanner.take("]") {
                if !reader.scanner.take(",") {
                    elements.push(reader.operand(true)?);
                }
            }
            Ok(Operand::List(at, elements))
        })
    }

    /// `[a][b]`: the token `a.b`; nothing, and nothing taken, if it is a list.
    fn reference(&mut self, is_list: bool) -> Result<Option<Word>, ReadError> {
        let mut ahead = self.scanner.clone();
        ahead.space();
        let at = ahead.position();
        let mut path = String::new();
        while ahead.peek() == Some('[') {
            let Some(end) = ahead.rest().find(']') else {
                return Err(ReadError::new(ahead.position(), "a bracket is not closed"));
            };
            let segment = ahead.rest()[1..end].trim();
            // Behind a name, one in quotes is one, too.
            let quoted = || segment.strip_prefix('"').and_then(|inside| inside.strip_suffix('"'));
            let segment = if path.is_empty() { segment } else { quoted().unwrap_or(segment) };
            let is_name = !segment.is_empty() && !segment.contains(['"', '\'', ',', '[', '\n', '#']);
            if !is_name || (is_list && path.is_empty() && number(segment).is_some()) {
                break;
            }
            if is_list && !segment.chars().all(is_bare) {
                break;
            }
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(segment);
            while ahead.peek().is_some_and(|c| c != ']') {
                ahead.next();
            }
            ahead.next();
        }
        if path.is_empty() {
            return Ok(None);
        }
        self.scanner = ahead;
        Ok(Some(Word { text: path, at }))
    }
}

/// `-?\d+(\.\d+)?`
fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (all_digits(whole) && all_digits(fraction)).then(|| text.parse().ok()).flatten()
}
