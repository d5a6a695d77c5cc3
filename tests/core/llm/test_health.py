"""Who is passed over, for how long, and how a model comes back."""

import pytest
from structlog.testing import capture_logs

from core.db.models import generate_id
from core.llm.router.health import Health
from core.llm.router.health_sync import HealthFeed
from testing import services
from testing.waiting import soon
from tests.core.llm.scripted import Clock

MODEL = "a/cheap"


@pytest.mark.parametrize(
    ("kind", "retry_after", "seconds"),
    [
        ("rate_limited", 7, 7),
        ("rate_limited", None, 30),
        ("unauthorised", None, 1800),
        ("quota", None, 1800),
        ("not_found", None, 1800),
        ("timeout", None, 30),
        ("server", None, 30),
        ("connection", None, 30),
        ("malformed", None, 30),
    ],
)
def test_how_long_it_is_passed_over(kind, retry_after, seconds):
    clock = Clock()
    health = Health(clock)
    health.failed(MODEL, kind, retry_after)
    assert not health.admit(MODEL)
    clock.now += seconds - 0.1
    assert not health.admit(MODEL)
    clock.now += 0.2
    assert health.admit(MODEL)
    assert not health.admit(MODEL), "one trial at a time"
    health.succeeded(MODEL, 10)
    assert health.of("a", MODEL).state == "closed"


def test_short_cool_downs_grow_while_the_trial_fails():
    clock = Clock()
    health = Health(clock)
    for seconds in (30, 60, 120):
        health.failed(MODEL, "server")
        assert health.of("a", MODEL).open_for_seconds == pytest.approx(seconds)
        clock.now += seconds
        assert health.admit(MODEL)


def test_many_failures_at_once_are_one_opening():
    health = Health(Clock())
    for _ in range(50):
        health.failed(MODEL, "server")
    assert health.of("a", MODEL).open_for_seconds == pytest.approx(30)


def test_a_single_trouble_among_good_calls_is_let_pass_but_not_an_outage():
    health = Health(Clock())
    for _ in range(50):
        health.succeeded(MODEL, 10)
    health.failed(MODEL, "timeout")
    health.failed(MODEL, "server")
    assert health.admit(MODEL)
    health.failed(MODEL, "connection")
    assert not health.admit(MODEL)


def test_half_of_at_least_five_calls_opens():
    health = Health(Clock())
    for _ in range(2):
        health.failed(MODEL, "empty")
        health.succeeded(MODEL, 10)
    assert health.of("a", MODEL).state == "closed"
    health.failed(MODEL, "empty")
    assert health.of("a", MODEL).state == "open"


def test_the_window_slides():
    clock = Clock()
    health = Health(clock)
    for _ in range(4):
        health.failed(MODEL, "empty")
    clock.now += 3700
    health.failed(MODEL, "empty")
    assert (health.of("a", MODEL).calls, health.of("a", MODEL).state) == (1, "closed")


@pytest.mark.parametrize("kind", ["bad_request", "context_too_long", "blocked"])
def test_our_own_faults_never_count_and_end_a_trial(kind):
    clock = Clock()
    health = Health(clock)
    for _ in range(20):
        health.failed(MODEL, kind)
    assert health.admit(MODEL)
    health.failed(MODEL, "server")
    clock.now += 31
    assert health.admit(MODEL)
    health.failed(MODEL, kind)
    assert health.admit(MODEL)


def test_a_wrong_key_alerts_once():
    health = Health(Clock())
    with capture_logs() as logs:
        health.failed(MODEL, "unauthorised")
        health.failed(MODEL, "unauthorised")
    assert [entry["mend"] for entry in logs if entry["log_level"] == "error"] == ["check its key"]


def test_reset_forgets():
    health = Health(Clock())
    health.failed(MODEL, "quota")
    health.reset()
    assert health.admit(MODEL)


async def test_health_is_shared_through_redis():
    stream = f"test:{generate_id()}"
    here, there = Health(Clock()), Health(Clock())
    feeds = [HealthFeed(health, services.REDIS, stream) for health in (here, there)]
    try:
        await feeds[0]._redis.ping()
    except OSError as error:
        services.missing(f"Redis is not reachable: {error}")
    for feed in feeds:
        await feed.start()
    feeds[0].tell(MODEL, {"kind": "quota", "retry_after": None})
    await soon(lambda: there.is_open(MODEL))
    assert not here.is_open(MODEL), "what is told was counted here already"
    late = Health(Clock())
    feeds.append(HealthFeed(late, services.REDIS, stream))
    await feeds[2].start()
    await soon(lambda: late.is_open(MODEL))
    feeds[0].tell("", {"reset": True})
    await soon(lambda: not there.is_open(MODEL))
    await feeds[0]._redis.delete(stream)
    for feed in feeds:
        await feed.close()


async def test_without_redis_each_process_knows_what_it_saw():
    health = Health(Clock())
    feed = HealthFeed(health, f"redis://127.0.0.1:{services.free_port()}")
    with capture_logs() as logs:
        await feed.start()
        feed.tell(MODEL, {"kind": "quota", "retry_after": None})
        await soon(lambda: logs)
    await feed.close()
    assert len(logs) == 1 and "away" in logs[0]["event"]
