"""`./dev check`, its last part: templates that compile, texts that are translated, nothing inline.

1. Every template compiles. 2. Every text that is marked in code or templates has its Chinese. 3. No PO file says
something else than another for the same text. 4. No inline style or script, which the page's policy would refuse.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_from_file
from jinja2 import TemplateSyntaxError

from core.config import ROOT
from core.i18n import chinese, read_catalogue
from core.rendering import Renderer

PACKAGES = ("core", "members", "equipment", "vouchers", "booking", "web")
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "N_": None,
    "gettext": (2,),
    "translate": (2,),
    "ngettext": (1, 2),
}
_REFUSAL_TEXT = re.compile(r'^    (?:message|help) = (?:\()?\s*"((?:[^"\\]|\\.)*)"', re.MULTILINE)
_INLINE = re.compile(r"<(?:style|script(?![^>]*\bsrc=))[\s>]|\sstyle=|\son[a-z]+=", re.IGNORECASE)


def main() -> None:
    problems = [*check_templates(), *check_translations(), *check_inline()]
    print("\n".join(problems) or "templates and translations: all good")
    sys.exit(bool(problems))


def check_templates() -> Iterator[str]:
    renderer = Renderer(zone="Asia/Shanghai", static=ROOT / "web" / "static")
    for path in templates():
        try:
            renderer.environment("en").get_template(str(path.relative_to(ROOT / "templates")))
        except TemplateSyntaxError as error:
            yield f"{path.relative_to(ROOT)}:{error.lineno}: {error.message}"


def check_translations() -> Iterator[str]:
    known = chinese()
    for path, line, message in marked_texts():
        if not known.get(message):
            yield f"{path}:{line}: no Chinese for {message!r}"
    seen: dict[str, tuple[str, str]] = {}
    for file in sorted((ROOT / "translations" / "zh_CN").glob("*.po")):
        for message, text in read_catalogue(file).items():
            other = seen.setdefault(message, (text, file.name))
            if other[0] != text:
                yield f"{file.name}: {message!r} is {text!r}, but {other[0]!r} in {other[1]}"
            if sorted(_fields(message)) != sorted(_fields(text)) and "%(num)s" not in text + message:
                yield f"{file.name}: {message!r} and {text!r} have other fields"


def check_inline() -> Iterator[str]:
    for path in templates():
        if "emails" in path.parts:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if _INLINE.search(line):
                yield f"{path.relative_to(ROOT)}:{number}: inline style or script"


def marked_texts() -> Iterator[tuple[str, int, str]]:
    """Path, line and message id of every marked text; a plural gives its second form."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield from _extracted(path, "python")
            source = path.read_text(encoding="utf-8")
            for match in _REFUSAL_TEXT.finditer(source):
                yield str(path.relative_to(ROOT)), source[: match.start()].count("\n") + 1, match[1]
    for path in templates():
        yield from _extracted(path, "jinja2")


def templates() -> list[Path]:
    return [path for path in sorted((ROOT / "templates").rglob("*")) if path.suffix in (".html", ".txt")]


def _extracted(path: Path, method: str) -> Iterator[tuple[str, int, str]]:
    """Texts as literals; a name in their place is marked where it was written."""
    function = "jinja2.ext:babel_extract" if method == "jinja2" else "python"
    options = {"silent": "false", "extensions": "jinja2.ext.do,jinja2.ext.loopcontrols"}
    for line, message, _comments, _context in extract_from_file(
        function,
        path,
        keywords=KEYWORDS,
        options=options,
    ):
        texts = message if isinstance(message, tuple) else (message,)
        if texts and texts[-1]:
            yield str(path.relative_to(ROOT)), line, texts[-1]


def _fields(text: str) -> list[str]:
    return re.findall(r"%\((\w+)\)s", text)


if __name__ == "__main__":
    main()
