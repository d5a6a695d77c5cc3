import { AnswerBubble, DraftBubble, OwnBubble } from "./bubbles.js";
import { h, icon, ICONS } from "./dom.js";
import { Moving } from "./moving.js";
import { Ending } from "./survey.js";

const NEAR_BOTTOM = 80;

// What is seen of the conversation: heading, log, notice and the field to write in.
export class Panel {
  constructor(t, { title, greeting, actions }) {
    Object.assign(this, { t, actions, greeting });
    this.bubbles = new Map();
    this.log = h("div", { class: "log", role: "log", tabindex: "0", "aria-live": "polite", "aria-relevant": "additions", "aria-label": t("messages") });
    this.estimate = h("span", { "aria-hidden": "true" });
    this.typing = h("div", { class: "typing", hidden: true }, h("i"), h("i"), h("i"), this.estimate);
    this.typingWords = h("span", { class: "visually-hidden", role: "status" });
    this.notice = h("div", { class: "notice", role: "status" });
    this.jump = h("button", { type: "button", class: "jump", hidden: true, onclick: () => this.toBottom() }, icon(ICONS.arrow), t("newMessages"));
    this.announcement = h("span", { class: "visually-hidden", role: "status" });
    this.follow();
    const middle = h("div", { class: "middle" }, this.log, this.jump);
    this.ending = new Ending(t, { ...actions, write: () => this.input.focus() });
    this.moving = new Moving(t, { ...actions, write: () => this.input.focus() });
    this.standing = h("p", { class: "standing", role: "status", dir: "auto" });
    const dialog = { class: "panel", role: "dialog", "aria-labelledby": "title", id: "panel", hidden: true };
    this.node = h("section", dialog, this.header(title), this.standing, middle, this.typingWords, this.announcement, this.ending.node, this.moving.node, this.notice, this.composer());
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && (event.stopPropagation(), actions.close()));
    this.welcome();
  }

  header(title) {
    const close = { type: "button", class: "close", "aria-label": this.t("closeChat"), onclick: () => this.actions.close() };
    const words = h("div", {}, h("h2", { id: "title", dir: "auto" }, title), h("p", {}, h("span", { class: "dot" }), this.t("subtitle")));
    this.end = h("button", { type: "button", class: "end", hidden: true, onclick: () => this.actions.end() }, this.t("endChat"));
    return h("div", { class: "head" }, h("span", { class: "mark" }, icon(ICONS.chat)), words, this.end, h("button", close, icon(ICONS.close)));
  }

  composer() {
    const { t } = this;
    this.input = h("textarea", { id: "input", rows: "1", dir: "auto", placeholder: t("inputPlaceholder"), "aria-label": t("inputLabel"), enterkeyhint: "send", autocomplete: "off" });
    this.button = h("button", { type: "submit", class: "send", "aria-label": t("send") }, icon(ICONS.send));
    this.input.addEventListener("input", () => (this.grow(), this.actions.writing(this.input.value)));
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.submit();
    });
    const submit = (event) => (event.preventDefault(), this.submit());
    const stop = () => (this.actions.stop(), this.input.focus());
    this.stop = h("button", { type: "button", class: "send stop", hidden: true, "aria-label": t("stop"), title: t("stop"), onclick: stop }, icon(ICONS.stop));
    return h("form", { class: "composer", onsubmit: submit }, this.input, this.stop, this.button);
  }

  submit() {
    const text = this.input.value.trim();
    if (!text) return;
    this.write("");
    this.actions.send(text);
    this.input.focus();
  }

  // Put text into the field, as if it had been typed.
  write(text) {
    this.input.value = text;
    this.grow();
    this.actions.writing(text);
  }

  grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 140)}px`;
    this.button.disabled = !this.input.value.trim();
    this.showStop();
  }

  // Stopping takes the place of sending while an answer is written and nothing else is.
  showStop() {
    const shown = Boolean(this.writing) && this.button.disabled;
    if (this.stop.hidden !== shown) return;
    const focused = this.stop.matches(":focus");
    this.stop.hidden = !shown;
    this.button.hidden = shown;
    if (focused) this.input.focus();
  }

  welcome(remark = "") {
    const message = { speaker: "bot", text: this.greeting };
    const greeting = new AnswerBubble(message, this).node;
    if (remark) greeting.prepend(h("p", { class: "remark" }, remark));
    this.log.replaceChildren(greeting, this.typing);
    this.bubbles.clear();
  }

  render(conversation) {
    const follow = this.nearBottom();
    const { messages } = conversation;
    const keys = new Set(messages.map(keyOf));
    for (const [key, bubble] of this.bubbles) if (!keys.has(key) && !conversation.drafts.has(key)) this.remove(key, bubble);
    const lastOwn = messages.findLast((message) => message.state === "sent" && message.speaker === "customer");
    for (const message of messages) this.show(message, { last: message === lastOwn, open: conversation.open(message) });
    for (const [turnId, draft] of conversation.drafts) this.bubble(turnId, () => new DraftBubble(this.t)).update(draft);
    this.arrange([...messages.map(keyOf), ...conversation.drafts.keys()]);
    const written = [...conversation.drafts.values()].some((draft) => draft.text);
    this.showTyping(conversation.typing.size > 0 && !written ? "typing" : conversation.agentTyping ? "agentTyping" : "");
    this.showEstimate(written ? null : [...conversation.estimates.values()].at(-1));
    this.showStanding(conversation.standing);
    this.end.hidden = !messages.some((message) => message.state === "sent");
    this.writing = conversation.writing;
    this.showStop();
    if (follow) this.toBottom();
  }

  // Who answers now, where that is not just the assistant.
  showStanding(standing) {
    const { state, person } = standing ?? {};
    const words = (person && this.t(`standing.${state}.named`, { person })) || this.t(`standing.${state}`);
    if (this.standing.textContent !== words) this.standing.textContent = words;
    this.standing.dataset.state = state ?? "";
  }

  show(message, around) {
    const kind = message.speaker === "customer" ? OwnBubble : AnswerBubble;
    this.bubble(keyOf(message), () => new kind(message, this)).update(message, around);
  }

  bubble(key, make) {
    if (!this.bubbles.has(key)) this.bubbles.set(key, make());
    return this.bubbles.get(key);
  }

  remove(key, bubble) {
    bubble.node.remove();
    this.bubbles.delete(key);
  }

  // Whoever reads the newest message stays there when the log shrinks, as when a notice comes up below it.
  follow() {
    this.atBottom = true;
    const moved = () => {
      this.atBottom = this.nearBottom();
      if (this.atBottom) this.jump.hidden = true;
    };
    this.log.addEventListener("scroll", moved, { passive: true });
    const stay = () => this.atBottom && this.toBottom();
    new ResizeObserver(stay).observe(this.log);
    for (const name of ["load", "loadedmetadata"]) this.log.addEventListener(name, stay, { capture: true }); // a picture has its size
  }

  // Move only what stands in the wrong place, so that focus and screen readers are left alone.
  arrange(keys) {
    let place = this.log.firstElementChild;
    for (const key of keys) {
      const { node } = this.bubbles.get(key);
      if (place.nextElementSibling !== node) place.after(node);
      place = node;
    }
  }

  showTyping(who) {
    this.typing.hidden = !who;
    const words = who ? this.t(who) : "";
    if (this.typingWords.textContent !== words) this.typingWords.textContent = words;
  }

  // Counts down to a second and then says nothing, since it takes longer than usual.
  showEstimate(estimate) {
    clearTimeout(this.counting);
    const left = estimate?.seconds ? estimate.seconds - (Date.now() - estimate.since) / 1000 : 0;
    this.estimate.textContent = left > 0 ? this.t("estimate", { seconds: Math.max(1, Math.round(left)) }) : "";
    if (left > 0) this.counting = setTimeout(() => this.showEstimate(estimate), 1000);
  }

  say(words) {
    if (this.notice.textContent !== words) this.notice.textContent = words;
  }

  // For screen readers only; the eye finds it at the message.
  announce(words) {
    this.announcement.textContent = words;
  }

  nearBottom() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_BOTTOM;
  }

  arrived() {
    if (!this.nearBottom()) this.jump.hidden = false;
  }

  toBottom() {
    this.jump.hidden = true;
    this.log.scrollTop = this.log.scrollHeight;
  }
}

function keyOf(message) {
  return message.client_id || message.id;
}
