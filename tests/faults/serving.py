"""The application for fault tests: real time, no clock of its own."""

from core.config import Settings
from web.app import create_app

app = create_app(Settings())
