"""What can be refused about service orders, files, messages and questions."""

from core.errors import Conflict, InvalidInput, NotFound


class OrderNotIssued(NotFound):
    message = "No service order has been issued for this booking."


class OrderNotPossible(Conflict):
    message = "A service order is issued for bookings that are approved, in use or completed."


class FileNotFound(NotFound):
    message = "There is no such file, or it is not yours to see."


class FileMissing(InvalidInput):
    message = "Choose a file."


class FileKindNotAllowed(InvalidInput):
    message = "Files are PDF, Word, Excel, text, CSV, ZIP, JPEG, PNG or TIFF, and hold what their name says."


class TooManyFiles(Conflict):
    message = "A booking holds at most %(most)s files. Remove one first, or put several into a ZIP."


class FilesTooLarge(Conflict):
    message = "The files of a booking hold at most %(megabytes)s MB together."


class MessageEmpty(InvalidInput):
    message = "Write a message."


class MessagesTooMany(Conflict):
    """A thread is for words, not for streams of data."""

    message = "A booking holds at most %(most)s messages."


class QuestionNotFound(NotFound):
    message = "There is no such question, or it is not yours to see."


class QuestionEmpty(InvalidInput):
    message = "Write a question."


class QuestionTooLong(InvalidInput):
    message = "At most %(longest)s characters."


class QuestionWaits(Conflict):
    message = "Your question about this instrument still waits for an answer. Ask the next one after that."


class QuestionsTooMany(Conflict):
    message = "%(most)s questions of yours wait for answers. Ask the next one after that."


class AnswerEmpty(InvalidInput):
    message = "Write an answer."


class QuestionAnswered(Conflict):
    message = "Somebody answered this question meanwhile. Load the page again."


class QuestionUnanswered(Conflict):
    message = "Only a question that is answered can be published."
