"""The zone of the process counts nowhere: what deals with time is tested again in New York and on Kiritimati, in a
process of its own. `./dev test --zones` does so with all tests of core, equipment and booking."""

import os
import subprocess
import sys

import pytest

from core.config import ROOT

#: Pure rooms of time, and whole ways of a booking on SQLite.
FILES = (
    "core/test_slot.py", "equipment/test_opening.py", "booking/test_conflicts.py", "booking/test_limits.py",
    "booking/test_pricing.py", "booking/test_months.py", "booking/test_clock_changes.py", "booking/test_timelines.py",
    "booking/test_strips.py", "booking/test_calendar.py", "booking/test_journey.py",
    "booking/test_odd_times.py",
)  # fmt: skip


@pytest.mark.skipif("TZ" in os.environ, reason="is in another zone already")
@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati"])
def test_the_zone_of_the_process_counts_nowhere(zone: str) -> None:
    command = [sys.executable, "-m", "pytest", "-n", "0", "-k", "not postgresql", *(f"tests/{name}" for name in FILES)]

    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"TZ": zone}, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-4000:]
