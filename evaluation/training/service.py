"""Train, deploy and roll back models, each with an author and a reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import structlog

from core.bot.parts import BotParts
from core.db import Database
from core.db.models import TrainingSession
from core.errors import Conflict, InvalidInput, NotFound, Unavailable
from core.rasa import Rasa
from core.secrets import derive_key
from core.settings import Settings
from evaluation.training import sessions, validation
from evaluation.training.data import read_parts
from evaluation.training.deployment import Deployment
from evaluation.training.model import BotModel, Release, make_model
from evaluation.training.trials import Case, Verdict, compare_releases

log = structlog.get_logger()

Tell = Callable[[str, float], None]
"""Receives the current step and its progress, 0 to 1."""


@dataclass(frozen=True)
class Back:
    """The training that a rollback returned to."""

    id: str
    serves: bool
    """Whether Rasa has loaded the model; otherwise it does when it starts."""


def _ignore_progress(_step: str, _progress: float) -> None: ...


@dataclass(frozen=True)
class TrainingService:
    """Changes the model that understands customers: training, deployment and rollback."""

    database: Database
    model: BotModel
    make_rasa: Callable[[], Rasa]
    trials: Callable[[Release, Release | None, BotParts, Sequence[Case]], Verdict] = compare_releases

    @property
    def _deployment(self) -> Deployment:
        return Deployment(self.database, self.model, self.make_rasa)

    def start_training(self, tenant_id: str, by: str, reason: str = "") -> str:
        """Queue a training and return its id; call ``run``, or let the worker's task ``train_nlu`` do so.

        Raises:
            Conflict: a training is running or waiting.
            InvalidInput: the training data is invalid, or the reason is too long.
        """
        self._validate_data()
        with self.model.locked(), self.database.session() as session:
            sessions.give_up_broken(session)
            return sessions.enqueue_training(session, tenant_id, by, reason).id

    def run(self, session_id: str, *, deploy: bool = True, tell: Tell = _ignore_progress) -> str:
        """Train and compare a model, deploy it if it is not worse, and return the final status.

        On any failure the running model stays, and the record has the cause.

        Raises:
            NotFound: there is no such training.
            Conflict: another training is running, or this one was run already.
            InvalidInput: the data is invalid.
            Unavailable: Rasa's environment is missing, or Rasa could not load the model.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(self.model.locked())
            except Conflict as error:
                self._store_failure(session_id, error, ("waiting",))
                raise
            tenant_id, by = self._start_training(session_id)
            try:
                return self._run_training(session_id, tenant_id, by, deploy=deploy, tell=tell)
            except BaseException as error:
                self._store_failure(session_id, error, ("training", "evaluating"))
                raise

    def deploy(self, tenant_id: str, session_id: str, by: str, reason: str = "", *, force: bool = False) -> bool:
        """Deploy a model and return whether Rasa has loaded it; False means that it will when it starts.

        Raises:
            NotFound: there is no such training, or its model is no longer kept.
            Conflict: the model was refused and ``force`` is not set, or a deployment is running.
            Unavailable: Rasa could not load the model; the running model stays.
        """
        with self.database.session() as session:
            row = sessions.get_training(session, tenant_id, session_id)
            status, name = row.status, sessions.get_model_name(row)
        if status == "refused" and not force:
            raise Conflict("This model was refused since it is worse than the running one; it can be forced.")
        if status not in {"ready", "refused", "replaced", "deployed"}:
            raise Conflict(f"This training is {status}.")
        return self._deployment.deploy(tenant_id, session_id, name, by, reason, "deployed")

    def rollback(self, tenant_id: str, by: str, reason: str = "") -> Back:
        """Return to the model deployed before the running one; repeated calls go further back.

        Raises:
            NotFound: there is no earlier model, or it is no longer kept.
            Unavailable: Rasa could not load the model; the running model stays.
        """
        with self.database.session() as session:
            running = sessions.follow_disk(session, tenant_id, self.model)
            older = [
                row
                for row in sessions.list_trainings(session, tenant_id)
                if running and row.deployed_at and row.created_at < running.created_at and self.keeps(row)
            ]
            if not older:
                raise NotFound("There is no earlier model to go back to.")
            target, name = older[0].id, sessions.get_model_name(older[0])
        return Back(target, self._deployment.deploy(tenant_id, target, name, by, reason, "rolled_back"))

    def listed(self, tenant_id: str) -> list[dict[str, Any]]:
        """Return all trainings, newest first, with whether their model is still kept."""
        with self.database.session() as session:
            sessions.follow_disk(session, tenant_id, self.model)
            return [
                {**sessions.describe_training(row), "kept": self.keeps(row)}
                for row in sessions.list_trainings(session, tenant_id)
            ]

    def give_up_broken(self) -> None:
        """Mark trainings that a crash interrupted as failed; do nothing while a training is running."""
        try:
            with self.model.locked(), self.database.session() as session:
                sessions.give_up_broken(session)
        except Conflict:
            return

    def _validate_data(self) -> None:
        validation.check_examples(read_parts(self.model.parts), self.model.parts.intents())

    def _start_training(self, session_id: str) -> tuple[str, str]:
        with self.database.session() as session:
            sessions.give_up_broken(session)
            row = sessions.claim_training(session, session_id, "checking the training data")
            sessions.follow_disk(session, row.tenant_id, self.model)
            return row.tenant_id, row.author

    def _run_training(self, session_id: str, tenant_id: str, by: str, *, deploy: bool, tell: Tell) -> str:
        self._validate_data()
        running = self.model.running_release
        self._update_progress(session_id, tell, "training", "training", 0.1)
        new = self.model.make()
        self._update_progress(session_id, tell, "evaluating", "trying it out beside the running model", 0.4, new)
        with self.database.session() as session:
            cases = sessions.list_regression_cases(session, tenant_id)
        verdict = self.trials(new, running, self.model.parts, cases)
        status = self._store_verdict(session_id, verdict)
        if status == "ready" and deploy:
            if self.model.running != (running.name if running else None):
                raise Conflict("Another model was deployed meanwhile, so the comparison is void; train again.")
            tell("deploying", 0.95)
            self._deployment.deploy(tenant_id, session_id, new.name, by, "", "deployed")
            status = "deployed"
        self.model.clean_up()
        return status

    def _update_progress(  # noqa: PLR0917
        self, session_id: str, tell: Tell, status: str, step: str, progress: float, made: Release | None = None
    ) -> None:
        with self.database.session() as session:
            row = session.get_one(TrainingSession, session_id)
            row.status, row.step, row.progress = status, step, progress
            row.model = sessions.get_model_path(made.name) if made else row.model
        tell(step, progress)

    def _store_verdict(self, session_id: str, verdict: Verdict) -> str:
        status = "refused" if verdict.reasons else "ready"
        with self.database.session() as session:
            row = session.get_one(TrainingSession, session_id)
            row.metrics = {**verdict.figures, "reasons": verdict.reasons}
            sessions.end_training(session, row, status, error="\n".join(verdict.reasons) or None)
        return status

    def _store_failure(self, session_id: str, error: BaseException, open_: tuple[str, ...]) -> None:
        cause = (
            str(error)
            if isinstance(error, (Conflict, InvalidInput, Unavailable))
            else f"{type(error).__name__}: {error}"
        )
        log.warning("training failed", training=session_id, error=cause)
        with self.database.session() as session:
            row = session.get(TrainingSession, session_id)
            if row is not None and row.status in open_:
                sessions.end_training(session, row, "failed", error=cause)
            elif row is not None and row.status == "ready":
                row.error = f"not deployed: {cause}"

    def keeps(self, row: TrainingSession) -> bool:
        """Whether the model is still on disk."""
        return bool(row.model) and Release(self.model.home / str(row.model)).archive.is_file()


def make_training(settings: Settings, database: Database) -> TrainingService:
    """Return the service that trains and deploys on this machine."""
    return TrainingService(
        database, make_model(settings), lambda: Rasa(settings.rasa(), derive_key(settings.secret_key(), "rasa"))
    )
