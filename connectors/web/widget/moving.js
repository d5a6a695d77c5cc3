import { h } from "./dom.js";

// Takes the conversation to WhatsApp: a number and the visitor's consent, then the code that came there.
export class Moving {
  constructor(t, actions) {
    Object.assign(this, { t, actions });
    this.opener = h("button", { type: "button", class: "move", onclick: () => this.ask() }, t("move.open"));
    this.place = h("div", {});
    this.done = h("p", { class: "moved", role: "status" });
    this.node = h("div", { class: "moving", hidden: true }, this.opener, this.place, this.done);
  }

  offer(offered) {
    this.node.hidden = !offered;
    if (!offered) this.close();
  }

  // Back to the beginning, as in a new conversation.
  close() {
    this.place.replaceChildren();
    this.done.textContent = "";
    this.opener.hidden = false;
  }

  cancel() {
    this.close();
    this.opener.focus();
  }

  ask() {
    const { t } = this;
    const number = h("input", { type: "tel", name: "number", autocomplete: "tel", required: true, placeholder: "+44 7700 900123", maxlength: "40", dir: "ltr", value: this.number ?? "" });
    const consent = h("input", { type: "checkbox", name: "consent", required: true });
    const fields = [h("label", {}, t("move.number"), number), h("label", { class: "consent" }, consent, h("span", {}, t("move.consent")))];
    this.form(fields, t("move.send"), async () => {
      this.number = number.value.trim();
      await this.actions.move(this.number);
      this.confirm();
    });
  }

  confirm() {
    const { t } = this;
    const code = h("input", { name: "code", inputmode: "numeric", autocomplete: "one-time-code", required: true, maxlength: "10", dir: "ltr" });
    this.form([h("label", {}, t("move.code", { number: this.number }), code)], t("move.confirm"), async () => {
      await this.actions.move(this.number, code.value.trim());
      this.close();
      this.opener.hidden = true;
      this.done.textContent = t("move.done");
      this.actions.write();
    });
  }

  // One step; its error stands in it, and nothing that was typed is lost.
  form(fields, label, go) {
    const problem = h("p", { class: "problem", role: "alert" });
    const send = h("button", { type: "submit", class: "primary" }, label);
    const cancel = h("button", { type: "button", class: "skip", onclick: () => this.cancel() }, this.t("move.cancel"));
    const submit = async (event) => {
      event.preventDefault();
      problem.textContent = "";
      send.disabled = true;
      await go().catch((error) => (problem.textContent = error.code === "network" ? this.t("error.move") : error.message || this.t("error.internal")));
      send.disabled = false;
    };
    this.opener.hidden = true;
    this.place.replaceChildren(h("form", { onsubmit: submit }, ...fields, problem, h("div", { class: "buttons" }, send, cancel)));
    this.place.querySelector("input").focus();
  }
}
