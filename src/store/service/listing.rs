//! A page of a listing, read strictly: what is not one, or not whole, is never taken for an empty one.
//!
//! The object_store crate takes what it knows from any XML and fills in the rest: a proxy's page would be a bucket
//! without objects. So each page is read here in full, and handed on in one plain spelling, with keys that the crate has
//! paths for.

use super::keys::encode_key;
use crate::text::shown;
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesRef, Event};
use std::fmt::Write as _;

/// How deep elements may lie in each other: a listing's lie in four.
const DEEPEST: usize = 16;

/// Why a text is not a page of a listing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It ends in the middle.
    Cut,
    /// It is another one, or contradicts itself; in the words of a message.
    Other(String),
    /// It is the error that a service has sent as if all were well.
    Refusal,
}

/// A page of a listing of S3's, version 2.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// In the order of their keys, each once.
    entries: Vec<Entry>,
    /// Where the listing goes on, if it does.
    pub(super) next: Option<String>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Entry {
    key: Option<String>,
    size: Option<String>,
    modified: Option<String>,
    etag: Option<String>,
}

fn other<T>(why: impl Into<String>) -> Result<T, Unfit> {
    Err(Unfit::Other(why.into()))
}

/// Is told of an element's end.
type Visitor<'a> = dyn FnMut(&[String], String) -> Result<(), Unfit> + 'a;

/// Visits the end of each element of a whole document: the names of those that it lies in, itself last, and its text.
///
/// # Errors
/// If the document is not well-formed, ends early, or has another root than `root`.
fn visit(text: &str, root: &str, each: &mut Visitor<'_>) -> Result<(), Unfit> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let (mut names, mut content, mut done) = (Vec::<String>::new(), String::new(), false);
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(quick_xml::Error::Syntax(_)) if done || !names.is_empty() => return Err(Unfit::Cut),
            Err(error) if names.is_empty() && !done => {
                return other(format!("it is not XML ({error}): `{}`", shown(text.trim())));
            }
            Err(error) => return other(format!("its XML is broken: {error}")),
        };
        match event {
            Event::Start(start) => {
                let local = start.local_name();
                let name = String::from_utf8_lossy(local.as_ref()).into_owned();
                if done {
                    return other("something follows its end");
                }
                if names.is_empty() && name != root {
                    if name == "Error" {
                        return Err(Unfit::Refusal);
                    }
                    return other(format!("expected `{root}`, found `{}`", shown(&name)));
                }
                if names.len() == DEEPEST {
                    return other("its elements lie too deep in each other");
                }
                names.push(name);
                content.clear();
            }
            Event::End(_) => {
                each(&names, std::mem::take(&mut content))?;
                names.pop();
                done = names.is_empty();
            }
            Event::Text(piece) => {
                let piece = piece.decode().map_err(|error| Unfit::Other(error.to_string()))?;
                if names.is_empty() && !piece.trim_start_matches('\u{feff}').trim().is_empty() {
                    return other(format!("expected `{root}`, found `{}`", shown(piece.trim())));
                }
                content.push_str(&piece);
            }
            Event::CData(piece) => {
                content.push_str(&piece.decode().map_err(|error| Unfit::Other(error.to_string()))?);
            }
            Event::GeneralRef(reference) => match character(&reference) {
                Some(c) => content.push(c),
                None => return other("its XML has a reference to nothing"),
            },
            Event::DocType(_) => return other("expected a listing, found a document type (a page of HTML?)"),
            Event::Eof if done => return Ok(()),
            Event::Eof if names.is_empty() => return other("it is empty"),
            Event::Eof => return Err(Unfit::Cut),
            _ => {}
        }
    }
}

/// One of XML's five entities, or a character by its number.
pub(super) fn character(reference: &BytesRef<'_>) -> Option<char> {
    match &**reference {
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        _ => reference.resolve_char_ref().ok().flatten(),
    }
}

impl Page {
    /// Reads a page that was asked for with this prefix.
    pub(super) fn read(text: &str, prefix: &str) -> Result<Page, Unfit> {
        let mut page = Page { entries: Vec::new(), next: None };
        let (mut entry, mut truncated, mut count, mut encoded) = (Entry::default(), None, None, false);
        visit(text, "ListBucketResult", &mut |names, text| {
            let names: Vec<&str> = names.iter().skip(1).map(String::as_str).collect();
            let place = match names[..] {
                ["Contents", "Key"] => &mut entry.key,
                ["Contents", "Size"] => &mut entry.size,
                ["Contents", "LastModified"] => &mut entry.modified,
                ["Contents", "ETag"] => &mut entry.etag,
                ["IsTruncated"] => &mut truncated,
                ["NextContinuationToken"] => &mut page.next,
                ["KeyCount"] => &mut count,
                ["EncodingType"] => {
                    encoded = text.trim().eq_ignore_ascii_case("url");
                    return Ok(());
                }
                ["Contents"] => {
                    page.entries.push(std::mem::take(&mut entry).checked()?);
                    return Ok(());
                }
                ["CommonPrefixes"] => {
                    return other("it hides objects behind a common prefix, which was not asked for");
                }
                _ => return Ok(()),
            };
            match place.replace(text) {
                None => Ok(()),
                Some(_) => other(format!("it has `{}` twice", shown(&names.join("/")))),
            }
        })?;
        if let Some(count) = count.as_deref().and_then(|count| count.trim().parse::<usize>().ok())
            && count > page.entries.len()
        {
            return other(format!("it says that it has {count} objects, and has {}", page.entries.len()));
        }
        page.next = page.next.filter(|next| !next.is_empty());
        match truncated.as_deref().map(str::trim) {
            Some("true") if page.next.is_none() => {
                return other(
                    "it says that there is more, but not where (`IsTruncated` without `NextContinuationToken`)",
                );
            }
            Some("true") | None => {}
            Some("false") => page.next = None,
            Some(text) => {
                return other(format!("its `IsTruncated` is neither true nor false: `{}`", shown(text)));
            }
        }
        for entry in &mut page.entries {
            let Some(key) = &mut entry.key else { continue };
            if encoded {
                let pair = format!("k={}", key.replace('&', "%26"));
                let decoded = url::form_urlencoded::parse(pair.as_bytes()).next();
                *key = decoded.map(|(_, key)| key.into_owned()).unwrap_or_default();
            }
            if !key.starts_with(prefix) {
                let (key, prefix) = (shown(key), shown(prefix));
                return other(format!("`{prefix}` was asked for, and `{key}` does not begin with it"));
            }
        }
        // As most services list them; one that does not may give an object twice.
        page.entries.sort_by(|a, b| a.key.cmp(&b.key));
        page.entries.dedup_by(|later, earlier| later.key == earlier.key);
        Ok(page)
    }

    /// The page in plain words, for the crate.
    pub(super) fn plain(&self) -> String {
        let mut xml = "<ListBucketResult>".to_owned();
        for entry in &self.entries {
            let part = |part: &Option<String>| part.as_deref().map(str::trim).unwrap_or_default().to_owned();
            let key = encode_key(entry.key.as_deref().unwrap_or_default());
            let (size, modified) = (part(&entry.size), part(&entry.modified));
            let _ = write!(
                xml,
                "<Contents><Key>{}</Key><LastModified>{modified}</LastModified><Size>{size}</Size>",
                escape(&*key)
            );
            if entry.etag.is_some() {
                let _ = write!(xml, "<ETag>{}</ETag>", escape(part(&entry.etag)));
            }
            xml.push_str("</Contents>");
        }
        if let Some(next) = &self.next {
            let _ = write!(xml, "<NextContinuationToken>{}</NextContinuationToken>", escape(next.as_str()));
        }
        xml.push_str("</ListBucketResult>");
        xml
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Entry {
    fn checked(self) -> Result<Entry, Unfit> {
        let Some(key) = self.key.as_deref().filter(|key| !key.is_empty()) else {
            return other("it has an object without a key");
        };
        let size = self.size.as_deref().map(str::trim);
        if !size.is_some_and(|size| size.bytes().all(|b| b.is_ascii_digit()) && size.parse::<u64>().is_ok()) {
            let found = size.map_or_else(|| "nothing".into(), |size| format!("`{}`", shown(size)));
            return other(format!("expected the size of `{}` in bytes, found {found}", shown(key)));
        }
        let modified = self.modified.as_deref().map(str::trim);
        if modified.is_none_or(|at| chrono::DateTime::parse_from_rfc3339(at).is_err()) {
            let found = modified.map_or_else(|| "nothing".into(), |at| format!("`{}`", shown(at)));
            return other(format!("expected the time of the last change of `{}`, found {found}", shown(key)));
        }
        Ok(self)
    }
}

/// Checks a page of Azure's, which goes to the crate as it came; where it goes on.
pub(super) fn azure(text: &str) -> Result<Option<String>, Unfit> {
    let (mut next, mut blob) = (None, [false; 2]);
    visit(text, "EnumerationResults", &mut |names, text| {
        let names: Vec<&str> = names.iter().skip(1).map(String::as_str).collect();
        match names[..] {
            ["NextMarker"] => next = Some(text).filter(|text| !text.is_empty()),
            ["Blobs", "BlobPrefix"] => {
                return other("it hides objects behind a common prefix, which was not asked for");
            }
            ["Blobs", "Blob", "Name"] => blob[0] = !text.is_empty(),
            ["Blobs", "Blob", "Properties", "Content-Length"] => blob[1] = text.trim().parse::<u64>().is_ok(),
            // Each begins anew.
            ["Blobs", "Blob"] if std::mem::take(&mut blob) != [true; 2] => {
                return other("it has an object without a name, or without a size in bytes");
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, size: &str) -> String {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>{size}</Size></Contents>"
        )
    }

    fn listing(inside: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>{inside}</ListBucketResult>"
        )
    }

    fn keys(text: &str, prefix: &str) -> Vec<String> {
        Page::read(text, prefix).unwrap().entries.into_iter().map(|it| it.key.unwrap()).collect()
    }

    #[test]
    fn pages_are_read_and_spelled_plainly() {
        let text = listing(&format!(
            "<IsTruncated>false</IsTruncated><NextContinuationToken>x</NextContinuationToken>{}{}{}",
            entry("a &amp; b", "1"),
            entry("x&lt;/../b", "2"),
            entry("x&#x1;&#65;", "3")
        ));
        assert_eq!(keys(&text, ""), ["a & b", "x\u{1}A", "x</../b"]);
        let page = Page::read(&text, "").unwrap();
        assert_eq!(page.next, None, "it says that this is all");
        let plain = page.plain();
        assert!(
            plain.contains("<Key>a &amp; b</Key>") && plain.contains("<Key>x&lt;/\u{10FFFF}2e2e/b</Key>")
        );
        let empty = Page::read(&listing(""), "p/").unwrap();
        assert!(empty.is_empty() && empty.next.is_none());
        let more = "<IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>";
        assert_eq!(Page::read(&listing(more), "").unwrap().next.as_deref(), Some("a&b"));
        let url = format!("<EncodingType>url</EncodingType>{}", entry("a%2Fb+c", "1"));
        assert_eq!(keys(&listing(&url), "a/"), ["a/b c"]);
    }

    #[test]
    fn entries_in_any_order_and_twice_come_in_order_and_once() {
        let text = listing(&[entry("b", "1"), entry("a", "1"), entry("b", "1")].concat());
        assert_eq!(keys(&text, ""), ["a", "b"]);
    }

    #[test]
    fn what_is_not_a_page_is_said() {
        let two = listing(&[entry("in/a", "1"), entry("in/b", "2")].concat());
        for cut in 60..two.len() {
            if two.is_char_boundary(cut) {
                assert!(Page::read(&two[..cut], "in/").is_err(), "{}", &two[..cut]);
            }
        }
        assert_eq!(Page::read(&two[..two.len() - 30], "in/"), Err(Unfit::Cut));
        let table = [
            ("<!DOCTYPE html><html><body>Log in</body></html>".to_owned(), "a page of HTML?"),
            ("<html><body>Log in</body></html>".to_owned(), "expected `ListBucketResult`, found `html`"),
            ("{\"message\":\"ok\"}".to_owned(), "expected `ListBucketResult`, found `{\"message\""),
            (String::new(), "it is empty"),
            ("\n".to_owned(), "it is empty"),
            ("<ListAllMyBucketsResult/>".to_owned(), "found `ListAllMyBucketsResult`"),
            (listing("<IsTruncated>true</IsTruncated>"), "not where"),
            (
                listing("<IsTruncated>true</IsTruncated><NextContinuationToken/>"),
                "`IsTruncated` without `NextContinuationToken`",
            ),
            (listing("<IsTruncated>yes</IsTruncated>"), "neither true nor false: `yes`"),
            (listing(&entry("out/a", "1")), "`in/` was asked for, and `out/a` does not begin with it"),
            (listing(&entry("in/a", "")), "expected the size of `in/a` in bytes, found ``"),
            (listing(&entry("in/a", "-1")), "found `-1`"),
            (listing(&entry("in/a", "12x")), "found `12x`"),
            (listing(&entry("in/a", "99999999999999999999")), "found `99999999999999999999`"),
            (listing(&entry("in/a", "1").replace("<Size>1</Size>", "")), "in bytes, found nothing"),
            (listing(&entry("", "1")), "without a key"),
            (listing(&entry("in/a", "1").replace("2026-01-01", "yesterday")), "the last change of `in/a`"),
            (listing("<KeyCount>2</KeyCount>"), "it says that it has 2 objects, and has 0"),
            (listing("<CommonPrefixes><Prefix>in/x/</Prefix></CommonPrefixes>"), "behind a common prefix"),
            (two.replace("</Key>", "</Key><Key>in/c</Key>"), "it has `Contents/Key` twice"),
            (format!("{two}<ListBucketResult/>"), "something follows its end"),
            ("<ListBucketResult>".to_owned() + &"<a>".repeat(1_000_000), "too deep in each other"),
        ];
        for (text, words) in table {
            match Page::read(&text, "in/") {
                Err(Unfit::Other(why)) => assert!(why.contains(words), "{why} for {words}"),
                got => panic!("{words}: {got:?}"),
            }
        }
        assert_eq!(Page::read("<Error><Code>SlowDown</Code></Error>", ""), Err(Unfit::Refusal));
    }

    #[test]
    fn pages_of_azure() {
        let blob = "<Blob><Name>a</Name><Properties><Content-Length>1</Content-Length></Properties></Blob>";
        let page = |inside: &str| {
            format!(
                "<EnumerationResults><Blobs>{inside}</Blobs><NextMarker>m</NextMarker></EnumerationResults>"
            )
        };
        assert_eq!(azure(&page(blob)), Ok(Some("m".into())));
        for wrong in [page(&blob.replace(">1<", ">-1<")), page("<Blob/>"), "<html></html>".into()] {
            assert!(matches!(azure(&wrong), Err(Unfit::Other(_))), "{wrong}");
        }
        assert_eq!(azure(&page(blob)[..100]), Err(Unfit::Cut));
    }
}
