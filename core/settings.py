"""Settings from the environment and ``.env`` (prefix ``REJOINDER_``), checked once at start."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, computed_field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.bot.adoption import Adopted, Adoption
from core.bot.languages import check_languages
from core.bot.parts import BASE_LANGUAGES, DEMO_SKILLS, LANGUAGES, ROOT, BotParts, Tone, Voice, find_skills
from core.errors import SettingsInvalid
from core.secrets import derive_key

PREFIX = "REJOINDER_"
ENV_FILE = f"{PREFIX}ENV_FILE"
"""Names another file than `.env`, for a second instance of one checkout."""


class Settings(BaseSettings):
    """What an operator can set; every URL has a local default, so that production changes settings and not code."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    home: Path = Path("var")
    """All state lives here."""
    host: str = "127.0.0.1"
    """Address that the public port listens on; 0.0.0.0 opens it to the network."""
    port: Annotated[int, Field(ge=1024, le=65531)] = 8000
    """Public port; Rasa and Chroma listen on the next ones, on loopback only."""
    tenant: str = "default"
    """Tenant of the web channel and of the command line where none is named."""
    database_url: str = ""
    """SQLAlchemy URL; empty: SQLite below ``home``. PostgreSQL: postgresql+psycopg://user:password@host/name"""
    broker_url: str = ""
    """Celery broker; empty: files below ``home``. redis://... or amqp://..."""
    rasa_url: str = ""
    """Empty: the Rasa server that `make run` starts, on ``port`` + 1."""
    chroma_url: str = ""
    """Empty: the Chroma server that `make run` starts, on ``port`` + 2."""
    secret: SecretStr = SecretStr("")
    """Signs session tokens and protects the action webhook; empty: made once and kept in ``home``/secret."""
    allowed_origins: Annotated[list[str], NoDecode] = []
    """Web pages that may open a chat, such as https://shop.example (comma separated); our own page always may."""
    embedding_model: Path | None = None
    """Folder of a sentence-transformers model with ONNX weights; empty: all-MiniLM-L6-v2."""
    openai_api_key: SecretStr = SecretStr("")
    gemini_api_key: SecretStr = SecretStr("")
    openai_url: str = ""
    """Empty: OpenAI itself. Else a proxy that speaks its API, such as https://proxy.example/v1"""
    gemini_url: str = ""
    """Empty: Google itself. Else a proxy that speaks its API."""
    ollama_url: str = ""
    """A local Ollama, such as http://localhost:11434/v1"""
    vllm_url: str = ""
    """A vLLM server, such as http://localhost:8001/v1"""
    llamacpp_url: str = ""
    """A llama.cpp server, such as http://localhost:8080/v1"""
    local_model: Path | None = None
    """A folder of a transformers model, or a GGUF file, run inside the app (needs an extra; see docs/generation.md)."""
    skills: Annotated[list[str], NoDecode] = []
    """Names of skills below ``bot/skills``, or paths of their folders (comma separated); empty: those of the demo shop
    where it is on; ``none``: no skill."""
    languages: Annotated[list[str], NoDecode] = list(LANGUAGES)
    """Those that the bot speaks (comma separated), its own first: said to who writes another."""
    action_servers: Annotated[list[str], NoDecode] = []
    """Webhooks of a team's own action servers, such as http://localhost:5055/webhook (comma separated); empty: that of an adopted project."""
    bot_name: str = "Rejoinder"
    """What the bot calls itself."""
    greeting: str = ""
    """What it says to a greeting, ``{bot_name}`` standing for its name; empty: a sentence that suits the tone."""
    tone: Tone = "friendly"
    """Which of its texts it says: friendly or formal ones."""
    bot_data: Path = Path("bot/data")
    """Training data of the bot's base, read below the checkout where it is not absolute; `rejoinder nlu export` writes here."""
    models: Path = Path("models.yml")
    """The models, their prices and what they are good for."""
    redis_url: str = ""
    """Shares the providers' health and the caches between replicas; empty: each process has its own."""
    ledger_days: Annotated[int, Field(ge=1)] = 90
    """How long every single call to a model is kept; daily summaries stay."""
    api_token: SecretStr = SecretStr("")
    """Opens the staff API (/v1); empty: `rejoinder token` prints the one that was made."""
    messages_per_minute: Annotated[int, Field(ge=1)] = 30
    """How many messages one session may send a minute."""
    max_message_chars: Annotated[int, Field(ge=100, le=20_000)] = 4000
    """Longest customer message that is accepted."""
    session_days: Annotated[int, Field(ge=1)] = 30
    """How long a browser can come back to its conversation."""
    public_address: str = ""
    """https://chat.shop.example, as the internet reaches us: vendors call it, and fetch files there."""
    twilio_account_sid: str = ""
    """Empty: no WhatsApp and no SMS."""
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_whatsapp_number: str = ""
    """Such as +14155238886"""
    twilio_sms_number: str = ""
    twilio_url: str = ""
    """Empty: Twilio itself. Else a proxy that speaks its API."""
    slack_team: str = ""
    """The workspace whose channel is the tenant's desk, such as T0123ABCD; several: ``slack_workspaces``."""
    slack_channel: str = ""
    """Id of the channel in which a thread is opened for each handoff, such as C0123ABCD."""
    slack_bot_token: SecretStr = SecretStr("")
    """Empty: no Slack desk, unless ``slack_workspaces`` names some."""
    slack_signing_secret: SecretStr = SecretStr("")
    """Proves that a request is Slack's; not needed with Socket Mode."""
    slack_app_token: SecretStr = SecretStr("")
    """Opens Socket Mode, where Slack cannot reach us."""
    slack_workspaces: Path | None = None
    """A JSON file with several workspaces, each of another tenant; see docs/slack.md."""
    slack_url: str = ""
    """Empty: Slack itself. Else a proxy that speaks its Web API, such as https://proxy.example/api/"""
    support_email: str = "support@example.com"
    """Told to customers when no person can be reached in the chat."""
    log_format: Annotated[str, Field(pattern="^(console|json)$")] = "console"
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: str | list[str]) -> list[str]:
        parts = value.split(",") if isinstance(value, str) else value
        return [part.strip().rstrip("/") for part in parts if part.strip()]

    @field_validator("action_servers")
    @classmethod
    def _are_addresses(cls, value: list[str]) -> list[str]:
        if any(urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname for url in value):
            raise ValueError("each must be an address such as http://localhost:5055/webhook")
        return value

    @field_validator("languages")
    @classmethod
    def _speaks_one(cls, value: list[str]) -> list[str]:
        return list(dict.fromkeys(value)) or list(LANGUAGES)

    @field_validator("skills", "action_servers", "languages", mode="before")
    @classmethod
    def _split_list(cls, value: str | list[str]) -> list[str]:
        parts = value.split(",") if isinstance(value, str) else value
        return [part.strip() for part in parts if part.strip()]

    @field_validator("embedding_model", "local_model", "slack_workspaces", mode="before")
    @classmethod
    def _empty_is_none(cls, value: str | Path | None) -> str | Path | None:
        return value or None

    @field_validator("local_model")
    @classmethod
    def _local_model_exists(cls, value: Path | None) -> Path | None:
        if value is not None and not value.exists():
            raise ValueError(f"{value} does not exist")
        return value

    @field_validator("embedding_model")
    @classmethod
    def _model_exists(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_dir():
            raise ValueError(f"{value} is not a folder")
        return value

    @classmethod
    def load(cls, **overrides: object) -> Self:
        """Read and check everything.

        Raises:
            SettingsInvalid: naming every wrong setting at once.
        """
        try:
            settings = cls(_env_file=os.environ.get(ENV_FILE, ".env"), **overrides)  # type: ignore[arg-type]
        except ValidationError as error:
            lines = [f"  {PREFIX}{str(e['loc'][0]).upper()}: {e['msg']} (got {e['input']!r})" for e in error.errors()]
            raise SettingsInvalid("\n".join(["These settings are wrong:", *lines])) from None
        return settings.model_copy(update={"home": settings.home.resolve()})

    @computed_field  # type: ignore[prop-decorator]
    @property
    def public_url(self) -> str:
        """Where a browser on this machine finds us."""
        return f"http://{'127.0.0.1' if self.host == '0.0.0.0' else self.host}:{self.port}"  # noqa: S104

    @property
    def demo_mark(self) -> Path:
        """The file in which `rejoinder start` says whether the demo shop is on."""
        return self.home / "demo"

    @property
    def demo(self) -> bool:
        """Is the demo shop on?"""
        return self.demo_mark.exists() and self.demo_mark.read_text() == "on"

    def bot(self) -> BotParts:
        """What the bot is made of.

        Raises:
            SettingsInvalid: there is no such skill or language, or an adopted bot is gone.
        """
        voice, adoption = Voice(self.bot_name, self.tone, self.greeting), self.adoption
        check_languages(self.languages, BASE_LANGUAGES)
        if adoption:
            return BotParts(
                adoption.data,
                find_skills(self.skills),
                voice,
                adoption.domain,
                tuple(self.languages[:1]),
                adoption.config,
                tests=None,
                project=adoption.project,
                names=adoption.names,
            )
        skills = find_skills(self.skills or (DEMO_SKILLS if self.demo else ()))
        return BotParts(ROOT / self.bot_data, skills, voice, languages=tuple(self.languages))

    def own_action_servers(self) -> list[str]:
        """Those that the setting names, else that of the adopted project.

        Raises:
            SettingsInvalid: the adopted bot is gone.
        """
        adoption = self.adoption
        return self.action_servers or list(adoption.action_servers if adoption else ())

    @property
    def adoption(self) -> Adoption | None:
        """The Rasa project of its own that the bot is made of, if it is.

        Raises:
            SettingsInvalid: what was made of it is gone.
        """
        return Adopted(self.home).adoption

    def database(self) -> str:
        """SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite:///{self.home / 'rejoinder.db'}"

    def rasa(self) -> str:
        """Base URL of the Rasa server."""
        return self.rasa_url.rstrip("/") or f"http://127.0.0.1:{self.port + 1}"

    def chroma(self) -> str:
        """Base URL of the Chroma server."""
        return self.chroma_url.rstrip("/") or f"http://127.0.0.1:{self.port + 2}"

    def staff_token(self) -> str:
        """What opens the staff API."""
        return self.api_token.get_secret_value() or derive_key(self.secret_key(), "api")

    def secret_key(self) -> str:
        """The secret, made on first use and kept readable for its owner only."""
        if self.secret.get_secret_value():
            return self.secret.get_secret_value()
        path = self.home / "secret"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32))
        return path.read_text()
