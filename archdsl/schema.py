"""The JSON that archdsl exchanges with other programs, as pydantic models: read back, validated strictly."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from archdsl.cost import Convention
from archdsl.cost.memory import Dtype
from archdsl.stats import By


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class StatsRow(_Strict):
    """A stage, block or primitive, with the shape that it gives and its MACs for one image."""

    path: str
    kind: str
    params: int = Field(ge=0)
    macs: int = Field(ge=0)
    shape: list[int]


class StatsReport(_Strict):
    """What `archdsl stats --format json` prints for one network; bytes are those of the whole batch."""

    name: str
    input: list[int]
    batch: int = Field(ge=1)
    dtype: Dtype
    convention: Convention
    by: By
    params: int = Field(ge=0)
    buffers: int = Field(ge=0)
    macs: int = Field(ge=0)
    macs_by_operator: dict[str, int]
    weight_bytes: int = Field(ge=0)
    buffer_bytes: int = Field(ge=0)
    activation_bytes: int = Field(ge=0)
    peak_activation_bytes: int = Field(ge=0)
    peak_at: str
    rows: list[StatsRow]


class Ends(_Strict):
    """The least and the most of a cost over the networks of a space."""

    least: int = Field(ge=0)
    most: int = Field(ge=0)


class SpaceDecisions(_Strict):
    """Decisions of one form, `s3.*.expansion`: how many there are, and their options."""

    name: str
    count: int = Field(ge=1)
    options: list[str]


class SpaceReport(_Strict):
    """What `archdsl stats --format json` prints for a space of networks.

    `size` is exact and may have hundreds of digits. Where `exact` is false there are `conditions`: the ends are
    bounds then, and the size is that before the conditions. Bytes are those of the whole batch.
    """

    name: str
    input: list[int]
    batch: int = Field(ge=1)
    dtype: Dtype
    convention: Convention
    size: int = Field(ge=1)
    decisions: list[SpaceDecisions]
    conditions: list[str]
    params: Ends
    macs: Ends
    weight_bytes: Ends
    activation_bytes: Ends
    peak_activation_bytes: Ends | None
    exact: bool
