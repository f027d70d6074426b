"""What can be refused about the catalogue."""

from core.errors import InvalidInput, NotFound


class EquipmentNotFound(NotFound):
    message = "There is no such instrument."


class UnitNotFound(NotFound):
    message = "There is no such unit."


class SearchTooLong(InvalidInput):
    message = "Search with at most %(longest)s characters."


class SearchCursorInvalid(InvalidInput):
    message = "This cursor is not one that we gave."


class ImportRefused(InvalidInput):
    """The whole file is refused; nothing was written."""

    message = "The file cannot be imported."


class FileNotKnown(ImportRefused):
    message = "This file is neither our CSV of instruments nor an SJ3 table."


class FileNotReadable(ImportRefused):
    message = "The file's text cannot be read: it is neither UTF-8 nor GBK (byte %(position)s)."


class FileTooLarge(ImportRefused):
    message = "The file has more than %(megabytes)s MB."


class WrongSchool(ImportRefused):
    message = "Row %(row)s belongs to school %(found)s, not to %(expected)s. Nothing was imported."


class RecordCut(ImportRefused):
    message = (
        "Row %(row)s has %(found)s bytes instead of 349: the file is cut or has other columns. Nothing was imported."
    )


class InstitutionNotFound(ImportRefused):
    message = "There is no institution with the code %(institution)s."
