import { h } from "./dom.js";

const MARKS = { csat: [1, 2, 3, 4, 5], nps: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] };

// What stands below a conversation that is over: a short survey, and the way to a new one.
export class Ending {
  constructor(t, actions) {
    Object.assign(this, { t, actions });
    this.words = h("p", { class: "ended" }, t("ended"));
    this.fresh = h("button", { type: "button", class: "fresh", onclick: () => actions.newChat() }, t("newChat"));
    this.bar = h("div", { class: "bar" }, this.words, this.fresh);
    this.place = h("div", {});
    this.status = h("p", { class: "visually-hidden", role: "status" });
    this.node = h("div", { class: "ending", hidden: true }, this.place, this.bar, this.status);
  }

  // What the server says of the conversation's end; with focus where the customer asked for it.
  show({ closed, survey }, focus = false) {
    this.bar.hidden = !closed;
    if (survey !== this.kind) this.ask(survey);
    this.node.hidden = !closed && !survey;
    if (focus) (this.form?.querySelector("input") ?? this.fresh).focus();
  }

  hide() {
    this.show({ closed: false, survey: null });
    this.status.textContent = "";
  }

  ask(kind) {
    this.kind = kind;
    this.form = kind && this.survey(kind);
    this.place.replaceChildren(...(this.form ? [this.form] : []));
  }

  survey(kind) {
    const { t } = this;
    const marks = h("div", { class: "marks" }, ...MARKS[kind].map((mark) => this.mark(kind, mark)));
    const ends = h("div", { class: "ends", "aria-hidden": "true" }, h("span", {}, t(`${kind}.low`)), h("span", {}, t(`${kind}.high`)));
    const question = h("fieldset", {}, h("legend", { dir: "auto" }, t(`${kind}.question`)), marks, ends);
    const comment = h("textarea", { name: "comment", rows: "2", maxlength: "1000", dir: "auto" });
    this.why = h("label", { hidden: true }, t("surveyComment"), comment);
    this.send = h("button", { type: "submit", class: "primary", disabled: true }, t("surveySend"));
    const skip = h("button", { type: "button", class: "skip", onclick: () => this.give(kind, null) }, t("surveySkip"));
    const submit = (event) => {
      event.preventDefault();
      const fields = new FormData(event.target);
      this.give(kind, Number(fields.get("mark")), fields.get("comment").trim());
    };
    return h("form", { class: "survey", onsubmit: submit }, question, this.why, h("div", { class: "buttons" }, this.send, skip));
  }

  mark(kind, mark) {
    const chosen = () => {
      this.send.disabled = false;
      this.why.hidden = false;
    };
    const words = this.t(`${kind}.mark`, { mark, of: MARKS[kind].at(-1) });
    return h("label", {}, h("input", { type: "radio", name: "mark", value: mark, "aria-label": words, onchange: chosen }), h("span", {}, String(mark)));
  }

  async give(kind, score, comment) {
    const next = await this.actions.answerSurvey(kind, score, comment);
    if (!next) return;
    this.status.textContent = score === null ? "" : this.t("thanks");
    this.show(next, true);
    if (this.node.hidden) this.actions.write();
  }
}
