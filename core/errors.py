"""All exceptions of this application.

RejoinderError
|- SettingsInvalid        settings are missing or wrong; lists all of them
|  |- ModelsInvalid       models.yml is missing or wrong
|- NotFound               the requested object does not exist
|- InvalidInput           the input cannot be used; says why
|  |- Unauthorised        the token is missing or wrong
|  |- Forbidden           authenticated, but not allowed
|  |- OriginRefused       the requesting web page is not on the allow-list
|  |- TooLarge            more bytes than we accept
|  |- TooManyRequests     the sender must slow down; says for how long
|  |- RulesInvalid        these routing rules cannot be used; lists all reasons
|- DeliveryFailed         a channel or desk did not accept a delivery
|  |- Retry               temporarily; has the delay in seconds if the vendor gives one
|  |- Permanent           permanently; says why
|  |- Unknown             it may have been accepted or not
|- Conflict               someone else was first, or the object has changed
|- Unavailable            a service that we depend on does not respond
   |- RasaUnavailable
   |- KnowledgeUnavailable
   |- ActionFailed         an action could not be run, here or on its server; says why
   |- ProviderFailed       one call to a language model failed; has the kind of error
   |- NoProviderLeft       none of the models in a rule could answer
"""

from __future__ import annotations

from typing import Literal

ErrorKind = Literal[
    "timeout",  # no data within a time limit, or a stream that stalls or never ends
    "connection",  # no connection, or it was interrupted
    "rate_limited",  # HTTP 429
    "unauthorised",  # 401, 403: the key is wrong or may not use this
    "quota",  # 402, or "out of quota"
    "server",  # 5xx
    "malformed",  # a response that differs from the vendor's documentation: HTML, broken JSON
    "empty",  # no choice, or no text
    "blocked",  # the vendor's safety filter
    "not_found",  # no such model
    "context_too_long",  # more tokens than the model accepts
    "bad_request",  # any other 4xx: an error on our side
]
"""Why a call to a language model failed."""


class RejoinderError(Exception):
    """Something went wrong on our side."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class SettingsInvalid(RejoinderError):
    """The settings are not valid."""


class ModelsInvalid(SettingsInvalid):
    """The list of models cannot be used."""


class NotFound(RejoinderError):
    """There is no such thing."""


class InvalidInput(RejoinderError):
    """This input cannot be used."""


class Unauthorised(InvalidInput):
    """The token is missing, wrong or expired."""


class Forbidden(InvalidInput):
    """You may not do this."""


class OriginRefused(InvalidInput):
    """This web page may not open a chat here."""


class TooLarge(InvalidInput):
    """This is too large."""


class TooManyRequests(InvalidInput):
    """Too many messages in a short time. Please wait a moment."""

    def __init__(self, message: str | None = None, retry_after: int = 60) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RulesInvalid(InvalidInput):
    """These routing rules cannot be used."""


class DeliveryFailed(RejoinderError):
    """This could not be delivered."""


class Retry(DeliveryFailed):
    """The vendor does not take it now."""

    def __init__(
        self, message: str | None = None, *, after: float | None = None, waits_for: Literal["customer"] | None = None
    ) -> None:
        super().__init__(message)
        self.after = after
        """Seconds that the vendor asked us to wait."""
        self.waits_for = waits_for
        """Whose message makes it due at once."""


class Permanent(DeliveryFailed):
    """The vendor will never take it."""


class Unknown(DeliveryFailed):
    """The connection broke off: the vendor may have taken it."""


class Conflict(RejoinderError):
    """Somebody else was first."""


class Unavailable(RejoinderError):
    """A service that is needed does not answer."""


class RasaUnavailable(Unavailable):
    """The Rasa server does not answer."""

    def __init__(self, message: str | None = None, *, maybe_heard: bool = False) -> None:
        super().__init__(message)
        self.maybe_heard = maybe_heard
        """It broke off after something was sent: look into the tracker before saying it again."""


class KnowledgeUnavailable(Unavailable):
    """The knowledge index does not answer."""


class ActionFailed(Unavailable):
    """An action could not be run."""


class ProviderFailed(Unavailable):
    """A call to a language model failed."""

    def __init__(self, message: str, kind: ErrorKind, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after
        """Seconds that the vendor asked us to wait."""


class NoProviderLeft(Unavailable):
    """No language model could answer."""
