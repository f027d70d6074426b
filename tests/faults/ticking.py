"""The clock's process for fault tests: it looks often, and its clock is ahead, so that requests expire within seconds."""

import time
from datetime import datetime, timedelta

from core.clock import Clock
from core.config import Settings
from core.db import make_engine
from web.app import make_site
from web.scheduler import JOBS, make_clockwork

#: Requests of these tests may wait for a minute.
AHEAD = timedelta(seconds=57)
EVERY_S = 0.5
NAMES = ("expire_requests", "nudge_deciders", "mark_no_shows", "tend_waitlist")


class EarlyClock(Clock):
    def now(self) -> datetime:
        return super().now() + AHEAD


def main() -> None:
    settings = Settings()
    site = make_site(settings, make_engine(settings.url))
    site.clock = EarlyClock()
    clockwork = make_clockwork(site)
    while True:
        for job in JOBS:
            if job.name in NAMES:
                clockwork.tick(job)
        time.sleep(EVERY_S)


if __name__ == "__main__":
    main()
