"""Builds the router from the settings."""

from __future__ import annotations

from functools import cached_property

from core.db import Database
from core.llm.catalogue import Catalogue
from core.llm.ledger import Ledger
from core.llm.providers.factory import make_providers, make_transcriptions
from core.llm.router.attempt import Holds
from core.llm.router.failover import Masks
from core.llm.router.router import Router
from core.llm.router.store import RoutingStore
from core.llm.transcriber import Transcriber
from core.llm.types import Request
from core.settings import Settings


class _LazyMasker:
    """Creates the masker on first use: its recognisers take a second to load, and an instance without models never needs them."""

    @cached_property
    def _masker(self) -> Masks:
        from core.llm.masking import make_masker  # noqa: PLC0415

        return make_masker()

    def mask(self, request: Request) -> tuple[Request, Holds]:
        return self._masker.mask(request)


def make_routing_store(settings: Settings, database: Database) -> RoutingStore:
    """Create a store that rejects rules with models missing from models.yml.

    Raises:
        ModelsInvalid: models.yml is missing or wrong.
    """
    return RoutingStore(database, Catalogue.load(settings.models).models)


def make_transcriber(settings: Settings, database: Database) -> Transcriber | None:
    """Create the transcriber for voice notes from the first model whose provider is set up, or return None.

    Raises:
        ModelsInvalid: models.yml is missing or wrong.
    """
    for model in Catalogue.load(settings.models).transcription:
        if vendor := make_transcriptions(settings, model):
            return Transcriber(model, vendor, database)
    return None


def make_router(settings: Settings, database: Database) -> Router:
    """Create a router over all configured providers; without any it only has the extract.

    Raises:
        ModelsInvalid: models.yml is missing or wrong.
        SettingsInvalid: a package that a local model needs is not installed.
    """
    catalogue = Catalogue.load(settings.models)
    providers = make_providers(settings, catalogue)
    masker = _LazyMasker() if len(providers) > 1 else None
    store = RoutingStore(database, catalogue.models)
    return Router(catalogue, providers, store, Ledger(database), masker, redis_url=settings.redis_url)
