"""Fine-tune, deploy and roll back embedding models, each with an author and a reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.orm import Session

from core import audit
from core.db import Database
from core.db.models import TrainingSession
from core.errors import Conflict, NotFound, RejoinderError
from core.settings import Settings
from evaluation.training import sessions
from evaluation.training.lock import hold_folder_lock
from evaluation.tuning import examples, measures, pairs
from evaluation.tuning.models import TunedModels
from evaluation.tuning.swap import Swap
from evaluation.tuning.trainer import check_environment, fine_tune, packaged_base
from knowledge.services import Knowledge

log = structlog.get_logger()

KIND = "embedding"
INDEXING = "making its vectors"
BASE = "base"
"""Denotes the base model in place of a training id."""

Tell = Callable[[str, float], None]
"""Receives the current step and its progress, 0 to 1."""
Trains = Callable[[Path, Path, Callable[[float], None]], None]


def _ignore_progress(_step: str, _progress: float) -> None: ...


@dataclass(frozen=True)
class Tuning:
    """Changes the model that searches a tenant's knowledge: training, deployment and rollback."""

    knowledge: Knowledge
    models: TunedModels
    base: Path
    """The base model, in the format of sentence-transformers."""
    trains: Trains = fine_tune
    check: Callable[[], None] = check_environment

    @property
    def _database(self) -> Database:
        return self.knowledge.database

    def start_training(self, tenant_id: str, by: str, reason: str = "") -> str:
        """Queue a training and return its id; call ``run``, or let the worker's task ``tune_embedding`` do so.

        Raises:
            Unavailable: the training environment is not set up.
            InvalidInput: there are too few pairs, or the reason is too long.
            Conflict: a training is running or waiting.
        """
        self.check()
        with self._database.session() as session:
            pairs.require_enough_pairs(pairs.load_phrased_entries(session, tenant_id))
        with hold_folder_lock(self.models.folder, "fine-tuning"), self._database.session() as session:
            sessions.give_up_broken(session, KIND)
            return sessions.enqueue_training(session, tenant_id, by, reason, KIND).id

    def run(self, session_id: str, *, deploy: bool = True, tell: Tell = _ignore_progress) -> str:
        """Train and evaluate a model, deploy it if it is better, and return the final status.

        On any failure the deployed model stays, and the record has the cause.

        Raises:
            NotFound: there is no such training.
            Conflict: another training is running, or this one was run already.
            InvalidInput: there are too few pairs, or the training ended with an error.
            Unavailable: the training environment is missing, or Chroma cannot be reached.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(hold_folder_lock(self.models.folder, "fine-tuning"))
            except Conflict as error:
                self._store_failure(session_id, error)
                raise
            with self._database.session() as session:
                sessions.give_up_broken(session, KIND)
                row = sessions.claim_training(session, session_id, "reading the pairs")
            try:
                status = self._train_embedding(row, tell)
                if status == "ready" and deploy:
                    self.deploy(row.tenant_id, session_id, row.author, tell=tell)
                    status = "deployed"
            except BaseException as error:
                self._store_failure(session_id, error)
                raise
        return status

    def deploy(
        self, tenant_id: str, session_id: str, by: str, reason: str = "", *, tell: Tell = _ignore_progress
    ) -> None:
        """Index the knowledge with the new model while the old one serves, then switch to it.

        Raises:
            NotFound: there is no such training, or its model is no longer kept.
            Conflict: the model was refused, is not ready or is deployed already; or another deployment is running.
            KnowledgeUnavailable: Chroma cannot be reached; another call resumes the work.
        """
        row = self.deployable(tenant_id, session_id)
        self._put_in_force(tenant_id, row, by, reason or row.reason, "deployed", tell)

    def deployable(self, tenant_id: str, session_id: str) -> TrainingSession:
        """Return a training whose model may be deployed.

        Raises:
            NotFound: there is no such training, or its model is no longer kept.
            Conflict: the model was refused, is not ready or is deployed already.
        """
        with self._database.session() as session:
            row = sessions.get_training(session, tenant_id, session_id, KIND)
        if row.status not in {"ready", "replaced"}:
            raise Conflict(
                f"This training is {row.status}; only a model that was found better, and does not serve, can be deployed."
            )
        return self._require_kept_model(row)

    def rollback(self, tenant_id: str, by: str, reason: str = "", *, tell: Tell = _ignore_progress) -> str:
        """Return to the model deployed before, and return its training id, or "base"; repeated calls go further back.

        Raises:
            NotFound: the base model is deployed.
            Conflict: a deployment is running.
            KnowledgeUnavailable: Chroma cannot be reached.
        """
        target = self.earlier(tenant_id)
        self._put_in_force(tenant_id, target, by, reason, "rolled_back", tell)
        return target.id if target else BASE

    def earlier(self, tenant_id: str) -> TrainingSession | None:
        """Return the training that a rollback goes back to; None means the base model.

        Raises:
            NotFound: the base model is deployed.
        """
        with self._database.session() as session:
            rows = sessions.list_trainings(session, tenant_id, KIND)
        running = next((row for row in rows if row.status == "deployed"), None)
        if running is None:
            raise NotFound("The base model serves; there is none before it.")
        older = (r for r in rows if r.deployed_at and r.created_at < running.created_at and self.models.kept(r))
        return next(older, None)

    def listed(self, tenant_id: str) -> list[dict[str, Any]]:
        """Return all trainings, newest first, with whether their model is still kept."""
        with self._database.session() as session:
            rows = sessions.list_trainings(session, tenant_id, KIND)
        return [{**sessions.describe_training(row), "kept": self.models.kept(row)} for row in rows]

    def resume(self) -> None:
        """Mark trainings of a killed process as failed and resume its deployments; called when the worker starts."""
        try:
            with hold_folder_lock(self.models.folder, "fine-tuning"), self._database.session() as session:
                sessions.give_up_broken(session, KIND)
                broken = session.query(TrainingSession).filter_by(kind=KIND, step=INDEXING).all()
        except Conflict:
            return
        for row in broken:
            log.info("an embedding model's deployment goes on", training=row.id)
            try:
                self.deploy(row.tenant_id, row.id, "worker", "resumed")
            except RejoinderError as error:
                self._store_failure(row.id, error)

    def _train_embedding(self, row: TrainingSession, tell: Tell) -> str:
        self.check()
        with self._database.session() as session:
            phrased = pairs.load_phrased_entries(session, row.tenant_id)
        pairs.require_enough_pairs(phrased)
        before = Swap(self.knowledge).in_force(row.tenant_id)
        current = self.knowledge.spaces.of(before).embedder
        self._update_progress(row.id, tell, "mining hard negatives", 0.02)
        shown, model, began = examples.mine_examples(phrased, current), self.models.new(), time.monotonic()
        folder = self.models.home / model
        try:
            shown.write(folder)
            self.trains(
                folder, self.base, lambda part: self._update_progress(row.id, tell, "training", 0.05 + 0.55 * part)
            )
            self._update_progress(row.id, tell, "evaluating beside the model in force", 0.6, "evaluating")
            seconds = time.monotonic() - began
            figures, reason = measures.compare_ranks(
                measures.compute_ranks(phrased, current),
                measures.compute_ranks(phrased, self.knowledge.spaces.of(model).embedder),
            )
        except BaseException:
            self.models.forget(model)
            raise
        examples.delete_examples(folder)
        figures |= {
            "pairs": len(shown.phrasings), "answers": len(shown.answers), "training seconds": round(seconds, 1),
            "megabytes": round((folder / "model.onnx").stat().st_size / 1e6, 1), "compared with": before or BASE,
        }  # fmt: skip
        return self._store_verdict(row.id, model, figures, reason)

    def _store_verdict(self, session_id: str, model: str, figures: dict[str, Any], reason: str | None) -> str:
        if reason:
            self.models.forget(model)
        with self._database.session() as session:
            row = session.get_one(TrainingSession, session_id)
            row.metrics, row.model = figures, None if reason else model
            sessions.end_training(session, row, "refused" if reason else "ready", error=reason)
            return row.status

    def _put_in_force(  # noqa: PLR0917
        self, tenant_id: str, row: TrainingSession | None, by: str, reason: str, action: str, tell: Tell
    ) -> None:
        subject, model = (row.id, row.model) if row else (BASE, None)

        def record_swap(session: Session) -> None:
            if row:
                done = session.get_one(TrainingSession, row.id, populate_existing=True)
                done.step, done.progress, done.error = "", 1.0, None
            audit.add_audit_event(
                session, tenant_id, "model", subject, action, by, model=model, before=before, reason=reason
            )

        with hold_folder_lock(self.models.folder, "deployment"):
            swap = Swap(self.knowledge)
            before = swap.in_force(tenant_id)
            if row and row.status == "ready" and row.metrics.get("compared with") != (before or BASE):
                raise Conflict("Another model was put in force since the comparison, so it is void; train again.")
            self._update_progress(subject, tell, INDEXING, 0.7)  # resume() looks for this step
            swap.to(
                tenant_id,
                model,
                record_swap,
                lambda part: self._update_progress(subject, tell, INDEXING, 0.7 + 0.29 * part),
            )
            with self._database.session() as session:
                rows = sessions.list_trainings(session, tenant_id, KIND)
            self.models.clean_up(self.knowledge, tenant_id, rows)

    def _require_kept_model(self, row: TrainingSession) -> TrainingSession:
        if not self.models.kept(row):
            raise NotFound(f"The model of {row.id} is no longer kept.")
        return row

    def _update_progress(
        self, session_id: str, tell: Tell, step: str, progress: float, status: str | None = None
    ) -> None:
        with self._database.session() as session:
            row = session.get(TrainingSession, session_id)
            if row is not None:
                row.step, row.progress, row.status = step, progress, status or row.status
        tell(step, progress)

    def _store_failure(self, session_id: str, error: BaseException) -> None:
        cause = str(error) if isinstance(error, RejoinderError) else f"{type(error).__name__}: {error}"
        log.warning("fine-tuning failed", training=session_id, error=cause)
        with self._database.session() as session:
            row = session.get(TrainingSession, session_id)
            if row is not None and row.status in {"waiting", "training", "evaluating"}:
                sessions.end_training(session, row, "failed", error=cause)
            elif row is not None and row.status in {"ready", "replaced"}:
                row.step, row.error = "", f"not deployed: {cause}"


def make_tuning(settings: Settings, knowledge: Knowledge) -> Tuning:
    """Return the service that trains and deploys on this machine; nothing is connected or loaded before use."""
    base = settings.embedding_model or packaged_base()
    return Tuning(knowledge, TunedModels(settings.home), base)
