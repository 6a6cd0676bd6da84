//! Files and standard input, opened once and read once or twice.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::fault::Failure;
use crate::rows::unreadable;

/// How the rows of an input are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Csv,
    Jsonl,
}

/// One source of user records.
pub struct Input {
    pub name: String,
    pub form: Form,
    source: Source,
}

enum Source {
    File(File),
    /// Standard input that is read only once.
    Stream,
}

impl Input {
    /// Opens everything before anything is read. Standard input is spooled
    /// where a second pass will be needed.
    pub fn open_all(
        paths: &[impl AsRef<Path>],
        individuals: Option<&Path>,
        subscription: &Path,
    ) -> Result<Vec<Input>, Failure> {
        let mut inputs: Vec<Input> = Vec::with_capacity(paths.len());
        for path in paths.iter().map(AsRef::as_ref) {
            let input = if path == Path::new("-") {
                if inputs.iter().any(|input| input.name == STANDARD_INPUT) {
                    return Err(Failure::Usage("`-` is given twice, but standard input can be read once".to_owned()));
                }
                Input::standard(individuals.is_some())?
            } else {
                Input::file(path, individuals.is_some())?
            };
            inputs.push(input);
        }
        if let Some(path) = individuals {
            refuse_overwriting(path, paths.iter().map(AsRef::as_ref).chain([subscription]))?;
        }
        Ok(inputs)
    }

    fn standard(twice: bool) -> Result<Input, Failure> {
        let source = match twice {
            false => Source::Stream,
            true => Source::File(spool(io::stdin()).map_err(|error| unreadable(STANDARD_INPUT, &error))?),
        };
        Ok(Input { name: STANDARD_INPUT.to_owned(), form: Form::Csv, source })
    }

    fn file(path: &Path, twice: bool) -> Result<Input, Failure> {
        let name = path.display().to_string();
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        let form = match ending.as_deref() {
            Some("csv") => Form::Csv,
            Some("jsonl") => Form::Jsonl,
            _ => {
                let message = format!("{name}: expected a file that ends in .csv or .jsonl, or `-` for standard input");
                return Err(Failure::Usage(message));
            }
        };
        let mut file = File::open(path).map_err(|error| unreadable(&name, &error))?;
        let kind = file.metadata().map_err(|error| unreadable(&name, &error))?;
        if twice && !kind.is_file() {
            file = spool(file).map_err(|error| unreadable(&name, &error))?;
        }
        Ok(Input { name, form, source: Source::File(file) })
    }

    fn len(&self) -> Option<u64> {
        match &self.source {
            Source::File(file) => file.metadata().ok().map(|metadata| metadata.len()),
            Source::Stream => None,
        }
    }

    /// The input from its beginning, less a byte order mark.
    pub fn reader(&mut self, progress: &ProgressBar) -> Result<Box<dyn Read + Send>, Failure> {
        let bad = |error: io::Error| unreadable(&self.name, &error);
        let reader: Box<dyn Read + Send> = match &mut self.source {
            Source::File(file) => {
                // A pipe given by name cannot be rewound, and need not be: it is at its beginning.
                if file.metadata().is_ok_and(|metadata| metadata.is_file()) {
                    file.seek(SeekFrom::Start(0)).map_err(bad)?;
                }
                Box::new(file.try_clone().map_err(bad)?)
            }
            Source::Stream => Box::new(io::stdin()),
        };
        without_mark(progress.wrap_read(reader), &self.name)
    }
}

const STANDARD_INPUT: &str = "standard input";

/// What can be read only once, as a file that can be read again.
fn spool(mut source: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut source, &mut file)?;
    Ok(file)
}

/// The individuals file must not be one of the files that are read.
fn refuse_overwriting<'p>(path: &Path, mut read: impl Iterator<Item = &'p Path>) -> Result<(), Failure> {
    let Ok(target) = path.canonicalize() else { return Ok(()) };
    let is_target = |input: &Path| input.canonicalize().is_ok_and(|input| input == target);
    match read.any(is_target) {
        false => Ok(()),
        true => Err(Failure::Usage(format!("--individuals {}: this file is one of those read", path.display()))),
    }
}

/// Takes a UTF-8 byte order mark off, or several, as a file has that was
/// exported twice; refuses UTF-16 by its own mark or by the NULs that ASCII has
/// in it.
pub fn without_mark<R: Read + Send + 'static>(mut reader: R, name: &str) -> Result<Box<dyn Read + Send>, Failure> {
    let mut start = Vec::with_capacity(4);
    let bad = |error: io::Error| unreadable(name, &error);
    reader.by_ref().take(4).read_to_end(&mut start).map_err(bad)?;
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) || start.contains(&0) {
        return Err(Failure::Input(format!(
            "{name}: this is UTF-16 or UTF-32: expected UTF-8, save or export it as that"
        )));
    }
    while start.starts_with(b"\xef\xbb\xbf") {
        start.drain(..3);
        reader.by_ref().take(3).read_to_end(&mut start).map_err(bad)?;
    }
    Ok(Box::new(io::Cursor::new(start).chain(reader)))
}

/// A bar on standard error where that is a terminal.
pub fn progress(inputs: &[Input], quiet: bool) -> ProgressBar {
    let total: Option<u64> = inputs.iter().map(Input::len).sum();
    let target = match quiet {
        true => ProgressDrawTarget::hidden(),
        false => ProgressDrawTarget::stderr(),
    };
    let bar = ProgressBar::with_draw_target(total, target);
    let template = match total {
        Some(_) => "{bar:40} {bytes} of {total_bytes}, {eta} left",
        None => "{spinner} {bytes} read",
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
