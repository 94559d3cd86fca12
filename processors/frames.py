"""From a frame of the stream to the account that it is of: its number, its evidence, its loss.

Pure. What cannot be read becomes a dead letter with its bytes, and the span is asked about.
"""

from collections.abc import Callable

from orderloom import raw
from orderloom.event import Origin
from orderloom.words import Source
from processors.account.account import AccountFold
from processors.intake import Refusal, read_frame
from venues.venue import Translation, Venue


class Frames:
    """Folds frames; `count` notes what translation did not know or ignored."""

    def __init__(self, venue: Venue, count: Callable[[Translation], None]) -> None:
        self._venue = venue
        self._count = count

    def fold(self, state: AccountFold, generation: int, frame: raw.Frame) -> None:
        """Fold what one message of the stream says."""
        state.look_ups.note_product(frame.product)
        link = state.streams.links.get(frame.connection)
        # The next frame in order changes nothing of what the streams show, and `watch` compares
        # that before and after.
        if link is None or frame.number != link.number + 1:
            state.look_ups.watch(lambda streams: streams.take_frame(generation, frame))
        else:
            state.streams.take_frame(generation, frame)
        translation = read_frame(self._venue, frame)
        if isinstance(translation, Refusal):
            self.lose(state, frame, frame.body, translation.reason)
            return
        origin = Origin(
            state.account, Source.STREAM, state.cause, frame.received_ns, None, frame.connection
        )
        if translation.unknown or translation.ignored is not None:
            self._count(translation)
        if translation.counts:
            since_ns = state.streams.take_counts(generation, frame, translation.counts)
            if since_ns is not None:
                state.look_ups.watch(lambda streams: streams.note_hole(frame, since_ns))
        state.take_events(translation.events, origin)

    def lose(
        self, state: AccountFold, frame: raw.Frame | raw.Oversize, body: bytes, reason: str
    ) -> None:
        """A frame's fact could not be taken in: keep the bytes, and ask about the span."""
        state.publisher.dead_letter(
            body, reason, state.cause, product=frame.product, received_ns=frame.received_ns
        )
        link = state.streams.links.get(frame.connection)
        # What it spoke of nobody knows: of any product that its connection carries (decision 0801).
        for product in (frame.product,) if link is None else link.products:
            state.look_ups.note_product(product)
            state.look_ups.note_loss(product, frame.received_ns, "a frame could not be read")
