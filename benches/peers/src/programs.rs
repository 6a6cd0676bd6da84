//! What contestants need besides this program, and how each gets a process of
//! its own.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::files::{Files, Input};
use crate::{Contestant, Means, Outcome, Row};

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// The target directory that this program was built in.
pub fn target() -> Result<PathBuf, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    Ok(program.ancestors().nth(2).ok_or("this program is in no target directory")?.to_owned())
}

pub struct Programs {
    itself: PathBuf,
    count: Option<PathBuf>,
    /// Python with the packages, or why there is none.
    python: Result<PathBuf, String>,
}

impl Programs {
    /// Builds and installs what those contestants need.
    pub fn prepare(chosen: &[&Contestant], target: &Path) -> Result<Programs, Box<dyn Error>> {
        let count = match chosen.iter().any(|contestant| contestant.means == Means::Example) {
            true => Some(build_count()?),
            false => None,
        };
        let python = match chosen.iter().any(|contestant| matches!(contestant.means, Means::Script(..))) {
            true => install(&target.join("peers").join("venv")),
            false => Err("not asked for".to_owned()),
        };
        if let Err(why) = &python {
            eprintln!("SKIPPED: DuckDB and Polars: {why}");
        }
        Ok(Programs { itself: std::env::current_exe()?, count, python })
    }

    /// Runs a contestant in a process of its own.
    pub fn run(&self, contestant: &Contestant, files: &Files, input: Input, threads: usize) -> Row {
        let mut command = match contestant.means {
            Means::Rust | Means::Example => Command::new(&self.itself),
            Means::Script(..) => match &self.python {
                Ok(python) => Command::new(python),
                Err(why) => return Row::Skipped(why.clone()),
            },
        };
        match contestant.means {
            Means::Rust | Means::Example => {
                command.args(["--contestant", contestant.name, &input.size().to_string()]);
                command.args(["--threads", &threads.to_string(), "--work"]).arg(&files.folder);
            }
            Means::Script(script, job) => {
                command.arg("-B").arg(Path::new(HERE).join(script)).arg(job);
                command.args([&files.records_of(input), &files.policies()]).arg(threads.to_string());
            }
        }
        if let (Means::Example, Some(count)) = (contestant.means, &self.count) {
            for path in [count, &files.subscription(), &files.records_of(input)] {
                command.arg("--program").arg(path);
            }
        }
        match output(&mut command).map(|output| serde_json::from_slice::<Option<Outcome>>(&output.stdout)) {
            Ok(Ok(Some(outcome))) => Row::Ran(outcome),
            Ok(Ok(None)) => Row::Skipped("the crate has no call for it".to_owned()),
            Ok(Err(error)) => Row::Failed(error.to_string()),
            Err(why) => Row::Failed(why),
        }
    }
}

/// The `count` example as users build it.
fn build_count() -> Result<PathBuf, Box<dyn Error>> {
    let manifest = Path::new(HERE).join("../../Cargo.toml");
    eprintln!("building the `count` example");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--example", "count", "--message-format", "json", "--manifest-path"]);
    let messages = output(command.arg(manifest))?.stdout;
    let messages = serde_json::Deserializer::from_slice(&messages).into_iter::<serde_json::Value>();
    for message in messages {
        let message = message?;
        if let ("count", Some(path)) =
            (message["target"]["name"].as_str().unwrap_or(""), message["executable"].as_str())
        {
            return Ok(path.into());
        }
    }
    Err("cargo built no `count`".into())
}

/// A virtual environment with requirements.txt in it; the one that is there,
/// where it was made of the same.
fn install(venv: &Path) -> Result<PathBuf, String> {
    let wanted = Path::new(HERE).join("requirements.txt");
    let (python, installed) = (venv.join("bin").join("python"), venv.join("requirements.txt"));
    let same = fs::read(&wanted).is_ok_and(|wanted| fs::read(&installed).is_ok_and(|installed| wanted == installed));
    if !same {
        eprintln!("installing {} into {}", wanted.display(), venv.display());
        output(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
        output(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&wanted))?;
        fs::copy(&wanted, &installed).map_err(|error| error.to_string())?;
    }
    Ok(python)
}

/// What a command printed, if it ended well.
fn output(command: &mut Command) -> Result<Output, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    match output.status.success() {
        true => Ok(output),
        false => Err(format!("{name}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim_end())),
    }
}
