"""Verbatim reuse of approved answers for new phrasings, and learning from its outcomes.

Callers that learn whether a reused answer was right call ``judge_reuse(session, turn_id, correct=..., by="thumb")``.
"""

from knowledge.answers.reuse.observations import apply_judgements, judge_reuse, record_observation

__all__ = ["apply_judgements", "judge_reuse", "record_observation"]
