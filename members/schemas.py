"""Shapes in and out of the JSON routes."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from core.shapes import In, Out


class SignInIn(In):
    email: Annotated[str, Field(max_length=254)]
    password: Annotated[str, Field(max_length=200)]


class TokenOut(Out):
    token: str


class FeedOut(Out):
    url: str


class GrantOut(Out):
    role: str
    organisation_id: UUID
    organisation_kind: str
    organisation_name: str


class MeOut(Out):
    id: UUID
    name: str
    email: str
    grants: list[GrantOut]
