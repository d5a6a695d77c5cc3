"""`rejoinder embeddings` as it is typed."""

from __future__ import annotations

from evaluation.tuning.trainer import ENVIRONMENT
from tests.cli.test_knowledge import CommandLine, rejoinder  # noqa: F401 -- a fixture


def test_without_any_training_the_base_model_serves(rejoinder: CommandLine) -> None:  # noqa: F811
    assert rejoinder("embeddings", "list").out.strip() == "The base model serves."
    assert rejoinder("embeddings", "list", "--json").json == []
    back = rejoinder("embeddings", "rollback", "--reason", "odd")
    assert back.code == 1 and "none before it" in back.err
    unknown = rejoinder("embeddings", "deploy", "nothing")
    assert unknown.code == 1 and "There is no training nothing." in unknown.err


def test_what_is_missing_for_a_training_is_said(rejoinder: CommandLine) -> None:  # noqa: F811
    refused = rejoinder("embeddings", "tune")
    assert refused.code == 1
    missing = "100 are needed" if (ENVIRONMENT / ".ready").exists() else "make .venv-train/.ready"
    assert missing in refused.err
