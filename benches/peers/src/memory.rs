//! The most memory that a process held, as the kernel saw it.

use std::error::Error;
use std::fs;

/// Forgets what the peak was until now: `VmHWM` becomes `VmRSS`.
pub fn forget_peak() -> Result<(), Box<dyn Error>> {
    Ok(fs::write("/proc/self/clear_refs", "5")?)
}

/// What this process holds now.
pub fn now() -> Result<u64, Box<dyn Error>> {
    status("VmRSS:")
}

/// The most it held.
pub fn peak() -> Result<u64, Box<dyn Error>> {
    status("VmHWM:")
}

fn status(field: &str) -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/status")?;
    let kilobytes =
        text.lines().find_map(|line| line.strip_prefix(field)).and_then(|rest| rest.split_whitespace().next());
    Ok(kilobytes.ok_or_else(|| format!("no {field} in /proc/self/status"))?.parse::<u64>()? * 1024)
}

/// The most that a child of this process held which has ended.
pub fn peak_of_children() -> Result<u64, Box<dyn Error>> {
    use nix::sys::resource::{UsageWho, getrusage};
    Ok(u64::try_from(getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss())? * 1024)
}
