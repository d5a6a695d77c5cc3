"""Builds the actions with what they use."""

from __future__ import annotations

from rasa_sdk.executor import ActionExecutor

from actions.answer import ActionAnswer
from actions.clarify import ActionClarify
from actions.handoff import ActionHandoff
from actions.orders import ActionCancelOrder, ActionChangeAddress, ActionOrderStatus, ActionStop
from actions.verification import ValidateAddressChangeForm, ValidateCancelOrderForm, ValidateOrderStatusForm
from core.db import Database
from core.events import Hub
from core.orders import Orders
from core.settings import Settings
from core.texts import Texts
from knowledge.writing import Writer


def make_executor(settings: Settings, database: Database, writer: Writer, texts: Texts, hub: Hub) -> ActionExecutor:
    """Every action that ``domain.yml`` names."""
    orders, executor = Orders(database), ActionExecutor()
    for action in (
        ActionAnswer(writer, texts, hub),
        ActionClarify(),
        ActionHandoff(database, settings.support_email),
        ActionOrderStatus(orders),
        ActionChangeAddress(orders),
        ActionCancelOrder(orders),
        ActionStop(),
        ValidateOrderStatusForm(orders),
        ValidateAddressChangeForm(orders),
        ValidateCancelOrderForm(orders),
    ):
        executor.register_action(action)
    return executor
