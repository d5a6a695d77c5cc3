import { forPageOnly } from "./rich.js";

const BEGINNINGS = new Set(["typing", "estimate", "sources", "draft"]);
const WITH_PERSON = new Set(["requested", "claimed", "with_person"]);
const OVER = new Set(["returned", "closed"]);
const AGENT_TYPES = 7000; // a little more than what lies between two signs of it

// What was said, what is on its way, and what is being written; tells the panel of each change.
export class Conversation {
  constructor(memory, listener) {
    this.memory = memory;
    this.listener = listener;
    this.clear();
    this.outbox = memory.tab.outbox.map((message) => ({ ...message, state: "failed" }));
  }

  clear() {
    this.stored = new Map();
    this.drafts = new Map(); // {text, sources} by turn
    this.begun = new Set(); // turns whose answer is followed from its beginning
    this.typing = new Set();
    this.person = false; // a person has the word, as far as is known here
    this.standing = null; // whom the customer talks to, where it is not just the assistant
    this.stopAgent();
    this.estimates = new Map(); // when a model was asked, and how many seconds it usually takes
    this.outbox ??= [];
  }

  // All in order: stored messages by number, then what is not acknowledged.
  get messages() {
    const stored = [...this.stored.values()].sort((a, b) => a.seq - b.seq);
    return [...stored, ...this.outbox];
  }

  get lastSeq() {
    return Math.max(0, ...this.stored.keys());
  }

  unread(seen) {
    const counts = (message) => message.seq > seen && message.speaker !== "customer" && !forPageOnly(message);
    return [...this.stored.values()].filter(counts).length;
  }

  // A model is at work, and can be stopped.
  get writing() {
    return this.drafts.size + this.estimates.size > 0;
  }

  // A choice can be made until it or anything else was said.
  open(message) {
    const later = (other) => other.speaker === "customer" && (other.seq === undefined || other.seq > message.seq);
    return !this.messages.some(later);
  }

  // Put an own message on its way; it is there at once.
  add(text, press = null) {
    if (OVER.has(this.standing?.state)) this.standing = null;
    const message = { client_id: newId(), speaker: "customer", text, press, state: "sending" };
    this.outbox.push(message);
    this.keep();
    this.listener.changed();
    return message;
  }

  mark(message, state, problem = "") {
    Object.assign(message, { state, problem });
    this.keep();
    this.listener.changed();
  }

  // Take a message that was not sent off the list.
  drop(message) {
    this.outbox = this.outbox.filter((other) => other !== message);
    this.keep();
    this.listener.changed();
  }

  // The server has it; the stream may have said so already.
  acknowledge(message, received) {
    if (!this.outbox.includes(message)) return;
    this.store({ ...message, id: received.message_id, seq: received.seq, created_at: new Date().toISOString() });
  }

  store(message) {
    this.outbox = this.outbox.filter((other) => other.client_id !== message.client_id || !message.client_id);
    this.stored.set(message.seq, { ...message, state: "sent" });
    if (message.speaker === "agent") {
      this.person = true;
      this.stopAgent();
    }
    if (message.turn_id && message.speaker !== "customer") this.drafts.delete(message.turn_id);
    this.keep();
    this.listener.changed();
  }

  receive(name, data) {
    if (name === "message") return this.store(data);
    if (BEGINNINGS.has(name)) this.begun.add(data.turn_id);
    if (name === "typing") this.typing.add(data.turn_id);
    if (name === "estimate") this.estimates.set(data.turn_id, { seconds: data.seconds, since: Date.now() });
    if (name === "sources") this.draft(data.turn_id, (draft) => ({ ...draft, sources: data.sources }));
    if (name === "chunk") this.append(data.turn_id, data.text);
    if (name === "draft") this.draft(data.turn_id, (draft) => ({ ...draft, text: data.text }));
    if (name === "ended") this.end(data.turn_id);
    if (name === "handoff") Object.assign(this, { person: WITH_PERSON.has(data.state), standing: data });
    if (name === "agent_typing") this.startAgent();
    this.listener.changed();
  }

  // Who came in the middle, after a lost connection, sees that it is being written, but no half of it.
  append(turnId, text) {
    if (!this.begun.has(turnId)) this.typing.add(turnId);
    this.draft(turnId, (draft) => (this.begun.has(turnId) ? { ...draft, text: draft.text + text } : draft));
  }

  draft(turnId, change) {
    this.drafts.set(turnId, change(this.drafts.get(turnId) ?? { text: "", sources: [] }));
  }

  end(turnId) {
    this.begun.delete(turnId);
    this.typing.delete(turnId);
    this.estimates.delete(turnId);
    this.drafts.delete(turnId);
  }

  // One of the staff is writing; it is said again for as long as it goes on.
  startAgent() {
    clearTimeout(this.agentStops);
    this.agentTyping = true;
    this.agentStops = setTimeout(() => (this.stopAgent(), this.listener.changed()), AGENT_TYPES);
  }

  stopAgent() {
    clearTimeout(this.agentStops);
    this.agentTyping = false;
  }

  // The newest that staff said among what was read.
  agentSeen(seen) {
    return Math.max(0, ...[...this.stored.values()].filter((m) => m.speaker === "agent" && m.seq <= seen).map((m) => m.seq));
  }

  // The connection broke: what was passing is gone, what is stored comes again.
  interrupt() {
    this.standing = null;
    this.stopAgent();
    this.begun.clear();
    this.typing.clear();
    this.estimates.clear();
    this.drafts.clear();
    this.listener.changed();
  }

  keep() {
    const outbox = this.outbox.map(({ client_id, speaker, text, press, problem }) => ({ client_id, speaker, text, press, problem }));
    this.memory.tab = { ...this.memory.tab, outbox };
  }
}

// crypto.randomUUID is missing on pages without TLS.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
