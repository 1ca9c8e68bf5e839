//! Where two events differ, field by field.

use super::Meaning;
use super::meaning::Node;

/// One difference between two events.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where: names as the proto has them, elements counted from 0 as the first event has them (the
    /// second, where only that has the element).
    pub path: String,
    /// How they differ.
    pub how: How,
    /// The first event's value, in the manner of JSON.
    pub a: Option<String>,
    /// The second event's value.
    pub b: Option<String>,
}

/// How two events differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// Both have a value, but not the same.
    Changed,
    /// The same elements in another order.
    Order,
    /// Only the first has it.
    OnlyA,
    /// Only the second has it.
    OnlyB,
}

impl How {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            How::Changed => "changed",
            How::Order => "order",
            How::OnlyA => "only-in-a",
            How::OnlyB => "only-in-b",
        }
    }
}

/// The differences between two events, in the order of the paths' names. None means that they are
/// the same.
pub fn differences(a: &Meaning, b: &Meaning) -> Vec<Difference> {
    let mut found = Vec::new();
    nodes(&a.root, &b.root, String::new(), &mut found);
    found
}

/// How many differences there are between two events.
pub(super) fn count(a: &Meaning, b: &Meaning) -> usize {
    differences(a, b).len()
}

fn nodes(a: &Node, b: &Node, path: String, found: &mut Vec<Difference>) {
    match (a, b) {
        (a, b) if a == b => {}
        (Node::Object(a), Node::Object(b)) => objects(a, b, &path, found),
        (Node::List(a, _), Node::List(b, _)) => lists(a, b, path, found),
        _ => found.push(Difference { path, how: How::Changed, a: Some(a.shown()), b: Some(b.shown()) }),
    }
}

type Members = [(std::borrow::Cow<'static, str>, Node)];

/// Both are sorted by name.
fn objects(a: &Members, b: &Members, path: &str, found: &mut Vec<Difference>) {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    loop {
        let order = match (a.peek(), b.peek()) {
            (None, None) => return,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        let of_a = if order.is_le() { a.next() } else { None };
        let of_b = if order.is_ge() { b.next() } else { None };
        match (of_a, of_b) {
            (Some((name, a)), Some((_, b))) => nodes(a, b, below(name), found),
            (Some((name, a)), None) => found.push(only(below(name), a, How::OnlyA)),
            (None, Some((name, b))) => found.push(only(below(name), b, How::OnlyB)),
            (None, None) => return,
        }
    }
}

fn only(path: String, node: &Node, how: How) -> Difference {
    let shown = Some(node.shown());
    match how {
        How::OnlyA => Difference { path, how, a: shown, b: None },
        _ => Difference { path, how, a: None, b: shown },
    }
}

/// Elements that are the same are taken off first; what is left is compared in its order.
fn lists(a: &[Node], b: &[Node], path: String, found: &mut Vec<Difference>) {
    let mut taken = vec![false; b.len()];
    let mut left_a = Vec::new();
    let mut order = Vec::new();
    for (place, element) in a.iter().enumerate() {
        // The element at the same place first, so that what stayed stays.
        let same = |other: usize| !taken[other] && b[other] == *element;
        let at = if place < b.len() && same(place) {
            Some(place)
        } else {
            (0..b.len()).find(|other| same(*other))
        };
        match at {
            Some(at) => {
                taken[at] = true;
                order.push(at);
            }
            None => left_a.push(place),
        }
    }
    let left_b: Vec<usize> = (0..b.len()).filter(|place| !taken[*place]).collect();
    if !order.is_sorted() {
        let show = |elements: &[Node]| {
            format!("[{}]", elements.iter().map(Node::shown).collect::<Vec<_>>().join(","))
        };
        found.push(Difference { path: path.clone(), how: How::Order, a: Some(show(a)), b: Some(show(b)) });
    }
    let pairs = left_a.len().min(left_b.len());
    for (place_a, place_b) in left_a.iter().zip(&left_b) {
        nodes(&a[*place_a], &b[*place_b], format!("{path}[{place_a}]"), found);
    }
    for place in &left_a[pairs..] {
        found.push(only(format!("{path}[{place}]"), &a[*place], How::OnlyA));
    }
    for place in &left_b[pairs..] {
        found.push(only(format!("{path}[{place}]"), &b[*place], How::OnlyB));
    }
}
