"""What a request to a venue is made of: whose key, where to, and the request itself. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from venues.rates import Cost


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account's key; the secret shows in no text form of this object."""

    key: str
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base addresses of one environment of one venue, by product.

    `rest` such as ``https://api.example.com``, `stream` such as ``wss://ws.example.com``; a product
    without either is not offered there. `servers` are further addresses of the venue's own that an
    answer may name for a socket (KuCoin does): nothing is sent but to what stands here.
    `headers` go with each request there, `stream_headers` with each handshake, of which no adapter
    needs to know: some venues tell environments apart by one.
    """

    rest: Mapping[str, str]
    stream: Mapping[str, str]
    # One host of OKX serves production and demo: the header alone tells them apart.
    headers: Mapping[str, str] = field(default_factory=dict)
    stream_headers: Mapping[str, str] = field(default_factory=dict)
    servers: frozenset[str] = frozenset()

    @property
    def products(self) -> frozenset[str]:
        """Those that are offered here."""
        return frozenset(self.rest.keys() & self.stream.keys())


@dataclass(frozen=True, slots=True)
class Context:
    """What building a request needs: whose, where, and (estimated) venue time.

    `nonce` is above that of every request that was built before for the same account.
    """

    credentials: Credentials
    endpoints: Endpoints
    venue_ns: int
    nonce: int = 0


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request, complete and signed. `costs` are paid together; the narrowest comes first.

    Headers and body may hold what must not be seen (a passphrase): they are in no text form.
    `carry` is never sent: what a list has to remember from page to page, and finds again in
    `Page.request` (KuCoin's open orders: the symbols that are still to be asked about).
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    channel: str = ""
    costs: tuple[Cost, ...] = ()
    carry: tuple[str, ...] = ()
