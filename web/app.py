"""One application from all packages. The only place that knows every one of them."""

import gc
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import FrameType

import anyio.to_thread
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from booking import api as booking_api
from booking import (
    api_availability,
    api_boards,
    api_comparison,
    api_deciding,
    api_holds,
    api_lab,
    api_reports,
    api_waitlist,
    feeds,
)
from booking.live import find_changed
from booking.pages import board as board_pages
from booking.pages import bookings as booking_pages
from booking.pages import calendar as calendar_pages
from booking.pages import closures as closure_pages
from booking.pages import compare as compare_pages
from booking.pages import deciding as deciding_pages
from booking.pages import exceptions as exception_pages
from booking.pages import free as free_pages
from booking.pages import holding as holding_pages
from booking.pages import instrument as instrument_pages
from booking.pages import lab as lab_pages
from booking.pages import live as live_pages
from booking.pages import moving as moving_pages
from booking.pages import reports as report_pages
from booking.pages import search as search_pages
from booking.pages import standing_in as standing_in_pages
from booking.pages import terms as terms_pages
from booking.pages import waiting as waiting_pages
from booking.papers import api as papers_api
from booking.papers import pages as papers_pages
from booking.papers import question_pages
from core.clock import Clock, DemoClock
from core.config import Settings
from core.db import make_engine
from core.http import Site, install_error_answers
from core.live import Hub
from core.middleware import Surroundings
from core.rendering import Renderer
from core.signing import load_secret
from equipment import api as equipment_api
from equipment import api_access
from equipment import api_imports as import_api
from equipment.pages import catalogue as catalogue_pages
from equipment.pages import editing as editing_pages
from equipment.pages import files as file_pages
from equipment.pages import imports as import_pages
from equipment.pages import levels as level_pages
from equipment.pages import limits as limit_pages
from equipment.pages import prices as price_pages
from equipment.pages import qualifications as qualification_pages
from equipment.pages import terms as terms_reading_pages
from members import api as members_api
from members import api_standing, organisation_pages
from members import pages as members_pages
from vouchers import api as vouchers_api
from vouchers import own_pages as own_voucher_pages
from vouchers import pages as vouchers_pages
from web import health, home, navigation
from web.demo import pages as demo_pages
from web.references import name_references
from web.scheduler import start_clock

Handler = Callable[[int, FrameType | None], object]
STATIC = Path(__file__).parent / "static"
ROUTERS = (
    # First what is asked most: an address is compared with each router in turn.
    booking_api.router,
    api_availability.router,
    home.router,
    health.router,
    members_api.router,
    members_pages.router,
    api_standing.router,
    organisation_pages.router,
    # Before the instrument itself, whose address would take `comparison` for an id.
    api_comparison.router,
    equipment_api.router,
    api_access.router,
    import_api.router,
    catalogue_pages.router,
    import_pages.router,
    calendar_pages.router,
    editing_pages.router,
    file_pages.router,
    level_pages.router,
    limit_pages.router,
    qualification_pages.router,
    price_pages.router,
    terms_reading_pages.router,
    vouchers_api.router,
    vouchers_pages.router,
    own_voucher_pages.router,
    api_deciding.router,
    api_reports.router,
    api_lab.router,
    api_boards.router,
    search_pages.router,
    free_pages.router,
    compare_pages.router,
    instrument_pages.router,
    booking_pages.router,
    board_pages.router,
    deciding_pages.router,
    standing_in_pages.router,
    lab_pages.router,
    live_pages.router,
    holding_pages.router,
    api_holds.router,
    api_waitlist.router,
    waiting_pages.router,
    moving_pages.router,
    report_pages.router,
    closure_pages.router,
    exception_pages.router,
    terms_pages.router,
    papers_api.router,
    papers_pages.router,
    question_pages.router,
    feeds.router,
)


def create_app(settings: Settings | None = None, *, engine: Engine | None = None, with_clock: bool = False) -> FastAPI:
    """The application over one database. `with_clock`: this process also does the due work."""
    settings = settings or Settings()
    engine = engine or make_engine(settings.url, threads=settings.threads)
    if settings.unsafe_no_overlap_guard:
        engine = engine.execution_options(unsafe_no_overlap_guard=True)
    if settings.unsafe_no_state_guard:
        engine = engine.execution_options(unsafe_no_state_guard=True)
    site = make_site(settings, engine)
    app = FastAPI(
        title="Yixiang 仪享",
        version="0.1.0",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=_lifespan(site, with_clock=with_clock),
    )
    app.state.site = site
    install_error_answers(app)
    for router in ROUTERS:
        app.include_router(router)
    if settings.demo:
        app.include_router(demo_pages.router)
    app.mount("/static", CachedFiles(directory=STATIC))
    app.add_middleware(Surroundings)
    return app


def make_site(settings: Settings, engine: Engine) -> Site:
    return Site(
        engine=engine,
        settings=settings,
        clock=DemoClock(engine) if settings.demo else Clock(),
        renderer=Renderer(zone=settings.zone, static=STATIC),
        secret=load_secret(settings.secret_key.get_secret_value(), settings.data_dir),
        page_context=navigation.page_context,
        name_references=name_references,
        live=Hub(engine, find_changed),
    )


def _lifespan(site: Site, *, with_clock: bool) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # As many threads as connections: whoever has a thread has a connection, and nobody waits holding one.
        anyio.to_thread.current_default_thread_limiter().total_tokens = site.settings.threads
        stop = start_clock(site) if with_clock else None
        # What is loaded by now stays: the collector need not walk through it again and again.
        gc.collect()
        gc.freeze()
        _end_streams_when_told_to_stop(site)
        try:
            yield
        finally:
            if site.live:
                site.live.close()
            if stop:
                stop()
            site.engine.dispose()

    return lifespan


def _end_streams_when_told_to_stop(site: Site) -> None:
    """A server that is told to stop waits for its open answers; streams never end by themselves, so they end first."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        go_on = signal.getsignal(number)
        if callable(go_on):
            signal.signal(number, _closing_first(site, go_on))


def _closing_first(site: Site, go_on: Handler) -> Handler:
    def handle(number: int, frame: FrameType | None) -> None:
        if site.live:
            site.live.close()
        go_on(number, frame)

    return handle


class CachedFiles(StaticFiles):
    """Static files; their addresses change with their content, so browsers keep them for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
