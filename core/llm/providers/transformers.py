"""A model run in-process: a GGUF file through llama.cpp, or a folder through transformers and torch.

For trying things out: it answers one request at a time and competes with the app for the processor. A separate server
(``compatible``) does neither.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from core.errors import SettingsInvalid
from core.llm.providers.failures import build_provider_error
from core.llm.providers.tokens import count_tokens, estimate_tokens
from core.llm.types import Completion, Delta, Finish, Request, StreamItem, Usage

VENDOR = "The local model"
CONTEXT = 4096


class Runs(Protocol):
    def pieces(self, request: Request) -> Iterator[str]:
        """Yield the answer as it is generated; blocks."""


def make_local(path: Path) -> LocalProvider:
    """Create the provider of a GGUF file or a folder, without loading the model.

    Raises:
        SettingsInvalid: the package that runs it is not installed.
    """
    needed = ["llama_cpp"] if path.is_file() else ["transformers", "torch"]
    missing = [package.replace("llama_cpp", "llama-cpp-python") for package in needed if find_spec(package) is None]
    if missing:
        raise SettingsInvalid(
            f"REJOINDER_LOCAL_MODEL needs {' and '.join(missing)}: .venv/bin/uv pip install {' '.join(missing)}, or unset it."
        )
    return LocalProvider(path)


class LocalProvider:
    """Loads its model on the first request and keeps it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._model: Runs | None = None
        self._turn = asyncio.Lock()

    async def complete(self, request: Request) -> Completion:
        async for item in self.stream(request):
            if isinstance(item, Finish):
                return item.completion
        raise build_provider_error(VENDOR, "empty")

    async def stream(self, request: Request) -> AsyncIterator[StreamItem]:
        text, count = "", 0
        async with self._turn:
            async for piece in self._stream_pieces(request):
                text, count = text + piece, count + 1
                yield Delta(piece)
        if not text.strip():
            raise build_provider_error(VENDOR, "empty")
        usage = Usage(count_tokens(request), estimate_tokens(text), estimated=True)
        finish: Any = "length" if count >= request.max_output_tokens else "stop"
        yield Finish(Completion(text, self._path.name, usage, finish))

    def count_tokens(self, request: Request) -> int:
        """Return an estimate; see ``providers.tokens``."""
        return count_tokens(request)

    async def warm(self) -> None:
        async with self._turn:
            await asyncio.to_thread(self._load_model)

    async def _stream_pieces(self, request: Request) -> AsyncIterator[str]:
        loop, queue, stop = asyncio.get_running_loop(), asyncio.Queue[str | Exception | None](), threading.Event()
        thread = asyncio.ensure_future(asyncio.to_thread(self._produce_pieces, request, loop, queue, stop))
        try:
            while (piece := await queue.get()) is not None:
                if isinstance(piece, Exception):
                    raise build_provider_error(VENDOR, "server", code=type(piece).__name__) from piece
                yield piece
        finally:
            stop.set()
            await asyncio.shield(thread)

    def _produce_pieces(
        self,
        request: Request,
        loop: asyncio.AbstractEventLoop,
        queue: asyncio.Queue[str | Exception | None],
        stop: threading.Event,
    ) -> None:
        end: Exception | None = None
        try:
            for piece in self._load_model().pieces(request):
                if stop.is_set():
                    break
                if piece:
                    loop.call_soon_threadsafe(queue.put_nowait, piece)
        except Exception as error:  # noqa: BLE001 - it belongs to the one who waits
            end = error
        loop.call_soon_threadsafe(queue.put_nowait, end)

    def _load_model(self) -> Runs:
        if self._model is None:
            self._model = GgufModel(self._path) if self._path.is_file() else FolderModel(self._path)
        return self._model


def _to_chat_messages(request: Request) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.text} for message in request.messages]


class GgufModel:
    """A GGUF file, run through llama.cpp."""

    def __init__(self, path: Path) -> None:
        from llama_cpp import Llama  # noqa: PLC0415

        self._llama = Llama(str(path), n_ctx=CONTEXT, verbose=False)

    def pieces(self, request: Request) -> Iterator[str]:
        """Yield the answer as it is generated; blocks."""
        chunks = self._llama.create_chat_completion(
            _to_chat_messages(request),
            max_tokens=request.max_output_tokens,
            temperature=request.temperature,
            stream=True,
        )
        for chunk in chunks:
            yield chunk["choices"][0]["delta"].get("content") or ""


class FolderModel:
    """A folder with weights and tokenizer, run through transformers."""

    def __init__(self, path: Path) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

        self._tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
        self._model = AutoModelForCausalLM.from_pretrained(path, local_files_only=True)

    def pieces(self, request: Request) -> Iterator[str]:
        """Yield the answer as it is generated; blocks."""
        from transformers import TextIteratorStreamer  # noqa: PLC0415

        ids = self._tokenizer.apply_chat_template(
            _to_chat_messages(request), add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        streamer = TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=True)
        options = {
            "max_new_tokens": request.max_output_tokens,
            "do_sample": request.temperature > 0,
            "streamer": streamer,
        }
        writing = threading.Thread(target=self._generate_tokens, args=(ids, options, streamer), daemon=True)
        writing.start()
        yield from streamer
        writing.join()

    def _generate_tokens(self, ids: Any, options: dict[str, Any], streamer: Any) -> None:
        try:
            self._model.generate(**ids, **options)
        finally:
            streamer.end()  # otherwise the reader would wait forever after a failure
