"""Terms of use in versions: what a user of an instrument agrees to. A version is written once and never changed."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant, Key, PublicId
from core.ids import new_public_id
from equipment.models.times import ONE_SCOPE

#: The parts that the state's sharing rules ask a contract with each user to have (国科发基〔2017〕289号).
PARTS = ("content", "intellectual_property", "confidentiality", "damage")


class Terms(Base):
    """One version of the terms of an instrument, or of a lab's or institution's instruments that have none.

    In force from `effective_on`, until a later one of the same level; of two of one day the newer one. A version with
    no part at all says that the level asks nothing from that day on. Immutable: triggers refuse every change.
    """

    __tablename__ = "terms"
    __table_args__ = (
        CheckConstraint(ONE_SCOPE, name="one_scope"),
        UniqueConstraint("equipment_id", "number"),
        UniqueConstraint("lab_id", "number"),
        UniqueConstraint("organisation_id", "number"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    equipment_id: Mapped[int | None] = mapped_column(ForeignKey("equipment.id"))
    lab_id: Mapped[int | None] = mapped_column(ForeignKey("labs.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    #: Counts the versions of one level, from 1.
    number: Mapped[int]
    effective_on: Mapped[date]
    content: Mapped[str] = mapped_column(Text, default="")
    intellectual_property: Mapped[str] = mapped_column(Text, default="")
    confidentiality: Mapped[str] = mapped_column(Text, default="")
    damage: Mapped[str] = mapped_column(Text, default="")
    asks_nothing: Mapped[bool] = mapped_column(default=False)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    written_at: Mapped[datetime] = mapped_column(Instant)
