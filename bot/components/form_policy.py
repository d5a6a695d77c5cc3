"""Rasa's rule policy, with a generic reaction to any message that a form cannot use."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Text

import numpy as np
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.policies.rule_policy import RulePolicy
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.core.constants import ACTION_LISTEN_NAME, REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    Event,
    LoopInterrupted,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from bot.components.forms import Waiting, waiting_in
from bot.components.words import build_phrase_pattern

HINT = "utter_form_hint"
"""Sent when a form cannot use a message, before it asks again."""
WISH = "utter_form_wish"
"""Sent when the customer repeats the form's own wish."""
CORRECTED = "utter_form_corrected"
"""Sent when the customer corrects an earlier value."""
WITHOUT = ("utter_without_{form}_{slot}", "utter_without_{slot}", "utter_form_without")
"""Sent when the customer has no such thing; the first one in the domain is used."""
FAILED = "utter_failed"
EXPIRED = "utter_form_expired"
"""Sent after the first answer of a session, if the previous session ended in the middle of a form."""
_AGAIN = re.compile(rf"^\W*(?:{build_phrase_pattern('asides')}\W*)*{build_phrase_pattern('again')}\W*$", re.IGNORECASE)
HINT_CONFIDENCE = 0.9
"""Below rules and literal story matches, above the guesses of other policies."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class FormRulePolicy(RulePolicy):
    """Replaces ``RulePolicy``, with the same settings.

    A form that cannot use a message rejects it. If no rule covers the rejection, the customer gets a hint and the form asks again.
    Values for other slots of the form are taken from every message to it.

    The core fallback answers only messages: after an action it would be a second answer.
    """

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """``ends``: intents that end a form, such as a goodbye, whatever rule answers them.

        ``agrees``: intents that agree to "please try again" after a failed action.
        """
        return {**RulePolicy.get_default_config(), "ends": ["goodbye"], "agrees": ["affirm"]}

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: Optional[Dict[Text, Any]] = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        """Predict by the rules, except in the cases above."""
        prediction = super().predict_action_probabilities(tracker, domain, rule_only_data, **kwargs)
        if tracker.latest_action_name == EXPIRED:
            return self._build_prediction(ACTION_LISTEN_NAME, domain, uses_message=False)
        if tracker.is_active_loop_rejected:
            return self._after_rejection(prediction, tracker, domain)
        if tracker.active_loop_name and tracker.latest_action_name == ACTION_LISTEN_NAME:
            return self._after_message(prediction, tracker, domain)
        if failed := self._find_action_to_retry(tracker, domain):
            return self._build_prediction(failed, domain)
        return self._after_action(prediction, tracker, domain)

    def _after_action(
        self, prediction: PolicyPrediction, tracker: DialogueStateTracker, domain: Domain
    ) -> PolicyPrediction:
        """Report a lost form before listening again; predict nothing where only the core fallback would answer."""
        is_over = self._find_rule_action(prediction, domain) == ACTION_LISTEN_NAME
        if is_over and _lost_form(tracker) and _has_action(domain, EXPIRED):
            return self._build_prediction(EXPIRED, domain, uses_message=False)
        if tracker.latest_action_name != ACTION_LISTEN_NAME and self._find_rule_action(prediction, domain) is None:
            return self._prediction([0.0] * domain.num_actions)
        return prediction

    def _after_message(
        self, prediction: PolicyPrediction, tracker: DialogueStateTracker, domain: Domain
    ) -> PolicyPrediction:
        """Continue the form, unless a rule starts another one, even if the new wish contains a value for this form."""
        waits, said = waiting_in(tracker, domain), tracker.latest_message
        if waits is None or said is None or not said.text:
            return prediction
        wish = self._find_action_from_rules(tracker, domain, use_text_for_last_user_input=False)[0]
        more = waits.says_more(said.text, said.entities, said.intent.get("name"))
        if more and wish in domain.form_names and wish != waits.form:
            return self._build_prediction(wish, domain, uses_message=False)
        given = waits.given_beside(said.text, said.entities)
        values = [SlotSet(*value) for value in given.items()]
        if waits.filled & given.keys() and _has_action(domain, CORRECTED):
            return self._build_prediction(CORRECTED, domain, events=values)
        prediction.events += values or _without_correction(waits, tracker)
        return prediction

    def _after_rejection(
        self, prediction: PolicyPrediction, tracker: DialogueStateTracker, domain: Domain
    ) -> PolicyPrediction:
        """Prefer a rule, except one that only starts the form that has just rejected the message."""
        form, chosen = tracker.active_loop_name, self._find_rule_action(prediction, domain)
        if chosen and chosen != form:
            prediction.events += (
                [ActiveLoop(None), SlotSet(REQUESTED_SLOT, None)] if self._should_end_form(tracker) else []
            )
            return prediction
        if tracker.latest_action_name != ACTION_LISTEN_NAME or _has_failed(tracker):
            return self._build_prediction(form, domain, events=[LoopInterrupted(True)])
        hint = WISH if chosen == form else _choose_hint(tracker, domain)
        return (
            self._build_prediction(hint, domain, HINT_CONFIDENCE, events=_reset_rejected_slot(tracker))
            if _has_action(domain, hint)
            else prediction
        )

    def _find_action_to_retry(self, tracker: DialogueStateTracker, domain: Domain) -> Optional[Text]:
        """Return the failed action of the last answer if the customer agrees to retry or says "again"."""
        said = tracker.latest_message
        if tracker.latest_action_name != ACTION_LISTEN_NAME or tracker.active_loop_name or said is None:
            return None
        agrees = said.intent.get("name") in self.config["agrees"] or _AGAIN.match(said.text or "") is not None
        failed = _find_failed_action(tracker) if agrees else None
        return failed if failed and _has_action(domain, failed) else None

    def _should_end_form(self, tracker: DialogueStateTracker) -> bool:
        said = tracker.latest_message
        return said is not None and said.intent.get("name") in self.config["ends"]

    def _find_rule_action(self, prediction: PolicyPrediction, domain: Domain) -> Optional[Text]:
        """Return the action that a rule chose, or None."""
        if prediction.max_confidence <= self.config["core_fallback_threshold"]:
            return None
        return domain.action_names_or_texts[int(np.argmax(prediction.probabilities))]

    def _build_prediction(
        self,
        action: Text,
        domain: Domain,
        confidence: float = 1.0,
        *,
        events: Optional[List[Event]] = None,
        uses_message: bool = True,
    ) -> PolicyPrediction:
        probabilities = [0.0] * domain.num_actions
        probabilities[domain.index_for_action(action)] = confidence
        return PolicyPrediction(
            probabilities,
            self.__class__.__name__,
            self.priority,
            optional_events=events,
            is_no_user_prediction=not uses_message,
            hide_rule_turn=True,
        )


def _without_correction(waits: Waiting, tracker: DialogueStateTracker) -> List[Event]:
    """Reduce the first value of a slot to the part after a correction phrase ("no, I meant a jacket")."""
    text = _get_message_text(tracker)
    meant = waits.meant_in(text) if tracker.get_slot(waits.slot) == text else None
    return [SlotSet(waits.slot, meant)] if meant else []


def _reset_rejected_slot(tracker: DialogueStateTracker) -> List[Event]:
    """Reset a slot whose value was set although the form's validation rejected the message."""
    slot = tracker.get_slot(REQUESTED_SLOT)
    return [SlotSet(slot, None)] if slot and tracker.get_slot(slot) is not None else []


def _has_failed(tracker: DialogueStateTracker) -> bool:
    """Whether this turn reported a failure, for example because a value could not be validated."""
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered):
            return False
        if isinstance(event, BotUttered) and event.metadata.get("utter_action") == FAILED:
            return True
    return False


def _find_failed_action(tracker: DialogueStateTracker) -> Optional[Text]:
    """Return the action behind the answer before the latest message, if that answer reported a failure."""
    turns = 0
    failed = False
    for event in reversed(tracker.events):
        turns += isinstance(event, UserUttered)
        if turns > 1:
            return None
        if turns and isinstance(event, BotUttered) and not failed:
            if event.metadata.get("utter_action") != FAILED:
                return None
            failed = True
        if failed and isinstance(event, ActionExecuted) and event.action_name != ACTION_LISTEN_NAME:
            return event.action_name
    return None


def _choose_hint(tracker: DialogueStateTracker, domain: Domain) -> Text:
    waits = waiting_in(tracker, domain)
    if waits is None or not waits.lacks(_get_message_text(tracker)):
        return HINT
    names = (name.format(form=waits.form, slot=waits.slot) for name in WITHOUT)
    return next((name for name in names if _has_action(domain, name)), HINT)


def _lost_form(tracker: DialogueStateTracker) -> bool:
    """Whether the previous session ended in the middle of a form and this was not reported yet."""
    events = list(tracker.events)
    begun = [0, 0, *(at for at, event in enumerate(events) if isinstance(event, SessionStarted))]
    loops = [event.name for event in events[begun[-2] : begun[-1]] if isinstance(event, ActiveLoop)]
    said = any(isinstance(event, ActionExecuted) and event.action_name == EXPIRED for event in events[begun[-1] :])
    return bool(loops and loops[-1]) and not said


def _has_action(domain: Domain, action: Text) -> bool:
    return action in domain.action_names_or_texts


def _get_message_text(tracker: DialogueStateTracker) -> Text:
    return (tracker.latest_message.text if tracker.latest_message else None) or ""
