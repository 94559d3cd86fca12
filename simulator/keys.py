"""Keys given out and taken back while the venue runs, as a person does on its site.

A key that is taken back opens nothing any more: no request is answered, no sign-in accepted. Open
private connections stay; whoever wants them ended cuts them as well.
"""

from pydantic import BaseModel, ConfigDict

from simulator.box import Venue


class NewKey(BaseModel):
    """One more key of an account."""

    model_config = ConfigDict(extra="forbid")

    account: str
    api_key: str
    secret: str
    passphrase: str = ""
    can_trade: bool = True
    can_withdraw: bool = False
    bound_ips: str = ""


class OldKey(BaseModel):
    """A key that shall open nothing any more."""

    model_config = ConfigDict(extra="forbid")

    api_key: str


def issue(venue: Venue, wanted: NewKey) -> int:
    """Give an account one more key; how many it has. Raises LookupError for what is unknown."""
    account = venue.accounts[wanted.account]
    fields = wanted.model_dump(exclude={"account"})
    account.credentials[wanted.api_key] = account.config.model_copy(update=fields)
    venue.by_key[wanted.api_key] = account
    return len(account.credentials)


def revoke(venue: Venue, wanted: OldKey) -> int:
    """Take a key back; how many its account has left. Raises LookupError for what is unknown."""
    account = venue.by_key.pop(wanted.api_key)
    del account.credentials[wanted.api_key]
    return len(account.credentials)
