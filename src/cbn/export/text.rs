//! The language's texts: strings as they are written, and lines with their indentation.

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A text in quotes for a condition, where its escapes are read twice.
pub(super) fn quoted_in_condition(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\\\\\").replace('"', "\\\""))
}

/// A list of texts for a condition.
pub(super) fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(quoted_in_condition).collect();
    format!("[{}]", texts.join(", "))
}

/// A regex for a text, with the case of ASCII letters as it is, or not.
pub(super) fn regex_of(text: &str, ignore_case: bool) -> String {
    if !ignore_case {
        return regex::escape(text);
    }
    let letters = |c: char| match c.is_ascii_alphabetic() {
        true => format!("[{}{}]", c.to_ascii_lowercase(), c.to_ascii_uppercase()),
        false => regex::escape(c.encode_utf8(&mut [0; 4])),
    };
    // `(?i)` also takes signs outside of ASCII for these letters, and one sign of another script for another.
    match text.is_ascii() && !text.contains(['k', 'K', 's', 'S']) {
        true => format!("(?i:{})", regex::escape(text)),
        false => text.chars().map(letters).collect(),
    }
}

/// The text of a parser that is being written.
#[derive(Debug)]
pub(super) struct Lines {
    text: String,
    depth: usize,
}

impl Lines {
    /// Inside of the filter.
    pub(super) fn new() -> Lines {
        Lines { text: String::new(), depth: 1 }
    }

    pub(super) fn line(&mut self, line: &str) {
        if !line.is_empty() {
            self.text.push_str(&"  ".repeat(self.depth));
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    /// A comment, in one line whatever is in it.
    pub(super) fn comment(&mut self, text: &str) {
        self.line(&format!("# {}", crate::text::escaped(text)));
    }

    /// What is in a block, whose first line is `head` with `{` behind it.
    pub(super) fn block(&mut self, head: &str, body: impl FnOnce(&mut Lines)) {
        self.line(&format!("{head} {{"));
        self.depth += 1;
        body(self);
        self.depth -= 1;
        self.line("}");
    }

    /// What happens where a condition holds.
    pub(super) fn when(&mut self, condition: &str, body: impl FnOnce(&mut Lines)) {
        self.block(&format!("if {condition}"), body);
    }

    /// The next branch of a chain, whose last line is a lone `}`.
    pub(super) fn or_when(&mut self, condition: Option<&str>, body: impl FnOnce(&mut Lines)) {
        let end = self.text.trim_end_matches('\n').len();
        self.text.truncate(end);
        let head = condition.map_or_else(|| " else {\n".to_owned(), |asked| format!(" else if {asked} {{\n"));
        self.text.push_str(&head);
        self.depth += 1;
        body(self);
        self.depth -= 1;
        self.line("}");
    }

    /// `mutate` with one operation on pairs.
    pub(super) fn mutate(&mut self, operation: &str, pairs: &[(String, String)], on_error: Option<&str>) {
        let pair = |(key, value): &(String, String)| format!("{} => {}", quoted(key), quoted(value));
        let on_error = on_error.map_or_else(String::new, |flag| format!(" on_error => {}", quoted(flag)));
        match pairs {
            [] => {}
            [one] => self.line(&format!("mutate {{ {operation} => {{ {} }}{on_error} }}", pair(one))),
            all => self.block("mutate", |lines| {
                lines.block(&format!("{operation} =>"), |lines| {
                    all.iter().for_each(|one| lines.line(&pair(one)));
                });
                if !on_error.is_empty() {
                    lines.line(on_error.trim_start());
                }
            }),
        }
    }

    /// The end of a log that is none of the table's.
    pub(super) fn drop_log(&mut self) {
        self.line("drop { tag => \"TAG_MALFORMED_MESSAGE\" }");
    }

    /// The end of a log for which this holds.
    pub(super) fn drop_if(&mut self, condition: &str) {
        self.when(condition, Lines::drop_log);
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}
