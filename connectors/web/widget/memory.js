// What the browser remembers. Storage may be forbidden; then it lasts as long as the page.
export class Memory {
  constructor(server) {
    this.prefix = `rejoinder:${server}:`;
    this.page = new Map();
  }

  // Of all tabs: the session, and the number of the last message that was seen.
  get session() {
    return this.read("localStorage", "session");
  }

  set session(value) {
    this.write("localStorage", "session", value);
  }

  // A token that tells the server that a new session is of the same browser.
  get earlier() {
    return this.read("localStorage", "earlier");
  }

  set earlier(token) {
    this.write("localStorage", "earlier", token);
  }

  get seen() {
    return this.read("localStorage", "seen") ?? 0;
  }

  set seen(seq) {
    this.write("localStorage", "seen", seq);
  }

  // Of this tab: what is not sent yet, what is being written, whether the panel is open.
  get tab() {
    return this.read("sessionStorage", "tab") ?? { outbox: [], draft: "", open: false };
  }

  set tab(value) {
    this.write("sessionStorage", "tab", value);
  }

  // Tell when another tab opens a session.
  onSession(callback) {
    const listener = (event) => event.key === `${this.prefix}session` && callback();
    window.addEventListener("storage", listener);
    return () => window.removeEventListener("storage", listener);
  }

  read(store, name) {
    const key = this.prefix + name;
    try {
      return JSON.parse(window[store].getItem(key)) ?? this.page.get(key);
    } catch {
      return this.page.get(key);
    }
  }

  write(store, name, value) {
    const key = this.prefix + name;
    if (value == null) this.page.delete(key);
    else this.page.set(key, value);
    try {
      if (value == null) window[store].removeItem(key);
      else window[store].setItem(key, JSON.stringify(value));
    } catch {
      // Forbidden or full: the page's own memory has it.
    }
  }
}
