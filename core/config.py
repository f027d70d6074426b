"""Settings from the environment (`YIXIANG_*`) or a `.env` file. Read once, passed down."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

#: The folder that holds `templates/`, `translations/` and `migrations/`.
ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """What a host decides. Everything has a default that is right for one lab on one machine."""

    model_config = SettingsConfigDict(env_prefix="YIXIANG_", env_file=".env", extra="ignore")

    data_dir: Path = Path("var")
    database_url: str = ""
    secret_key: SecretStr = SecretStr("")
    base_url: str = "http://127.0.0.1:8000"
    smtp_url: str = ""
    mail_from: str = "yixiang@localhost"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    zone: str = "Asia/Shanghai"
    demo: bool = False
    #: Threads that serve requests; also the size of the connection pool, so that none waits for a connection.
    threads: int = Field(default=16, ge=1, le=64)
    #: Test only, and only together with `testing`: leaves out the overlap check in Python, so that the race test can
    #: show that the database refuses by itself, and that without the database's guard it finds double bookings.
    unsafe_no_overlap_guard: bool = False
    #: As above: leaves out the look at a booking's state, its lock and compare-and-set.
    unsafe_no_state_guard: bool = False
    testing: bool = False

    @model_validator(mode="after")
    def refuse_unsafe(self) -> Self:
        """Raises ValueError for an unsafe setting outside a test."""
        if (self.unsafe_no_overlap_guard or self.unsafe_no_state_guard) and not self.testing:
            raise ValueError("YIXIANG_UNSAFE_* is for tests only")
        return self

    @property
    def url(self) -> str:
        """The database address; a SQLite file in the data folder unless one is set."""
        return self.database_url or f"sqlite:///{self.data_dir / 'yixiang.db'}"
