// Writing a reply or a note: sent once, kept where it could not be sent, with canned and suggested replies to put in.

export class Composer {
  constructor(form, { post, typing, problem }) {
    Object.assign(this, { form, post, typing, problem });
    this.text = form.elements.text;
    this.send = form.querySelector("#send");
    this.note = form.querySelector("#add-note");
    this.ready = form.querySelector("#ready");
    this.search = form.querySelector("#ready-search");
    this.reply = this.text.placeholder;
    this.keep = `draft of ${form.action}`;
    this.text.value ||= sessionStorage.getItem(this.keep) ?? "";
    form.addEventListener("submit", (event) => (event.preventDefault(), event.stopImmediatePropagation(), this.submit()));
    form.addEventListener("click", (event) => event.target.name === "mode" && this.changeMode(event.detail > 0 || document.activeElement !== event.target));
    this.text.addEventListener("keydown", (event) => this.press(event));
    this.text.addEventListener("input", () => this.typed());
    this.search.addEventListener("input", () => this.find(this.search.value));
    this.search.addEventListener("keydown", (event) => this.pick(event));
    this.ready.addEventListener("toggle", () => this.ready.open && this.search.focus());
    this.changeMode(false);
  }

  get isNote() {
    return this.form.elements.mode.value === "note";
  }

  choose(mode) {
    this.form.elements.mode.value = mode;
    this.changeMode();
  }

  // Who goes from one to the other by the arrow keys stays there.
  changeMode(focus = true) {
    this.text.placeholder = this.isNote ? this.text.dataset.note : this.reply;
    if (focus) this.text.focus();
  }

  press(event) {
    if (event.key === "Escape") return this.text.blur();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.submit();
  }

  typed() {
    sessionStorage.setItem(this.keep, this.text.value);
    if (this.text.value === "/" && !this.isNote) {
      this.text.value = "";
      this.ready.open = true;
    } else if (!this.isNote) this.typing();
  }

  async submit() {
    const text = this.text.value.trim();
    const button = this.isNote ? this.note : this.send;
    if (!text || this.sending) return;
    if (button.disabled) return this.problem("A colleague has this. Take it first to answer.");
    this.sending = true;
    const sent = await this.post(button.formAction, new FormData(this.form));
    this.sending = false;
    if (!sent) return;
    this.form.elements.event.value = sent.event;
    if (this.text.value.trim() === text) this.text.value = "";
    sessionStorage.setItem(this.keep, this.text.value);
    if (this.isNote) this.choose("reply");
  }

  // At the cursor; what is there already stays.
  insert(text) {
    if (this.isNote) this.choose("reply");
    const { selectionStart: from, selectionEnd: to, value } = this.text;
    const gap = from > 0 && !/\s$/.test(value.slice(0, from)) ? "\n" : "";
    this.text.setRangeText(gap + text, from, to, "end");
    this.ready.open = false;
    this.text.focus();
    this.typed();
  }

  find(words) {
    const wanted = words.trim().toLowerCase();
    for (const button of this.ready.querySelectorAll("[data-insert]"))
      button.parentElement.hidden = !`${button.dataset.name} ${button.dataset.insert}`.toLowerCase().includes(wanted);
  }

  pick(event) {
    if (event.key === "Escape") return (this.ready.open = false), this.text.focus();
    if (event.key !== "Enter") return;
    event.preventDefault();
    const first = [...this.ready.querySelectorAll("[data-insert]")].find((each) => !each.parentElement.hidden);
    if (first) this.insert(first.dataset.insert);
  }

  // As the server shows it now: who has it, and whether it is over.
  follow(fresh) {
    const next = fresh.getElementById("composer");
    if (!next) return;
    this.form.hidden = next.hidden;
    this.send.disabled = next.querySelector("#send").disabled;
    this.form.elements.held_by.value = next.elements.held_by.value;
  }
}
