import { RejoinderChat } from "./element.js";

// Runs when the script is loaded: one tag is enough, unless the page has placed the element itself.
const SCRIPT = document.currentScript;

function place() {
  if (document.querySelector("rejoinder-chat")) return;
  const chat = document.createElement("rejoinder-chat");
  Object.assign(chat.dataset, SCRIPT?.dataset);
  document.body.append(chat);
}

if (!customElements.get("rejoinder-chat")) {
  if (SCRIPT?.src) RejoinderChat.server = new URL(SCRIPT.src).origin;
  customElements.define("rejoinder-chat", RejoinderChat);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", place);
  else place();
}
