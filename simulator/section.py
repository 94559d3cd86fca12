"""What every section of the settings has in common. Pure."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Settings that are checked when they are read, and never change."""

    model_config = ConfigDict(frozen=True, extra="forbid")
