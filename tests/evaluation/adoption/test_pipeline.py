"""The recipe, with Rasa's own word on what its environment has."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluation.adoption.findings import format_findings
from evaluation.adoption.pipeline import get_class_name, make_recipe
from evaluation.adoption.project import read_project
from testing import services
from testing.instance import ROOT

CONFIG = """
recipe: default.v1
language: LANGUAGE
pipeline:
  - name: SpacyNLP
    model: en_core_web_md
  - name: WhitespaceTokenizer
  - name: SpacyEntityExtractor
  - name: CountVectorsFeaturizer
  - name: DIETClassifier
  - name: FallbackClassifier
  - name: DucklingEntityExtractor
    url: URL
    dimensions: [email, distance]
  - name: own_component.Shouting
policies:
  - name: MemoizationPolicy
  - name: RulePolicy
    core_fallback_threshold: 0.5
"""
OWN = """
from rasa.engine.graph import GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class Shouting(GraphComponent):
    pass
"""


@pytest.fixture
def project(bikes: Path) -> Path:
    if not (ROOT / ".venv-bot/bin/rasa").exists():
        services.missing("the Rasa environment is not set up: run `make setup`")
    (bikes / "config.yml").write_text(CONFIG.replace("LANGUAGE", "en").replace("URL", "http://127.0.0.1:9"))
    (bikes / "own_component.py").write_text(OWN)
    return bikes


@pytest.fixture
def duckling() -> Iterator[str]:
    class Answers(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.timeout(300)
def test_their_pipeline_stays_with_what_the_knowledge_needs(project: Path) -> None:
    recipe = make_recipe(read_project(project), "theirs", "", range(0))
    assert [get_class_name(one) for one in recipe.config["pipeline"]] == [
        "WhitespaceTokenizer", "RegexEntityExtractor", "CountVectorsFeaturizer", "DIETClassifier", "Shouting",
        "SentenceEmbeddingFeaturizer", "ExampleNeighbours", "OutOfScopeComponent",
    ]  # fmt: skip
    memoization, rules = recipe.config["policies"]
    assert memoization == {"name": "MemoizationPolicy"}
    assert rules == {
        "name": "bot.components.form_policy.FormRulePolicy",
        "core_fallback_threshold": 0.5,
        "core_fallback_action_name": "rejoinder_clarify",
    }
    said = format_findings(recipe.findings)
    assert list(recipe.patterns) == ["email"]
    assert "Duckling does not answer at http://127.0.0.1:9" in said and "distance not at all" in said
    assert "SpacyNLP is left out: the package spacy is not installed" in said
    assert "FallbackClassifier is left out" in said


@pytest.mark.timeout(300)
def test_ours_takes_the_place_of_their_classifier_and_duckling_stays_where_it_answers(
    project: Path, duckling: str
) -> None:
    recipe = make_recipe(read_project(project), "ours", duckling, range(0))
    by_name = {get_class_name(one): one for one in recipe.config["pipeline"]}
    assert by_name["DIETClassifier"]["intent_classification"] is False
    assert by_name["DucklingEntityExtractor"]["url"] == duckling
    assert by_name["NeighbourLogisticRegression"]["meaning"] == by_name["SentenceEmbeddingFeaturizer"]["alias"]
    assert recipe.patterns == {}


@pytest.mark.timeout(300)
def test_a_language_without_spaces_needs_a_tokenizer_for_it(project: Path) -> None:
    (project / "config.yml").write_text(CONFIG.replace("LANGUAGE", "zh").replace("URL", "http://127.0.0.1:9"))
    found = make_recipe(read_project(project), "theirs", "", range(0)).findings
    assert any(one.kind == "unresolved" and "written without spaces" in one.text for one in found)


@pytest.mark.timeout(300)
def test_without_a_core_fallback_what_nothing_answers_is_asked_back_and_one_of_theirs_stays(project: Path) -> None:
    text = (project / "config.yml").read_text()
    for theirs, wanted in (
        ("enable_fallback_prediction: false", ("rejoinder_clarify", 0.05)),
        ("core_fallback_action_name: action_ours", ("action_ours", None)),
    ):
        (project / "config.yml").write_text(text.replace("core_fallback_threshold: 0.5", theirs))
        rules = make_recipe(read_project(project), "theirs", "", range(0)).config["policies"][-1]
        assert (rules["core_fallback_action_name"], rules.get("core_fallback_threshold")) == wanted
