"""Structured logs: one event per line, with the conversation id if there is one."""

from __future__ import annotations

import logging

import structlog

NOISY = (
    "httpx", "httpcore", "uvicorn.access", "rasa_sdk", "chromadb", "celery", "kombu", "alembic",
    "twilio.http_client",  # it would log every phone number
)  # fmt: skip


def configure_logging(log_format: str, level: str) -> None:
    """Send our logs and those of all libraries through one formatter to stderr."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    json = log_format == "json"
    renderer = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    tracebacks = [structlog.processors.format_exc_info] if json else []
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tracebacks, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers, root.level = [handler], logging.getLevelName(level)
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
