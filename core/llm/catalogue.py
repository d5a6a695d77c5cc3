"""The models that may be asked, what they cost and what they are good for: ``models.yml``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import ModelsInvalid, NotFound
from core.llm.types import Usage

MILLION = Decimal(1_000_000)
Role = Literal["cheap", "balanced", "reasoning", "long_context"]
Effort = Literal["none", "minimal", "low", "medium", "high"]
PriceNumber = Annotated[Decimal, Field(ge=0)]


class _StrictCatalogue(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(_StrictCatalogue):
    """Price of a million tokens; from ``above`` input tokens on, ``long_*`` is charged for the whole call."""

    input: PriceNumber
    cached_input: PriceNumber
    output: PriceNumber
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    as_of: date
    above: Annotated[int, Field(gt=0)] | None = None
    long_input: PriceNumber | None = None
    long_cached_input: PriceNumber | None = None
    long_output: PriceNumber | None = None

    @model_validator(mode="after")
    def _long_prices_together(self) -> Price:
        if len({self.above is None, self.long_input is None, self.long_output is None}) != 1:
            raise ValueError("above, long_input and long_output belong together")
        return self


class Model(_StrictCatalogue):
    """One model of one provider. ``name`` is the vendor's own; "" asks a local server which one it has."""

    provider: str
    name: str
    context_window: Annotated[int, Field(gt=0)]
    max_output: Annotated[int, Field(gt=0)] = 8192
    price: Price | None = None
    reasoning: bool = False
    """It thinks before it writes: takes no temperature, and its limit of output counts its thoughts."""
    effort: Effort | None = None
    """How long it thinks; None: the vendor's own choice."""


class Transcription(_StrictCatalogue):
    """A model that turns speech into text."""

    provider: Literal["openai", "vllm"]
    name: str
    minute: PriceNumber | None = None
    """Price of a minute; None: cost unknown."""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    as_of: date | None = None

    @property
    def id(self) -> str:
        """As in the ledger."""
        return f"{self.provider}/{self.name}"

    def cost(self, seconds: float | None) -> Decimal | None:
        """Of so much sound; None where its length or the price is not known."""
        if self.minute is None or seconds is None:
            return None
        return self.minute * Decimal(str(round(seconds, 2))) / 60


class _Document(_StrictCatalogue):
    transcription: tuple[Transcription, ...] = ()
    models: dict[str, Model]
    roles: dict[Role, list[str]]


@dataclass(frozen=True)
class Catalogue:
    """What ``models.yml`` says. A model's id is "provider/name"; a role lists ids, the preferred one first."""

    models: dict[str, Model]
    roles: dict[Role, tuple[str, ...]]
    transcription: tuple[Transcription, ...] = ()
    """Of voice notes, the preferred one first."""

    @classmethod
    def load(cls, path: Path) -> Catalogue:
        """Read and check the file.

        Raises:
            ModelsInvalid: it is missing or wrong; names every mistake.
        """
        try:
            document = _Document.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise ModelsInvalid(f"{path} is missing.") from None
        except yaml.YAMLError as error:
            raise ModelsInvalid(f"{path} is no YAML: {error}") from None
        except ValidationError as error:
            lines = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
            raise ModelsInvalid("\n".join([f"{path} is wrong:", *lines])) from None
        unknown = {
            f"{role}: {id_}" for role, ids in document.roles.items() for id_ in ids if id_ not in document.models
        }
        if unknown:
            raise ModelsInvalid(f"{path} is wrong: roles name models that are not listed: {', '.join(sorted(unknown))}")
        roles = {role: tuple(ids) for role, ids in document.roles.items()}
        return cls(document.models, roles, document.transcription)

    def model(self, model_id: str) -> Model:
        """The model of that id.

        Raises:
            NotFound: there is none.
        """
        if model_id not in self.models:
            raise NotFound(
                f"There is no model {model_id!r} in models.yml; there are: {', '.join(sorted(self.models))}."
            )
        return self.models[model_id]

    def cost(self, model_id: str, usage: Usage) -> Decimal | None:
        """What these tokens cost, in the price's currency; None where the model has no price."""
        price = self.model(model_id).price
        if price is None:
            return None
        long = price.above is not None and usage.input_tokens > price.above
        fresh = (price.long_input if long else price.input) or Decimal(0)
        cached = (price.long_cached_input if long else price.cached_input) or Decimal(0)
        output = (price.long_output if long else price.output) or Decimal(0)
        tokens = usage.input_tokens - usage.cached_tokens
        return (fresh * tokens + cached * usage.cached_tokens + output * usage.output_tokens) / MILLION
