"""What a search reads: one narrow row for each entry, written by triggers on `equipment`."""

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Key
from equipment.models.entry import SortKey


class Findable(Base):
    """Copies of what is compared, sorted and counted. Nobody writes it but the triggers."""

    __tablename__ = "equipment_search"

    id: Mapped[int] = mapped_column(Key, ForeignKey("equipment.id", ondelete="CASCADE"), primary_key=True)
    is_retired: Mapped[bool]
    is_bookable: Mapped[bool]
    voucher_eligible: Mapped[bool]
    owner_id: Mapped[int]
    lab_id: Mapped[int]
    price_fen: Mapped[int | None]
    category: Mapped[str] = mapped_column(String(40))
    #: As `Modes` writes them, with commas around each.
    service_modes: Mapped[str] = mapped_column(String(40))
    sort_key: Mapped[str] = mapped_column(SortKey)
    model_key: Mapped[str] = mapped_column(String(300))
    name_zh_key: Mapped[str] = mapped_column(String(300))
    name_en_key: Mapped[str] = mapped_column(String(300))
    #: The entry's grams: lexemes on PostgreSQL; on SQLite the text, which FTS5 has too.
    words: Mapped[str] = mapped_column(Text().with_variant(TSVECTOR, "postgresql"))
