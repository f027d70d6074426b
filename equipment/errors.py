"""What can be refused about the catalogue."""

from core.errors import Conflict, Forbidden, InvalidInput, NotFound


class EquipmentNotFound(NotFound):
    message = "There is no such instrument."


class LimitsNotHere(NotFound):
    message = "Limits are set on instruments, on labs and in the zone."


class LimitInvalid(InvalidInput):
    message = "Write a number of bookings up to 10,000, and a time up to 31 days such as 8 h; or leave it empty."


class QualificationNotFound(NotFound):
    message = "There is no such qualification, or it is not yours to see."


class QualificationEnded(Conflict):
    message = "This was ended already. Load the page again."


class QualificationScopeInvalid(InvalidInput):
    message = "Choose what it is for: an instrument, a category, or all instruments of this lab."


class QualificationDateInvalid(InvalidInput):
    message = "Write the last day as a date that is not past, or leave it empty."


class TrainingNotNeeded(Conflict):
    message = "Nothing is to be asked for: this instrument needs no qualification, or you have one or asked already."


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
    message = "This file is neither a list of instruments nor a table SJ1 or SJ3."


class FileNotReadable(ImportRefused):
    message = "The file's text cannot be read: it is neither UTF-8 nor GBK (byte %(position)s)."


class FileTooLarge(ImportRefused):
    message = "The file has more than %(megabytes)s MB."


class WrongSchool(ImportRefused):
    message = "Row %(row)s belongs to school %(found)s, not to %(expected)s. Nothing was imported."


class RecordCut(ImportRefused):
    message = "Row %(row)s has %(found)s bytes, not %(expected)s: the file is cut or another one. Nothing was taken in."


class InstitutionNotFound(ImportRefused):
    message = "There is no institution with the code %(institution)s."


class FileEmpty(ImportRefused):
    message = "The file holds no rows."


class FileTooManyRows(ImportRefused):
    message = "The file has more than %(rows)s rows."


class FileTooWide(ImportRefused):
    message = "The sheet is too wide: at most %(columns)s columns, and %(cells)s cells from its first to its last."


class QuoteOpen(ImportRefused):
    message = "A quotation mark in row %(row)s is not closed, or text follows it. Nothing was taken in."


class FileUnpacksTooLarge(ImportRefused):
    message = "The workbook unpacks to more than %(megabytes)s MB. Save only the sheet with the list."


class FileDamaged(ImportRefused):
    message = "The workbook cannot be opened: it is damaged or protected."


class HeadingsNotFound(ImportRefused):
    message = "No row of headings was found in the first %(rows)s rows."


class ColumnsNotKnown(ImportRefused):
    """The headings are there, but at least asset number and name are not known among them: somebody must say."""

    message = "The columns are not known. Say which holds the asset number and which the name."


class HeadingUnknown(ImportRefused):
    message = "%(heading)s is no heading of this file, or %(field_name)s is no field that a column can hold."


class PhotoNotReadable(InvalidInput):
    message = "This is not a picture: JPEG, PNG or WebP."


class PhotoTooLarge(InvalidInput):
    message = "The picture has %(width)s x %(height)s pixels; at most %(most)s million."


class UploadTooLarge(InvalidInput):
    message = "The file has more than %(megabytes)s MB."


class DocumentKindNotAllowed(InvalidInput):
    message = "Documents are PDF, Word, Excel, text, CSV or ZIP files."


class TermsNotFound(NotFound):
    message = "There are no such terms of use."


class TermsEmpty(InvalidInput):
    message = "Write each of the four parts; a part that rules nothing says so."


class TermsTooLong(InvalidInput):
    message = "At most %(longest)s characters."


class TermsInPast(InvalidInput):
    message = "Terms count from today or a later day on, at most five years ahead."


class NothingPublished(Conflict):
    message = "No terms are in force here that could be ended."


class ImportNotFound(NotFound):
    message = "There is no such import, or it is not yours to see."


class ImportNotReady(Conflict):
    message = "This import is not waiting for that any more."


class ImportStale(Conflict):
    message = "The catalogue was changed since the comparison. Compare again."


class RetirementNotConfirmed(InvalidInput):
    message = "This would retire %(number)s instruments. Tick that you mean it, then apply."


class ImportNotYours(Forbidden):
    message = "This import changes instruments of labs that you do not run. Compare again, or ask the zone office."


class LabNotFound(NotFound):
    message = "There is no such lab."


class InstitutionUnknown(NotFound):
    message = "There is no such institution."


class SavedMeanwhile(Conflict):
    """`details["theirs"]`: what somebody else saved, by field."""

    message = "%(name)s saved this meanwhile. What you typed is still here: look at the differences, then save again."


class RuleInvalid(InvalidInput):
    message = "%(rule)s is not within its bounds."


class LengthInvalid(InvalidInput):
    message = "Write a length of time as 30 min, 48 h or 3 d."


class RulesContradict(InvalidInput):
    message = "These rules do not go together: %(rules)s."


class HoursInvalid(InvalidInput):
    message = "Write hours as 08:30-12:00, 14:00-17:30; they must not overlap."


class SeasonInvalid(InvalidInput):
    message = "Write a season as month and day, such as 05-01."


class PriceInvalid(InvalidInput):
    message = "A price is a number of yuan with at most two decimals."


class TariffEmpty(InvalidInput):
    message = "Enter at least one price."


class TariffInPast(InvalidInput):
    message = "New prices count from today or later: what was used is charged as it was agreed."


class BandInvalid(InvalidInput):
    message = "A band of time needs a name, days, one stretch such as 22:00-06:00 and a factor from 0 to 10."


class TariffBegun(Conflict):
    message = "This version has begun already, or is not one of these: what was used is charged as it was agreed."


class NothingBefore(Conflict):
    message = "No version of these prices comes before it. Save other prices for the same day: they take its place."


class ClosureInvalid(InvalidInput):
    message = "A closure needs a start, a later end and a reason, and lasts at most a year."


class ClosureNotFound(NotFound):
    message = "There is no such closure."


class EmailInvalid(InvalidInput):
    message = "This is not an e-mail address."


class ClassUnknown(InvalidInput):
    message = "There is no class %(class_code)s."


class FieldTooLong(InvalidInput):
    message = "At most %(longest)s characters."


class FieldMissing(InvalidInput):
    message = "This is required."


class DateInvalid(InvalidInput):
    message = "This is not a date."


class AssetNumberTaken(Conflict):
    message = "Another instrument of the institution has this asset number."


class LastUnit(InvalidInput):
    message = "An instrument that can be booked needs a unit. Take it out of booking first."


class NoPricesYet(InvalidInput):
    message = "Enter hours, a unit and prices first: then it can be booked."


class YearInvalid(InvalidInput):
    message = "Choose a year from 2020 to 2100."


class PhotoNotFound(NotFound):
    message = "There is no such picture."


class TooManyPhotos(InvalidInput):
    message = "At most %(most)s pictures. Remove one first."
