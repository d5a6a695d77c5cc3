import { h, icon, ICONS, link, webUrl } from "./dom.js";

// What comes beside the text of an answer. Whatever a bot sends becomes a picture, sound, a film or a link of http(s), or words:
// nothing of it can run.
export function beside(attachments, choices, t) {
  const cards = attachments.filter((each) => each.kind === "card");
  const taken = new Set(cards.flatMap((card) => card.choices ?? []));
  const links = attachments.filter((each) => each.kind === "link");
  const below = [...choices.filter((_, index) => !taken.has(index)), ...links.map((each) => linkButton(each, t))];
  return [
    ...attachments.map((each) => MEDIA[each.kind]?.(each, t)),
    cards.length && new Carousel(cards, choices, t).node,
    below.some(Boolean) && h("div", { class: "choices", role: "group", "aria-label": t("choices") }, ...below),
  ].filter(Boolean);
}

// A message that only the page can make something of.
export function forPageOnly({ text, buttons, attachments }) {
  return !text && !buttons?.length && (attachments ?? []).every((each) => each.kind === "custom");
}

const MEDIA = {
  image: (each, t) => picture(each.url, each.name || t("picture"), t),
  video: (each, t) => player("video", each, t, { playsinline: true, preload: "metadata" }),
  audio: (each, t) => player("audio", each, t, { preload: "none" }),
  document: (each, t) => file(each.url, each.name, t),
  location: ({ name, address, latitude, longitude }, t) => {
    const map = `https://maps.google.com/?q=${Number(latitude)},${Number(longitude)}`;
    return file(map, [name, address].filter(Boolean).join(", ") || t("place"), t, ICONS.place);
  },
};

// What cannot be loaded, or a page's policy forbids, is a link to it.
function orLink(element, url, name, t) {
  element.addEventListener("error", () => element.replaceWith(file(url, name, t)), { once: true });
  return element;
}

function picture(address, alt, t) {
  const src = webUrl(address);
  if (!src) return null;
  const attributes = { class: "picture", src, alt, loading: "lazy", decoding: "async", referrerpolicy: "no-referrer" };
  return orLink(h("img", attributes), src, alt, t);
}

function player(tag, { url, name }, t, more) {
  const src = webUrl(url);
  return src && orLink(h(tag, { class: "player", src, controls: true, "aria-label": name, ...more }), src, name, t);
}

function file(address, name, t, sign = ICONS.file) {
  const url = webUrl(address);
  const words = h("span", { dir: "auto" }, name || url || "");
  return h("div", { class: "file" }, url ? link(url, icon(sign), words, newTab(t)) : words);
}

function linkButton({ url, title }, t) {
  const safe = webUrl(url);
  return safe && link(safe, h("span", { dir: "auto" }, title), icon(ICONS.link), newTab(t));
}

function newTab(t) {
  return h("span", { class: "visually-hidden" }, ` ${t("opensNewTab")}`);
}

// A row of cards: swiped on a touch screen; arrow keys, Home and End, or the buttons elsewhere.
class Carousel {
  constructor(cards, choices, t) {
    this.cards = cards.map((card) => this.card(card, choices, t));
    this.list = h("ul", { class: "cards", role: "list", tabindex: "0", "aria-label": t("cards", { count: cards.length }) }, ...this.cards);
    this.back = this.turn("previous", ICONS.back, -1, t);
    this.on = this.turn("next", ICONS.on, 1, t);
    this.list.addEventListener("keydown", (event) => event.target === this.list && this.key(event));
    this.list.addEventListener("scroll", () => this.mark(), { passive: true });
    new ResizeObserver(() => this.mark()).observe(this.list);
    this.node = h("div", { class: "carousel" }, this.list, cards.length > 1 && h("div", { class: "turns" }, this.back, this.on));
  }

  card(card, choices, t) {
    const url = webUrl(card.url);
    const title = h("strong", { dir: "auto" }, card.title);
    const buttons = [...(card.choices ?? []).map((index) => choices[index]), ...(card.links ?? []).map((each) => linkButton(each, t))];
    return h(
      "li",
      { class: "card" },
      card.image && picture(card.image, card.title, t),
      url ? link(url, title, newTab(t)) : title,
      card.text && h("p", { dir: "auto" }, card.text),
      buttons.some(Boolean) && h("div", { class: "choices", role: "group", "aria-label": card.title }, ...buttons),
    );
  }

  turn(name, sign, step, t) {
    return h("button", { type: "button", class: "turn", "aria-label": t(name), onclick: () => this.to(this.place() + step) }, icon(sign));
  }

  key(event) {
    const forward = getComputedStyle(this.list).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const targets = { Home: 0, End: this.cards.length - 1, ArrowLeft: this.place() - 1, ArrowRight: this.place() - 1, [forward]: this.place() + 1 };
    if (!(event.key in targets)) return;
    event.preventDefault();
    this.to(targets[event.key]);
  }

  // The card that stands at the beginning.
  place() {
    const { left, right, width } = this.list.getBoundingClientRect();
    const rtl = getComputedStyle(this.list).direction === "rtl";
    const away = this.cards.map((card) => Math.abs(rtl ? right - card.getBoundingClientRect().right : card.getBoundingClientRect().left - left));
    return this.atEnd(width) ? this.cards.length - 1 : away.indexOf(Math.min(...away));
  }

  atEnd(width) {
    return Math.abs(this.list.scrollLeft) + width >= this.list.scrollWidth - 2;
  }

  to(index) {
    const card = this.cards[Math.max(0, Math.min(index, this.cards.length - 1))];
    card.scrollIntoView({ block: "nearest", inline: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  mark() {
    this.back.disabled = Math.abs(this.list.scrollLeft) < 2;
    this.on.disabled = this.atEnd(this.list.clientWidth);
  }
}
