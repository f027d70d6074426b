"""Proving who one is, the same way for pages and JSON: count, check, remember failures."""

from core.db import read_session, unit_of_work
from core.http import Web
from members import service
from members.errors import SignInRefused
from members.models import Person


def prove(web: Web, *, email: str, password: str) -> Person:
    """The person, or SignInRefused (counted) or TooManySignIns.

    The password is checked in a read of its own: hashing takes 20 ms and more, and no writer should wait for it.
    """
    address = web.request.client.host if web.request.client else ""
    with read_session(web.engine) as session:
        service.require_sign_in_allowed(session, email=email, address=address, now=web.now)
        try:
            return service.check_password(session, email=email, password=password)
        except SignInRefused as refusal:
            refused = refusal
    with unit_of_work(web.engine) as session:
        service.record_failure(session, email=email, address=address, now=web.now)
    raise refused
