//! An object's text: out of any compression, compression within compression, another encoding, or an archive.

use crate::sync::lock;
use std::io::{self, Read};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::codec::Fault;
use super::compress::{Decoder, Sniffed, Stopped, What, sniff};
use super::counting::{BUFFER, CountingReader};
use super::sniff::{HEAD, Kind, NESTED_TAR, SPARSE, recognise};
use super::stop::StopRequested;
use super::tar::Archive;
use super::wide::Transcoder;

/// How many times over an object may be compressed.
const DEEPEST: usize = 4;

/// The text of an object, or the texts of an archive's members.
pub(super) struct Layers {
    state: LayerState,
    /// The compressed formats, from the outside.
    formats: Vec<What>,
    /// It is a member of an archive.
    member: bool,
    /// Bytes of text that were given.
    given: u64,
    stop: Arc<AtomicBool>,
}

enum LayerState {
    /// Nothing has been read.
    Unknown(Decoder),
    Text(Peeked),
    Wide(Box<Peeked>, Transcoder),
    Tar(ArchiveMembers),
    Failed(Stopped),
    End,
}

/// Why there is no more text for now.
pub(super) enum Pause {
    /// There will be none.
    Stopped(Stopped),
    /// A member of an archive begins; why the one before could not be read to its end.
    Next { name: String, failed: Option<Stopped> },
}

impl From<Stopped> for Pause {
    fn from(stopped: Stopped) -> Pause {
        Pause::Stopped(stopped)
    }
}

impl Layers {
    pub(super) fn new(raw: CountingReader, stop: Arc<AtomicBool>) -> Layers {
        let state = LayerState::Unknown(Decoder::new(raw, None));
        Layers { state, formats: Vec::new(), member: false, given: 0, stop }
    }

    /// The outermost compressed format.
    pub(super) fn format(&self) -> Option<What> {
        self.formats.first().copied()
    }

    /// Like [`Read::read`], but everything before an error has been given before it.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, Pause> {
        let read = match &mut self.state {
            LayerState::Text(source) => source.read(out),
            LayerState::Wide(source, transcoder) => wide(source, transcoder, out),
            LayerState::Tar(members) => return members.read(out),
            LayerState::Unknown(_) => {
                self.look();
                return self.read(out);
            }
            LayerState::Failed(_) => match mem::replace(&mut self.state, LayerState::End) {
                LayerState::Failed(stopped) => Err(stopped),
                _ => Ok(0),
            },
            LayerState::End => Ok(0),
        };
        match read {
            Ok(read) => {
                self.given += read as u64;
                Ok(read)
            }
            Err(mut stopped) => {
                self.state = LayerState::End;
                stopped.given = self.given;
                Err(stopped.into())
            }
        }
    }

    /// Finds out what it is, as far as that takes.
    fn look(&mut self) {
        loop {
            let decoder = match mem::replace(&mut self.state, LayerState::End) {
                LayerState::Unknown(decoder) => decoder,
                known => {
                    self.state = known;
                    return;
                }
            };
            let mut source = Peeked::new(decoder, Arc::clone(&self.stop));
            let kind = source.look();
            self.formats.extend(source.decoder.format().map(What::Stream));
            let refuse = |fault| LayerState::Failed(Stopped::new(fault, What::Object, 0));
            self.state = match kind {
                Looked::Compressed if self.formats.len() >= DEEPEST => refuse(Fault::TooDeep(DEEPEST)),
                Looked::Compressed => {
                    let within = self.formats.last().copied();
                    LayerState::Unknown(Decoder::new(CountingReader::new(Box::new(source), BUFFER), within))
                }
                Looked::Is(Kind::Text | Kind::Unsure) => LayerState::Text(source),
                Looked::Is(Kind::Wide(encoding)) => {
                    LayerState::Wide(Box::new(source), Transcoder::new(encoding))
                }
                Looked::Is(Kind::Other(other)) => refuse(Fault::Other(other)),
                Looked::Is(Kind::Tar) if self.member => refuse(Fault::Other(&NESTED_TAR)),
                Looked::Is(Kind::Tar) => LayerState::Tar(ArchiveMembers::new(source, Arc::clone(&self.stop))),
            };
        }
    }
}

/// Reads `source` as UTF-8.
fn wide(source: &mut Peeked, transcoder: &mut Transcoder, out: &mut [u8]) -> Result<usize, Stopped> {
    transcoder.read(&mut |piece| source.read(piece), out)?.map_err(|malformed| {
        let fault = Fault::Corrupt(malformed.why.to_owned());
        Stopped::new(fault, What::Wide(transcoder.encoding()), malformed.offset)
    })
}

/// What was decompressed, with its beginning kept to be looked at.
struct Peeked {
    decoder: Decoder,
    head: Vec<u8>,
    /// How much of the head was given.
    at: usize,
    /// Why there is nothing behind the head.
    failed: Option<Stopped>,
    stop: Arc<AtomicBool>,
}

enum Looked {
    /// It is compressed once more.
    Compressed,
    Is(Kind),
}

impl Peeked {
    fn new(decoder: Decoder, stop: Arc<AtomicBool>) -> Peeked {
        Peeked { decoder, head: Vec::new(), at: 0, failed: None, stop }
    }

    fn look(&mut self) -> Looked {
        let (mut head, mut filled, mut whole) = (vec![0; HEAD], 0, false);
        let looked = loop {
            let seen = &head[..filled];
            // What was not compressed was found to be so by the decoder.
            let sniffed = match self.decoder.format() {
                Some(_) => sniff(seen, whole),
                None if seen.is_empty() && !whole => Sniffed::Unsure,
                None => Sniffed::Plain,
            };
            match sniffed {
                Sniffed::Compressed(_) | Sniffed::Skippable => break Looked::Compressed,
                Sniffed::Plain => match recognise(seen, whole) {
                    Kind::Unsure => {}
                    kind => break Looked::Is(kind),
                },
                Sniffed::Unsure if whole => break Looked::Is(Kind::Text),
                Sniffed::Unsure => {}
            }
            match self.decoder.read(&mut head[filled..]) {
                Ok(0) => whole = true,
                Ok(read) => filled += read,
                Err(stopped) => {
                    self.failed = Some(stopped);
                    whole = true;
                }
            }
        };
        head.truncate(filled);
        self.head = head;
        looked
    }

    fn read(&mut self, out: &mut [u8]) -> Result<usize, Stopped> {
        if self.at < self.head.len() {
            let read = out.len().min(self.head.len() - self.at);
            out[..read].copy_from_slice(&self.head[self.at..self.at + read]);
            self.at += read;
            return Ok(read);
        }
        match self.failed.take() {
            Some(stopped) => Err(stopped),
            None => self.decoder.read(out),
        }
    }
}

impl Read for Peeked {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // Between two layers much may go by before the object itself is read.
        if self.stop.load(Ordering::Relaxed) {
            return Err(StopRequested.into());
        }
        Ok(Peeked::read(self, out)?)
    }
}

/// The members of an archive, of which one is being read.
struct ArchiveMembers {
    archive: Arc<Mutex<Archive>>,
    member: Option<Box<Layers>>,
    stop: Arc<AtomicBool>,
}

impl ArchiveMembers {
    fn new(source: Peeked, stop: Arc<AtomicBool>) -> ArchiveMembers {
        let archive = Arc::new(Mutex::new(Archive::new(Box::new(source))));
        ArchiveMembers { archive, member: None, stop }
    }

    fn read(&mut self, out: &mut [u8]) -> Result<usize, Pause> {
        let mut failed = None;
        if let Some(member) = &mut self.member {
            match member.read(out) {
                Ok(0) => {}
                Err(Pause::Stopped(stopped)) => failed = Some(stopped),
                other => return other,
            }
        }
        self.member = None;
        let mut archive = lock(&self.archive);
        if archive.is_broken() {
            return failed.map_or(Ok(0), |stopped| Err(stopped.into()));
        }
        match archive.next() {
            Ok(None) => failed.map_or(Ok(0), |stopped| Err(stopped.into())),
            Ok(Some(it)) => {
                let size = it.size.clamp(4096, BUFFER as u64 - 1) as usize + 1;
                let raw = CountingReader::new(Box::new(Current(Arc::clone(&self.archive))), size);
                let mut layers = Layers { member: true, ..Layers::new(raw, Arc::clone(&self.stop)) };
                if it.sparse {
                    layers.state = LayerState::Failed(Stopped::new(Fault::Other(&SPARSE), What::Object, 0));
                }
                self.member = Some(Box::new(layers));
                Err(Pause::Next { name: it.name, failed })
            }
            // What failed first is told first; the archive's own error comes with the next read.
            Err(error) => match failed {
                None => Err(Stopped::from(error).into()),
                Some(stopped) => {
                    let layers = Layers::failed(Stopped::from(error), Arc::clone(&self.stop));
                    self.member = Some(Box::new(layers));
                    Err(Pause::Next { name: String::new(), failed: Some(stopped) })
                }
            },
        }
    }
}

impl Layers {
    fn failed(stopped: Stopped, stop: Arc<AtomicBool>) -> Layers {
        Layers { state: LayerState::Failed(stopped), formats: Vec::new(), member: true, given: 0, stop }
    }
}

/// The bytes of an archive's current member.
struct Current(Arc<Mutex<Archive>>);

impl Read for Current {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        lock(&self.0).read(out)
    }
}
