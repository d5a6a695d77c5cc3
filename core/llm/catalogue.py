"""The available models with their prices and roles, from ``models.yml``."""

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
    """Price per million tokens; above ``above`` input tokens, ``long_*`` applies to the whole call."""

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
    """One model of one provider. ``name`` is the vendor's name; "" asks a local server which model it serves."""

    provider: str
    name: str
    context_window: Annotated[int, Field(gt=0)]
    max_output: Annotated[int, Field(gt=0)] = 8192
    price: Price | None = None
    reasoning: bool = False
    """Whether it reasons before it answers: it takes no temperature, and its reasoning counts towards the output limit."""
    effort: Effort | None = None
    """Reasoning effort; None: the vendor's default."""


class Transcription(_StrictCatalogue):
    """A model that turns speech into text."""

    provider: Literal["openai", "vllm"]
    name: str
    minute: PriceNumber | None = None
    """Price per minute; None: cost unknown."""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    as_of: date | None = None

    @property
    def id(self) -> str:
        """Id used in the ledger."""
        return f"{self.provider}/{self.name}"

    def cost(self, seconds: float | None) -> Decimal | None:
        """Return the cost of this many seconds of audio, or None if the length or the price is unknown."""
        if self.minute is None or seconds is None:
            return None
        return self.minute * Decimal(str(round(seconds, 2))) / 60


class _Document(_StrictCatalogue):
    transcription: tuple[Transcription, ...] = ()
    models: dict[str, Model]
    roles: dict[Role, list[str]]


@dataclass(frozen=True)
class Catalogue:
    """Contents of ``models.yml``. A model's id is "provider/name"; a role lists ids, the preferred one first."""

    models: dict[str, Model]
    roles: dict[Role, tuple[str, ...]]
    transcription: tuple[Transcription, ...] = ()
    """Models for voice notes, the preferred one first."""

    @classmethod
    def load(cls, path: Path) -> Catalogue:
        """Load and validate the file.

        Raises:
            ModelsInvalid: it is missing or wrong; lists all errors.
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
        """Return the model with this id.

        Raises:
            NotFound: there is none.
        """
        if model_id not in self.models:
            raise NotFound(
                f"There is no model {model_id!r} in models.yml; there are: {', '.join(sorted(self.models))}."
            )
        return self.models[model_id]

    def cost(self, model_id: str, usage: Usage) -> Decimal | None:
        """Return the cost of these tokens in the price's currency, or None if the model has no price."""
        price = self.model(model_id).price
        if price is None:
            return None
        long = price.above is not None and usage.input_tokens > price.above
        fresh = (price.long_input if long else price.input) or Decimal(0)
        cached = (price.long_cached_input if long else price.cached_input) or Decimal(0)
        output = (price.long_output if long else price.output) or Decimal(0)
        tokens = usage.input_tokens - usage.cached_tokens
        return (fresh * tokens + cached * usage.cached_tokens + output * usage.output_tokens) / MILLION
