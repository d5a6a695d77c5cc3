import { checked } from "./api.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 20_000;
const SILENCE = 45_000;

// Follows the conversation by server-sent events over fetch, since EventSource cannot send a token.
// Reconnects for ever, with growing waits and jitter, and goes on after the last message it saw.
export class EventStream {
  constructor(api, { onEvent, onState }) {
    this.api = api;
    this.onEvent = onEvent;
    this.onState = onState;
    this.lastId = 0;
    this.failures = 0;
    this.running = false;
    this.wake = () => {};
  }

  start() {
    if (this.running) return;
    this.running = true;
    this.run();
  }

  stop() {
    this.running = false;
    this.request?.abort();
    this.wake();
  }

  // Begin again from the first message, with a new session.
  restart() {
    this.lastId = 0;
    this.request?.abort();
    this.hurry();
  }

  // Do not wait any longer: the network or the page came back.
  hurry() {
    this.failures = 0;
    this.wake();
  }

  async run() {
    while (this.running) {
      try {
        await this.connect();
      } catch (error) {
        this.lost(error);
      }
      if (!this.running) break;
      this.onState("reconnecting");
      await this.pause();
    }
  }

  lost(error) {
    this.failures += 1;
    if (error.status === 401 || error.status === 404) this.api.forget(this.token);
    if (error.status === 403) this.running = false; // a page that is not on the list stays off it
    if (error.retryAfter) this.waitAtLeast = error.retryAfter * 1000;
  }

  async connect() {
    this.token = await this.api.token();
    this.request = new AbortController();
    const headers = { Accept: "text/event-stream", Authorization: `Bearer ${this.token}` };
    if (this.lastId) headers["Last-Event-ID"] = String(this.lastId);
    const response = await checked(await this.api.fetch("/stream", { headers, signal: this.request.signal }));
    this.failures = 0;
    this.onState("open");
    await this.read(response.body);
  }

  async read(body) {
    const decoder = new TextDecoderStream();
    const reader = body.pipeThrough(decoder).getReader();
    const parser = new EventParser((event) => this.receive(event));
    try {
      for (;;) {
        const { done, value } = await this.beforeSilence(reader.read());
        if (done) return;
        parser.push(value);
      }
    } finally {
      this.request.abort();
    }
  }

  receive({ name, id, data }) {
    if (id) this.lastId = Math.max(this.lastId, Number(id));
    this.onEvent(name, JSON.parse(data));
  }

  // The server sends a heartbeat; when even that stays away, the connection is dead without saying so.
  beforeSilence(promise) {
    let timer;
    const silence = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error("silence")), SILENCE);
    });
    return Promise.race([promise, silence]).finally(() => clearTimeout(timer));
  }

  pause() {
    const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(this.failures, 10));
    const wait = Math.max(longest / 2 + (Math.random() * longest) / 2, this.waitAtLeast ?? 0);
    this.waitAtLeast = 0;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.wake = () => (clearTimeout(timer), resolve());
    });
  }
}

// Cuts the text of an event stream into events, however it arrives in pieces.
export class EventParser {
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.rest = "";
  }

  push(text) {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop();
    for (const line of lines) this.line(line.replace(/\r$/, ""));
  }

  line(line) {
    if (line === "") return this.finish();
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    this.event ??= { name: "message", id: "", data: [] };
    if (field === "event") this.event.name = value;
    else if (field === "id") this.event.id = value;
    else if (field === "data") this.event.data.push(value);
  }

  finish() {
    const event = this.event;
    this.event = null;
    if (event?.data.length) this.onEvent({ ...event, data: event.data.join("\n") });
  }
}
