"""What can be refused about people and sign-in."""

from core.errors import Conflict, InvalidInput, NotFound, NotSignedIn, TooMany


class SignInRefused(NotSignedIn):
    """One answer for an unknown address, a wrong password and a disabled person."""

    message = "E-mail or password is not right."


class TooManySignIns(TooMany):
    message = "Too many attempts to sign in. Try again in %(minutes)s minutes."


class RuleStale(Conflict):
    message = "Somebody changed this meanwhile. Load the page again to see what is there now."


class PersonNotFound(NotFound):
    message = "Nobody with this e-mail can book here. The person must be registered with a startup or an institution."


class OrganisationNotFound(NotFound):
    message = "There is no such organisation."


class NeverBooks(Conflict):
    message = "Only members of the zone that may book can be suspended."


class NotSuspended(Conflict):
    message = "This organisation is not suspended any more. Load the page again."


class SuspensionEndInvalid(InvalidInput):
    message = "Write the last day as a date that is not past, or leave it empty."


class SuspensionCodeInvalid(InvalidInput):
    message = "Choose a reason."


class SuspensionNoteMissing(InvalidInput):
    message = "Say why, so that the organisation and the labs can understand it."


class EmailTaken(Conflict):
    message = "Somebody is registered with this e-mail already."


class EmailInvalid(InvalidInput):
    message = "Write an e-mail address such as name@example.com."


class PasswordTooShort(InvalidInput):
    message = "A password has at least %(shortest)s characters."


class PasswordTooLong(InvalidInput):
    message = "A password has at most %(longest)s characters."


class PasswordTooCommon(InvalidInput):
    message = "This password is on every list of common passwords. Choose another."


class PasswordWrong(InvalidInput):
    message = "The present password is not right."


class CreditCodeInvalid(InvalidInput):
    message = "The unified social credit code has a mistake in it. Check its 18 characters."


class CreditCodeNotForTeams(InvalidInput):
    message = "A team that is not a company yet has no credit code."
