"""Circuit breakers for models: a sliding hour of successes and failures for each.

Closed: called as usual. Open: skipped until its cool-down ends. Half open: one trial call at a time; a success closes it. Times
come from a monotonic clock, unaffected by changes of the wall clock.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Literal

import structlog

from core.errors import ErrorKind

log = structlog.get_logger()

State = Literal["closed", "open", "half_open"]
MINUTE = 60.0
WINDOW_MINUTES = 60
FEWEST_CALLS = 5
"""Minimum number of calls in the window for the failure rate to be meaningful."""
FAILING_SHARE = 0.5
SHORT = 30.0
LONG = 1800.0
LONGEST = 600.0
"""A short cool-down doubles after each failed trial, up to this many seconds."""
TRIAL_SECONDS = 120.0
"""A trial that has not ended by then is discarded, and another one allowed."""
SAMPLES = 200
NEUTRAL: frozenset[ErrorKind] = frozenset({"bad_request", "context_too_long", "blocked"})
"""Errors caused by the request, not by the model."""
RECENT = 5
"""A transient failure is ignored while fewer than half of this many last calls failed."""
TROUBLE: frozenset[ErrorKind] = frozenset({"timeout", "server", "connection", "malformed"})
COOL_DOWNS: Mapping[ErrorKind, float] = {"unauthorised": LONG, "quota": LONG, "not_found": LONG}
ALERTS: frozenset[ErrorKind] = frozenset({"unauthorised", "quota"})


@dataclass(frozen=True)
class ModelHealth:
    """The health of one model over the last hour."""

    provider: str
    model: str
    state: State
    calls: int
    failures: int
    open_for_seconds: float
    error_kind: ErrorKind | None
    """The kind of the failure that opened it."""
    latency_p50_ms: float | None
    latency_p95_ms: float | None


@dataclass
class _Record:
    """Counts per minute, recent latencies, and the state of one model."""

    minutes: deque[tuple[int, Counter[bool]]] = field(default_factory=lambda: deque(maxlen=WINDOW_MINUTES))
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    first_tokens: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    outcomes: deque[bool] = field(default_factory=lambda: deque(maxlen=RECENT))
    state: State = "closed"
    until: float = 0.0
    trips: int = 0
    trial_since: float | None = None
    error_kind: ErrorKind | None = None
    alerted: bool = False


class Health:
    """Health of all models, in memory; ``health_sync.HealthFeed`` shares it. ``changed`` is called on every state change."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._records: dict[str, _Record] = {}
        self.changed: Callable[[str], None] = lambda _: None

    def is_open(self, model_id: str) -> bool:
        """Whether a call would be refused now."""
        record = self._records.get(model_id)
        if record is None or record.state == "closed":
            return False
        now = self._clock()
        if record.state == "open":
            return now < record.until
        return record.trial_since is not None and now - record.trial_since < TRIAL_SECONDS

    def admit(self, model_id: str) -> bool:
        """Whether it may be called now; after the cool-down, the first caller starts the trial."""
        if self.is_open(model_id):
            return False
        record = self._records.get(model_id)
        if record is not None and record.state != "closed":
            record.state, record.trial_since = "half_open", self._clock()
        return True

    def release(self, model_id: str) -> None:
        """Record a call that says nothing about the model."""
        if record := self._records.get(model_id):
            record.trial_since = None

    def succeeded(self, model_id: str, latency_ms: float, first_token_ms: float | None = None) -> None:
        """Record a complete answer."""
        record = self._get_record(model_id)
        self._count_outcome(record, ok=True, at=self._clock())
        record.latencies.append(latency_ms)
        if first_token_ms is not None:
            record.first_tokens.append(first_token_ms)
        if record.state == "half_open":
            self._close_circuit(model_id, record)

    def failed(self, model_id: str, kind: ErrorKind, retry_after: float | None = None, age: float = 0.0) -> None:
        """Record a failed call from ``age`` seconds ago."""
        if kind in NEUTRAL:
            self.release(model_id)
            return
        record, now = self._get_record(model_id), self._clock() - age
        self._count_outcome(record, ok=False, at=now)
        seconds = self._cool_down(record, kind, retry_after)
        if seconds is None:
            return
        if record.state != "open":
            record.trips += 1
        record.until = max(record.until, now + seconds)
        self._alert_operator(model_id, record, kind, seconds)
        if record.state != "open":
            record.state, record.trial_since, record.error_kind = "open", None, kind
            log.warning("model passed over", model=model_id, because=kind, seconds=round(seconds))
            self.changed(model_id)

    def reset(self, model_id: str | None = None) -> None:
        """Forget the health of one model, or of all."""
        for known in [model_id] if model_id else list(self._records):
            self._records.pop(known, None)
            self.changed(known)

    def quantile(self, model_id: str, share: float, *, first_token: bool = False, fewest: int = 1) -> float | None:
        """Return a quantile of recent latencies in ms, or None with fewer than ``fewest`` samples."""
        record = self._records.get(model_id)
        if record is None:
            return None
        samples = record.first_tokens if first_token else record.latencies
        return compute_quantile(samples, share) if len(samples) >= max(fewest, 1) else None

    def of(self, provider: str, model_id: str) -> ModelHealth:
        """Return the health of one model."""
        record = self._records.get(model_id) or _Record()
        now = self._clock()
        counts = self._sum_recent_outcomes(record, now)
        state: State = "half_open" if record.state == "open" and now >= record.until else record.state
        return ModelHealth(
            provider=provider,
            model=model_id,
            state=state,
            calls=counts.total(),
            failures=counts[False],
            open_for_seconds=max(0.0, record.until - now) if state == "open" else 0.0,
            error_kind=None if state == "closed" else record.error_kind,
            latency_p50_ms=compute_quantile(record.latencies, 0.5),
            latency_p95_ms=compute_quantile(record.latencies, 0.95),
        )

    def _get_record(self, model_id: str) -> _Record:
        return self._records.setdefault(model_id, _Record())

    def _count_outcome(self, record: _Record, *, ok: bool, at: float) -> None:
        minute = int(at // MINUTE)
        if not record.minutes or record.minutes[-1][0] < minute:
            record.minutes.append((minute, Counter()))
        record.minutes[-1][1][ok] += 1
        record.outcomes.append(ok)

    def _sum_recent_outcomes(self, record: _Record, now: float) -> Counter[bool]:
        oldest = int(now // MINUTE) - WINDOW_MINUTES
        total: Counter[bool] = Counter()
        for minute, counts in record.minutes:
            if minute > oldest:
                total.update(counts)
        return total

    def _cool_down(self, record: _Record, kind: ErrorKind, retry_after: float | None) -> float | None:
        """Return the cool-down in seconds, or None to keep it closed."""
        if kind == "rate_limited":
            return SHORT if retry_after is None else max(retry_after, 1.0)
        if kind in COOL_DOWNS:
            return COOL_DOWNS[kind]
        counts = self._sum_recent_outcomes(record, self._clock())
        often = counts.total() >= FEWEST_CALLS and counts[False] / counts.total() >= FAILING_SHARE
        if (kind in TROUBLE and _mostly_failed(record)) or often or record.state == "half_open":
            return float(min(SHORT * 2**record.trips, LONGEST)) if record.state != "open" else SHORT
        return None

    def _close_circuit(self, model_id: str, record: _Record) -> None:
        record.state, record.until, record.trips, record.trial_since = "closed", 0.0, 0, None
        record.error_kind, record.alerted = None, False
        record.minutes.clear()
        record.outcomes.clear()
        log.info("model is well again", model=model_id)
        self.changed(model_id)

    def _alert_operator(self, model_id: str, record: _Record, kind: ErrorKind, seconds: float) -> None:
        if kind in ALERTS and not record.alerted:
            record.alerted = True
            mend = "check its key" if kind == "unauthorised" else "check its account and what was paid"
            log.error("model refuses us", model=model_id, because=kind, mend=mend, minutes=round(seconds / MINUTE))


def _mostly_failed(record: _Record) -> bool:
    """Whether at least half of the recent calls failed; a single known failure counts."""
    return record.outcomes.count(False) * 2 >= len(record.outcomes)


def compute_quantile(samples: deque[float], share: float) -> float | None:
    """Interpolate linearly; None without samples."""
    if len(samples) < 2:  # noqa: PLR2004 - what the library wants
        return samples[0] if samples else None
    return quantiles(samples, n=100, method="inclusive")[round(share * 100) - 1]
