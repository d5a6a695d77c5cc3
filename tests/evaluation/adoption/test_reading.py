"""What cannot be read is one clear error with file and line, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput
from evaluation.adoption.documents import format_yaml, parse_yaml
from evaluation.adoption.project import read_project


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (
            "domain.yml",
            "intents: [a]\nresponses: {}\nintents: [b]\n",
            r"domain.yml:3: the key intents is there already, in line 1",
        ),
        ("domain.yml", "intents: &a\n  - *a\n", r"domain.yml:1: an alias makes this part contain itself"),
        ("domain.yml", "intents: [\n", r"domain.yml:2: not valid YAML"),
        ("domain.yml", "intents: hello\n", r"domain.yml: intents must be a list"),
        ("domain.yml", "- a\n", r"domain.yml has a list"),
        ("domain.yml", "responses:\n  utter_a: hi\n", r"utter_a needs a list of variations"),
        ("data/rules.yml", "rules:\n  - rule: a\n", r"data/rules.yml:2: rule without a list of steps"),
        ("data/nlu.json", '{"rasa_nlu_data": {}}', r"nlu.json is in an older format: `rasa data convert`"),
        ("config.yml", "pipeline: " + "[" * 5000, r"config.yml: nested too deep"),
    ],
)
def test_a_file_that_cannot_be_used(bikes: Path, file: str, text: str, said: str) -> None:
    (bikes / file).write_text(text)
    with pytest.raises(InvalidInput, match=said):
        read_project(bikes)


def test_missing_files_are_named(bikes: Path, tmp_path: Path) -> None:
    (bikes / "config.yml").unlink()
    with pytest.raises(InvalidInput, match=r"no config.yml in .*--config"):
        read_project(bikes)
    (bikes / "domain.yml").unlink()
    with pytest.raises(InvalidInput, match=r"neither a domain.yml nor a folder domain"):
        read_project(bikes)
    with pytest.raises(InvalidInput, match=r"nowhere does not exist"):
        read_project(tmp_path / "nowhere")


def test_words_stay_words_as_rasa_reads_them() -> None:
    text = "a: yes\nb: no\nc: true\nd: 2024-01-01\ne: 12:30:45\nf: 012\n"
    assert parse_yaml(text, "f") == {"a": "yes", "b": "no", "c": True, "d": "2024-01-01", "e": "12:30:45", "f": "012"}
    assert parse_yaml(format_yaml(parse_yaml(text, "f")), "f") == parse_yaml(text, "f")


def test_a_domain_may_be_a_folder_with_the_later_file_winning(bikes: Path) -> None:
    (bikes / "domain").mkdir()
    (bikes / "domain.yml").rename(bikes / "domain/a.yml")
    (bikes / "domain/b.yml").write_text("intents: [more]\nresponses:\n  utter_hello: [{text: Hi}]\n")
    project = read_project(bikes)
    assert project.intents == ["hello", "book_repair", "human", "more"]
    assert project.domain["responses"]["utter_hello"] == [{"text": "Hi"}]
