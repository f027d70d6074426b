"""Whether an organisation may book: suspended for a time or until it is lifted, and reinstated."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.db import lock_row
from members import audit, notes, queries
from members.actor import Actor
from members.errors import NeverBooks, NotSuspended, SuspensionEndInvalid, SuspensionNoteMissing
from members.models import Organisation, OrganisationKind, SuspensionCode


def suspend(
    session: Session, actor: Actor, public_id: UUID, *, code: SuspensionCode, until: datetime | None, words: str,
    now: datetime,
) -> Organisation:  # fmt: skip
    """Nobody books for it until then (None: until it is lifted); said anew, the last word counts. Bookings stay.

    Raises OrganisationNotFound, NeverBooks, SuspensionEndInvalid, SuspensionNoteMissing, NoteTooLong.
    """
    organisation = _locked(session, public_id)
    if organisation.kind is OrganisationKind.AUTHORITY or not organisation.is_member:
        raise NeverBooks
    if until is not None and until <= now:
        raise SuspensionEndInvalid(field="until")
    if not words.strip():
        raise SuspensionNoteMissing(field="words")
    note = notes.write(session, words, person_id=actor.person_id, now=now, field="words")
    organisation.suspended_at, organisation.suspended_until = now, until
    organisation.suspension_code, organisation.suspension_note_id = code, note.id
    audit.record(
        session, actor=actor, action="organisation_suspended", object=f"organisation:{public_id}", now=now,
        organisation_id=organisation.id, data={"code": code, "until": until}, note=note,
    )  # fmt: skip
    session.flush()
    return organisation


def reinstate(session: Session, actor: Actor, public_id: UUID, *, now: datetime) -> Organisation:
    """Lift a suspension. Raises OrganisationNotFound, NotSuspended."""
    organisation = _locked(session, public_id)
    suspension = organisation.suspension
    if suspension is None or not suspension.holds(now):
        raise NotSuspended
    organisation.suspended_at = organisation.suspended_until = None
    organisation.suspension_code = organisation.suspension_note_id = None
    audit.record(
        session, actor=actor, action="organisation_reinstated", object=f"organisation:{public_id}", now=now,
        organisation_id=organisation.id, data={"code": suspension.code},
    )  # fmt: skip
    session.flush()
    return organisation


def _locked(session: Session, public_id: UUID) -> Organisation:
    """Bookings of the organisation wait here, so that none slips past."""
    found = queries.get_organisation(session, public_id)
    return lock_row(session, Organisation, found.id)
