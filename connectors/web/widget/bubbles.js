import { h, icon, ICONS, link, safeUrl } from "./dom.js";
import { closed, renderMarkdown } from "./markdown.js";
import { beside, forPageOnly } from "./rich.js";

// The customer's own message: plain text, and below it whether it has arrived.
export class OwnBubble {
  constructor(message, { t, actions }) {
    this.t = t;
    this.actions = actions;
    this.meta = h("div", { class: "meta", "aria-live": "off" });
    const text = h("div", { class: "bubble", dir: "auto" }, message.text);
    this.node = h("div", { class: "row own" }, said(t, "you"), text, this.meta);
  }

  update(message, { last }) {
    const shown = `${message.state} ${message.problem ?? ""} ${last}`;
    if (shown === this.shown) return;
    this.shown = shown;
    this.node.dataset.state = message.state;
    this.meta.replaceChildren(...this.status(message, last));
  }

  status(message, last) {
    if (message.state === "sending") return [this.t("sending")];
    if (message.state === "sent") return last ? [this.t("sent", { time: clock(message.created_at) })] : [];
    const retry = h("button", { type: "button", onclick: () => this.actions.retry(message) }, this.t("retry"));
    const edit = h("button", { type: "button", onclick: () => this.actions.edit(message) }, this.t("edit"));
    const reason = message.problem || this.t("failed");
    return [h("span", { class: "problem" }, reason), retry, message.press ? null : edit].filter(Boolean);
  }
}

// An answer: Markdown, its sources, what comes beside it, its choices, its thumbs.
export class AnswerBubble {
  constructor(message, { t, actions }) {
    this.message = message;
    this.choices = (message.buttons ?? []).map((title, index) =>
      h("button", { type: "button", dir: "auto", onclick: () => actions.press(message, index, title) }, title),
    );
    const bubble = message.text && h("div", { class: "bubble" }, ...answer(message.text, message.sources ?? [], t));
    const parts = [bubble, ...beside(message.attachments ?? [], this.choices, t)];
    if (message.rateable) parts.push(new Rating(message, t, actions).node);
    const speaker = message.speaker === "agent" ? "agent" : "bot";
    this.node = h("div", { class: `row ${speaker}`, hidden: forPageOnly(message) }, said(t, speaker), ...parts);
  }

  update(message, { open }) {
    for (const choice of this.choices) choice.disabled = !open;
  }
}

// An answer that is still being written. It is not read aloud: the stored message will be.
export class DraftBubble {
  constructor(t) {
    this.t = t;
    this.bubble = h("div", { class: "bubble" });
    this.node = h("div", { class: "row bot draft", inert: true }, this.bubble);
  }

  update({ text, sources }) {
    this.node.hidden = !text;
    this.bubble.replaceChildren(...answer(closed(text), sources, this.t, true));
  }
}

class Rating {
  constructor(message, t, actions) {
    Object.assign(this, { message, t, actions });
    this.up = this.thumb(true);
    this.down = this.thumb(false);
    this.status = h("span", { class: "thanks", role: "status" });
    const label = h("span", { class: "question", id: `rate-${message.id}` }, t("rate"));
    const group = { class: "thumbs", role: "group", "aria-labelledby": `rate-${message.id}` };
    this.node = h("div", { class: "rating" }, h("div", group, label, this.up, this.down, this.status));
    this.show(message.helpful);
  }

  thumb(helpful) {
    const attributes = {
      type: "button",
      class: "thumb",
      "aria-label": this.t(helpful ? "helpful" : "notHelpful"),
      title: this.t(helpful ? "helpful" : "notHelpful"),
      onclick: () => this.give(helpful),
    };
    return h("button", attributes, icon(helpful ? ICONS.up : ICONS.down));
  }

  show(helpful) {
    this.helpful = helpful;
    this.up.setAttribute("aria-pressed", String(helpful === true));
    this.down.setAttribute("aria-pressed", String(helpful === false));
  }

  async give(helpful) {
    const before = this.helpful;
    this.show(helpful);
    this.status.textContent = "";
    this.form?.remove();
    if (await this.actions.rate(this.message, helpful)) {
      if (helpful) this.status.textContent = this.t("thanks");
      else this.ask();
    } else this.show(before);
  }

  ask() {
    const id = `comment-${this.message.id}`;
    const field = h("textarea", { id, rows: "2", maxlength: "1000", dir: "auto" });
    const send = h("button", { type: "submit", class: "primary" }, this.t("commentSend"));
    const skip = h("button", { type: "button", onclick: () => this.finish() }, this.t("commentSkip"));
    const submit = (event) => (event.preventDefault(), this.comment(field.value.trim()));
    const label = h("label", { for: id }, this.t("commentLabel"));
    this.form = h("form", { class: "comment", onsubmit: submit }, label, field, h("div", {}, send, skip));
    this.node.append(this.form);
    this.form.scrollIntoView({ block: "nearest" });
    field.focus();
  }

  async comment(text) {
    if (!text || (await this.actions.rate(this.message, false, text))) this.finish();
  }

  finish() {
    this.form.remove();
    this.status.textContent = this.t("thanks");
    this.down.focus();
  }
}

// A text and below it its sources: those that it cites by number; all of them where it cites none and is whole.
function answer(text, sources, t, draft = false) {
  const cited = new Set();
  const cite = (number) => sources[number - 1] && (cited.add(number), mark(sources[number - 1], number, t));
  const words = renderMarkdown(text, cite);
  const shown = sources.map((source, index) => [source, index + 1]).filter(([, number]) => cited.has(number) || (!cited.size && !draft));
  return [words, listed(shown, cited.size > 0, t)].filter(Boolean);
}

function mark({ title, url }, number, t) {
  const safe = url && safeUrl(url);
  const name = t("source", { number, title: title || url });
  const sign = safe ? link(safe, String(number)) : h("span", { role: "note" }, String(number));
  sign.setAttribute("aria-label", safe ? `${name} ${t("opensNewTab")}` : name);
  sign.title = title || url;
  return h("sup", {}, sign);
}

function listed(sources, numbered, t) {
  const items = sources.map(([{ title, url }, number]) => {
    const safe = url && safeUrl(url);
    const name = h("span", { dir: "auto" }, title || url || "");
    const sign = numbered ? h("span", { class: "number" }, String(number)) : safe && icon(ICONS.link);
    const newTab = h("span", { class: "visually-hidden" }, ` ${t("opensNewTab")}`);
    return h("li", {}, safe ? link(safe, sign, name, newTab) : h("span", {}, sign, name));
  });
  if (!items.length) return null;
  return h("div", { class: "sources" }, h("span", { class: "label" }, t("sources")), h("ul", {}, ...items));
}

function said(t, speaker) {
  return h("span", { class: "visually-hidden" }, t("says", { name: t(speaker) }));
}

function clock(when) {
  return new Date(when).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}
