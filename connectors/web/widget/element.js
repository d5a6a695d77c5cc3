import { Api } from "./api.js";
import { Conversation } from "./conversation.js";
import { h, icon, ICONS } from "./dom.js";
import { Memory } from "./memory.js";
import { Panel } from "./panel.js";
import { forPageOnly } from "./rich.js";
import { EventStream } from "./stream.js";
import { translator } from "./strings.js";
import { adoptStyles, applyAccent } from "./theme.js";

const TYPING_EVERY = 3000;
const IDLE = 31 * 60_000; // a little more than what the server takes for the end of a talk

// <rejoinder-chat>: the launcher, the panel, and what connects them with the server.
export class RejoinderChat extends HTMLElement {
  static server = location.origin;
  static observedAttributes = ["data-accent"];

  connectedCallback() {
    if (!this.shadowRoot) this.build();
    this.listen();
    this.begin();
  }

  disconnectedCallback() {
    this.stopListening();
    clearTimeout(this.idle);
    this.stream.stop();
  }

  attributeChangedCallback() {
    applyAccent(this, this.dataset.accent);
  }

  build() {
    const { title, greeting, language, server } = this.dataset;
    this.t = translator(language || document.documentElement.lang);
    this.server = (server || RejoinderChat.server).replace(/\/$/, "");
    this.memory = new Memory(this.server);
    this.api = new Api(this.server, this.memory, () => this.renewed());
    this.stream = new EventStream(this.api, { onEvent: (name, data) => this.receive(name, data), onState: (state) => this.state(state) });
    this.panel = new Panel(this.t, { title: title || BOT.name, greeting: greeting || BOT.greeting, actions: this.actions() });
    this.conversation = new Conversation(this.memory, { changed: () => this.changed() });
    this.seenBefore = this.memory.seen;
    this.sending = Promise.resolve();
    const root = this.attachShadow({ mode: "open" });
    adoptStyles(root);
    root.append(this.panel.node, this.launcher());
    this.panel.write(this.memory.tab.draft ?? "");
    this.changed();
  }

  launcher() {
    this.badge = h("span", { class: "badge", "aria-hidden": "true", hidden: true });
    const attributes = { type: "button", class: "launcher", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-controls": "panel" };
    this.button = h("button", { ...attributes, onclick: () => this.toggle() }, icon(ICONS.chat), icon(ICONS.close), this.badge);
    return this.button;
  }

  actions() {
    return {
      close: () => this.close(),
      send: (text) => this.send(this.conversation.add(text)),
      writing: (text) => this.writing(text),
      press: (message, index, title) => this.press(message, index, title),
      retry: (message) => this.retry(message),
      edit: (message) => this.edit(message),
      stop: () => this.api.stop().catch(() => {}), // the answer comes whole, then
      end: () => this.end(),
      newChat: () => this.newChat(),
      move: (number, code) => this.api.move(number, code),
      answerSurvey: (kind, score, comment) => this.attempt(() => this.api.answerSurvey(kind, score, comment), "error.survey"),
      rate: (message, helpful, comment) => this.rate(message, helpful, comment),
    };
  }

  listen() {
    const hurry = () => document.visibilityState === "visible" && (this.stream.hurry(), this.lookForEnding());
    const offline = () => this.state("reconnecting");
    window.addEventListener("online", hurry);
    window.addEventListener("offline", offline);
    document.addEventListener("visibilitychange", hurry);
    const forget = this.memory.onSession(() => this.memory.session && this.stream.start());
    this.stopListening = () => {
      forget();
      window.removeEventListener("online", hurry);
      window.removeEventListener("offline", offline);
      document.removeEventListener("visibilitychange", hurry);
    };
  }

  // A returning visitor is connected at once; a new one only when they begin to write.
  async begin() {
    if (this.memory.tab.open && matchMedia("(min-width: 521px)").matches) this.show();
    if (!this.memory.session) return;
    const known = await this.api.resume().catch(() => true);
    if (!known || !this.isConnected) return;
    this.stream.start();
    this.lookForEnding();
  }

  toggle() {
    if (this.panel.node.hidden) this.open();
    else this.close();
  }

  open() {
    this.show();
    this.panel.input.focus();
  }

  show() {
    this.panel.node.hidden = false;
    this.setOpen(true);
    this.panel.grow();
    this.panel.toBottom();
    this.seen();
    this.lookForEnding();
  }

  close() {
    this.panel.node.hidden = true;
    this.setOpen(false);
    this.button.focus();
  }

  setOpen(open) {
    this.button.setAttribute("aria-expanded", String(open));
    this.memory.tab = { ...this.memory.tab, open };
    this.showUnread();
  }

  writing(text) {
    this.memory.tab = { ...this.memory.tab, draft: text };
    if (text) this.stream.start();
    if (!text || !this.conversation.person || Date.now() - (this.signed ?? 0) < TYPING_EVERY) return;
    this.signed = Date.now();
    this.api.sign({ typing: true });
  }

  // One after the other, so that messages arrive in the order in which they were written.
  send(message) {
    this.stream.start();
    this.panel.ending.hide();
    this.panel.toBottom();
    this.sending = this.sending.then(() => this.deliver(message));
  }

  async deliver(message) {
    try {
      this.conversation.acknowledge(message, await this.api.send(message));
      this.panel.announce("");
    } catch (error) {
      if (!this.conversation.outbox.includes(message)) return;
      this.conversation.mark(message, "failed", this.explain(error));
      this.panel.announce(this.explain(error));
    }
  }

  press(message, index, title) {
    this.send(this.conversation.add(title, { message_id: message.id, index }));
    this.panel.input.focus();
  }

  retry(message) {
    this.conversation.mark(message, "sending");
    this.panel.input.focus();
    this.send(message);
  }

  edit(message) {
    this.conversation.drop(message);
    this.panel.write([message.text, this.panel.input.value].filter(Boolean).join("\n"));
    this.panel.input.focus();
  }

  async end() {
    const ending = await this.attempt(() => this.api.end(), "error.end");
    if (ending) this.panel.ending.show(ending, true);
  }

  // What is gone from the screen stays stored; the next session opens with the next word.
  newChat() {
    this.stream.stop();
    this.stream.lastId = 0;
    this.memory.session = null;
    this.memory.seen = this.seenBefore = this.told = 0;
    this.conversation.clear();
    this.panel.welcome();
    this.panel.ending.hide();
    this.changed();
    this.panel.input.focus();
  }

  // Is there something to ask? Only while somebody could see it, since it then counts as asked.
  async lookForEnding() {
    clearTimeout(this.idle);
    if (!this.memory.session || this.panel.node.hidden || document.visibilityState === "hidden") return;
    this.idle = setTimeout(() => this.lookForEnding(), IDLE);
    const last = this.conversation.lastSeq;
    const ending = await this.api.ending().catch(() => null);
    if (ending && this.conversation.lastSeq === last) this.panel.ending.show(ending);
  }

  async attempt(request, problem) {
    try {
      const result = await request();
      this.say("");
      return result;
    } catch {
      this.say(this.t(problem));
      return null;
    }
  }

  async rate(message, helpful, comment) {
    try {
      await this.api.rate(message.id, helpful, comment);
      this.say("");
      return true;
    } catch {
      this.say(this.t("error.feedback"));
      return false;
    }
  }

  explain(error) {
    const words = this.t(`error.${error.code}`, { seconds: error.retryAfter });
    return words || error.message || this.t("error.internal");
  }

  receive(name, data) {
    const before = this.conversation.lastSeq;
    this.conversation.receive(name, data);
    if (name !== "message" || data.seq <= before) return;
    this.passOn(data);
    if (data.speaker !== "customer" && !forPageOnly(data)) this.panel.arrived();
    this.seen();
  }

  // What is for the page, once in each tab: not again after a reload, nor what was seen before the tab was there.
  passOn({ id, seq, attachments }) {
    const of = this.memory.session?.conversation_id;
    const { passed } = this.memory.tab;
    if (seq <= (passed?.of === of ? passed.seq : this.seenBefore)) return;
    const custom = (attachments ?? []).filter((each) => each.kind === "custom");
    if (custom.length) this.memory.tab = { ...this.memory.tab, passed: { of, seq } };
    for (const { payload } of custom) {
      this.dispatchEvent(new CustomEvent("rejoinder:custom", { detail: { id, payload }, bubbles: true, composed: true }));
    }
  }

  changed() {
    this.panel.render(this.conversation);
    this.panel.moving.offer(Boolean(this.memory.session?.whatsapp) && this.conversation.lastSeq > 0);
    this.showUnread();
  }

  // The server no longer knows the session: what was said there is gone, what is not sent stays.
  renewed() {
    this.seenBefore = this.told = 0;
    this.conversation.clear();
    this.panel.welcome(this.t("expired"));
    this.panel.ending.hide();
    this.changed();
    this.stream.restart();
  }

  state(state) {
    this.dataset.state = state;
    if (state === "open") return this.say("");
    this.conversation.interrupt();
    this.say(this.t(navigator.onLine ? "reconnecting" : "offline"));
  }

  say(words) {
    this.panel.say(words);
  }

  seen() {
    if (this.panel.node.hidden || document.visibilityState === "hidden") return;
    this.memory.seen = Math.max(this.memory.seen, this.conversation.lastSeq);
    this.showUnread();
    this.read();
  }

  // Staff see that their answer was read.
  read() {
    const seen = this.conversation.agentSeen(this.memory.seen);
    if (seen <= (this.told ?? 0)) return;
    this.told = seen;
    this.api.sign({ seen });
  }

  showUnread() {
    const open = !this.panel.node.hidden;
    const count = open ? 0 : this.conversation.unread(this.memory.seen);
    this.badge.hidden = count === 0;
    this.badge.textContent = count > 9 ? "9+" : String(count);
    const label = count ? this.t("openChatUnread", { count }) : this.t(open ? "closeChat" : "openChat");
    this.button.setAttribute("aria-label", label);
  }
}
