//! The subscription file.

use std::path::Path;

use headcount::Subscription;

use crate::fault::Failure;

/// Reads a subscription file.
pub fn read(path: &Path) -> Result<Subscription, Failure> {
    let bytes = std::fs::read(path).map_err(|error| bad(path, &error))?;
    parse(path, &bytes)
}

/// The subscription in the bytes of a file.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Subscription, Failure> {
    let text = std::str::from_utf8(bytes).map_err(|_| bad(path, &"expected UTF-8: save the file as that"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    toml::from_str(text).map_err(|error| match error.span() {
        // The position of a constraint over the whole file would be its first line.
        Some(span) if span.len() < text.trim_end().len() => bad(path, &error.to_string().trim_end()),
        _ => bad(path, &error.message()),
    })
}

/// The TOML library quotes lines of the file as they are: nothing in them may
/// command a terminal.
fn bad(path: &Path, fact: &dyn std::fmt::Display) -> Failure {
    let mut message = format!("{}: ", path.display());
    for character in fact.to_string().chars() {
        match character {
            '\n' | '\t' => message.push(character),
            _ if character.is_control() => message.extend(character.escape_default()),
            _ => message.push(character),
        }
    }
    Failure::Input(message)
}
