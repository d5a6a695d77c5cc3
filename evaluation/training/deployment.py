"""Deploy a model and have Rasa load it; undo the deployment if loading fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core import audit
from core.db import Database
from core.db.models import get_current_time
from core.errors import RasaUnavailable, Unavailable
from core.rasa import Rasa
from evaluation.training import sessions
from evaluation.training.model import BotModel


@dataclass(frozen=True)
class Deployment:
    """Keeps the disk, Rasa and the training record consistent."""

    database: Database
    model: BotModel
    make_rasa: Callable[[], Rasa]

    def deploy(self, tenant_id: str, session_id: str, name: str, by: str, reason: str, action: str) -> bool:  # noqa: PLR0917
        """Deploy as ``TrainingService.deploy`` does, but without its checks; ``action`` is the name in the audit log."""
        release = self.model.release(name)
        with self.model.locked("deployment"):
            previous = self.model.running_release
            self.model.put_in_place(release)
            try:
                serves = asyncio.run(self._load_archive(release.archive))
            except BaseException:
                if previous:
                    self.model.put_in_place(previous)
                raise
            release.served.touch()
            with self.database.session() as session:
                row = sessions.get_training(session, tenant_id, session_id)
                row.error, row.deployed_at = None if row.status == "ready" else row.error, get_current_time()
                sessions.follow_disk(session, tenant_id, self.model)
                details = {
                    "model": name,
                    "before": previous and previous.name,
                    "reason": reason or row.reason,
                    "rasa_loaded": serves,
                }
                audit.add_audit_event(session, tenant_id, "model", session_id, action, by, **details)
        return serves

    async def _load_archive(self, archive: Path) -> bool:
        rasa = self.make_rasa()
        try:
            await rasa.load(archive)
            if await rasa.model() != archive.name:
                raise Unavailable(f"Rasa says that it took {archive.name} and serves another model.")
        except RasaUnavailable:
            return False
        finally:
            await rasa.close()
        return True
