//! Time on the wall and of the processor, over the stretches that are timed.

use std::error::Error;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

pub struct Clock {
    who: UsageWho,
    wall: Duration,
    cpu: Duration,
}

impl Clock {
    /// Of this process, all its threads.
    pub fn of_itself() -> Clock {
        Clock { who: UsageWho::RUSAGE_SELF, wall: Duration::ZERO, cpu: Duration::ZERO }
    }

    /// Of its children that have ended.
    pub fn of_children() -> Clock {
        Clock { who: UsageWho::RUSAGE_CHILDREN, ..Clock::of_itself() }
    }

    /// Does something on the clock.
    pub fn time<T>(&mut self, work: impl FnOnce() -> T) -> Result<T, Box<dyn Error>> {
        let (start, cpu_start) = (Instant::now(), cpu(self.who)?);
        let done = work();
        self.wall += start.elapsed();
        self.cpu += cpu(self.who)?.saturating_sub(cpu_start);
        Ok(done)
    }

    pub fn seconds(&self) -> f64 {
        self.wall.as_secs_f64()
    }

    pub fn cpu_seconds(&self) -> f64 {
        self.cpu.as_secs_f64()
    }
}

fn cpu(who: UsageWho) -> Result<Duration, Box<dyn Error>> {
    let usage = getrusage(who)?;
    let sum = usage.user_time() + usage.system_time();
    Ok(Duration::from_micros(u64::try_from(sum.num_microseconds())?))
}
