"""Pictures and documents of an instrument: shown to everybody, kept by its managers."""

from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from core.errors import Refusal
from core.forms import UploadIn
from equipment import files
from equipment.errors import FieldMissing
from equipment.pages.shared import Manager, around, errors_of, save
from equipment.scopes import Level, find_scope
from members.access import Visitor

router = APIRouter(include_in_schema=False)
#: A picture's name changes with the picture.
FOR_GOOD = "public, max-age=31536000, immutable"


@router.get("/photos/{size}/{name}.webp")
def show_photo(size: str, name: str, caller: Visitor) -> Response:
    with caller.read() as session:
        content = files.get_picture(session, name, large=size == "large")
    return Response(content, media_type="image/webp", headers={"Cache-Control": FOR_GOOD})


@router.get("/documents/{document_id}")
def send_document(document_id: UUID, caller: Visitor) -> Response:
    """As a download: nothing that was uploaded is shown as a page of ours."""
    with caller.read() as session:
        document = files.get_document(session, document_id)
        name, content, kind = document.file_name, document.content, document.media_type
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    headers = {"Content-Disposition": disposition, "Content-Security-Policy": "sandbox"}
    return Response(content, media_type=kind, headers=headers)


@router.get("/equipment/{equipment_id}/files")
def show_files(equipment_id: UUID, caller: Manager) -> Response:
    return _page(caller, equipment_id)


@router.post("/equipment/{equipment_id}/files")
def add_file(equipment_id: UUID, form: UploadIn, caller: Manager) -> Response:
    upload = form.files.get("file")
    try:
        if upload is None:
            raise FieldMissing(field="file")
        if form["kind"] == "photo":
            return save(
                caller, form, Level.EQUIPMENT, equipment_id, "files",
                lambda session, scope: files.add_photo(
                    session, caller.actor, scope, upload.content, caption=form["caption"], now=caller.now
                ),
            )  # fmt: skip
        return save(
            caller, form, Level.EQUIPMENT, equipment_id, "files",
            lambda session, scope: files.add_document(
                session, caller.actor, scope, upload.content, upload.name, title=form["caption"], now=caller.now
            ),
        )  # fmt: skip
    except Refusal as refusal:
        if not refusal.field:
            raise
        return _page(caller, equipment_id, refusal)


@router.post("/equipment/{equipment_id}/files/removal")
def drop_file(equipment_id: UUID, form: UploadIn, caller: Manager) -> Response:
    if form["photo"]:
        return save(
            caller, form, Level.EQUIPMENT, equipment_id, "files",
            lambda session, scope: files.drop_photo(session, caller.actor, scope, form["photo"], now=caller.now),
        )  # fmt: skip
    document_id = UUID(form["document"]) if len(form["document"]) == 36 else UUID(int=0)
    return save(
        caller, form, Level.EQUIPMENT, equipment_id, "files",
        lambda session, scope: files.drop_document(session, caller.actor, scope, document_id, now=caller.now),
    )  # fmt: skip


def _page(caller: Manager, equipment_id: UUID, refusal: Refusal | None = None) -> Response:
    with caller.read() as session:
        scope = find_scope(session, caller.actor, Level.EQUIPMENT, equipment_id)
        photos = files.find_photos(session, scope.id)
        documents = files.find_documents(session, scope.id)
    return caller.render(
        "pages/equipment/files.html",
        status=422 if refusal else 200,
        photos=photos,
        documents=documents,
        errors=errors_of(caller, refusal),
        **around(caller, scope, "files"),
    )
