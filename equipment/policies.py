"""Set rules at a level, and keep what follows from them in every entry below."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from equipment.errors import RuleInvalid, RulesContradict
from equipment.freshness import fingerprint, lock_level, refuse_stale
from equipment.history import record_for
from equipment.models import Equipment, Lab, RuleSet
from equipment.rules import RULES, find_contradictions, resolve
from equipment.scopes import Level, Scope
from members.actor import Actor


def get_own_rules(session: Session, scope: Scope) -> dict[str, Any]:
    """What the level itself sets."""
    if scope.level is Level.EQUIPMENT:
        entry = session.get_one(Equipment, scope.id)
        return {name: getattr(entry, name) for name in entry.own_rules if name in RULES}
    return dict(_rules_of(session, **scope.columns))


def get_inherited_rules(session: Session, scope: Scope) -> dict[str, Any]:
    """What would count if the level set nothing."""
    levels = []
    if scope.level is Level.EQUIPMENT:
        levels.append(_rules_of(session, lab_id=scope.lab_id))
    if scope.level is not Level.INSTITUTION:
        levels.append(_rules_of(session, organisation_id=scope.owner_id))
    return resolve(levels)


def set_rules(
    session: Session, actor: Actor, scope: Scope, own: Mapping[str, Any], *, now: datetime, seen: str = ""
) -> int:
    """Replace what the level sets by `own`; answers how many entries changed by it. Bookings keep what was agreed.

    Raises RuleInvalid at its field, RulesContradict; SavedMeanwhile where the rules are not as `seen`.
    """
    lock_level(session, scope)
    before = get_own_rules(session, scope)
    refuse_stale(session, scope, seen=seen, current=fingerprint(before))
    for name, value in own.items():
        if not RULES[name].is_valid(value):
            raise RuleInvalid(field=name, rule=RULES[name].label)
    inherited = get_inherited_rules(session, scope)
    if wrong := find_contradictions(inherited | dict(own)):
        raise RulesContradict(field=wrong[0], rules=RULES[wrong[0]].label)
    if scope.level is not Level.EQUIPMENT:
        _save(session, scope, own)
    changed = _refresh(session, scope, dict(own), now)
    fields = {
        name: (before.get(name), own.get(name)) for name in RULES if before.get(name) != own.get(name)
    }  # fmt: skip
    if fields:
        record_for(session, actor, scope, "rules", fields, now=now)
    return changed


def find_stale_rules(session: Session) -> list[str]:
    """Asset numbers of entries whose row is not what their levels say: none, unless somebody wrote past us."""
    sets = session.scalars(select(RuleSet)).all()
    labs = {row.lab_id: row.rules for row in sets if row.lab_id}
    owners = {row.organisation_id: row.rules for row in sets if row.organisation_id}
    stale = []
    for entry in session.scalars(select(Equipment)):
        own = {name: getattr(entry, name) for name in entry.own_rules if name in RULES}
        wanted = resolve([own, labs.get(entry.lab_id, {}), owners.get(entry.owner_id, {})])
        if any(getattr(entry, name) != value for name, value in wanted.items()):
            stale.append(entry.asset_number)
    return stale


def _rules_of(session: Session, *, lab_id: int | None = None, organisation_id: int | None = None) -> dict[str, Any]:
    statement = select(RuleSet.rules)
    if lab_id is not None:
        statement = statement.where(RuleSet.lab_id == lab_id)
    else:
        statement = statement.where(RuleSet.organisation_id == organisation_id)
    return session.scalars(statement).one_or_none() or {}


def _save(session: Session, scope: Scope, own: Mapping[str, Any]) -> None:
    column, key = next(iter(scope.columns.items()))
    row = session.scalars(
        select(RuleSet).where(getattr(RuleSet, column) == key).with_for_update()
    ).one_or_none()  # fmt: skip
    if row is None:
        session.add(RuleSet(rules=dict(own), **scope.columns))
    else:
        row.rules = dict(own)
    session.flush()


def _refresh(session: Session, scope: Scope, own: dict[str, Any], now: datetime) -> int:
    """Write into each entry below what counts for it now."""
    entries = list(
        session.scalars(
            select(Equipment).where(scope.entries).order_by(Equipment.id).with_for_update(key_share=True),
            execution_options={"populate_existing": True},
        )
    )
    owner = _rules_of(session, organisation_id=scope.owner_id)
    labs = {
        lab_id: _rules_of(session, lab_id=lab_id)
        for lab_id in session.scalars(select(Lab.id).where(Lab.organisation_id == scope.owner_id))
    }
    changed = 0
    for entry in entries:
        if scope.level is Level.EQUIPMENT:
            entry.own_rules = [name for name in RULES if name in own]
            nearest = own
        else:
            nearest = {name: getattr(entry, name) for name in entry.own_rules if name in RULES}
        rules = resolve([nearest, labs.get(entry.lab_id, {}), owner])
        different = {name: value for name, value in rules.items() if getattr(entry, name) != value}
        for name, value in different.items():
            setattr(entry, name, value)
        if different:
            entry.updated_at = now
            changed += 1
    session.flush()
    return changed
