"""Checks of the Rasa components, run by tests/bot/test_bot.py in the Rasa environment (no pytest there)."""

from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.training_data.message import Message

from bot.components.embedding import SentenceEmbeddingFeaturizer
from bot.components.intents import SUPPORT, NeighbourLogisticRegression, Support
from bot.components.out_of_scope import OutOfScopeComponent


def refused(component, **settings):
    try:
        component.validate_config({**component.get_default_config(), **settings})
    except InvalidConfigException:
        return True
    return False


def judged(confidence, similarity, examples, name="refund"):
    message = Message({"text": "x"})
    message.set("intent", {"name": name, "confidence": confidence})
    message.set(SUPPORT, Support(similarity, examples))
    OutOfScopeComponent({"sure": 0.4, "unsure": 0.2, "doubt": 10}).process([message])
    return message.get("intent")["name"]


assert not refused(OutOfScopeComponent)
assert refused(OutOfScopeComponent, sure=0.1, unsure=0.2)
assert refused(OutOfScopeComponent, doubt=-1)
assert not refused(NeighbourLogisticRegression)
assert refused(NeighbourLogisticRegression, C=0)
assert refused(NeighbourLogisticRegression, characters=1.5)
assert refused(NeighbourLogisticRegression, temperature=0)
assert not refused(SentenceEmbeddingFeaturizer)
assert refused(SentenceEmbeddingFeaturizer, model="there/is/no/such/folder")

assert judged(1.0, 1.0, 90) == "refund"
assert judged(0.6, 0.6, 90) == "nlu_fallback"  # unlikely and unlike: ask back
assert judged(0.9, 0.1, 90) == "out_of_scope"  # likely, but like nothing that is known
assert judged(1.0, 1.0, 2) == "out_of_scope"  # known from two examples
assert judged(1.0, 1.0, 90, name="out_of_scope") == "out_of_scope"
