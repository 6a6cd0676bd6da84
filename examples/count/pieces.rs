//! An input in pieces of whole rows.

use std::io::Read;

use crate::fault::Failure;
use crate::rows::unreadable;

/// Cuts an input into pieces.
pub struct Pieces<'f> {
    pub file: &'f str,
    reader: Box<dyn Read + Send>,
    /// Bytes in a piece, unless a row takes more.
    size: usize,
    /// How many of some bytes, which begin with a row, are whole rows.
    whole: fn(&[u8]) -> usize,
    /// What was read behind the last piece.
    rest: Vec<u8>,
    /// Why nothing can be read behind that.
    failure: Option<Failure>,
}

impl<'f> Pieces<'f> {
    pub fn new(file: &'f str, reader: Box<dyn Read + Send>, size: usize, whole: fn(&[u8]) -> usize) -> Pieces<'f> {
        Pieces { file, reader, size, whole, rest: Vec::new(), failure: None }
    }

    /// The next piece; false where it is the last one. The end of the input ends
    /// a line. Before a failure come the rows that could be read, wherever pieces
    /// end.
    pub fn fill(&mut self, bytes: &mut Vec<u8>) -> Result<bool, Failure> {
        bytes.clear();
        bytes.append(&mut self.rest);
        if let Some(failure) = self.failure.take_if(|_| bytes.is_empty()) {
            return Err(failure);
        }
        if self.failure.is_some() {
            return Ok(true);
        }
        let mut wanted = self.size;
        loop {
            let missing = wanted.saturating_sub(bytes.len()).max(1);
            match self.reader.by_ref().take(missing as u64).read_to_end(bytes) {
                Ok(read) if read < missing => {
                    if bytes.last().is_some_and(|last| *last != b'\n') {
                        bytes.push(b'\n');
                    }
                    return Ok(false);
                }
                Ok(_) => {}
                Err(error) => {
                    let failure = unreadable(self.file, &error);
                    bytes.truncate((self.whole)(bytes));
                    if bytes.is_empty() {
                        return Err(failure);
                    }
                    self.failure = Some(failure);
                    return Ok(true);
                }
            }
            let whole = (self.whole)(bytes);
            if whole > 0 {
                self.rest.extend_from_slice(&bytes[whole..]);
                bytes.truncate(whole);
                return Ok(true);
            }
            wanted = bytes.len() * 2;
        }
    }

    /// Puts bytes back, to be in the next piece.
    pub fn put_back(&mut self, bytes: &[u8]) {
        self.rest.splice(..0, bytes.iter().copied());
    }
}
