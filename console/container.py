"""Composition root of the app process: each part is created once, most of them on first use."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import cache, cached_property

from fastapi import APIRouter
from rasa_sdk.executor import ActionExecutor

from actions.executor import make_actions, tell_problems
from actions.lookup_route import router as lookup_route
from actions.servers import ActionServers
from actions.webhook import router as action_webhook
from connectors.senders import make_senders
from connectors.slack.connections import Connections
from connectors.slack.service import SlackSide, make_connections, make_slack, make_slack_senders
from connectors.twilio.service import TwilioSide, make_transfer, make_twilio, make_twilio_senders, twilio_config
from connectors.web import receipts, transfer, widget
from connectors.web import routes as web_routes
from connectors.web.access import WebAccess, web_config
from console import health
from console.api import ApiServices, curation, handoffs, inbox, why
from console.api import router as staff_api
from console.api.feedback import submit_router
from console.api.services import LearningServices
from console.auth.gate import Gate
from console.explanations import Explanations
from console.inbox import Inbox
from console.pages import staff as staff_pages
from console.pages.front import router as front_page
from console.services import StartTraining, make_clusters, make_learning, make_models, make_start_training
from core.bot.texts import Texts
from core.conversations.feedback import Feedback
from core.conversations.turns import Turns
from core.db import Database
from core.delivery.deliverer import Deliverer
from core.delivery.receipts import CustomerReceipts
from core.events import Hub
from core.feedback.links import RatingLinks
from core.handoffs.scheduler import HandoffWatch
from core.handoffs.service import HandoffService
from core.handoffs.staff.presence import Presence
from core.llm.catalogue import Catalogue
from core.llm.factory import make_router, make_transcriber
from core.llm.masking import make_masker
from core.llm.router.router import Router
from core.llm.transcriber import Transcriber
from core.rasa import Rasa
from core.secrets import derive_key
from core.settings import Settings
from evaluation.training.service import TrainingService, make_training
from evaluation.tuning.service import Tuning, make_tuning
from knowledge.answers.handoff_summary import Summariser
from knowledge.answers.prompt_texts import Prompts
from knowledge.answers.suggestions import Suggest, make_suggest
from knowledge.answers.writer import Writer
from knowledge.curation.review.service import ReviewService
from knowledge.sentiment.model import load_sentiment
from knowledge.services import Knowledge, make_embedder


class Container:
    """Creates the parts of the app process and passes each one to the parts that need it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.secret = settings.secret_key()
        self.parts = settings.bot()
        self.twilio_account = twilio_config(settings)
        self.database = Database(settings.database())
        self.hub = Hub()
        self.rasa = Rasa(settings.rasa(), token=derive_key(self.secret, "rasa"))
        self.texts = Texts.load(self.parts)

    async def start(self) -> None:
        """Start the parts in order of their dependencies."""
        await self.router.start()
        await self.turns.start()
        await self.deliverer.start()
        await self.handoff_watch.start()
        await asyncio.gather(self.slack.start(), self.twilio.start(), tell_problems(self.action_servers, self.parts))

    async def stop(self) -> None:
        """Stop all parts and close every connection; unfinished work stays stored."""
        await asyncio.gather(self.slack.stop(), self.twilio.stop())
        await self.turns.stop()
        await self.handoff_watch.stop()
        await self.deliverer.stop()
        await asyncio.gather(self.router.close(), *([self.transcriber.close()] if self.transcriber else []))
        await asyncio.gather(self.rasa.close(), self.action_servers.close())
        self.knowledge.close()
        self.database.close()

    def list_routers(self) -> Iterator[APIRouter]:
        """Yield every router of the app process."""
        action_secret = derive_key(self.secret, "actions")
        yield health.router(self.health_checks, health.server_checks(self.action_servers))
        yield action_webhook(self.actions[0], self.hub, action_secret, self.action_servers)
        yield lookup_route(self.knowledge.lookup, action_secret)
        yield web_routes.router(self.turns, self.feedback, self.hub, self.web_access)
        yield widget.router(self.parts.voice)
        yield self.twilio.routes
        moves = make_transfer(self.twilio_account, self.database, self.parts, self.deliverer.wake)
        yield transfer.router(self.web_access, moves)
        yield receipts.router(self.web_access, CustomerReceipts(self.database, self.hub))
        yield self.slack.routes
        yield submit_router(self.feedback, self.feedback_links, self.web_access)
        yield staff_api(self.api_services)
        yield handoffs.router(self.gate, self.handoffs)
        yield inbox.router(self.gate, self.inbox)
        yield curation.router(self.learning)
        yield why.router(self.gate, self.explanations)
        yield staff_pages.router(self.page_services)
        yield front_page(self.parts.voice, demo=self.settings.demo)

    # ---- knowledge and models

    @cached_property
    def knowledge(self) -> Knowledge:
        """The knowledge services, with the embedding model loaded since the first question needs it."""
        return Knowledge(self.settings, self.database, make_embedder(self.settings))

    @cached_property
    def router(self) -> Router:
        return make_router(self.settings, self.database)

    @cached_property
    def transcriber(self) -> Transcriber | None:
        """Transcriber of voice notes, or None if no provider is set up."""
        return make_transcriber(self.settings, self.database)

    @cached_property
    def writer(self) -> Writer:
        return self.knowledge.make_writer(self.router)

    @cached_property
    def suggest(self) -> Suggest:
        """Function that suggests replies to staff."""
        return make_suggest(self.database, lambda: self.knowledge.answering)

    @cached_property
    def explanations(self) -> Explanations:
        """Service that explains why a question gets its answer."""
        return Explanations(self.database, lambda: self.knowledge.answering, self.rasa)

    # ---- conversations

    @cached_property
    def turns(self) -> Turns:
        return Turns(
            self.database,
            self.rasa,
            self.hub,
            self.texts,
            self.settings.max_message_chars,
            sentiment=load_sentiment(self.knowledge.embedder),
            knowledge=self.knowledge.lookup,
            wake=self.deliverer.wake,
        )

    @cached_property
    def handoffs(self) -> HandoffService:
        """Operations that staff perform on handoffs."""
        return HandoffService(self.database, self.texts, self.deliverer.wake)

    @cached_property
    def handoff_watch(self) -> HandoffWatch:
        """Scheduler of the automatic steps of handoffs."""
        summariser = Summariser(self.router, Prompts.load())
        return HandoffWatch(self.database, self.texts, self.deliverer.wake, summarise=summariser)

    @cached_property
    def feedback(self) -> Feedback:
        return Feedback(self.database, self.handoffs.consider_thumbs)

    @cached_property
    def feedback_links(self) -> RatingLinks:
        """Signer of the links for rating an answer."""
        return RatingLinks(derive_key(self.secret, "feedback"))

    @cached_property
    def actions(self) -> tuple[ActionExecutor, ActionServers]:
        """Executor of our own actions and the team's action servers, both called by Rasa."""
        lookup, hub = self.knowledge.lookup, self.hub
        return make_actions(self.settings, self.parts, self.database, self.writer, lookup, self.texts, hub)

    @property
    def action_servers(self) -> ActionServers:
        return self.actions[1]

    # ---- channels and desks

    @cached_property
    def web_access(self) -> WebAccess:
        """Access control of the routes that browsers call."""
        return WebAccess(web_config(self.settings))

    @cached_property
    def deliverer(self) -> Deliverer:
        senders = make_senders(self.database, self.hub)
        senders |= make_twilio_senders(self.twilio_account, self.database, self.parts)
        senders |= make_slack_senders(self.settings, self.database, self._slack_connections, self.suggest)
        return Deliverer(self.database, senders)

    @cached_property
    def slack(self) -> SlackSide:
        return make_slack(self.settings, self.database, self._slack_connections, self.handoffs)

    @cached_property
    def _slack_connections(self) -> Connections:
        return make_connections(self.settings)

    @cached_property
    def twilio(self) -> TwilioSide:
        wake, ready = self.deliverer.wake, self.rasa.ready
        account, database, parts = self.twilio_account, self.database, self.parts
        return make_twilio(account, database, parts, self.turns, self.feedback, wake, ready, self.transcriber)

    # ---- staff

    @cached_property
    def gate(self) -> Gate:
        return Gate(self.database, self.settings.tenant, self.settings.staff_token())

    @cached_property
    def inbox(self) -> Inbox:
        """Inbox in which staff answer from the console."""
        return Inbox(self.handoffs, self.hub, Presence(self.hub), self.suggest, self.settings.home)

    @cached_property
    def review(self) -> ReviewService:
        """Review queue in which staff decide on suggestions."""
        return self.knowledge.make_review(self.router.invalidate)

    @cached_property
    def training(self) -> TrainingService:
        return make_training(self.settings, self.database)

    @cached_property
    def tuning(self) -> Tuning:
        return make_tuning(self.settings, self.knowledge)

    @cached_property
    def start_training(self) -> StartTraining:
        """Function that queues a training for the worker."""
        return make_start_training(self.settings, self.training, self.tuning)

    @cached_property
    def learning(self) -> LearningServices:
        """Services of the learning API."""
        return make_learning(
            self.settings,
            self.database,
            self.gate,
            self.review,
            start_training=self.start_training,
            models=make_models(self.settings, self.training, self.tuning),
            router=self.router,
        )

    @cached_property
    def api_services(self) -> ApiServices:
        """Services of the staff API."""
        return ApiServices(
            self.settings.staff_token(),
            self.settings.tenant,
            self.database,
            Catalogue.load(self.settings.models),
            self.router,
            self.writer.would_ask,
            links=self.feedback_links,
            corrections=self.knowledge.corrections,
        )

    @cached_property
    def page_services(self) -> staff_pages.StaffServices:
        """Services of the console's pages."""
        return staff_pages.StaffServices(
            self.gate,
            self.database,
            self.settings.tenant,
            self.review,
            self.knowledge.corrections,
            self.router.invalidate,
            self.training,
            self.start_training,
            make_clusters(self.database, self.training, self.knowledge.embedder),
            cache(make_masker),
            self.inbox,
            self.explanations,
        )

    @cached_property
    def health_checks(self) -> dict[str, health.Check]:
        """Checks that must pass before the instance is ready."""
        return health.make_health_checks(self.database, self.rasa, self.settings.chroma())
