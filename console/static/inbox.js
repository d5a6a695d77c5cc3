// The inbox, live: events say that something changed, and the page is brought up to the server's own rendering.
import { Composer } from "./composer.js";
import { load, renew } from "./regions.js";

const BEAT = 10_000;
const TYPING_EVERY = 3000;
const TYPING_LASTS = 7000;
const SOON = 150;
const EVERY_MINUTE = 60_000;

const inbox = document.getElementById("inbox");
const { handoff, conversation, csrf, me, name } = inbox.dataset;
const at = (id) => document.getElementById(id);
const title = document.title.replace(/^\(\d+\) /, "");
const talk = at("talk");
let known = waiting();
let pending = 0;
let refreshing = null;

// ---- bringing the page up to date
function soon() {
  pending ||= setTimeout(() => ((pending = 0), refresh()), SOON);
}

async function refresh() {
  if (refreshing) return (refreshing.again = true);
  const state = (refreshing = { again: false });
  try {
    show(await load(location.href));
  } catch (request) {
    if (request.status === 401 || request.responseURL?.includes("/sign-in")) location.reload();
  }
  refreshing = null;
  if (state.again) soon();
}

function show(fresh) {
  if (!fresh.getElementById("inbox")) return location.reload(); // signed out
  const bottom = atBottom();
  composer?.follow(fresh);
  const last = at("timeline")?.lastElementChild?.id;
  renew(fresh);
  if (bottom) toBottom();
  tell(last);
  count();
}

function waiting() {
  return new Map([...at("waiting").children].map((each) => [each.dataset.id, each.firstElementChild]));
}

// Who waits since the last look is announced, and the number of all stands in the title.
function count() {
  const now = waiting();
  const fresh = [...now].filter(([id]) => !known.has(id));
  known = now;
  const number = Number(at("waiting").dataset.count);
  document.title = number ? `(${number}) ${title}` : title;
  const arrival = at("arrival");
  if (fresh.length) {
    const link = fresh[0][1].cloneNode(true);
    arrival.replaceChildren(fresh.length > 1 ? `${fresh.length} wait now: ` : "New: ", link);
    arrival.hidden = false;
    announce(`${link.textContent} waits for a person`);
  } else if (!arrival.hidden && ![...now.values()].some((each) => each.href === arrival.querySelector("a")?.href)) arrival.hidden = true;
}

function tell(last) {
  const items = [...(at("timeline")?.children ?? [])];
  const place = items.findIndex((each) => each.id === last);
  const said = items.slice(place + 1).filter((each) => each.matches(".customer"));
  if (place >= 0 && said.length) {
    announce(`${name}: ${said.at(-1).querySelector(".text")?.textContent ?? "a file"}`);
    suggest();
  }
}

function announce(words) {
  at("announcer").textContent = words;
}

const atBottom = () => talk && talk.scrollHeight - talk.scrollTop - talk.clientHeight < 60;
const toBottom = () => talk && (talk.scrollTop = talk.scrollHeight);

// ---- doing something
async function post(address, fields) {
  try {
    const answer = await fetch(address, { method: "POST", body: new URLSearchParams(fields), headers: { Accept: "application/json" } });
    const told = await answer.json().catch(() => ({ error: `It was refused (${answer.status}). Load the page again.` }));
    problem(answer.ok ? "" : told.error);
    refresh();
    return answer.ok ? told : null;
  } catch {
    problem("It could not be sent: the connection is away. Your text is kept; send it again.");
    return null;
  }
}

function problem(words) {
  if (!at("problem")) return;
  at("problem").textContent = words;
  at("problem").hidden = !words;
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-act]") || event.defaultPrevented) return;
  event.preventDefault();
  delete event.target.dataset.sent;
  const { activeElement } = document;
  if (event.target.contains(activeElement)) activeElement.blur();
  const buttons = event.target.querySelectorAll("button");
  for (const each of buttons) each.disabled = true;
  post(event.target.action, new FormData(event.target)).then(() => buttons.forEach((each) => (each.disabled = false)));
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (button) composer?.insert(button.dataset.insert);
  const menu = at("ready");
  if (menu?.open && !menu.contains(event.target)) menu.open = false;
});

// ---- who else is there
let typed = 0;
const composer = at("composer") && new Composer(at("composer"), { post, problem, typing });

function typing() {
  if (Date.now() - typed < TYPING_EVERY) return;
  typed = Date.now();
  beat({ typing: "1" });
}

async function beat(more = {}) {
  if (!handoff || !("may" in inbox.dataset) || document.visibilityState === "hidden") return;
  const answer = await fetch(`/console/inbox/${handoff}/presence`, { method: "POST", body: new URLSearchParams({ csrf, ...more }) }).catch(() => null);
  if (answer?.ok) viewers(await answer.json());
}

function viewers(told) {
  if (told.handoff_id !== handoff) return;
  const others = told.viewers.filter((each) => each.email !== me);
  const writing = others.filter((each) => each.typing);
  const names = (list) => `${list.map((each) => each.name).join(", ")} ${list.length === 1 ? "is" : "are"}`;
  const words = writing.length ? `${names(writing)} writing an answer` : others.length ? `${names(others)} looking at this too` : "";
  if (at("viewers").textContent !== words) at("viewers").textContent = words;
}

let quiet = 0;
function customerTypes() {
  at("customer-typing").textContent = `${name} is writing …`;
  clearTimeout(quiet);
  quiet = setTimeout(() => (at("customer-typing").textContent = ""), TYPING_LASTS);
}

// ---- suggestions
async function suggest() {
  const list = at("suggestions");
  if (!list?.dataset.source) return;
  const found = await load(list.dataset.source).catch(() => null);
  const fresh = found?.getElementById("suggestions");
  if (!fresh) return list.replaceChildren();
  fresh.dataset.source = list.dataset.source;
  at("suggestions").replaceWith(document.adoptNode(fresh));
}

// ---- events
let broken = false;
let retry = 1000;
function connect() {
  const events = new EventSource(inbox.dataset.stream);
  events.addEventListener("open", () => {
    at("connection").hidden = true;
    retry = 1000;
  });
  events.addEventListener("open", () => broken && refresh());
  events.addEventListener("error", () => {
    broken = true;
    at("connection").hidden = false;
    if (events.readyState !== EventSource.CLOSED) return;
    setTimeout(connect, retry); // the server answered with an error: EventSource itself would give up
    retry = Math.min(retry * 2, 30_000);
  });
  events.addEventListener("handoff", soon);
  events.addEventListener("message", (event) => {
    const said = JSON.parse(event.data);
    if (said.conversation_id === conversation && said.speaker === "customer") {
      clearTimeout(quiet);
      at("customer-typing").textContent = "";
    }
    soon();
  });
  events.addEventListener("present", (event) => viewers(JSON.parse(event.data)));
  events.addEventListener("customer_typing", (event) => JSON.parse(event.data).conversation_id === conversation && customerTypes());
  events.addEventListener("over", () => location.reload());
  addEventListener("pagehide", () => events.close(), { once: true });
}

connect();
toBottom();
setInterval(beat, BEAT);
setInterval(() => document.visibilityState === "visible" && refresh(), EVERY_MINUTE);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && (refresh(), beat()));
addEventListener("pagehide", () => handoff && "may" in inbox.dataset && navigator.sendBeacon(`/console/inbox/${handoff}/presence`, new URLSearchParams({ csrf, left: "1" })));
addEventListener("pageshow", (event) => event.persisted && location.reload());
beat();
suggest();
