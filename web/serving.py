"""What uvicorn loads: the application over the settings of the environment, with its clock."""

from core.config import Settings
from web.app import create_app

app = create_app(Settings(), with_clock=True)
