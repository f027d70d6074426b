"""Uploaded pictures and documents: told by their content, bounded, and nothing of them shown that we did not make."""

import io
import struct
import zlib

import pytest
from PIL import Image

from core.errors import Refusal
from equipment.errors import DocumentKindNotAllowed, PhotoNotReadable, PhotoTooLarge, UploadTooLarge
from equipment.papers import check_document, clean_name
from equipment.pictures import LARGE, SMALL, read_picture


def encoded(kind: str, size: tuple[int, int] = (400, 300), mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "red" if mode == "RGB" else (255, 0, 0, 0)).save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_becomes_two_sizes_of_our_own(kind: str) -> None:
    picture = read_picture(encoded(kind, (3000, 1500)))

    assert (picture.width, picture.height) == (LARGE, LARGE // 2)
    large, small = Image.open(io.BytesIO(picture.large)), Image.open(io.BytesIO(picture.small))
    assert (large.format, large.size, small.size) == ("WEBP", (1600, 800), (SMALL, SMALL // 2))


def test_a_camera_picture_is_turned_and_loses_its_place() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (30.0, 30.0, 0.0)

    picture = read_picture(encoded("JPEG", (400, 300), exif=exif))

    assert (picture.width, picture.height) == (300, 400)
    assert not Image.open(io.BytesIO(picture.large)).getexif()


def test_transparency_becomes_white() -> None:
    picture = read_picture(encoded("PNG", (50, 50), "RGBA"))

    red, green, blue = Image.open(io.BytesIO(picture.large)).convert("RGB").getpixel((25, 25))  # type: ignore[misc]
    assert min(red, green, blue) > 250


def huge_png(side: int = 30_000) -> bytes:
    """A real header of a picture that would need 2.7 GB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    rows = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_picture_of_thirty_thousand_pixels_is_refused_by_its_header() -> None:
    with pytest.raises(PhotoTooLarge) as refusal:
        read_picture(huge_png())
    assert refusal.value.fields["width"] == 30_000


@pytest.mark.parametrize(
    "data",
    [
        b"<script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"", b"GIF89a" + b"\0" * 50,
        encoded("PNG")[:60], encoded("JPEG")[:200], encoded("GIF"), encoded("BMP"),
        b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(PhotoNotReadable):
        read_picture(data)


def test_what_hides_behind_a_picture_does_not_come_through() -> None:
    picture = read_picture(encoded("JPEG") + b"<html><script>alert(1)</script></html>")

    assert b"script" not in picture.large + picture.small


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(UploadTooLarge):
        read_picture(b"\xff\xd8\xff" + b"\0" * 12_000_001)


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"%PDF-1.7 ...", "手册.pdf", "application/pdf"), (b"PK\x03\x04...", "SOP.DOCX", "wordprocessingml"),
        ("样品要求".encode(), "说明.txt", "text/plain"), (b"a,b\n1,2", "x.csv", "text/csv"),
    ],
)  # fmt: skip
def test_documents_of_known_kinds_are_taken(data: bytes, name: str, kind: str) -> None:
    assert kind in check_document(data, name).media_type


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"<html></html>", "a.html"), (b"<html></html>", "a.txt"), (b"%PDF-", "a.exe"), (b"MZ\x90", "a.pdf"),
        (b"<svg/>", "a.csv"), (b"", "a.pdf"), (b"#!/bin/sh", "a.txt"), (b"\x00\x01", "a.txt"), (b"x", "noending"),
    ],
)  # fmt: skip
def test_other_documents_are_refused(data: bytes, name: str) -> None:
    with pytest.raises(DocumentKindNotAllowed):
        check_document(data, name)


def test_file_names_lose_paths_and_controls() -> None:
    assert clean_name("..\\..\\etc/pass\nwd 手册.pdf") == "passwd 手册.pdf"
    assert len(clean_name("长" * 400 + ".pdf")) <= 150
    assert clean_name("长" * 400 + ".pdf").endswith(".pdf")


def test_no_input_is_a_mistake_of_ours() -> None:
    for data in (b"RIFF\x00\x00\x00\x00WEBP", b"\xff\xd8\xff\xe0" + b"\xff" * 64, huge_png(9_000)):
        with pytest.raises(Refusal):
            read_picture(data)
