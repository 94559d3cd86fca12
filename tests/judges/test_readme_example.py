"""The example of the simulator's page runs as it stands there."""

import re
from typing import Any

from simulator.config import SimulatorConfig
from simulator.server import start
from tests.judges.ccxt_trader import accounts_of
from tests.source_tree import ROOT

PAGE = ROOT / "simulator" / "README.md"


async def test_the_pages_example_trades_and_listens() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    (example,) = [block for block in blocks if "ccxt" in block]
    names: dict[str, Any] = {}
    exec(compile(example, PAGE, "exec"), names)
    keys = {"api_key": "any-key", "secret": "any-secret", "passphrase": "any-phrase"}
    account = accounts_of("okx")[0].model_copy(update=keys)
    server = await start(SimulatorConfig(venue="okx", accounts=(account,)))
    try:
        positions, balance = await names["buy_and_listen"](server.address)
        (books,) = server.box.venue.accounts.values()
    finally:
        await server.close()
    assert positions == []
    assert {"ETH", "USDT", "BTC"} <= set(balance["total"])
    assert [order.status for orders in books.orders.values() for order in orders.values()] == [
        "CANCELED"
    ]
