"""Binance's heartbeat and its notice of a planned end (docs/venues/binance.md 2.6)."""

import orjson

from simulator.sockets import Socket, Sockets


class BinanceSockets(Sockets):
    """The venue pings, and a connection lives no longer than a day."""

    async def beat(self, socket: Socket, now: float) -> None:
        """Ping when it is time; cut what did not answer; close what is too old."""
        heart, is_spot = socket.heart, socket.connection.kind == "spot"
        age = now - heart.opened_s
        ping_s = self.timing.spot_ping_s if is_spot else self.timing.linear_ping_s
        pong_s = self.timing.spot_pong_s if is_spot else self.timing.linear_pong_s
        if age >= self.timing.connection_life_s:
            await socket.connection.close("life is over")
        elif heart.waiting_since_s and now - heart.waiting_since_s > pong_s:
            socket.connection.cut("no pong")
        elif now - heart.pinged_s >= ping_s:
            heart.pinged_s = now
            heart.waiting_since_s = heart.waiting_since_s or now
            heart.payload = str(self.feed.clock.now_ms()).encode()
            await socket.websocket.ping(heart.payload)
        elif age >= self.timing.connection_life_s - self.timing.shutdown_notice_s:
            self.announce(socket)

    def notice(self, socket: Socket) -> str:
        """`serverShutdown` at Spot; USD-M says nothing."""
        if socket.connection.kind != "spot":
            return ""
        event = {"e": "serverShutdown", "E": self.feed.clock.now_ms()}
        return orjson.dumps({"event": event}).decode()
