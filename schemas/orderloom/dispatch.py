"""A record of `dispatches`: one question on its way from the fold to ingest. Pure.

Made and read here alone. Its key is the account, or the partition's own for what no account asks.
"""

from typing import Any, Final, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from orderloom.question import Question

FORMAT: Final = 1


class BadDispatch(Exception):
    """A record of `dispatches` that says nothing that we know; `args[0]` is the reason."""


class Dispatch(BaseModel):
    """`id` and `account` are those of the question; `at_ns` is when it was decided, UTC."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = FORMAT
    id: str
    type: Literal["question"] = "question"
    account: str
    question: Question
    at_ns: int

    @model_validator(mode="after")
    def _is_of_its_question(self) -> Self:
        # Answered under one id and waited for under the other, it would have no answer.
        if (self.id, self.account) != (self.question.id, self.question.account):
            raise ValueError("its id or account is not that of its question")
        return self

    @classmethod
    def of(cls, question: Question, at_ns: int) -> Self:
        """The record that carries a question, decided at `at_ns`."""
        return cls(id=question.id, account=question.account, question=question, at_ns=at_ns)

    def encoded(self) -> bytes:
        """The value of the record; what the question leaves open is left out."""
        fields: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        return orjson.dumps(fields)


def read_dispatch(value: bytes) -> Dispatch:
    """One record of `dispatches`. Raises BadDispatch."""
    try:
        return Dispatch.model_validate_json(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{name}: " for name in first["loc"])
        raise BadDispatch(f"not a dispatch: {where}{first['msg']}") from None
