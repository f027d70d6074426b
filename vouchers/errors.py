"""What can be refused about vouchers and money."""

from core.errors import Conflict, InvalidInput, NotFound


class VoucherNotFound(NotFound):
    message = "There is no such voucher, or it is not yours."


class ProgrammeNotFound(NotFound):
    message = "There is no such programme."


class VoucherBalanceTooLow(InvalidInput):
    message = (
        "The voucher has %(available_fen)s left; this needs %(needed_fen)s. Choose another or let it be automatic."
    )


class VoucherEndsBeforeSlot(InvalidInput):
    message = "This voucher can be used until %(last_use_on)s; the slot ends later."


class VoucherNotYetValid(InvalidInput):
    message = "This voucher is valid from %(valid_from_on)s."


class CompanyCapReached(InvalidInput):
    message = "A company may get %(cap_fen)s of this programme; %(left_fen)s is left for this one."


class BudgetExhausted(InvalidInput):
    message = "The programme has %(left_fen)s left to issue."


class AmountInvalid(InvalidInput):
    message = "Write an amount in yuan above zero, to the fen."


class ProgrammeWindowInvalid(InvalidInput):
    message = "A programme begins, then is last used, then redeemed: three dates in this order."


class HolderNotStartup(InvalidInput):
    message = "Vouchers go to companies and teams of the zone."


class MoneyMovedMeanwhile(Conflict):
    message = "The money for this was moved in the same moment. Look again at what is left."


class CauseReused(Conflict):
    message = "This was posted before with another amount."
