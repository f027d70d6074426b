"""Who looks at a page that changes is told when something on it did. One thread per process listens to the database.

A change is a key (a number that means something to the floors above) or everything. On PostgreSQL triggers say the key
by NOTIFY; on SQLite a counter tells that something was committed and `look` finds out what. A stream waits in the event
loop and holds no thread, no session and no connection.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
from fastapi.sse import ServerSentEvent
from sqlalchemy import Engine

from core.db import SQLITE

log = logging.getLogger("yixiang.live")

CHANNEL = "yixiang_changes"
POLL_S = 0.2
#: How long what changed is remembered, for pages that were read just before their stream began.
REMEMBERED_S = 60.0
#: A stream ends by itself and the browser asks anew: then it is looked again who may.
LIFETIME_S = 900.0
STREAMS_PER_PERSON = 2
RETRY_MS = 2_000

Keys = frozenset[int]
#: (cursor, what it answered before) -> (what it answers now, what changed since; None: everything).
Look = Callable[[Any, Any], tuple[Any, Keys | None]]


@dataclass(eq=False)
class Subscription:
    """One open stream."""

    person_id: int
    keys: Keys
    loop: asyncio.AbstractEventLoop
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    #: Another stream of the same person took its place.
    is_replaced: bool = False
    is_over: bool = False

    async def is_told(self, *, until: float) -> bool:
        """Wait for a change; False when the stream is over or its time is."""
        try:
            # Around the waiting alone: a timeout that is open while the stream yields would hit whoever reads it.
            await asyncio.wait_for(self.woken.wait(), until - time.monotonic())
        except TimeoutError:
            return False
        self.woken.clear()
        return not self.is_over

    def wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            self.loop.call_soon_threadsafe(self.woken.set)

    def end(self, *, replaced: bool = False) -> None:
        self.is_replaced, self.is_over = replaced, True
        self.wake()


class Hub:
    """The streams of one process, and the thread that listens for them from the first one on."""

    def __init__(self, engine: Engine, look: Look, *, lifetime_s: float = LIFETIME_S) -> None:
        self._engine, self._look = engine, look
        self.lifetime_s = lifetime_s
        self._lock = threading.Lock()
        self._streams: list[Subscription] = []
        self._recent: deque[tuple[float, Keys | None]] = deque()
        self._listens_since: float | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    async def follow(self, person_id: int, keys: Keys, *, age_s: float = 0.0) -> AsyncIterator[ServerSentEvent]:
        """Says `changed` whenever one of the keys did; `age_s` is how old the page is that asks.

        `over`: the same person opened more streams than there may be; the oldest goes.
        """
        with self._subscribed(person_id, keys, age_s) as stream:
            yield ServerSentEvent(event="hello", raw_data="1", retry=RETRY_MS)
            ends_at = time.monotonic() + self.lifetime_s
            while await stream.is_told(until=ends_at):
                yield ServerSentEvent(event="changed", raw_data="1")
            if stream.is_replaced:
                yield ServerSentEvent(event="over", raw_data="1")

    def close(self) -> None:
        """End every stream at once and stop listening; safe in a signal handler."""
        self._closing.set()
        for stream in list(self._streams):
            stream.end()

    @contextlib.contextmanager
    def _subscribed(self, person_id: int, keys: Keys, age_s: float) -> Iterator[Subscription]:
        stream = Subscription(person_id, keys, asyncio.get_running_loop())
        with self._lock:
            own = [other for other in self._streams if other.person_id == person_id and not other.is_over]
            for other in own[: max(len(own) + 1 - STREAMS_PER_PERSON, 0)]:
                other.end(replaced=True)
            self._streams.append(stream)
            if self._has_missed(keys, time.monotonic() - age_s):
                stream.woken.set()
            if self._closing.is_set():
                stream.end()
            elif self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="live", daemon=True)
                self._thread.start()
        try:
            yield stream
        finally:
            with self._lock:
                self._streams.remove(stream)

    def _has_missed(self, keys: Keys, since: float) -> bool:
        """Whether something changed, or nobody listened, since then."""
        if self._listens_since is None or self._listens_since > since or time.monotonic() - since > REMEMBERED_S:
            return True
        return any(at >= since and (changed is None or changed & keys) for at, changed in self._recent)

    def tell(self, changed: Keys | None) -> None:
        """Wake who looks at what changed; None: everything."""
        now = time.monotonic()
        with self._lock:
            self._recent.append((now, changed))
            while self._recent and self._recent[0][0] < now - REMEMBERED_S:
                self._recent.popleft()
            told = [stream for stream in self._streams if changed is None or changed & stream.keys]
        for stream in told:
            stream.wake()

    def _listen(self) -> None:
        """Until closed; a connection that breaks is made anew, and what was missed meanwhile is everything."""
        run = self._listen_postgresql if self._engine.dialect.name == "postgresql" else self._listen_sqlite
        while not self._closing.is_set():
            try:
                run()
            except (psycopg.Error, SQLITE.Error) as error:
                log.warning("live updates wait for the database: %s", error)
                self._listens_since = None
                self._closing.wait(1)

    def _begin(self) -> None:
        self._listens_since = time.monotonic()
        self.tell(None)

    def _listen_postgresql(self) -> None:
        address = self._engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True, application_name="yixiang live") as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._begin()
            while not self._closing.is_set():
                found = [note.payload for note in connection.notifies(timeout=1, stop_after=1)]
                if found:
                    found += [note.payload for note in connection.notifies(timeout=0)]
                    self.tell(None if "" in found else frozenset(map(int, found)))

    def _listen_sqlite(self) -> None:
        connection = SQLITE.connect(self._engine.url.database, timeout=1, isolation_level=None)
        try:
            cursor = connection.cursor()
            mark, _ = self._look(cursor, None)
            self._begin()
            seen = None
            while not self._closing.wait(POLL_S):
                (version,) = cursor.execute("PRAGMA data_version").fetchone()
                if version != seen:
                    seen = version
                    mark, changed = self._look(cursor, mark)
                    if changed is None or changed:
                        self.tell(changed)
        finally:
            connection.close()
