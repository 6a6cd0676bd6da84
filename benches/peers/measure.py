"""Clock and peak memory of one job in this process."""

import json
import time
from pathlib import Path


def status(field):
    """A size of this process in bytes, of /proc: VmRSS is now, VmHWM the most there was."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"no {field} in /proc/self/status")


def measured(job, version):
    """Runs the job; prints times, memory and tallies. What was loaded before is held, but its peak is not counted."""
    Path("/proc/self/clear_refs").write_text("5")  # Resets VmHWM to VmRSS.
    before = status("VmRSS")
    start, cpu_start = time.perf_counter(), time.process_time()
    tallies = job()
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    print(json.dumps({
        "seconds": seconds, "cpu_seconds": cpu_seconds, "before": before, "peak": status("VmHWM"), "tallies": tallies, "version": version,
    }))


def add_up(places, parts):
    """Tallies of each place in order from rows of (place, records, internal, external): internal, external, duplicates."""
    sums = {place: [0, 0, 0] for place in places}
    for place, records, internal, external in parts:
        tally = sums[place]
        tally[0] += internal
        tally[1] += external
        tally[2] += records - internal - external
    return [sums[place] for place in places]
