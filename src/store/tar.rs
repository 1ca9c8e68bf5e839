//! The members of a tar archive, one after another, as they come by: ustar, pax and GNU's long names.

use std::io::{self, Read};

use tar::{EntryType, Header, PaxExtensions};

use super::codec::Fault;
use super::compress::{Stopped, What};
use super::sniff::is_header;

/// Everything in an archive is a multiple of it.
const BLOCK: usize = 512;
/// The longest name, as file systems have it.
const LONGEST_NAME: u64 = 4096;
/// The most that is read of what pax says about a member.
const LONGEST_PAX: u64 = 1 << 20;

/// A member of an archive.
#[derive(Debug)]
pub(super) struct Member {
    /// Its path in the archive, which may be any text.
    pub(super) name: String,
    /// How many bytes it has.
    pub(super) size: u64,
    /// It holds only those parts of a file that are not zero.
    pub(super) sparse: bool,
}

/// An archive being read. What it reads are the bytes of the member that [`Archive::next`] gave.
pub(super) struct Archive {
    source: Box<dyn Read + Send>,
    /// Bytes read.
    offset: u64,
    /// Bytes of the member that are left, and those that fill its last block.
    left: u64,
    padding: u64,
    /// The mark of its end has been read.
    ended: bool,
    /// Nothing more can be read.
    broken: bool,
}

/// What is known of a member before its own header.
#[derive(Default)]
struct Before {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl Archive {
    pub(super) fn new(source: Box<dyn Read + Send>) -> Archive {
        Archive { source, offset: 0, left: 0, padding: 0, ended: false, broken: false }
    }

    /// Whether reading has failed, which was reported.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Goes on to the next member that is a file; nothing at the archive's end.
    pub(super) fn next(&mut self) -> io::Result<Option<Member>> {
        let next = self.find();
        self.broken |= next.is_err();
        next
    }

    fn find(&mut self) -> io::Result<Option<Member>> {
        let mut before = Before::default();
        loop {
            self.skip()?;
            let Some(block) = self.block()? else {
                // Who cuts an archive between two members leaves no other trace.
                return if self.ended { Ok(None) } else { Err(self.damaged("it has no end mark")) };
            };
            if block.iter().all(|&byte| byte == 0) {
                self.ended = true;
                continue;
            }
            if !is_header(&block) {
                self.offset -= BLOCK as u64;
                return Err(self.damaged(match self.ended {
                    true => "what follows its end is not an archive",
                    false => "a header's checksum is wrong",
                }));
            }
            self.ended = false;
            let header = Header::from_byte_slice(&block);
            let kind = header.entry_type();
            let Ok(mut size) = header.entry_size() else {
                return Err(self.damaged("a member's size is not a number"));
            };
            let about_next = matches!(
                kind,
                EntryType::XHeader
                    | EntryType::GNULongName
                    | EntryType::GNULongLink
                    | EntryType::XGlobalHeader
            );
            if !about_next {
                size = before.size.unwrap_or(size);
            }
            // Links and the like have no bytes, whatever their size says.
            let empty = matches!(
                kind,
                EntryType::Directory
                    | EntryType::Symlink
                    | EntryType::Link
                    | EntryType::Char
                    | EntryType::Block
                    | EntryType::Fifo
            );
            self.left = if empty { 0 } else { size };
            self.padding = self.left.wrapping_neg() % BLOCK as u64;
            match kind {
                EntryType::XHeader => self.pax(&mut before)?,
                EntryType::GNULongName => before.name = Some(self.all(LONGEST_NAME + 1)?),
                _ if about_next => {}
                // The label of a volume, and a list of what was in a folder.
                _ if empty || matches!(kind.as_byte(), b'V' | b'D') => before = Before::default(),
                _ if kind.as_byte() == b'M' => {
                    return Err(self.damaged("it is a later volume of several: join them first"));
                }
                _ => {
                    let sparse = before.sparse || kind == EntryType::GNUSparse;
                    if kind == EntryType::GNUSparse {
                        self.skip_map(header)?;
                    }
                    let name = before.name.take().unwrap_or_else(|| header.path_bytes().into_owned());
                    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
                    if name.len() as u64 > LONGEST_NAME {
                        return Err(self.damaged("a member's name is too long"));
                    }
                    let name = String::from_utf8_lossy(&name[..end]).into_owned();
                    // An old archive's folder.
                    if name.ends_with('/') && size == 0 {
                        before = Before::default();
                        continue;
                    }
                    return Ok(Some(Member { name, size, sparse }));
                }
            }
        }
    }

    /// What pax says about the next member.
    fn pax(&mut self, before: &mut Before) -> io::Result<()> {
        let text = self.all(LONGEST_PAX)?;
        for pair in PaxExtensions::new(&text) {
            let Ok(pair) = pair else { return Err(self.damaged("a pax header is not as it should be")) };
            match pair.key_bytes() {
                b"path" => before.name = Some(pair.value_bytes().to_vec()),
                b"size" => match pair.value().ok().and_then(|text| text.parse().ok()) {
                    Some(size) => before.size = Some(size),
                    None => return Err(self.damaged("a member's size is not a number")),
                },
                key => before.sparse |= key.starts_with(b"GNU.sparse."),
            }
        }
        Ok(())
    }

    /// The map of a sparse file may go on in blocks behind its header.
    fn skip_map(&mut self, header: &Header) -> io::Result<()> {
        let mut more = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
        while more {
            let Some(block) = self.block()? else { return Err(self.damaged("it is cut short")) };
            more = block[504] != 0;
        }
        Ok(())
    }

    /// All of what is left, which must not be more than `most` bytes.
    fn all(&mut self, most: u64) -> io::Result<Vec<u8>> {
        if self.left > most {
            return Err(self.damaged("what it says about a member is too long"));
        }
        let mut text = Vec::new();
        self.by_ref().read_to_end(&mut text)?;
        Ok(text)
    }

    /// A whole block; nothing at the end.
    fn block(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.source.read(&mut block[filled..])? {
                0 if filled == 0 => return Ok(None),
                0 => return Err(self.damaged("it is cut short")),
                read => filled += read,
            }
        }
        self.offset += BLOCK as u64;
        Ok(Some(block))
    }

    /// Reads over what is left of the member.
    fn skip(&mut self) -> io::Result<()> {
        let mut piece = [0; 16 * 1024];
        while self.read(&mut piece)? > 0 {}
        while self.padding > 0 {
            let most = piece.len().min(self.padding as usize);
            match self.source.read(&mut piece[..most])? {
                0 => return Err(self.damaged("it is cut short")),
                read => {
                    self.offset += read as u64;
                    self.padding -= read as u64;
                }
            }
        }
        Ok(())
    }

    fn damaged(&mut self, why: &str) -> io::Error {
        self.broken = true;
        Stopped::new(Fault::Corrupt(why.to_owned()), What::Tar, self.offset).into()
    }
}

impl Read for Archive {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(out.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.source.read(&mut out[..most]);
        self.broken |= read.is_err();
        match read? {
            0 => Err(self.damaged("it is cut short")),
            read => {
                self.offset += read as u64;
                self.left -= read as u64;
                Ok(read)
            }
        }
    }
}
