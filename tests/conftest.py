"""What most tests use: settings of their own folder, a database of each kind, a real Chroma."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from core.db import Database
from core.db.upgrade import upgrade_database
from core.settings import ENV_FILE, PREFIX, Settings
from testing import services
from testing.instance import ROOT, Instance, chroma_server, free_ports, instance

for name in [name for name in os.environ if name.startswith(PREFIX)]:
    del os.environ[name]
os.environ[ENV_FILE] = os.devnull


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What trains or starts a bot comes first, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: not {"whole", "bot"} & set(item.path.parent.parts))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Defaults, with a home of its own and no `.env`."""
    return Settings.load(home=tmp_path / "var", port=free_ports(3))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Migrated and empty, on each kind that we support."""
    in_file = f"sqlite:///{tmp_path / 'test.db'}"
    database = Database(in_file if request.param == "sqlite" else _emptied(request.getfixturevalue("postgres_url")))
    upgrade_database(database)
    yield database
    database.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """For tests to which the kind of database makes no difference."""
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    upgrade_database(database)
    yield database
    database.close()


@pytest.fixture(scope="session")
def chroma_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Chroma server for the whole run; tests use tenants of their own."""
    with chroma_server(tmp_path_factory.mktemp("chroma")) as url:
        yield url


@pytest.fixture(scope="session")
def trained_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped bot's model, trained by whichever worker asks first."""
    if not (ROOT / ".venv-bot/bin/rasa").exists():
        services.missing("the Rasa environment is not set up: run `make setup`")
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "trained"
    home.mkdir(exist_ok=True)
    command = [str(Path(sys.executable).parent / "rejoinder"), "train", "--no-report"]
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(command, env={**os.environ, "REJOINDER_HOME": str(home)}, check=True, capture_output=True)
    return home / "models"


@pytest.fixture(scope="session")
def bot(trained_models: Path) -> Iterator[Instance]:
    """The whole thing: `rejoinder start` with a really trained model, the demo shop, and all four processes."""
    with instance({"REJOINDER_MESSAGES_PER_MINUTE": "1000"}, trained_models) as running:
        yield running


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL database of this run's own."""
    name = f"rejoinder_test_{os.getpid()}"
    engine = create_engine(services.POSTGRES, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError as error:
        services.missing(f"PostgreSQL is not reachable: {error.orig}")
    yield make_url(services.POSTGRES).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def _emptied(url: str) -> str:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url
