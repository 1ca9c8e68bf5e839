//! The frame of the pages: one file, no network, light and dark, printable.

/// The whole page.
pub(crate) fn document(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"generator\" content=\"udmap {}\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        escaped(title)
    )
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

const STYLE: &str = "\
:root{--ink:#1b1f24;--soft:#57606a;--paper:#fff;--tint:#f3f5f7;--line:#d0d7de;--bad:#b3261e;--c1:#2f6fb7;--c2:#c4660a;--c3:#2e7d4f;--c4:#8250a8;--c5:#7a7f85}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa4af;--paper:#12161c;--tint:#1c222a;--line:#343c46;--bad:#ff8a80;--c1:#6ca8ee;--c2:#f0a050;--c3:#63c08a;--c4:#c297e8;--c5:#9aa4af}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:76rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.6rem;margin:0 0 .3rem}
h2{font-size:1.2rem;margin:2.2rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.2rem;overflow-wrap:anywhere}
h3{font-size:1rem;margin:1.2rem 0 .3rem}
code,pre{font-family:ui-monospace,monospace;font-size:.88em}
pre{background:var(--tint);padding:.7rem;white-space:pre-wrap;overflow-wrap:anywhere;border-radius:4px}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line);overflow-wrap:break-word}
td code{overflow-wrap:anywhere}
td:first-child code{overflow-wrap:normal}
th{color:var(--soft);font-weight:600}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.scroll{overflow-x:auto}
.note{color:var(--soft)}
.bad{color:var(--bad);font-weight:600}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.7rem;margin:1rem 0}
.tile{background:var(--tint);border-radius:6px;padding:.7rem .9rem}
.tile b{display:block;font-size:1.35rem}
.bar{display:inline-block;height:.7em;background:var(--c1);border-radius:2px;vertical-align:baseline}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--soft);font:11px system-ui,sans-serif}
svg .axis{stroke:var(--line)}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin:0 .35em 0 1em}
@media print{:root{--ink:#000;--soft:#444;--paper:#fff;--tint:#f3f3f3;--line:#bbb;--bad:#a00;--c1:#2f6fb7;--c2:#c4660a;--c3:#2e7d4f;--c4:#8250a8;--c5:#7a7f85}body{font-size:10pt}main{max-width:none;padding:0}h2,h3{break-after:avoid}tr,svg,.tile{break-inside:avoid}.bar,svg *,.key{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
";
