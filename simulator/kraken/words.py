"""Between the box's words and Kraken's: ids, times, numbers, assets (docs/venues/kraken.md). Pure.

The books count in whole numbers. An id is such a number times a constant, so that ids look like
the venue's, never meet, and lead back to their number.
"""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from zlib import crc32

from simulator.accounts import Fill, Spelling
from simulator.instrument import Product, places, plain

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
TXID_SPACE, UUID_SPACE = 1 << 80, 1 << 128
TXID_FACTOR = 0x9E3779B97F4A7C15F39D
UUID_FACTOR = 0x9E3779B97F4A7C15F39CC0605CEDC835
FILL_BIT = 1 << 100
"""What tells ids of executions of Futures from those of orders."""
MONEY_STEP = Decimal("0.00001")
AVERAGE_STEP = Decimal("0.00000001")

LEGACY = {
    **{name: f"X{name}" for name in ("ETC", "ETH", "LTC", "XLM", "XRP", "ZEC")},
    "BTC": "XXBT", "DOGE": "XXDG", "USD": "ZUSD",
}  # fmt: skip
"""Names of assets in answers of Spot; all others are as on the stream."""
SHORT = {"BTC": "XBT", "DOGE": "XDG"}


def txid(letter: str, number: int) -> str:
    """An id of Spot, such as `OQ7K2A-4ZC3X-77PLMN`; `letter` says of what."""
    value = number * TXID_FACTOR % TXID_SPACE
    text = letter + "".join(DIGITS[value >> 5 * place & 31] for place in reversed(range(16)))
    return f"{text[:6]}-{text[6:11]}-{text[11:]}"


def number_of_txid(text: str) -> int:
    """The number behind an id of Spot; 0, which nothing has, where it is none."""
    letters = text[1:].replace("-", "")
    if len(letters) != 16 or any(letter not in DIGITS for letter in letters):
        return 0
    value = 0
    for letter in letters:
        value = value << 5 | DIGITS.index(letter)
    return value * pow(TXID_FACTOR, -1, TXID_SPACE) % TXID_SPACE


def uuid(number: int) -> str:
    """An id of Futures."""
    digits = f"{number * UUID_FACTOR % UUID_SPACE:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def number_of_uuid(text: str) -> int:
    """The number behind an id of Futures; 0, which nothing has, where it is none."""
    digits = text.replace("-", "")
    if len(digits) != 32 or any(digit not in "0123456789abcdef" for digit in digits):
        return 0
    return int(digits, 16) * pow(UUID_FACTOR, -1, UUID_SPACE) % UUID_SPACE


def order_id(product: Product, number: int) -> str:
    """An order's id on the wire of its system."""
    return txid("O", number) if product == "spot" else uuid(number)


def execution_id(fill: Fill) -> str:
    """An execution's: each side of a trade has its own."""
    return txid("T", fill.number) if fill.product == "spot" else uuid(fill.number | FILL_BIT)


SPELLING = Spelling(order_id, execution_id, says_fees=False)


def account_id(account: str) -> str:
    """The account's UUID in Futures."""
    return uuid(crc32(account.encode()))


def at_us(us: int) -> str:
    """RFC 3339 with microseconds."""
    return f"{datetime.fromtimestamp(us // 1_000_000, UTC):%Y-%m-%dT%H:%M:%S}.{us % 1_000_000:06d}Z"


def at_ms(ms: int) -> str:
    """RFC 3339 with milliseconds."""
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def seconds(us: int) -> float:
    """Unix seconds, to a tenth of a millisecond, as answers of Spot have them."""
    return us // 100 / 10_000


def cost_of(value: Decimal) -> Decimal:
    """A sum of money, in the steps in which Spot counts it."""
    return value.quantize(MONEY_STEP, ROUND_HALF_EVEN)


def average_of(value: Decimal) -> Decimal:
    """An average price."""
    return value.quantize(AVERAGE_STEP, ROUND_HALF_EVEN)


def price_text(price: Decimal, tick: Decimal) -> str:
    """A price in rows of fills: five decimals or more."""
    return f"{price:.{max(places(tick), 5)}f}"


def rest_asset(asset: str) -> str:
    """An asset's name in answers of Spot."""
    return LEGACY.get(asset, asset)


def short_asset(asset: str) -> str:
    """An asset's name in the short names of pairs."""
    return SHORT.get(asset, asset)


def futures_asset(asset: str) -> str:
    """An asset's name at Futures."""
    return "XBT" if asset == "BTC" else asset


text = plain
