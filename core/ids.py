"""Public ids: UUID version 7 (RFC 9562, 5.7): sortable by time, not countable."""

import secrets
import time
from uuid import UUID


def new_public_id() -> UUID:
    """48 bits of milliseconds, then 74 random bits."""
    millis = time.time_ns() // 1_000_000
    value = (millis & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)
