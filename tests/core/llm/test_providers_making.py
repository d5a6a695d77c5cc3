"""Which providers there are, what each sends, and the ones that speak to no vendor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from pydantic import SecretStr

from core.errors import ProviderFailed, SettingsInvalid
from core.llm.catalogue import Catalogue
from core.llm.providers.factory import make_providers
from core.llm.providers.tokens import estimate_tokens
from core.llm.providers.transformers import LocalProvider
from core.settings import Settings
from testing import Behaviour, FakeGemini, FakeOpenAI
from testing.instance import ROOT
from tests.core.llm import asking
from tests.core.llm.asking import told


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue.load(ROOT / "models.yml")


def test_without_a_key_there_is_the_extract_and_no_sdk_is_imported() -> None:
    code = (
        "import sys; from pathlib import Path; from core.settings import Settings; from core.llm.catalogue import Catalogue;"
        "from core.llm.providers.factory import make_providers;"
        "assert list(make_providers(Settings(_env_file=None), Catalogue.load(Path('models.yml')))) == ['extract'];"
        "assert not {'openai', 'langchain_core', 'google.genai', 'httpx2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


async def test_what_is_configured_is_there(settings: Settings, catalogue: Catalogue, tmp_path: Path) -> None:
    url = "http://localhost:1/v1"
    keys = {"openai_api_key": SecretStr("k"), "gemini_api_key": SecretStr("k")}
    servers = {"ollama_url": url, "vllm_url": url, "llamacpp_url": url}
    providers = make_providers(settings.model_copy(update={**keys, **servers}), catalogue)
    assert set(providers) == {"extract", "openai", "gemini", "ollama", "vllm", "llamacpp"}
    for name in set(providers) - {"extract"}:
        await providers[name].close()


async def test_a_model_that_thinks_gets_room_and_no_temperature(catalogue: Catalogue) -> None:
    with FakeOpenAI() as fake:
        provider = asking.openai(fake.url, reasoning=True, effort="low", max_output=100_000)
        await provider.complete(asking.request("gpt-4o", max_output_tokens=600))
        body = fake.asked[0].body
        assert body["max_completion_tokens"] == 4696 and body["reasoning_effort"] == "low" and "temperature" not in body
        await provider.close()
        provider = asking.openai(fake.url)
        await provider.complete(asking.request("gpt-4o", max_output_tokens=600, temperature=0.5))
        body = fake.asked[1].body
        assert body["max_completion_tokens"] == 600 and body["temperature"] == 0.5 and "reasoning_effort" not in body
        await provider.close()


async def test_gemini_gets_the_system_message_apart_and_its_level_of_thought() -> None:
    with FakeGemini() as fake:
        provider = asking.gemini(fake.url, reasoning=True, effort="low", max_output=65_536)
        await provider.complete(asking.request("gemini-3.1-flash-lite"))
        body = fake.asked[0].body
        assert body["systemInstruction"]["parts"][0]["text"] == "Answer from the evidence."
        config = body["generationConfig"]
        assert config["thinkingConfig"] == {"thinking_level": "LOW"} and "temperature" not in config
        await provider.close()


async def test_a_server_is_asked_once_which_model_it_has() -> None:
    with FakeOpenAI(["first", "second"]) as fake:
        provider = asking.compatible(fake.url)
        assert (await provider.complete(asking.request())).model == "first"
        await told(provider, asking.request())
        assert [received.path for received in fake.requests].count("/v1/models") == 1
        assert "max_tokens" in fake.asked[0].body, "not every server knows max_completion_tokens"
        await provider.close()
    with FakeOpenAI([]) as fake:
        provider = asking.compatible(fake.url)
        with pytest.raises(ProviderFailed, match="no_model_loaded") as caught:
            await provider.complete(asking.request())
        assert caught.value.kind == "not_found"
        await provider.close()


async def test_the_extract_says_the_evidence_sentence_by_sentence(settings: Settings, catalogue: Catalogue) -> None:
    extract = make_providers(settings, catalogue)["extract"]
    text = "We ship in two days. It is free.\nکل آئے گا۔ Really?"
    deltas, finish = await told(extract, asking.request(extract=text))
    assert len(deltas) == 4 and "".join(deltas) == finish.completion.text == text
    with pytest.raises(ProviderFailed) as caught:
        await extract.complete(asking.request())
    assert caught.value.kind == "empty"


def test_a_local_model_without_its_package_says_what_to_do(
    settings: Settings, catalogue: Catalogue, tmp_path: Path
) -> None:
    gguf = tmp_path / "model.gguf"
    gguf.touch()
    for path, package in ((gguf, "llama-cpp-python"), (tmp_path, "transformers and torch")):
        with pytest.raises(SettingsInvalid, match=f"needs {package}.*uv pip install"):
            make_providers(settings.model_copy(update={"local_model": path}), catalogue)


async def test_a_gguf_file_is_streamed_from_its_thread(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Llama(SimpleNamespace):
        def __init__(self, path: str, **_: object) -> None:
            pass

        def create_chat_completion(self, messages: list[dict[str, str]], **_: object) -> list[object]:
            words = ["", *messages[-1]["content"].split(), ""]
            return [{"choices": [{"delta": {"content": word}}]} for word in words]

    package = ModuleType("llama_cpp")
    package.Llama = Llama
    monkeypatch.setitem(sys.modules, "llama_cpp", package)
    path = tmp_path / "model.gguf"
    path.touch()
    provider = LocalProvider(path)
    deltas, finish = await told(provider, asking.request(question="one two"))
    assert deltas == ["one", "two"] and finish.completion.usage.estimated
    assert (await provider.complete(asking.request(question="one two"))).text == "onetwo"
    with pytest.raises(ProviderFailed) as caught:
        await provider.complete(asking.request(question=""))
    assert caught.value.kind == "empty"


@pytest.mark.parametrize(
    ("text", "tokens"),  # as OpenAI's o200k counts them
    [
        ("You can return an item within 30 days of delivery, and the refund takes five working days.", 20),
        ("آپ تیس دن کے اندر کوئی بھی چیز واپس کر سکتے ہیں۔", 14),
        ("Вы можете вернуть товар в течение 30 дней после доставки.", 12),
    ],
)
def test_the_estimate_is_near(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == pytest.approx(tokens, rel=0.35)


async def test_a_behaviour_of_the_fake_answers_from_the_evidence() -> None:
    with FakeOpenAI() as fake:
        provider = asking.openai(fake.url)
        question = "Evidence:\n[1] We ship in two days. It is free. More.\n[2] Other.\n\nWhen do you ship?"
        assert (
            await provider.complete(asking.request("gpt-4o", question))
        ).text == "We ship in two days. It is free. [1]"
        fake.plan(Behaviour(text="Else."))
        assert (await provider.complete(asking.request("gpt-4o"))).text == "Else."
        await provider.close()
