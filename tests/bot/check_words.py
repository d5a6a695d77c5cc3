"""What forms understand in each language, and in one without spaces: run in the bot environment."""

from __future__ import annotations

import re

from bot.components import forms, out_of_scope
from bot.components.forms import Waiting
from bot.components.words import either_of

JAPANESE = [{"spaces": False, "corrects": ["いいえ", "違います"], "stop": ["やめ(?:る|て)", "中止"]}]


def check() -> None:
    waits = Waiting("order_number", "order_form", [], {})
    lacking = ["keine Ahnung", "ich habe die Nummer leider nicht", "das weiß ich nicht", "مجھے معلوم نہیں", "I lost it"]
    assert [text for text in lacking if not waits.lacks(text)] == []
    assert not waits.lacks("ich habe keine Lust auf so etwas") and not waits.lacks("R104233")
    corrections = ["nein, ich meinte R104871", "Nein, 5", "نہیں، میرا مطلب 5", "no, I meant 5", "eigentlich 5"]
    assert [text for text in corrections if not forms._CORRECTS.match(text)] == []
    asked = ["Wo ist das", "und wie geht das", "کیا آپ کھلے ہیں", "いつ届きますか？", "yes, but how long"]
    assert [text for text in asked if not out_of_scope._QUESTION.search(text)] == []
    assert not out_of_scope._QUESTION.search("ich möchte bestellen")
    assert out_of_scope._BUT.search("ja, aber nur heute") and not out_of_scope._BUT.search("ja, bitte")
    assert re.search(either_of(JAPANESE, "stop"), "もうやめてください")
    assert re.search(either_of([{"stop": ["stop"]}, *JAPANESE], "stop"), "unstoppable") is None
    assert forms._words_beside("はい、でも配送先の住所も変えたいです", []) >= forms.FEW_WORDS
    assert forms._words_beside("はい", []) < forms.FEW_WORDS


if __name__ == "__main__":
    check()
