"""The composition root of the app process."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from fastapi import FastAPI

from actions.lookup_route import router as knowledge_door
from actions.webhook import router as action_webhook
from actions.wiring import make_actions, tell_problems
from connectors.senders import make_senders
from connectors.slack.wiring import make_connections, make_slack, make_slack_senders
from connectors.twilio.wiring import make_transfer, make_twilio, make_twilio_senders, twilio_config
from connectors.web import receipts, transfer
from connectors.web.wiring import make_web_channel, web_config
from console import health
from console.api import ApiServices
from console.api import router as staff_api
from console.api.curation import router as learning_api
from console.api.feedback import submit_router
from console.api.handoffs import router as handoffs_api
from console.api.inbox import router as inbox_api
from console.api.why import router as why_api
from console.auth.gate import Gate
from console.explanations import Explanations
from console.inbox import Inbox
from console.pages import staff as staff_pages
from console.pages.front import router as front_page
from console.services import make_clusters, make_learning, make_models, make_start_training
from core import logs
from core.bot.texts import Texts
from core.conversations.feedback import Feedback
from core.conversations.turns import Turns
from core.db import Database
from core.delivery.deliverer import Deliverer
from core.delivery.receipts import Signs
from core.events import Hub
from core.feedback.links import Links
from core.handoffs.scheduler import HandoffWatch
from core.handoffs.service import HandoffService
from core.handoffs.staff.presence import Presence
from core.llm.catalogue import Catalogue
from core.llm.masking import make_masker
from core.llm.wiring import make_router, make_transcriber
from core.rasa import Rasa
from core.secrets import derive_key
from core.settings import Settings
from evaluation.training.wiring import make_training
from evaluation.tuning.wiring import make_tuning
from knowledge.answers.handoff_summary import Summariser
from knowledge.answers.prompt_texts import Prompts
from knowledge.answers.suggestions import make_suggest
from knowledge.curation.review.wiring import make_desk
from knowledge.wiring import (
    make_answering,
    make_corrections,
    make_embedder,
    make_lookup,
    make_sentiment,
    make_writer,
)

LOOK_SECONDS = 0.5


def create_app(settings: Settings | None = None) -> FastAPI:
    """Everything that the app process serves."""
    settings = settings or Settings.load()
    logs.configure_logging(settings.log_format, settings.log_level)
    secret = settings.secret_key()
    parts, database, hub = settings.bot(), Database(settings.database()), Hub()
    rasa = Rasa(settings.rasa(), token=derive_key(secret, "rasa"))
    texts, embedder = Texts.load(parts), make_embedder(settings)
    account, workspaces = twilio_config(settings), make_connections(settings)
    senders = make_senders(database, hub) | make_twilio_senders(account, database, parts)
    answering = cache(lambda: make_answering(settings, database, embedder))
    suggest, explanations = make_suggest(database, answering), Explanations(database, answering, rasa)
    deliverer = Deliverer(database, senders | make_slack_senders(settings, database, workspaces, suggest))
    handoffs = HandoffService(database, texts, deliverer.wake)
    slack = make_slack(settings, database, workspaces, handoffs)
    lookup = make_lookup(settings, database, embedder)
    turns = Turns(
        database,
        rasa,
        hub,
        texts,
        settings.max_message_chars,
        sentiment=make_sentiment(embedder),
        knowledge=lookup,
        wake=deliverer.wake,
    )
    router, transcriber = make_router(settings, database), make_transcriber(settings, database)
    watch = HandoffWatch(database, texts, deliverer.wake, summarise=Summariser(router, Prompts.load()))
    writer = make_writer(settings, database, router, embedder, lookup)
    executor, servers = make_actions(settings, parts, database, writer, lookup, texts, hub)
    feedback, links = Feedback(database, handoffs.consider_thumbs), Links(derive_key(secret, "feedback"))
    twilio = make_twilio(account, database, parts, turns, feedback, deliverer.wake, rasa.ready, transcriber)
    staff = ApiServices(
        settings.staff_token(),
        settings.tenant,
        database,
        Catalogue.load(settings.models),
        router,
        writer.would_ask,
        links=links,
        corrections=make_corrections(settings, database, embedder),
    )
    gate = Gate(database, settings.tenant, settings.staff_token())
    desk = make_desk(settings, database, embedder, router.invalidate)
    training, tuning = make_training(settings, database), make_tuning(settings, database)
    start_training = make_start_training(settings, training, tuning)
    learning = make_learning(
        settings,
        database,
        gate,
        desk,
        start_training=start_training,
        models=make_models(settings, training, tuning),
        router=router,
    )
    inbox = Inbox(handoffs, hub, Presence(hub), suggest, settings.home)
    pages = staff_pages.StaffServices(
        gate,
        database,
        settings.tenant,
        desk,
        staff.corrections,
        router.invalidate,
        training,
        start_training,
        make_clusters(database, training, embedder),
        cache(make_masker),
        inbox,
        explanations,
    )
    checks, optional = health.make_health_checks(database, rasa, settings.chroma()), health.server_checks(servers)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await router.start()
        await turns.start()
        await deliverer.start()
        await watch.start()
        await asyncio.gather(slack.start(), twilio.start(), tell_problems(servers, parts))
        announcement = asyncio.create_task(_announce_address(settings, checks))
        yield
        announcement.cancel()
        await asyncio.gather(slack.stop(), twilio.stop())
        await turns.stop()
        await watch.stop()
        await deliverer.stop()
        await asyncio.gather(router.close(), *([transcriber.close()] if transcriber else []))
        await asyncio.gather(rasa.close(), servers.close())
        staff.corrections.close()
        database.close()

    app = FastAPI(title="Rejoinder", lifespan=lifespan)
    for routes in (
        health.router(checks, optional),
        action_webhook(executor, hub, derive_key(secret, "actions"), servers),
        knowledge_door(lookup, derive_key(secret, "actions")),
        make_web_channel(settings, turns, feedback, hub),
        twilio.routes,
        transfer.router(web_config(settings), make_transfer(account, database, parts, deliverer.wake)),
        receipts.router(web_config(settings), Signs(database, hub)),
        slack.routes,
        submit_router(feedback, links, web_config(settings)),
        staff_api(staff),
        handoffs_api(gate, handoffs),
        inbox_api(gate, inbox),
        learning_api(learning),
        why_api(gate, explanations),
        staff_pages.router(pages),
        front_page(parts.voice, demo=settings.demo),
    ):
        app.include_router(routes)
    return app


async def _announce_address(settings: Settings, checks: dict[str, health.Check]) -> None:
    """Print the address once everything answers."""
    while not all((await health.check_readiness(checks)).values()):  # noqa: ASYNC110 - other processes tell no event
        await asyncio.sleep(LOOK_SECONDS)
    line = f"Rejoinder is ready: open {settings.public_url}"
    print(f"\n{'=' * len(line)}\n{line}\n{'=' * len(line)}\n", file=sys.stderr, flush=True)  # noqa: T201
