"""The pictures of one form, opened one after the other: none after the time that they have together."""

from __future__ import annotations

import time

from app.core.errors import TooSlow
from app.imaging.decode import DecoderPool
from app.imaging.normalise import Decoded

# So many times what one picture may take.
_TIMES = 3
# Who is sent away is so at once: nobody's first picture is read for nothing, and those after it wait longer for their turn.
_BEGUN_SECONDS = 20.0


class Opening:
    def __init__(self, decoders: DecoderPool) -> None:
        self._decoders = decoders
        self._seconds = _TIMES * decoders.seconds
        self._deadline: float | None = None
        self._begun = False

    def decode(self, data: bytes, *, field: str | None = None, region: bool = False) -> Decoded:
        """Decode the next one.

        Raises:
            TooSlow: it takes too long, or all of them together do; whoever hears it opens no more.
            InputError, Unavailable: as ``DecoderPool.decode`` says.
        """
        if self._deadline is None:
            self._deadline = time.monotonic() + self._seconds
        try:
            wait = _BEGUN_SECONDS if self._begun else None
            opened = self._decoders.decode(data, field=field, region=region, wait=wait, deadline=self._deadline)
        except TooSlow:
            if time.monotonic() < self._deadline:
                raise
            said = f"The pictures of this form take longer than {self._seconds:g} seconds to open together. Send fewer, or smaller ones."
            raise TooSlow(said, field=field) from None
        self._begun = True
        return opened
