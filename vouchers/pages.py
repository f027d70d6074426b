"""Pages of vouchers and funds."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
