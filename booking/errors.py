"""What can be refused in booking. Rules are `RuleBroken`: they are collected and answered all at once."""

from core.errors import Conflict, Forbidden, InvalidInput, NotFound


class BookingNotFound(NotFound):
    message = "There is no such booking, or it is not yours to see."


class SlotTaken(Conflict):
    """`details["alternatives"]`: the nearest free slots."""

    message = "Already taken: %(taken)s."


class UnitBlocked(Conflict):
    message = "Out of service: %(taken)s."


class StateChanged(Conflict):
    message = "This booking is %(state)s now, so this can no longer be done."


class VersionStale(Conflict):
    message = "Somebody changed this meanwhile. Load the page again to see what is there now."


class TermsNotAccepted(InvalidInput):
    """`details["terms_version"]`: the version to be accepted."""

    message = "Read the terms of use and accept them."


class TermsChanged(Conflict):
    """`details["terms_version"]`: the version that counts now; null where none does."""

    message = "The terms of use were changed meanwhile. Read the version that counts now."


class MayNotBook(Forbidden):
    message = "Only people of a startup, a team or a member institution can book."


class MayNotRunLab(Forbidden):
    message = "Only the managers and operators of this lab can do this."


class MayNotDecide(Forbidden):
    """The first word is the startup's own."""

    message = "Now the startup's owner decides, or a deputy; nobody stands in on a request of one's own."


class AwaitsOwner(Conflict):
    message = "The startup's owner must agree first. You are told as soon as it is your turn."


class DeputyNotFound(NotFound):
    message = "There is no such deputy, or it is not yours to end."


class DeputyUnknown(InvalidInput):
    message = "Choose somebody of the list: nobody else can stand in for you."


class DeputyPeriodInvalid(InvalidInput):
    message = "The period ends after it begins, in the future, and lasts at most %(days)s days."


class OwnerAmountInvalid(InvalidInput):
    message = "Write an amount in yuan, such as 2000."


class NotBookable(InvalidInput):
    message = "This instrument is listed but cannot be booked here yet. Ask the lab."


class RulesBroken(InvalidInput):
    """All broken rules at once, in `reasons`; `details["alternatives"]` where other slots would fit."""

    message = "This slot does not fit the rules of the instrument."


class RuleBroken(InvalidInput):
    """One rule. Never raised alone."""


class WishNotFound(NotFound):
    message = "There is no such entry of the waiting list, or it is not yours."


class OfferNotFound(NotFound):
    message = "There is no such offer, or it is not yours."


class OfferAnswered(Conflict):
    message = "This offer was answered, or its time is over. You still wait for the next one."


class OfferOpen(Conflict):
    message = "An offer is open already. Wait until it is answered or lapses."


class HoldNotFound(NotFound):
    message = "No slot is held for you now."


class HoldSpent(Conflict):
    """`details["again_at"]`: from when on it may be held again."""

    message = "A slot is held for at most %(minutes)s minutes in a row. Request it while it is free."


class WishExists(Conflict):
    message = "You wait for this instrument in this time already."


class WishesTooMany(Conflict):
    message = "One can wait for at most %(most)s things at once. Withdraw one first."


class WishNothingFits(Conflict):
    message = "No free slot fits this wish now."


class SlotInvalid(InvalidInput):
    message = "The end must lie after the start."


class WindowTooLong(InvalidInput):
    message = "Ask for at most %(days)s days at once."


class PartOfDayInvalid(InvalidInput):
    message = "Write the part of day as two times, for example 13:00 to 18:00."


class SlotOutOfRange(InvalidInput):
    message = "The time lies too far away to be meant."


class InPast(RuleBroken):
    message = "The slot has already begun."
    help = "Choose a later time."


class TooSoon(RuleBroken):
    message = "Book at least %(lead_minutes)s ahead."
    help = "The earliest start is now %(earliest_at)s."


class TooFarAhead(RuleBroken):
    message = "Book at most %(horizon_days)s days ahead."
    help = "It can end by %(latest_at)s now."


class TooShort(RuleBroken):
    message = "The shortest slot is %(shortest_minutes)s."


class TooLong(RuleBroken):
    message = "The longest slot is %(longest_minutes)s."


class OffStep(RuleBroken):
    message = "Slots start and end on steps of %(step_minutes)s."


class OutsideOpeningHours(RuleBroken):
    message = "The instrument is closed for part of this time."
    help = "Its page shows when it is open."


class QuantityMissing(RuleBroken):
    message = "Say how many: %(unit)s."


class QuantityInvalid(RuleBroken):
    message = "The quantity must be a number from 0 to 100,000 with at most 3 decimals."


class QuantityNotWhole(RuleBroken):
    message = "Count in whole numbers: %(unit)s."


class QuantityFromSlot(RuleBroken):
    message = "This is counted from the slot's time, so leave it out: %(unit)s."


class QuantityUnknown(RuleBroken):
    message = "This instrument is not charged by %(unit)s."


class ModeNotOffered(RuleBroken):
    message = "The lab does not offer this way of using the instrument."


class PriceMissing(RuleBroken):
    message = "There is no price for you on this instrument. Ask the lab."


class PriceTooHigh(RuleBroken):
    message = "The price is too high to be meant. Check the quantities."


class CheckInTooEarly(Conflict):
    message = "Check in from 30 minutes before the start."


class VisitEndMissing(InvalidInput):
    """Nobody clicked for long: the click is no longer the end of the use."""

    message = "The slot ended long ago. Say when the use really ended."


class VisitEndInvalid(InvalidInput):
    message = "The end of the use must lie between the check-in and now."


class OnlyLabShortensVisit(Forbidden):
    """Who pays does not lower the own bill."""

    message = "Only the lab can enter an earlier end or less than was agreed. Ask the lab to check you out."


class PastUseInFuture(InvalidInput):
    message = "Past use must have ended. For a later time, book it."


class PastUseTooLong(InvalidInput):
    message = "Past use can be entered for at most %(longest_minutes)s at once."


class ReasonMissing(InvalidInput):
    message = "Say why, so that the other side can understand it."


class TextTooLong(InvalidInput):
    message = "At most %(longest)s characters."


class ReportRangeTooLong(InvalidInput):
    message = "Ask for at most %(days)s days at once."


class ReportNotFound(NotFound):
    message = "There is no such lab, or its reports are not yours to see."
