//! How the program fails, and what it does about malformed rows (X2).

use std::fmt;

/// Why the program stops.
#[derive(Debug)]
pub enum Failure {
    /// Bad input.
    Input(String),
    /// The command line asks for something that cannot be.
    Usage(String),
}

impl Failure {
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Input(_) => 1,
            Failure::Usage(_) => 2,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Input(message) | Failure::Usage(message) => f.write_str(message),
        }
    }
}

/// Where a row stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    /// The file's name as given.
    pub file: &'p str,
    /// The line on which the row begins, counted from 1.
    pub line: u64,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file, self.line)
    }
}

/// The malformed rows so far.
pub struct Rejections {
    skip: bool,
    count: u64,
}

impl Rejections {
    /// How many are named.
    const NAMED: u64 = 20;

    pub fn new(skip: bool) -> Rejections {
        Rejections { skip, count: 0 }
    }

    /// Names a malformed row, or stops at it.
    pub fn add(&mut self, place: Place<'_>, fact: &str) -> Result<(), Failure> {
        if !self.skip {
            return Err(Failure::Input(format!("{place}: {fact}")));
        }
        self.count += 1;
        if self.count <= Self::NAMED {
            eprintln!("rejected: {place}: {fact}");
        }
        Ok(())
    }

    /// Says how many there were, where not all were named.
    pub fn finish(&self) {
        if self.count > Self::NAMED {
            eprintln!("rejected: {} rows in all, of which the first {} are named", self.count, Self::NAMED);
        }
    }
}
