"""What one frame costs a peer, in CPU time: run in the peers' environment, with nothing of ours.

`python peer_cost.py PEER LOAD RUNS`. LOAD is a file that `bench.against` wrote, of Binance Spot: a
line of JSON says how many frames only prepare, then comes one a frame, its text last. The peer gets
the bytes as its socket would hand them on, and keeps and passes on what it does in use; it speaks
to no exchange. Of each piece of frames the least time of RUNS runs counts. Prints one line of JSON:
microseconds a frame, and which version.
"""

import asyncio
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

PIECE: Final = 200
SYMBOL: Final = "BTCUSDT"
Take = Callable[[bytes], None]


def nexustrader() -> tuple[Take, Callable[[], int]]:
    """NexusTrader's handler of Binance's private stream, to its cache and its message bus.

    What takes a frame, and how many orders the strategy was told of.
    """
    from loguru import logger  # noqa: PLC0415 - each peer is imported where it is measured
    from nexustrader.constants import ExchangeType  # noqa: PLC0415
    from nexustrader.core.cache import AsyncCache  # noqa: PLC0415
    from nexustrader.core.entity import TaskManager  # noqa: PLC0415
    from nexustrader.core.nautilius_core import setup_nautilus_core  # noqa: PLC0415
    from nexustrader.core.registry import OrderRegistry  # noqa: PLC0415
    from nexustrader.exchange.binance.constants import BinanceAccountType  # noqa: PLC0415
    from nexustrader.exchange.binance.oms import BinanceOrderManagementSystem  # noqa: PLC0415

    class Offline(BinanceOrderManagementSystem):  # type: ignore[misc]  # known only over there
        """It begins with what it holds, and asks nothing."""

        def _init_account_balance(self) -> None: ...
        def _init_position(self) -> None: ...
        def _position_mode_check(self) -> None: ...

    logger.remove()
    logger.add(sys.stderr, level="INFO")  # as it comes
    bus, clock = setup_nautilus_core("bench-001", level_stdout="INFO")
    told = [0]

    def tell(_order: Any) -> None:
        told[0] += 1

    for status in ("pending", "accepted", "partially_filled", "filled", "canceled"):
        bus.register(status, tell)
    tasks = TaskManager(asyncio.get_running_loop())
    directory = tempfile.mkdtemp()
    cache = AsyncCache("strategy", "user", bus, clock, tasks, db_path=f"{directory}/cache.db")
    registry, name = OrderRegistry(), f"{SYMBOL}.BINANCE"
    oms = Offline(
        BinanceAccountType.SPOT, "key", "secret", {name: object()}, {f"{SYMBOL}_spot": name},
        registry, cache, None, ExchangeType.BINANCE, clock, bus, tasks, False,
    )  # fmt: skip

    def take(frame: bytes) -> None:
        # It passes on only orders of its own.
        registry.register_order(json.loads(frame)["c"])
        oms._ws_msg_handler(frame)  # noqa: SLF001 - its socket's callback

    take.measured = oms._ws_msg_handler  # type: ignore[attr-defined]  # noqa: SLF001
    return take, lambda: told[0]


def ccxt_pro() -> tuple[Take, Callable[[], int]]:
    """ccxt.pro's handler, to its caches of orders and trades; how many orders those hold."""
    import ccxt.pro  # noqa: PLC0415

    exchange = ccxt.pro.binance({"newUpdates": True})
    limits = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": "0.01",
            "maxPrice": "1000000",
            "tickSize": "0.01",
        },
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
    ]
    exchange.options |= {"crossMarginPairsData": [], "isolatedMarginPairsData": []}
    markets = [
        {
            "symbol": f"{base}USDT", "status": "TRADING", "baseAsset": base,
            "baseAssetPrecision": 8, "quoteAsset": "USDT", "quotePrecision": 8,
            "quoteAssetPrecision": 8, "isSpotTradingAllowed": True, "isMarginTradingAllowed": True,
            "permissions": ["SPOT"], "permissionSets": [["SPOT"]], "orderTypes": ["LIMIT"],
            "filters": limits,
        }
        for base in ("BTC", "BNB")  # what is traded, and what fees are in
    ]  # fmt: skip
    exchange.set_markets([exchange.parse_market(market) for market in markets])
    client = exchange.client("wss://127.0.0.1/private")  # never connected
    return client.handle_text_or_binary_message, lambda: len(exchange.orders or ())


PEERS: Final = {"nexustrader": nexustrader, "ccxt": ccxt_pro}


async def measured(peer: str, load: bytes, runs: int) -> float:
    """Microseconds a frame of `load`. Raises RuntimeError where the peer told nothing."""
    first, *lines = load.splitlines()
    frames = [json.loads(line)[-1].encode() for line in lines]
    prepared, counted = frames[: json.loads(first)], frames[json.loads(first) :]
    best: list[float] = []
    for _ in range(runs):
        take, known = PEERS[peer]()
        for frame in prepared:
            take(frame)
        before, found = known(), []
        take = getattr(take, "measured", take)
        gc.collect()
        for at in range(0, len(counted), PIECE):
            began = time.process_time()
            for frame in counted[at : at + PIECE]:
                take(frame)
            found.append(time.process_time() - began)
        if not known() or (peer == "nexustrader" and known() - before != len(counted)):
            raise RuntimeError(f"{peer} told of {known() - before} of {len(counted)} frames")
        best = [min(pair) for pair in zip(best, found, strict=True)] if best else found
    return sum(best) * 1e6 / len(counted)


if __name__ == "__main__":
    cost = asyncio.run(measured(sys.argv[1], Path(sys.argv[2]).read_bytes(), int(sys.argv[3])))
    print(json.dumps({"us": cost, "version": version(sys.argv[1])}))
