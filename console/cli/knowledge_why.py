"""`rejoinder knowledge why`: how the answer to a message is chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import closing
from typing import Annotated, Any

import typer

from console.cli.database import opened
from console.cli.options import JsonOption, TenantOption, print_json
from console.cli.tables import print_table

SPEAKERS = ("customer", "bot", "agent")
CHOSEN_BY_READING = 8
LONGEST_TITLE, LONGEST_TEXT = 60, 400


def why(
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help="What a customer would write.")] = "",
    history: Annotated[
        list[str] | None,
        typer.Option("--history", help="What was said before, oldest first: “bot: We have two sizes.”; repeat it."),
    ] = None,
    turn: Annotated[str | None, typer.Option("--turn", help="Explain this stored turn again instead.")] = None,
    conversation: Annotated[
        str | None, typer.Option("--conversation", help="Explain the last turn of this conversation instead.")
    ] = None,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Show how an answer is chosen: candidates with their scores, bars, what was stopped, and the skill decision."""
    if sum(map(bool, (text.strip(), turn, conversation))) != 1:
        raise typer.BadParameter("give a TEXT, or --turn ID, or --conversation ID", param_hint="TEXT")
    said = [_parse_utterance(line) for line in history or ()]
    explained = _explain_answer(tenant, text, said, turn, conversation)
    if as_json:
        print_json(explained)
    else:
        _print_explanation(explained)


def _parse_utterance(line: str) -> tuple[str, str]:
    """Parse an utterance; without a known speaker it is the customer's."""
    speaker, colon, text = line.partition(":")
    return (speaker.strip(), text.strip()) if colon and speaker.strip() in SPEAKERS else ("customer", line.strip())


def _explain_answer(
    tenant: str | None, text: str, said: Sequence[tuple[str, str]], turn: str | None, conversation: str | None
) -> dict[str, Any]:
    from console.explanations import Explanations  # noqa: PLC0415
    from core.rasa import Rasa  # noqa: PLC0415
    from core.secrets import derive_key  # noqa: PLC0415
    from knowledge.services import Knowledge, make_embedder  # noqa: PLC0415

    with opened(tenant) as (settings, database, tenant_id):
        embedder = make_embedder(settings)
        with closing(Knowledge(settings, database, embedder)) as knowledge:

            async def run_explanation() -> dict[str, Any]:
                rasa = Rasa(settings.rasa(), token=derive_key(settings.secret_key(), "rasa"))
                made = Explanations(database, lambda: knowledge.answering, rasa)
                try:
                    if text.strip():
                        return await made.explain(tenant_id, text, said)
                    return await made.explain_turn(tenant_id, turn_id=turn, conversation_id=conversation)
                finally:
                    await rasa.close()

            return asyncio.run(run_explanation())


def _print_explanation(explained: dict[str, Any]) -> None:
    for turn in explained["history"]:
        print(f"{turn['speaker']}: {_shorten_text(turn['text'])}")
    print(f"Question: {explained['question']}\n\n{explained['skill']['why']}")
    if explained["skill"].get("by") == "skill":
        print("What the knowledge alone would do:")
    for part in explained["parts"]:
        print()
        if len(explained["parts"]) > 1:
            print(f"Part: {part['question']}")
        _show_part(part, explained["settings"])
    if explained["then"]:
        _show_record(explained["then"])


def _show_part(part: dict[str, Any], settings: dict[str, Any]) -> None:
    print(part["why"])
    for note in part["notes"]:
        print(f"- {note}")
    if part["text"]:
        print("\n".join(["Answer:", *(f"  {line}" for line in part["text"].splitlines())]))
    if part["choices"]:
        print("Offered: " + " | ".join(choice["title"] for choice in part["choices"]))
    if part["candidates"]:
        _show_numbers(part, settings)


def _show_numbers(part: dict[str, Any], settings: dict[str, Any]) -> None:
    print("Looked up: " + " | ".join(f"“{_shorten_text(text)}”" for text in part["looked_up"]))
    read = [each for each in part["candidates"] if each["reader"] is not None]
    shown = read or part["candidates"][:CHOSEN_BY_READING]
    columns = ("candidate", "cosine", "words", "reader", "share")
    print_table(columns, [_build_candidate_row(each) for each in shown], right=columns[1:])
    left = part["found"] - len(shown)
    print(f"{left} more were found, and not read." if left else "All that were found were read.")
    if part["probability"] and part["bars"]:
        bars, wrong = part["bars"], settings["wrong_answers"]
        print(
            f"Probability: the first answers {part['probability']['first']:.2f}; any entry does "
            f"{part['probability']['known']:.2f}. Bars for at most {wrong:.1%} sure and wrong answers: sure "
            f"{bars['answered']:.2f}, likely {bars['suggested']:.2f}, asking back {bars['clarified']:.2f}."
        )
    if part["rule"] != "exact":
        _show_reuse(part["reuse"])
    for each in part["talk"]["matches"]:
        print(f"Learnt from talk: “{each['phrasing']}” {each['probability']:.2f}, bar {part['talk']['bar']:.2f}.")


def _show_reuse(reuse: dict[str, Any]) -> None:
    if reuse["phrasing"]:
        bound = "not looked at" if reuse["bound"] is None else f"{reuse['bound']:.2f}"
        print(f"Reuse: “{reuse['phrasing']}”, score {reuse['score']:.2f}, bound {bound}: {reuse['verdict']}.")


def _build_candidate_row(each: dict[str, Any]) -> tuple[object, ...]:
    title = each["title"] + (" (disputed)" if each["disputed"] else "") + (" (a part of it)" if each["cut"] else "")
    reader = None if each["reader"] is None else f"{each['reader']:.2f}"
    share = None if each["share"] is None else f"{each['share']:.2f}"
    place = ", ".join(filter(None, (each["kind"], each["source"])))
    return f"{title}\n  {place}", f"{each['cosine']:.2f}", f"{each['words']:.1f}", reader, share


def _show_record(then: dict[str, Any]) -> None:
    facts = then["facts"]
    print(f"\nRecorded on {then['at']:%Y-%m-%d %H:%M}:")
    if then["pressed"]:
        print("- A button was pressed; what it stands for was served.")
    known = {name.replace("_", " "): value for name, value in facts.items() if value not in (None, [], {})}
    print("- " + ", ".join(f"{name} {_format_value(value)}" for name, value in known.items()))
    for reply in then["replies"]:
        print(f"- Reply: {_shorten_text(reply)}")
    if then["offered"]:
        print("- Offered: " + " | ".join(then["offered"]))
    for change in then["changes"]:
        print(f"- {change}")


def _format_value(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name} {each}" for name, each in value.items() if each is not None) + ")"
    return ", ".join(f"{used['id']} v{used['version']}" for used in value) if isinstance(value, list) else str(value)


def _shorten_text(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_TEXT else f"{line[: LONGEST_TEXT - 3]}..."
