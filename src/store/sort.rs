//! Sorts more records than memory holds: fixed-size ones, by their bytes, over temporary files.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};

use super::atomic::{in_scratch, nameless};

/// How many bytes of records are sorted in memory.
const RUN_BYTES: usize = 16 << 20;
/// How many runs are merged at once: each needs an open file and a buffer.
const FAN_IN: usize = 128;

/// Takes records of `N` bytes and gives them back in order.
#[derive(Debug)]
pub struct Sorter<const N: usize> {
    run: Vec<[u8; N]>,
    most: usize,
    runs: Vec<File>,
}

impl<const N: usize> Default for Sorter<N> {
    fn default() -> Self {
        Sorter { run: Vec::new(), most: (RUN_BYTES / N).max(1), runs: Vec::new() }
    }
}

impl<const N: usize> Sorter<N> {
    /// Takes a record.
    ///
    /// # Errors
    /// When a temporary file can't be made or written.
    pub fn push(&mut self, record: [u8; N]) -> io::Result<()> {
        if self.run.len() == self.most {
            self.spill().map_err(in_scratch)?;
        }
        self.run.push(record);
        Ok(())
    }

    /// Puts what is in memory into a file, and merges files where there are many.
    fn spill(&mut self) -> io::Result<()> {
        self.run.sort_unstable();
        let mut file = BufWriter::new(nameless()?);
        for record in &self.run {
            file.write_all(record)?;
        }
        self.runs.push(rewound(file)?);
        self.run.clear();
        if self.runs.len() == FAN_IN {
            let merged = Sorted::<N>::new(std::mem::take(&mut self.runs), Vec::new())?;
            let mut file = BufWriter::new(nameless()?);
            for record in merged {
                file.write_all(&record?)?;
            }
            self.runs.push(rewound(file)?);
        }
        Ok(())
    }

    /// All records, sorted.
    ///
    /// # Errors
    /// When a temporary file can't be read; later ones come with the records.
    pub fn sorted(mut self) -> io::Result<Sorted<N>> {
        self.run.sort_unstable();
        Sorted::new(self.runs, self.run).map_err(in_scratch)
    }
}

fn rewound(file: BufWriter<File>) -> io::Result<File> {
    let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.rewind()?;
    Ok(file)
}

/// The records of a [`Sorter`], in order.
#[derive(Debug)]
pub struct Sorted<const N: usize> {
    runs: Vec<BufReader<File>>,
    run: std::vec::IntoIter<[u8; N]>,
    /// The next record of each run, and of the one in memory, which has the last number.
    heads: BinaryHeap<Reverse<([u8; N], usize)>>,
}

impl<const N: usize> Sorted<N> {
    fn new(files: Vec<File>, run: Vec<[u8; N]>) -> io::Result<Sorted<N>> {
        let runs: Vec<BufReader<File>> =
            files.into_iter().map(|file| BufReader::with_capacity(1 << 16, file)).collect();
        let mut sorted = Sorted { runs, run: run.into_iter(), heads: BinaryHeap::new() };
        for number in 0..=sorted.runs.len() {
            sorted.advance(number)?;
        }
        Ok(sorted)
    }

    fn advance(&mut self, number: usize) -> io::Result<()> {
        let record = match self.runs.get_mut(number) {
            None => self.run.next(),
            Some(run) => {
                let mut record = [0; N];
                match run.read_exact(&mut record) {
                    Ok(()) => Some(record),
                    // Runs hold whole records.
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
                    Err(error) => return Err(error),
                }
            }
        };
        self.heads.extend(record.map(|record| Reverse((record, number))));
        Ok(())
    }
}

impl<const N: usize> Iterator for Sorted<N> {
    type Item = io::Result<[u8; N]>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((record, number)) = self.heads.pop()?;
        Some(self.advance(number).map(|()| record).map_err(in_scratch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_runs_come_back_in_order() {
        for (count, most) in [(0, 5), (1, 5), (5, 5), (6, 5), (10_000, 7), (3_000, 1)] {
            let mut sorter = Sorter::<4> { most, ..Sorter::default() };
            let records: Vec<u32> = (0..count).map(|n: u32| n.wrapping_mul(2_654_435_761) % 5_000).collect();
            for record in &records {
                sorter.push(record.to_be_bytes()).unwrap();
            }
            let sorted: Vec<u32> = sorter.sorted().unwrap().map(|r| u32::from_be_bytes(r.unwrap())).collect();
            let mut wanted = records;
            wanted.sort_unstable();
            assert_eq!(sorted, wanted);
        }
    }
}
