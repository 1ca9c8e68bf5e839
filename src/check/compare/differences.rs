//! Where two events differ, field by field.

use super::meaning::{Encoding, Meaning, Node};
use crate::text::add_to_path;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use twox_hash::XxHash3_128;

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

/// How many differences [`differences`] gives at most.
const MOST: usize = 100_000;

/// The differences between two events, in the order of the paths' names: the first 100,000. None means that they are the
/// same.
pub fn differences(a: &Meaning, b: &Meaning) -> Vec<Difference> {
    let mut found = Vec::new();
    each_difference(a, b, &mut |difference| {
        if found.len() < MOST {
            found.push(difference);
        }
    });
    found
}

/// Hands all differences between two events to `each`.
pub fn each_difference(a: &Meaning, b: &Meaning, each: &mut dyn FnMut(Difference)) {
    each_place(a, b, &mut |path, how, values| {
        let (a, b) = values();
        each(Difference { path: path.to_owned(), how, a, b });
    });
}

/// Both values of a difference, made to text.
pub(crate) type Values<'v> = dyn Fn() -> (Option<String>, Option<String>) + 'v;

/// Hands the path and kind of each difference between two events to `each`, and its values where they are asked for.
pub(crate) fn each_place(a: &Meaning, b: &Meaning, each: &mut dyn FnMut(&str, How, &Values<'_>)) {
    nodes(&a.root, &b.root, &mut String::new(), &mut |path, how, a, b| {
        each(path, how, &|| (a.map(Shown::text), b.map(Shown::text)));
    });
}

/// How many differences there are between two events.
pub(super) fn count(a: &Meaning, b: &Meaning) -> usize {
    let mut count = 0;
    nodes(&a.root, &b.root, &mut String::new(), &mut |_, _, _, _| count += 1);
    count
}

/// A value, or a list's elements, not yet made to text.
#[derive(Clone, Copy)]
enum Shown<'n> {
    Node(&'n Node),
    List(&'n [Node]),
}

impl Shown<'_> {
    fn text(self) -> String {
        match self {
            Shown::Node(node) => node.shown(),
            Shown::List(elements) => {
                format!("[{}]", elements.iter().map(Node::shown).collect::<Vec<_>>().join(","))
            }
        }
    }
}

type Each<'e> = dyn FnMut(&str, How, Option<Shown<'_>>, Option<Shown<'_>>) + 'e;

fn nodes(a: &Node, b: &Node, path: &mut String, each: &mut Each<'_>) {
    match (a, b) {
        (a, b) if a == b => {}
        (Node::Object(a), Node::Object(b)) => objects(a, b, path, each),
        (Node::List(a, _), Node::List(b, _)) => lists(a, b, path, each),
        _ => each(path, How::Changed, Some(Shown::Node(a)), Some(Shown::Node(b))),
    }
}

type MemberNodes = [(std::borrow::Cow<'static, str>, Node)];

/// Both are sorted by name.
fn objects(a: &MemberNodes, b: &MemberNodes, path: &mut String, each: &mut Each<'_>) {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let length = path.len();
    loop {
        let order = match (a.peek(), b.peek()) {
            (None, None) => return,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        let of_a = if order.is_le() { a.next() } else { None };
        let of_b = if order.is_ge() { b.next() } else { None };
        let Some((name, _)) = of_a.or(of_b) else { return };
        let dot = if length == 0 { "" } else { "." };
        add_to_path(path, format_args!("{dot}{name}"));
        match (of_a, of_b) {
            (Some((_, a)), Some((_, b))) => nodes(a, b, path, each),
            (Some((_, a)), None) => each(path, How::OnlyA, Some(Shown::Node(a)), None),
            (None, Some((_, b))) => each(path, How::OnlyB, None, Some(Shown::Node(b))),
            (None, None) => {}
        }
        path.truncate(length);
    }
}

/// Elements that are the same are taken off first; what is left is compared in its order.
fn lists(a: &[Node], b: &[Node], path: &mut String, each: &mut Each<'_>) {
    let mut taken = vec![false; b.len()];
    let (mut left_a, mut order) = (Vec::new(), Vec::new());
    // Where each element is in `b`, the last first; looked up instead of searched, for lists may be long.
    let mut places: Option<HashMap<u128, Vec<usize>, FixedState>> = None;
    for (place, element) in a.iter().enumerate() {
        // The element at the same place first, so that what stayed stays.
        let here = place < b.len() && !taken[place] && b[place] == *element;
        let at = if here {
            Some(place)
        } else {
            let places = places.get_or_insert_with(|| {
                let mut places = HashMap::<u128, Vec<usize>, FixedState>::default();
                for (place, element) in b.iter().enumerate().rev() {
                    places.entry(digest(element)).or_default().push(place);
                }
                places
            });
            places.get_mut(&digest(element)).and_then(|places| {
                while places.last().is_some_and(|place| taken[*place]) {
                    places.pop();
                }
                places.pop()
            })
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
        each(path, How::Order, Some(Shown::List(a)), Some(Shown::List(b)));
    }
    let length = path.len();
    let at = |path: &mut String, place: usize| {
        path.truncate(length);
        add_to_path(path, format_args!("[{place}]"));
    };
    let pairs = left_a.len().min(left_b.len());
    for (place_a, place_b) in left_a.iter().zip(&left_b) {
        at(path, *place_a);
        nodes(&a[*place_a], &b[*place_b], path, each);
    }
    for place in &left_a[pairs..] {
        at(path, *place);
        each(path, How::OnlyA, Some(Shown::Node(&a[*place])), None);
    }
    for place in &left_b[pairs..] {
        at(path, *place);
        each(path, How::OnlyB, None, Some(Shown::Node(&b[*place])));
    }
    path.truncate(length);
}

fn digest(node: &Node) -> u128 {
    let mut bytes = Vec::new();
    Encoding::default().node(node, &mut bytes);
    XxHash3_128::oneshot(&bytes)
}
