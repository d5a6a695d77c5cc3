"""`bench masking`: how much of the personal data in `pii_synth` is masked, and how much else is.

The patterns were tuned on the sentences whose template's number is even; the figures are of the others. A value counts
as found when all its letters and digits are masked, whatever kind it was taken for: what matters is that it does not
leave the house. Precision of a kind: how much of what was masked as this kind is personal data of any kind.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.public_data import read_rows
from benchmarks.report import Result, at_least, at_most
from core.llm.masking import Masker, make_masker
from core.llm.types import ChatMessage, Request, RequestOrigin

GOAL = 0.98
KINDS = {"EMAIL_ADDRESS": "EMAIL", "PHONE_NUMBER": "PHONE", "CREDIT_CARD": "CARD", "IBAN_CODE": "IBAN", "US_SSN": "ID"}
PERSONAL = {*KINDS, "PERSON"}
TIMES = 200


def run(data: Path) -> Result:
    """Measure finding and speed."""
    rows = read_rows(data / "pii_synth" / "dev.jsonl")
    started = time.perf_counter()
    masker = make_masker()
    made = time.perf_counter() - started
    figures = {part: _measured(masker, [r for r in rows if _part(r) == part]) for part in ("tuned", "reported")}
    figures["speed"] = {"first_use_s": round(made, 2), **_speed(masker, rows)}
    recall = figures["reported"]["recall"]
    goals = [
        at_least(f"recall of {kind}", recall[name], GOAL)
        for name, kind in KINDS.items()
        if recall.get(name) is not None
    ]
    speed = figures["speed"]
    return {
        "figures": figures,
        "targets": [
            *goals,
            at_most("a new message of 300 characters, ms p50", speed["message_300_p50_ms"], 2.0),
            at_most("a new prompt of 8,000 characters, ms p50", speed["prompt_8000_p50_ms"], 30.0),
        ],
        "notes": [
            "a kind that is missing has no value in that part; names are masked only where the words around them are sure",
            "addresses, places, companies and dates are left in: the answer needs them",
        ],
    }


def _part(row: dict[str, Any]) -> str:
    return "tuned" if row["template_id"] % 2 == 0 else "reported"


def _measured(masker: Masker, rows: list[dict[str, Any]]) -> dict[str, Any]:
    there, hit, masked, right = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        found = masker.found(row["text"])
        covered = {i for f in found for i in range(f.start, f.end)}
        for span in row["spans"]:
            there[span["type"]] += 1
            hit[span["type"]] += all(
                i in covered for i in range(span["start"], span["end"]) if row["text"][i].isalnum()
            )
        for f in found:
            masked[f.kind] += 1
            right[f.kind] += any(
                s["start"] < f.end and f.start < s["end"] for s in row["spans"] if s["type"] in PERSONAL
            )
    return {
        "values": {name: there[name] for name in sorted(PERSONAL) if there[name]},
        "recall": {name: round(hit[name] / there[name], 4) for name in sorted(PERSONAL) if there[name]},
        "precision": {kind: round(right[kind] / masked[kind], 4) for kind in sorted(masked)},
        "masked_though_needed": {
            name: f"{hit[name]} of {there[name]}" for name in ("DATE_TIME", "ZIP_CODE", "AGE", "GPE") if there[name]
        },
    }


def _speed(masker: Masker, rows: list[dict[str, Any]]) -> dict[str, float]:
    everything = "\n".join(row["text"] for row in rows)
    figures: dict[str, float] = {}
    for name, size in (("message_300", 300), ("prompt_8000", 8000)):
        took = []
        for n in range(TIMES):
            start = (n * 997) % (len(everything) - size)
            # a number of its own at each line's end, so that no line comes from memory
            text = everything[start : start + size].replace("\n", f" {n}/{size}\n")
            request = Request((ChatMessage("user", text),), RequestOrigin("bench"))
            began = time.perf_counter()
            masker.mask(request)
            took.append((time.perf_counter() - began) * 1000)
        figures |= {f"{name}_p{p}_ms": round(float(np.percentile(took, p)), 3) for p in (50, 95)}
    return figures
