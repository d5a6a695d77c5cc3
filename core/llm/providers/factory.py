"""Creates the configured providers; an SDK is imported only if its vendor is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.llm.catalogue import Catalogue, Model, Transcription
from core.llm.providers.extract import ExtractProvider
from core.llm.types import Provider
from core.settings import Settings

if TYPE_CHECKING:
    from core.llm.providers.transcriptions import OpenAITranscriptions


def list_configured_providers(settings: Settings) -> frozenset[str]:
    """Return the names of the providers that have a key, a URL or a model, without importing any SDK."""
    said = {
        "openai": settings.openai_api_key.get_secret_value(),
        "gemini": settings.gemini_api_key.get_secret_value(),
        "ollama": settings.ollama_url,
        "vllm": settings.vllm_url,
        "llamacpp": settings.llamacpp_url,
        "local": settings.local_model,
    }
    return frozenset(name for name, value in said.items() if value)


def make_providers(settings: Settings, catalogue: Catalogue) -> dict[str, Provider]:
    """Create the configured providers, and always "extract".

    Raises:
        SettingsInvalid: a package that a local model needs is not installed; says which.
    """
    providers: dict[str, Provider] = {"extract": ExtractProvider()}
    if settings.openai_api_key.get_secret_value():
        from core.llm.providers.openai import OpenAIProvider  # noqa: PLC0415

        key = settings.openai_api_key
        providers["openai"] = OpenAIProvider(key, _select_provider_models(catalogue, "openai"), settings.openai_url)
    if settings.gemini_api_key.get_secret_value():
        from core.llm.providers.gemini import GeminiProvider  # noqa: PLC0415

        key = settings.gemini_api_key
        providers["gemini"] = GeminiProvider(key, _select_provider_models(catalogue, "gemini"), settings.gemini_url)
    if settings.local_model is not None:
        from core.llm.providers.transformers import make_local  # noqa: PLC0415

        providers["local"] = make_local(settings.local_model)
    return providers | _make_server_providers(settings, catalogue)


def make_transcriptions(settings: Settings, model: Transcription) -> OpenAITranscriptions | None:
    """Create the vendor's client for voice notes, or return None without a key or URL."""
    if model.provider not in list_configured_providers(settings):
        return None
    from core.llm.providers.compatible import CompatibleProvider  # noqa: PLC0415
    from core.llm.providers.openai import OpenAIProvider  # noqa: PLC0415
    from core.llm.providers.transcriptions import OpenAITranscriptions  # noqa: PLC0415

    if model.provider == "vllm":
        return OpenAITranscriptions(CompatibleProvider("vLLM", settings.vllm_url.rstrip("/"), {}), model.name)
    return OpenAITranscriptions(OpenAIProvider(settings.openai_api_key, {}, settings.openai_url), model.name)


def _make_server_providers(settings: Settings, catalogue: Catalogue) -> dict[str, Provider]:
    urls = {
        "ollama": ("Ollama", settings.ollama_url),
        "vllm": ("vLLM", settings.vllm_url),
        "llamacpp": ("llama.cpp", settings.llamacpp_url),
    }
    configured = {name: said for name, said in urls.items() if said[1]}
    if not configured:
        return {}
    from core.llm.providers.compatible import CompatibleProvider  # noqa: PLC0415

    return {
        name: CompatibleProvider(vendor, url.rstrip("/"), _select_provider_models(catalogue, name))
        for name, (vendor, url) in configured.items()
    }


def _select_provider_models(catalogue: Catalogue, provider: str) -> dict[str, Model]:
    return {model.name: model for model in catalogue.models.values() if model.provider == provider}
