"""Whether the process lives, whether it can serve, and figures for a monitor."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from sqlalchemy import func, select, text
from starlette.responses import Response

from core.db import SQLITE
from core.http import JsonAnswer, WebIn
from core.migrating import current, head
from core.outbox import OutboxMessage

router = APIRouter(include_in_schema=False)
_waiting = Gauge("yixiang_outbox_waiting", "Messages that are due and not sent")


@router.get("/healthz")
def health() -> Response:
    """The process answers; asks nothing of the database."""
    return JsonAnswer({"status": "ok"})


@router.get("/readyz")
def ready(web: WebIn) -> Response:
    """The database answers and its migrations are those of this program."""
    with web.read() as session:
        session.execute(text("SELECT 1"))
        revision = current(session.connection())
    ok = revision == head()
    library = SQLITE.sqlite_version if web.engine.dialect.name == "sqlite" else None
    body = {"status": "ok" if ok else "migrations missing", "database": web.engine.dialect.name, "sqlite": library}
    return JsonAnswer(body | {"revision": revision}, 200 if ok else 503)


@router.get("/metrics")
def metrics(web: WebIn) -> Response:
    """Prometheus."""
    with web.read() as session:
        due = select(func.count()).where(
            OutboxMessage.sent_at.is_(None), OutboxMessage.dropped_at.is_(None), OutboxMessage.due_at <= web.now
        )
        _waiting.set(session.scalar(due) or 0)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
