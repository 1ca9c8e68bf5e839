//! Words of pages.

use crate::text::cut;

/// A name or a value, as code that is best broken behind dots and underscores; a very long one without its end.
pub(crate) fn code(text: &str) -> String {
    const MOST: usize = 1_000;
    format!("<code>{}</code>", escaped(&cut(text, MOST)).replace('.', ".<wbr>").replace('_', "_<wbr>"))
}

/// `text` as text in HTML, and in attributes in quotes. Lines and tabs stay; what else a page, or the log that it is
/// printed to, could act on is escaped as by [`crate::text::escaped`].
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for part in text.split_inclusive(['\n', '\t']) {
        let (part, end) = part.split_at(part.trim_end_matches(['\n', '\t']).len());
        for c in crate::text::escaped(part).chars() {
            match c {
                '&' => html.push_str("&amp;"),
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '"' => html.push_str("&quot;"),
                '\'' => html.push_str("&#39;"),
                c => html.push(c),
            }
        }
        html.push_str(end);
    }
    html
}
