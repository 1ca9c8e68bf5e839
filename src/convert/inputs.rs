//! The inputs of a run, chunk by chunk, in order.

use crate::record::frame::{Chunk, ChunkBody, Framer};
use crate::text::NextText;
use std::io::{self, Read};
use std::sync::Arc;

type Open<'a> = Box<dyn FnOnce() -> io::Result<Box<dyn Read + Send + 'a>> + Send + 'a>;

/// An input of a run: a name, and bytes, decompressed.
pub struct Input<'a> {
    name: String,
    content: InputContent<'a>,
}

enum InputContent<'a> {
    Bytes(&'a [u8]),
    Open(Open<'a>),
}

impl<'a> Input<'a> {
    /// What `reader` gives. `name` is what rejects and errors call it.
    pub fn reader(name: impl Into<String>, reader: impl Read + Send + 'a) -> Input<'a> {
        Input::open(name, || Ok(reader))
    }

    /// Bytes in memory, which are not copied.
    pub fn bytes(name: impl Into<String>, bytes: &'a [u8]) -> Input<'a> {
        Input { name: name.into(), content: InputContent::Bytes(bytes) }
    }

    /// What is opened when its turn comes, so that a long list of inputs does not need as many open files.
    pub fn open<R: Read + Send + 'a>(
        name: impl Into<String>,
        open: impl FnOnce() -> io::Result<R> + Send + 'a,
    ) -> Input<'a> {
        let open = || open().map(|reader| Box::new(reader) as Box<dyn Read + Send + 'a>);
        Input { name: name.into(), content: InputContent::Open(Box::new(open)) }
    }
}

impl std::fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A text of the inputs: an input, or a member of one that is an archive.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    /// The number of the input, from 0.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the checks ask for it"))]
    pub(crate) input: usize,
    /// The number of the text among those of all inputs, from 0.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the checks ask for it"))]
    pub(crate) number: usize,
    /// The name of the input or, with that of its archive, of the member.
    pub(crate) name: Arc<str>,
}

/// A chunk where it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Framed<'c> {
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the checks ask for it"))]
    pub(crate) text: &'c Text,
    pub(crate) bytes: &'c [u8],
    pub(crate) body: &'c ChunkBody,
}

/// A chunk with its bytes.
pub(super) enum Held<'a> {
    Read(Chunk),
    /// Lines of a slice, which begins with them.
    Lines(&'a [u8], ChunkBody),
}

impl Held<'_> {
    pub(super) fn parts(&self) -> (&[u8], &ChunkBody) {
        match self {
            Held::Read(chunk) => (&chunk.bytes, &chunk.body),
            Held::Lines(bytes, body) => (bytes, body),
        }
    }

    /// The buffer to be used again, if it has one.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        match self {
            Held::Read(chunk) => chunk.bytes,
            Held::Lines(..) => Vec::new(),
        }
    }
}

/// The next chunk of a slice. Lines are not copied; anything else, and the end, is.
pub(super) fn next_in<'a>(
    framer: &mut Framer,
    slice: &'a [u8],
    buffer: Vec<u8>,
) -> io::Result<Option<Held<'a>>> {
    let start = framer.position() as usize;
    if let Some(body) = framer.lines_in(slice) {
        return Ok(Some(Held::Lines(&slice[start..], body)));
    }
    let mut rest = &slice[framer.bytes_read() as usize..];
    Ok(framer.next(&mut rest, buffer)?.map(Held::Read))
}

/// What a worker takes.
pub(super) enum Taken<'a> {
    Chunk(Held<'a>),
    /// The text has ended; its size in bytes.
    End(u64),
    /// The text could not be opened, or not be read further. Its end came first.
    Failed(io::Error),
}

/// The inputs, of which one is open.
pub(super) struct Inputs<'a, 'f> {
    inputs: std::iter::Enumerate<std::vec::IntoIter<Input<'a>>>,
    framer: &'f (dyn Fn() -> Framer + Sync),
    current: Option<Current<'a>>,
    /// How many texts have a number.
    texts: usize,
    /// How many things were taken.
    taken: u64,
}

/// The input that is open.
struct Current<'a> {
    text: Text,
    framer: Framer,
    bytes: Bytes<'a>,
    /// Whether the text is a member of an archive.
    is_member: bool,
    /// What comes after the text, once it has ended.
    after: Option<After>,
}

enum Bytes<'a> {
    Slice(&'a [u8]),
    Reader(Box<dyn Read + Send + 'a>),
    /// It could not be opened.
    Failed(Option<io::Error>),
}

/// What comes after a text.
enum After {
    Nothing,
    Failed(io::Error),
    Next(NextText),
}

impl<'a, 'f> Inputs<'a, 'f> {
    pub(super) fn new(inputs: Vec<Input<'a>>, framer: &'f (dyn Fn() -> Framer + Sync)) -> Inputs<'a, 'f> {
        Inputs { inputs: inputs.into_iter().enumerate(), framer, current: None, texts: 0, taken: 0 }
    }

    /// How many things were taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// The next thing with its number, and the text that it is of. Nothing if there are no more.
    /// `buffer` is an old one to use again; when it was not needed, it is there again in the end.
    pub(super) fn take(&mut self, buffer: &mut Vec<u8>) -> Option<(u64, Text, Taken<'a>)> {
        let (text, taken) = loop {
            let Some(mut current) = self.current.take() else {
                let (number, input) = self.inputs.next()?;
                self.current = Some(Current::of(number, self.texts, input, (self.framer)()));
                self.texts += 1;
                continue;
            };
            let text = current.text.clone();
            match current.after.take() {
                Some(After::Nothing) => *buffer = current.framer.into_buffer(),
                Some(After::Failed(error)) => break (text, Taken::Failed(error)),
                Some(After::Next(next)) => {
                    // An archive itself is not a text: its first member has its number.
                    if current.is_member {
                        current.text.number = self.texts;
                        self.texts += 1;
                    }
                    *buffer = current.begin(next.name, (self.framer)());
                    self.current = Some(current);
                    if let Some(error) = next.failed {
                        break (text, Taken::Failed(error));
                    }
                }
                None => {
                    let taken = current.next(std::mem::take(buffer));
                    self.current = Some(current);
                    if let Some(taken) = taken {
                        break (text, taken);
                    }
                }
            }
        };
        self.taken += 1;
        Some((self.taken - 1, text, taken))
    }
}

impl<'a> Current<'a> {
    fn of(input_number: usize, number: usize, input: Input<'a>, framer: Framer) -> Current<'a> {
        let bytes = match input.content {
            InputContent::Bytes(bytes) => Bytes::Slice(bytes),
            InputContent::Open(open) => match open() {
                Ok(reader) => Bytes::Reader(reader),
                Err(error) => Bytes::Failed(Some(error)),
            },
        };
        let text = Text { input: input_number, number, name: input.name.into() };
        Current { text, framer, bytes, is_member: false, after: None }
    }

    /// Begins the member of this name; the buffer of the one before it.
    fn begin(&mut self, name: String, framer: Framer) -> Vec<u8> {
        self.text.name = name.into();
        self.is_member = true;
        std::mem::replace(&mut self.framer, framer).into_buffer()
    }

    /// The text's next chunk, or its end. Nothing if there was no text, but an archive.
    fn next(&mut self, buffer: Vec<u8>) -> Option<Taken<'a>> {
        let next = match &mut self.bytes {
            Bytes::Slice(slice) => next_in(&mut self.framer, slice, buffer),
            Bytes::Failed(error) => error.take().map_or(Ok(None), Err),
            Bytes::Reader(reader) => self.framer.next(&mut **reader, buffer).map(|it| it.map(Held::Read)),
        };
        let after = match next {
            Ok(Some(held)) => return Some(Taken::Chunk(held)),
            Ok(None) => After::Nothing,
            Err(error) => NextText::of(error).map_or_else(After::Failed, After::Next),
        };
        let is_text = self.is_member || !matches!(after, After::Next(_));
        self.after = Some(after);
        is_text.then(|| Taken::End(self.framer.bytes_read()))
    }
}
