"""When an approved answer may be sent verbatim for a new phrasing, and what is learnt from it.

Whoever hears that a reused answer was right or wrong says ``judge_reuse(session, turn_id, correct=..., by="thumb")``.
"""

from knowledge.answers.reuse.observations import apply_judgements, judge_reuse, record_observation

__all__ = ["apply_judgements", "judge_reuse", "record_observation"]
