"""Marks that only this site can make: CSRF tokens and one-time messages in cookies."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote as _quote


def mark(secret: bytes, text: str) -> str:
    return hmac.new(secret, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def pack(secret: bytes, value: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(value).encode()).decode()
    return f"{body}.{mark(secret, body)}"


def unpack(secret: bytes, packed: str) -> Any:
    """The value, or None when it is not ours."""
    body, _, proof = packed.partition(".")
    if not hmac.compare_digest(proof.encode("utf-8", "replace"), mark(secret, body).encode()):
        return None
    try:
        return json.loads(base64.urlsafe_b64decode(body))
    except (binascii.Error, ValueError):
        return None


def quote(text: str) -> str:
    return _quote(text, safe="/")


def load_secret(configured: str, data_dir: Path) -> bytes:
    """The configured secret, else one made at the first start and kept in the data folder."""
    if configured:
        return configured.encode()
    path = data_dir / "secret"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        fresh = data_dir / f".secret-{secrets.token_hex(4)}"
        fresh.write_text(secrets.token_urlsafe(48))
        fresh.chmod(0o600)
        fresh.rename(path)
    return path.read_text().encode()
