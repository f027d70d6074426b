"""Uploaded pictures: told by their content, refused by size before they are decoded, re-encoded by us. Pure."""

import io
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from equipment.errors import PhotoNotReadable, PhotoTooLarge, UploadTooLarge

MEGABYTES_MAX = 12
MEGAPIXELS_MAX = 50
FORMATS = ("JPEG", "PNG", "WEBP")
LARGE, SMALL = 1600, 320
QUALITY = 82
# The size is judged here, from the header, and said in the refusal; Pillow's own limit would only warn, or be higher.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class Picture:
    """Two sizes as WebP, and how large the larger one is."""

    width: int
    height: int
    large: bytes
    small: bytes


def read_picture(data: bytes) -> Picture:
    """Turned as the camera says, without anything but its pixels. Raises UploadTooLarge, PhotoTooLarge,
    PhotoNotReadable."""
    if len(data) > MEGABYTES_MAX * 1_000_000:
        raise UploadTooLarge(field="file", megabytes=MEGABYTES_MAX)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        width, height = image.size
        if width * height > MEGAPIXELS_MAX * 1_000_000:
            raise PhotoTooLarge(field="file", width=width, height=height, most=MEGAPIXELS_MAX)
        image.draft("RGB", (LARGE * 2, LARGE * 2))
        pixels = _on_white(ImageOps.exif_transpose(image))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise PhotoNotReadable(field="file") from error
    pixels.thumbnail((LARGE, LARGE))
    large = _encode(pixels)
    width, height = pixels.size
    pixels.thumbnail((SMALL, SMALL))
    return Picture(width, height, large, _encode(pixels))


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        flat = Image.new("RGB", image.size, "white")
        rgba = image.convert("RGBA")
        flat.paste(rgba, mask=rgba.getchannel("A"))
        return flat
    return image.convert("RGB")


def _encode(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=QUALITY, exif=b"", icc_profile=None)
    return out.getvalue()
