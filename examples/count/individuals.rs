//! The individuals file: who is counted, a row a record, without personal data.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use headcount::{Class, Counter, Standing};

use crate::fault::Failure;
use crate::input::Input;
use crate::rows::Reading;

/// Reads the inputs a second time and writes the file. Rejected rows have no
/// row in it; they take part in the numbering.
pub fn write(path: &Path, counter: &Counter, reading: &Reading, inputs: &mut [Input]) -> Result<(), Failure> {
    let bad = |error: &dyn std::fmt::Display| Failure::Input(format!("{}: {error}", path.display()));
    let mut target = Target::create(path).map_err(|error| bad(&error))?;
    let mut out = csv::Writer::from_writer(BufWriter::new(target.file()));
    let mut write = |row: [&str; 6]| out.write_record(row).map_err(|error| bad(&error));
    write(["record", "runtime", "outcome", "rule", "individual", "individual_class"])?;

    let mut individuals = counter.individuals();
    let mut numbers = Numbers::default();
    reading.each(inputs, |number, record| {
        // Whatever was rejected the first time is passed over the second.
        let Ok(record) = record else { return Ok(()) };
        let Ok(standing) = individuals.of(&record) else { return Ok(()) };
        let number = number.to_string();
        let head = [number.as_str(), record.runtime.trim()];
        let (outcome, rule, individual, class): (&str, String, String, Option<Class>) = match standing {
            Standing::Excluded(reason) => (reason.name(), String::new(), String::new(), None),
            Standing::Alone(why) => (why.class.name(), why.rule.to_string(), numbers.fresh(), Some(why.class)),
            Standing::Linked { record, individual, class } => {
                (record.class.name(), record.rule.to_string(), numbers.of(individual), Some(class))
            }
        };
        write([head[0], head[1], outcome, &rule, &individual, class.map_or("", Class::name)])
    })?;
    out.into_inner().map_err(|error| bad(error.error()))?.flush().map_err(|error| bad(&error))?;
    target.finish(path).map_err(|error| bad(&error))
}

/// Where the file is written: beside its place until it is whole, so that no
/// failure leaves half of it, and nothing of the same name by another path is
/// overwritten before it was read. What is no file is written as it stands.
enum Target {
    Beside(tempfile::NamedTempFile),
    Itself(File),
}

impl Target {
    fn create(path: &Path) -> io::Result<Target> {
        if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return File::create(path).map(Target::Itself);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        tempfile::NamedTempFile::new_in(folder).map(Target::Beside)
    }

    fn file(&mut self) -> &mut File {
        match self {
            Target::Beside(file) => file.as_file_mut(),
            Target::Itself(file) => file,
        }
    }

    fn finish(self, path: &Path) -> io::Result<()> {
        match self {
            Target::Beside(file) => file.persist(path).map(|_| ()).map_err(|error| error.error),
            Target::Itself(_) => Ok(()),
        }
    }
}

/// Numbers individuals from 1 as they come.
#[derive(Default)]
struct Numbers {
    given: u64,
    linked: HashMap<u32, u64>,
}

impl Numbers {
    fn fresh(&mut self) -> String {
        self.given += 1;
        self.given.to_string()
    }

    fn of(&mut self, individual: u32) -> String {
        let number = self.linked.entry(individual).or_insert_with(|| {
            self.given += 1;
            self.given
        });
        number.to_string()
    }
}
