"""Checks of the Rasa components, run by tests/bot/test_bot.py in the Rasa environment (no pytest there)."""

from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, BotUttered, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.training_data.message import Message

from bot.components import forms
from bot.components.featurizer import SentenceEmbeddingFeaturizer
from bot.components.form_policy import _find_failed_action
from bot.components.intents import (
    SUPPORT,
    NeighbourLogisticRegression,
    Support,
    build_pattern,
    mask_entities,
    normalise_text,
)
from bot.components.out_of_scope import OutOfScopeComponent


def refused(component, **settings):
    try:
        component.validate_config({**component.get_default_config(), **settings})
    except InvalidConfigException:
        return True
    return False


def judged(*found, **said):
    return decided(*found, **said)[0]


def decided(confidence, similarity, examples, *, name="refund", level=None, text="x", entities=(), **words):
    known = {"knowledge": {"level": level, "confidence": 0.9}} if level else {}
    message = Message({"text": text, "metadata": {"turn_id": "t", **known}})
    message.set("intent", {"name": name, "confidence": confidence})
    message.set("entities", [found(entity, value, text) for entity, value in entities])
    message.set(SUPPORT, Support(similarity, examples, **words))
    decision = process(message)
    return message.get("intent")["name"], decision["by"], decision["why"]


def found(entity, value, text):
    start = text.index(value)
    return {"entity": entity, "value": value, "start": start, "end": start + len(value)}


def process(message):
    bands = {"certain": 0.7, "sure": 0.4, "unsure": 0.2, "doubt": 10, "near": 0.75, "same": 0.9}
    OutOfScopeComponent(
        {**OutOfScopeComponent.get_default_config(), **bands, "described": {"note_form": ["forgotten"]}}
    ).process([message])
    return message.get("decision")


def form_waits(form, slot, says="", **given):
    filled = [SlotSet(name, value) for name, value in given.items()]
    events = [ActiveLoop(form), SlotSet("requested_slot", slot), *filled, BotUttered(says)]
    forms.remember_tracker(DialogueStateTracker.from_events("c", events, DOMAIN.slots), DOMAIN)


DOMAIN = Domain.from_yaml(
    """
    intents: [inform, affirm, deny, stop, ask_knowledge, nlu_fallback]
    entities: [order_number, email]
    forms:
      order_form: {required_slots: [order_number, email]}
      address_form: {required_slots: [order_number, new_address, confirmed]}
      note_form: {required_slots: [place, note]}
    slots:
      order_number: {type: text, mappings: [{type: from_entity, entity: order_number}]}
      email:
        type: text
        mappings:
          - {type: from_entity, entity: email}
          - type: from_text
            intent: inform
            conditions: [{active_loop: order_form, requested_slot: email}]
      new_address:
        type: text
        mappings:
          - type: from_text
            conditions: [{active_loop: address_form, requested_slot: new_address}]
      place:
        type: text
        mappings: [{type: from_text, conditions: [{active_loop: note_form, requested_slot: place}]}]
      note:
        type: text
        mappings: [{type: from_text, conditions: [{active_loop: note_form, requested_slot: note}]}]
      confirmed:
        type: bool
        mappings:
          - {type: from_intent, intent: affirm, value: true}
          - {type: from_intent, intent: deny, value: false}
    """
)


assert not refused(OutOfScopeComponent)
assert refused(OutOfScopeComponent, sure=0.1, unsure=0.2)
assert refused(OutOfScopeComponent, doubt=-1)
assert refused(OutOfScopeComponent, sure=0.6, certain=0.5)
assert refused(OutOfScopeComponent, near=0.9, same=0.9)
assert not refused(NeighbourLogisticRegression)
assert refused(NeighbourLogisticRegression, C=0)
assert refused(NeighbourLogisticRegression, characters=1.5)
assert refused(NeighbourLogisticRegression, temperature=0)
assert not refused(SentenceEmbeddingFeaturizer)
assert refused(SentenceEmbeddingFeaturizer, model="there/is/no/such/folder")

assert judged(1.0, 1.0, 90) == "refund"
assert judged(0.6, 0.6, 90) == "nlu_fallback"  # unlikely and unlike: ask back
assert judged(0.9, 0.1, 90) == "out_of_scope"  # likely, but like nothing that is known
assert judged(1.0, 0.7, 2, nearest=0.7) == "out_of_scope"  # known from two examples
assert judged(0.95, 0.93, 1, nearest=0.93) == "refund"  # known from one that says the same
assert judged(0.95, 0.93, 1, nearest=0.4) == "out_of_scope"  # what says the same is an example of another intent
assert judged(1.0, 1.0, 90, name="out_of_scope") == "out_of_scope"

CERTAIN, SURE, UNSURE, LOW = (1.0, 1.0, 90), (0.7, 0.9, 90), (0.5, 0.6, 90), (0.2, 0.2, 90)

# the better the knowledge answers, the surer an intent must be
assert judged(*CERTAIN, level="exact") == "ask_knowledge"
assert judged(*CERTAIN, level="sure") == "refund"
assert judged(*SURE, level="sure") == "ask_knowledge"
assert judged(*SURE, level="probable") == "ask_knowledge"
assert judged(*SURE, level="probable", text="please refund me") == "refund"  # something is to be done
assert judged(*SURE, level="sure", text="when will you refund me?") == "ask_knowledge"
own = {"text": "when will R104233 be refunded?", "entities": [("order_number", "R104233")]}
assert judged(*SURE, level="sure", **own) == "refund"  # no article speaks of somebody's order
day = {"text": "do you refund on 2026-12-24?", "entities": [("date", "2026-12-24")]}
assert judged(*SURE, level="sure", **day) == "ask_knowledge"
assert judged(*UNSURE, level="probable") == "ask_knowledge"
assert judged(*SURE, level="unsure") == "refund"
assert judged(0.7, 0.7, 90, level="unsure") == "ask_knowledge"
assert judged(0.7, 0.7, 90, level="none") == "refund"
assert judged(*UNSURE, level="unsure") == "ask_knowledge"  # rather its candidates than the likeliest intents
assert judged(*UNSURE, level="none") == "nlu_fallback"
assert judged(*LOW, level="unsure") == "out_of_scope"
assert judged(*LOW, level="sure", name="goodbye") == "ask_knowledge"
assert judged(*SURE, level="sure", name="goodbye") == "ask_knowledge"  # a goodbye is never the answer to a question
# an example of a skill, word for word, is what it says
assert judged(*LOW, level="exact", example_of="cancel_order") == "cancel_order"
assert judged(*LOW, level="sure", example_of="goodbye") == "goodbye"
assert judged(*LOW, level="sure", example_of="out_of_scope") == "ask_knowledge"
# who took it, and why
assert decided(*SURE, level="sure") == ("ask_knowledge", "knowledge", "sure")
assert decided(*CERTAIN, level="sure") == ("refund", "skill", "certain")
assert decided(*SURE) == ("refund", "skill", "sure")

# what is only to be understood says who would take it at every level
parsed = Message({"text": "x", "metadata": None})
parsed.set("intent", {"name": "refund", "confidence": 0.7})
parsed.set(SUPPORT, Support(0.9, 90, None))
at = process(parsed)["at"]
assert {level: at[level]["intent"] for level in ("exact", "sure", "none")} == {
    "exact": "ask_knowledge",
    "sure": "ask_knowledge",
    "none": "refund",
}

# a form takes the value that it waits for, and a question goes on
R1, ADA = ("order_number", "R104233"), ("email", "ada@example.com")
form_waits("order_form", "order_number")
assert judged(*SURE, name="inform", level="sure", text="R104233", entities=[R1]) == "inform"
assert judged(*LOW, name="out_of_scope", level="probable", text="it is R104233", entities=[R1]) == "inform"
assert judged(*LOW, name="inform", level="sure", text="do you sell gift cards?") == "ask_knowledge"
assert judged(*SURE, name="stop", level="none", text="stop") == "stop"
form_waits("order_form", "email")
assert judged(*SURE, name="inform", level="sure", text="ada at example") == "inform"
assert judged(*UNSURE, name="inform", level="none", text="ada at example") == "inform"
assert decided(*LOW, name="out_of_scope", level="none", text="purple")[2] == "unusable"
assert judged(*LOW, name="out_of_scope", level="probable", text="gift cards") == "ask_knowledge"
assert decided(*LOW, name="out_of_scope", level="probable", text="balayage")[2] == "unusable"
assert decided(*LOW, name="out_of_scope", level="unsure", text="next week")[2] == "unusable"
assert judged(*LOW, name="out_of_scope", level="sure", text="parking") == "ask_knowledge"
form_waits("address_form", "new_address")
assert judged(*UNSURE, name="inform", level="sure", text="14 Lamb's Conduit Street, London") == "inform"
assert judged(*LOW, name="out_of_scope", level="sure", text="14 Lamb's Conduit Street, London") == "inform"
assert judged(*SURE, name="refund", level="none", text="send it to 14 Rose Lane, Leeds") == "inform"
assert judged(*SURE, name="refund", level="none", text="I want a refund") == "refund"
assert judged(*LOW, name="out_of_scope", level="sure", text="where is your London store?") == "ask_knowledge"
assert judged(*LOW, name="out_of_scope", level="none", text="do you like elephants?") == "out_of_scope"
assert judged(*SURE, name="stop", level="unsure", text="stop this") == "stop"

# a yes or a no may begin a sentence; a yes with a "but" is none
form_waits("address_form", "confirmed", order_number="R1", new_address="1 Rose Lane, Leeds")
assert judged(0.5, 0.7, 90, name="affirm", level="sure", text="yes do it") == "affirm"
assert judged(*SURE, name="affirm", level="sure", text="yes, but how long does the refund take") == "ask_knowledge"
assert judged(*UNSURE, name="affirm", level="probable", text="ok, is it free?") == "ask_knowledge"
assert judged(*CERTAIN, level="sure", text="yes refund my order", begins="affirm") == "affirm"
assert judged(*CERTAIN, level="sure", text="no please do not refund it", begins="deny") == "deny"
for said in ("yes but don't refund it", "yes, only half of it", "yes wait"):
    assert judged(*CERTAIN, level="none", text=said, begins="affirm") == "nlu_fallback"
assert judged(*CERTAIN, level="none", text="why not", name="affirm", example_of="affirm") == "affirm"

# a yes must be understood surely, a no need not
assert judged(0.4, 0.7, 90, name="affirm", level="none", text="deny") == "nlu_fallback"
assert judged(0.5, 0.7, 90, name="deny", level="none", text="rather not") == "deny"

# a value that was given before is put right, and is no answer to what is asked now
R2 = ("order_number", "R104871")
for said in ("no, I meant R104871", "sorry, R104871", "it should be R104871", "actually R104871"):
    assert decided(*LOW, name="deny", level="none", text=said, entities=[R2], begins="deny")[2] == "correction"
assert decided(*LOW, name="deny", text="no, I meant 14 Rose Lane, York")[2] == "correction"
assert decided(*LOW, name="deny", text="no thanks, leave it", begins="deny")[:1] == ("deny",)
form_waits("address_form", "new_address", order_number="R1")
assert decided(*LOW, name="out_of_scope", text="sorry, R104871", entities=[R2])[2] == "correction"
assert judged(*LOW, name="out_of_scope", text="sorry it is 7 Bow St, York, order R104871", entities=[R2]) == "inform"

form_waits("note_form", "note", place="Leeds")
assert forms.find_waiting_form().given_beside("no, I meant York", []) == {"place": "York"}
assert decided(*LOW, name="deny", text="no, I meant York")[2] == "correction"
assert forms.find_waiting_form().given_beside("no, please ring the bell", []) == {}
long = "the old house behind the mill in York"
assert forms.find_waiting_form().given_beside(f"no, I meant {long}", []) == {"place": long}

# a no is a value where it is asked whether there is anything at all
for question, understood in (("Is there anything that we should know?", "inform"), ("What shall we know?", "deny")):
    form_waits("note_form", "note", place="Leeds", says=question)
    assert judged(*CERTAIN, name="deny", level="none", text="no", example_of="deny") == understood, question
form_waits("note_form", "note", place="Leeds")

# what a text may sound like is a wish word for word only, and any other wish also where it is not
assert judged(*CERTAIN, name="forgotten", text="I forgot my password again") == "inform"
assert judged(*LOW, name="out_of_scope", text="reset my password", example_of="forgotten") == "forgotten"
assert judged(*CERTAIN, name="refund", text="I want a refund") == "refund"
form_waits("address_form", "new_address")
assert judged(*CERTAIN, name="forgotten", text="I forgot my password again") == "forgotten"

# who has no such thing says so in many ways
LACKING = (
    "I don't have one", "i dont have the number", "I don't have it with me", "I can't find my order number", "no idea",
    "sorry, I don't know", "I lost it", "I've forgotten the number", "I haven't got an order number", "not sure",
    "I have no number", "I don't remember it anymore", "I never received an order number",
)  # fmt: skip
HAVING = (
    "I don't have a lamp that works",
    "I can't find my shoes in size 8",
    "I lost my job",
    "I don't know her",
    "no",
)
form_waits("order_form", "order_number")
for said in LACKING:
    assert decided(*SURE, level="sure", text=said)[1:] == ("skill", "lacking"), said
for said in HAVING:
    assert decided(*SURE, level="sure", text=said)[2] != "lacking", said
forms.remember_tracker(None)
assert decided(*SURE, level="sure", text="I don't have one")[2] == "sure"
assert judged(*LOW, name="out_of_scope", level="sure", text="14 Lamb's Conduit Street, London") == "ask_knowledge"

# a yes takes what the bot's last message offers, where that is one thing
PERSON, UNKNOWN = ({"title": name, "payload": f"/{name}"} for name in ("stop", "no_intent"))
for buttons, understood in (([PERSON], "stop"), ([PERSON, PERSON], "affirm"), ([], "affirm"), ([UNKNOWN], "affirm")):
    events = [BotUttered("Shall I?", {"buttons": buttons}), ActionExecuted("action_listen")]
    forms.remember_tracker(DialogueStateTracker.from_events("c", events, DOMAIN.slots), DOMAIN)
    assert judged(*CERTAIN, name="affirm", text="yes please", example_of="affirm") == understood, buttons
events.append(UserUttered("hello"))
forms.remember_tracker(DialogueStateTracker.from_events("c", events, DOMAIN.slots), DOMAIN)
assert judged(*CERTAIN, name="affirm", text="yes", example_of="affirm") == "affirm"
forms.remember_tracker(None)

# where no form is, a wish to cancel is of something else
for level in ("sure", "probable", "unsure"):
    assert decided(*SURE, name="stop", level=level, text="I want to cancel") == ("ask_knowledge", "knowledge", level)
assert judged(*SURE, name="stop", level="none", text="I want to cancel") == "out_of_scope"
assert judged(*LOW, name="out_of_scope", level="sure", text="stop", example_of="stop") == "stop"

for said in ("?", "...", "¿?", "—", "aaaaaaaa", "A a " * 400):
    assert decided(*CERTAIN, text=said)[2] == "low", said
for said in ("👍", "5", "ہاں"):
    assert decided(*CERTAIN, text=said)[2] == "certain", said

# two messages that differ in the value of an entity alone say the same
masked = Message({"text": "Book a massage for Friday!"})
masked.set(
    "entities",
    [found("day", "Friday", "Book a massage for Friday!"), found("care", "massage", "Book a massage for Friday!")],
)
assert mask_entities(masked) == "book a \ue000care for \ue000day"
assert mask_entities(Message({"text": "book a cut"})) == "book a cut"
for said in ("I'd like to book a cut, please", "hi, could you book a cut", "Book a cut. Thanks!", "book a cut"):
    assert build_pattern(Message({"text": said})) == "book a cut", said
assert build_pattern(Message({"text": "please"})) == "please"

# what failed is done again where the customer agrees, as they were asked to
ORDERED = [ActionExecuted("action_order"), BotUttered("sorry", metadata={"utter_action": "utter_failed"})]
for begun, then, failed in (
    (ORDERED, [ActionExecuted("action_listen"), UserUttered("again")], "action_order"),
    (ORDERED, [BotUttered("done"), ActionExecuted("action_listen"), UserUttered("again")], None),
    (ORDERED, [UserUttered("hello"), BotUttered("hello"), UserUttered("again")], None),
    ([ActionExecuted("action_order"), BotUttered("done")], [UserUttered("again")], None),
):
    tracker = DialogueStateTracker.from_events("c", [UserUttered("order"), *begun, *then], DOMAIN.slots)
    assert _find_failed_action(tracker) == failed, then

assert normalise_text("Where's my order?!") == normalise_text("where's my  ORDER")
assert normalise_text("👍") == "👍"
assert normalise_text("?") == "?" != normalise_text(":)")
