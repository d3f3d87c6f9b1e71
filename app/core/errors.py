"""The one tree of errors. Each has an HTTP status and a sentence a person can act on.

PentimentoError
├── InputError (422)            something the visitor gave is wrong; names its field
│   ├── PictureError (422)      not a picture we can read; TooSlow: it takes longer to open than allowed
│   ├── TooLarge (413)          more bytes or pixels than allowed
│   └── ParameterError (422)    a parameter out of range; ParameterErrors: all of them at once
├── NotSignedIn (401)           a shared installation, and no password or name of a proxy came with the request
├── NotFound (404)              no such thing, or not yours
├── NotReady (409)              it exists, but not in a state that allows this
├── Forbidden (403)             a cross-site request
├── TooMany (429)               over a limit; carries retry_after
├── Unavailable (503)           broker, database or worker is away; carries retry_after
├── StorageFull (507)           the disk has no room for more
├── ArtefactError (500)         network weights missing, damaged or not as pinned
└── EngineError (500)           the style transfer could not go on
"""

from __future__ import annotations

from collections.abc import Sequence


class PentimentoError(Exception):
    """Base of every error this project raises on purpose."""

    status = 500
    code = "error"
    retry_after: int | None = None

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InputError(PentimentoError):
    status = 422
    code = "input"


class PictureError(InputError):
    code = "picture"


class TooSlow(PictureError):
    pass


class TooLarge(InputError):
    status = 413
    code = "too_large"


class ParameterError(InputError):
    code = "parameter"


class ParameterErrors(ParameterError):
    """Everything that is wrong with a set of parameters: one error a field, in ``errors``."""

    def __init__(self, errors: Sequence[ParameterError]) -> None:
        super().__init__(" ".join(error.message for error in errors), field=errors[0].field)
        self.errors = tuple(errors)


class NotSignedIn(PentimentoError):
    status = 401
    code = "not_signed_in"


class NotFound(PentimentoError):
    status = 404
    code = "not_found"


class NotReady(PentimentoError):
    status = 409
    code = "not_ready"


class Forbidden(PentimentoError):
    status = 403
    code = "forbidden"


class TooMany(PentimentoError):
    status = 429
    code = "too_many"
    retry_after = 30

    def __init__(self, message: str, *, field: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(message, field=field)
        if retry_after is not None:
            self.retry_after = retry_after


class Unavailable(PentimentoError):
    status = 503
    code = "unavailable"
    retry_after = 10


class StorageFull(PentimentoError):
    status = 507
    code = "storage_full"


class ArtefactError(PentimentoError):
    code = "artefact"


class EngineError(PentimentoError):
    code = "engine"
