"""Settings from the environment and ``.env`` (prefix ``REJOINDER_``), validated once at startup."""

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
"""Names a file to read instead of `.env`, for a second instance of one checkout."""


class Settings(BaseSettings):
    """All settings of an instance; every URL has a local default, so production needs other settings but no other code."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    home: Path = Path("var")
    """Folder for all state."""
    host: str = "127.0.0.1"
    """Address that the public port listens on; 0.0.0.0 opens it to the network."""
    port: Annotated[int, Field(ge=1024, le=65531)] = 8000
    """Public port; Rasa and Chroma listen on the next ones, on loopback only."""
    tenant: str = "default"
    """Tenant of the web channel, and of commands that name none."""
    database_url: str = ""
    """SQLAlchemy URL; empty: SQLite below ``home``. PostgreSQL: postgresql+psycopg://user:password@host/name"""
    broker_url: str = ""
    """Celery broker; empty: files below ``home``. redis://... or amqp://..."""
    rasa_url: str = ""
    """Empty: the Rasa server that `make run` starts, on ``port`` + 1."""
    chroma_url: str = ""
    """Empty: the Chroma server that `make run` starts, on ``port`` + 2."""
    secret: SecretStr = SecretStr("")
    """Signs session tokens and protects the action webhook; empty: generated once and stored in ``home``/secret."""
    allowed_origins: Annotated[list[str], NoDecode] = []
    """Web pages that may open a chat, such as https://shop.example (comma separated); our own page is always allowed."""
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
    """Names of skills below ``bot/skills``, or paths of their folders (comma separated); empty: those of the demo shop if it is
    enabled; ``none``: no skill.
    """
    languages: Annotated[list[str], NoDecode] = list(LANGUAGES)
    """Languages that the bot speaks (comma separated), its own first; listed to customers who write in another one."""
    action_servers: Annotated[list[str], NoDecode] = []
    """Webhooks of a team's own action servers, such as http://localhost:5055/webhook (comma separated); empty: those of an adopted
    project.
    """
    bot_name: str = "Rejoinder"
    """The bot's name."""
    greeting: str = ""
    """The reply to a greeting, with ``{bot_name}`` replaced by its name; empty: a sentence that suits the tone."""
    tone: Tone = "friendly"
    """Whether the bot uses its friendly or its formal texts."""
    bot_data: Path = Path("bot/data")
    """Training data of the base bot, relative to the checkout unless absolute; `rejoinder nlu export` writes here."""
    models: Path = Path("models.yml")
    """The file that lists the models, their prices and roles."""
    redis_url: str = ""
    """Shares provider health and caches between replicas; empty: each process keeps its own."""
    ledger_days: Annotated[int, Field(ge=1)] = 90
    """Days to keep records of single model calls; daily summaries are kept."""
    api_token: SecretStr = SecretStr("")
    """Token for the staff API (/v1); empty: one is derived, and `rejoinder token` prints it."""
    messages_per_minute: Annotated[int, Field(ge=1)] = 30
    """Maximum number of messages per session and minute."""
    max_message_chars: Annotated[int, Field(ge=100, le=20_000)] = 4000
    """Maximum length of a customer message."""
    session_days: Annotated[int, Field(ge=1)] = 30
    """Days for which a browser can return to its conversation."""
    public_address: str = ""
    """Our public address, such as https://chat.shop.example; vendors call it and fetch files from it."""
    twilio_account_sid: str = ""
    """Empty: no WhatsApp and no SMS."""
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_whatsapp_number: str = ""
    """For example +14155238886."""
    twilio_sms_number: str = ""
    twilio_url: str = ""
    """Empty: Twilio itself. Else a proxy that speaks its API."""
    slack_team: str = ""
    """The workspace whose channel is the tenant's desk, such as T0123ABCD; for several use ``slack_workspaces``."""
    slack_channel: str = ""
    """Id of the channel in which a thread is opened for each handoff, such as C0123ABCD."""
    slack_bot_token: SecretStr = SecretStr("")
    """Empty: no Slack desk, unless ``slack_workspaces`` defines some."""
    slack_signing_secret: SecretStr = SecretStr("")
    """Verifies that a request comes from Slack; not needed with Socket Mode."""
    slack_app_token: SecretStr = SecretStr("")
    """Enables Socket Mode, for instances that Slack cannot reach."""
    slack_workspaces: Path | None = None
    """A JSON file with several workspaces, one per tenant; see docs/slack.md."""
    slack_url: str = ""
    """Empty: Slack itself. Else a proxy that speaks its Web API, such as https://proxy.example/api/"""
    support_email: str = "support@example.com"
    """Given to customers when no agent can be reached in the chat."""
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
        """Load and validate all settings.

        Raises:
            SettingsInvalid: some settings are wrong; lists all of them.
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
        """URL of this instance for a browser on the same machine."""
        return f"http://{'127.0.0.1' if self.host == '0.0.0.0' else self.host}:{self.port}"  # noqa: S104

    @property
    def demo_mark(self) -> Path:
        """The file in which `rejoinder start` records whether the demo shop is enabled."""
        return self.home / "demo"

    @property
    def demo(self) -> bool:
        """Whether the demo shop is enabled."""
        return self.demo_mark.exists() and self.demo_mark.read_text() == "on"

    def bot(self) -> BotParts:
        """Return the parts that the bot is built from.

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
        """Return the configured action servers, or those of the adopted project.

        Raises:
            SettingsInvalid: the adopted bot is gone.
        """
        adoption = self.adoption
        return self.action_servers or list(adoption.action_servers if adoption else ())

    @property
    def adoption(self) -> Adoption | None:
        """The adopted Rasa project that the bot is built from, or None.

        Raises:
            SettingsInvalid: the files made from it are gone.
        """
        return Adopted(self.home).adoption

    def database(self) -> str:
        """Return the SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite:///{self.home / 'rejoinder.db'}"

    def rasa(self) -> str:
        """Return the base URL of the Rasa server."""
        return self.rasa_url.rstrip("/") or f"http://127.0.0.1:{self.port + 1}"

    def chroma(self) -> str:
        """Return the base URL of the Chroma server."""
        return self.chroma_url.rstrip("/") or f"http://127.0.0.1:{self.port + 2}"

    def staff_token(self) -> str:
        """Return the token for the staff API."""
        return self.api_token.get_secret_value() or derive_key(self.secret_key(), "api")

    def secret_key(self) -> str:
        """Return the secret, generated on first use and readable only by its owner."""
        if self.secret.get_secret_value():
            return self.secret.get_secret_value()
        path = self.home / "secret"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32))
        return path.read_text()
