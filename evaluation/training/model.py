"""The trained Rasa models of an instance: how they are made, which one is deployed and which ones are kept.

Below ``home``/models: ``releases/NAME/`` has a model with the examples and the recipe that it was trained with;
``deployed/`` has a copy of the model that Rasa loads, also after a restart; ``made-from`` is the fingerprint of the files
used by the last training.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import yaml

from core.bot.parts import BotParts
from core.errors import InvalidInput, NotFound
from core.settings import Settings
from evaluation.training.data import LEARNT, format_examples, is_learnt, read_parts, write_rows
from evaluation.training.lock import hold_folder_lock
from evaluation.training.rasa import ROOT, run_rasa

MADE_FROM = ("bot/components", "knowledge/embeddings/embedder.py")
"""Inputs in addition to the domain, the training data and the recipe."""
KEPT = 3


@dataclass(frozen=True)
class Release:
    """A trained model in its folder."""

    folder: Path

    @property
    def name(self) -> str:
        """The folder's name; names sort by creation time."""
        return self.folder.name

    @property
    def archive(self) -> Path:
        return self.folder / f"{self.name}.tar.gz"

    @property
    def rows(self) -> Path:
        """The training examples, one ``{"text", "intent"}`` per line."""
        return self.folder / "nlu.jsonl"

    @property
    def config(self) -> Path:
        """The recipe that the model was trained with."""
        return self.folder / "config.yml"

    @property
    def domain(self) -> Path:
        """The domain that the model was trained with."""
        return self.folder / "domain.yml"

    @property
    def served(self) -> Path:
        """A marker file that is touched on deployment."""
        return self.folder / "served"


@dataclass(frozen=True)
class BotModel:
    """The folder of the models, and how they are trained."""

    home: Path
    parts: BotParts = field(default_factory=BotParts)

    @property
    def folder(self) -> Path:
        return self.home / "models"

    @property
    def deployed(self) -> Path:
        """The folder from which Rasa loads its model."""
        return self.folder / "deployed"

    @property
    def running(self) -> str | None:
        """Name of the deployed model, or None."""
        archives = sorted(self.deployed.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
        return archives[-1].name.removesuffix(".tar.gz") if archives else None

    @property
    def running_release(self) -> Release | None:
        """The release of the deployed model, or None if it was deleted."""
        release = Release(self.folder / "releases" / (self.running or "none"))
        return release if release.archive.is_file() else None

    def release(self, name: str) -> Release:
        """Return a kept model.

        Raises:
            NotFound: the model is not, or no longer, on disk.
        """
        found = Release(self.folder / "releases" / name)
        if not found.archive.is_file():
            raise NotFound(f"The model {name} is no longer kept.")
        return found

    def stale(self) -> bool:
        """Whether there is no model, or its input files have changed since the last training."""
        stamp = self.folder / "made-from"
        return not (self.running and stamp.is_file() and stamp.read_text() == self.fingerprint())

    def train(self) -> Release:
        """Train and deploy a model without a comparison, for a new checkout.

        Raises:
            Unavailable: the Rasa environment is not set up.
            InvalidInput: Rasa rejected the training data.
            Conflict: a training is running.
        """
        with self.locked():
            release = self.make()
            self.put_in_place(release)
            release.served.touch()
            self.clean_up()
        return release

    @contextmanager
    def locked(self, what: str = "training") -> Iterator[None]:
        """Hold a lock that allows one training and one deployment at a time; the lock of a dead process is released.

        Raises:
            Conflict: another process holds the lock.
        """
        with hold_folder_lock(self.folder, what):
            yield

    def make(self) -> Release:
        """Train a new model from the current files; Rasa's output goes to `train.log` beside it.

        Raises:
            Unavailable: the Rasa environment is not set up.
            InvalidInput: Rasa rejected the training data.
        """
        made_from = self.fingerprint()
        name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        release = Release(self.folder / "releases" / name)
        release.folder.mkdir(parents=True)
        write_rows(release.rows, read_parts(self.parts))
        shutil.copyfile(self.parts.config, release.config)
        self.parts.write_domain(release.domain)
        command = ["train", "--domain", str(release.domain), "--data", *map(str, self._data_files(release))]
        command += ["--config", str(release.config), "--out", str(release.folder), "--fixed-model-name", name]
        try:
            run_rasa(command, release.folder / "train.log", project=self.parts.project)
        except InvalidInput as error:
            raise InvalidInput(f"training failed: {error}") from None
        (self.folder / "made-from").write_text(made_from)
        return release

    def put_in_place(self, release: Release) -> None:
        """Make this the model that Rasa loads when it starts."""
        self.deployed.mkdir(parents=True, exist_ok=True)
        new, copied = self.deployed / release.archive.name, self.deployed / "copying"
        shutil.copyfile(release.archive, copied)
        os.utime(copied)  # Rasa loads the newest while there are two
        copied.replace(new)
        for old in self.deployed.glob("*.tar.gz"):
            if old != new:
                old.unlink()

    def clean_up(self) -> None:
        """Keep the last three deployed models, the newest undeployed one, and always the running one."""
        releases = [Release(folder) for folder in sorted((self.folder / "releases").glob("*/"))]
        served = sorted((r for r in releases if r.served.exists()), key=lambda r: r.served.stat().st_mtime)
        others = [r for r in releases if not r.served.exists()]
        for old in [*served[:-KEPT], *others[:-1]]:
            if old.name != self.running:
                shutil.rmtree(old.folder)

    def _data_files(self, release: Release) -> list[Path]:
        """Return all data files; learnt examples only for enabled skills."""
        learnt = self.parts.data / "nlu" / LEARNT
        files = [file for folder in self.parts.data_folders for file in sorted(folder.rglob("*.yml")) if file != learnt]
        if learnt.exists():
            kept = release.folder / LEARNT
            kept.write_text(format_examples([e for e in read_parts(self.parts) if is_learnt(e)]), encoding="utf-8")
            files.append(kept)
        intents = set(self.parts.intents())
        for code, found in self.parts.language_files().items():
            nlu = [part for file in found for part in file.nlu if part.get("intent") in intents]
            if nlu:
                files.append(release.folder / f"examples-{code}.yml")
                files[-1].write_text(
                    yaml.safe_dump({"version": "3.1", "nlu": nlu}, allow_unicode=True), encoding="utf-8"
                )
        return files

    def fingerprint(self) -> str:
        """Return a hash of all training inputs except learnt examples, which enter through a compared training."""
        digest = hashlib.sha256(repr(self.parts.domain()).encode())
        in_languages = [each.file for files in self.parts.language_files().values() for each in files if each.nlu]
        for path in (*self.parts.data_folders, self.parts.config, *in_languages, *(ROOT / name for name in MADE_FROM)):
            files = sorted(path.rglob("*")) if path.is_dir() else [path]
            for file in (f for f in files if f.suffix in {".yml", ".py"} and f.name != LEARNT):
                digest.update(str(file.relative_to(path.parent)).encode() + file.read_bytes())
        return digest.hexdigest()


def make_model(settings: Settings) -> BotModel:
    """Return the models in the home folder, with the data and skills from the settings."""
    return BotModel(settings.home, settings.bot())
