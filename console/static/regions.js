// Brings the page up to what the server says now: only what differs is replaced, and nobody loses their place in it.

// An XMLHttpRequest, since it alone makes a document of an answer under our policy of trusted types.
export function load(address) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", address);
    request.responseType = "document";
    request.timeout = 15_000;
    request.onload = () => (request.status === 200 && request.response ? resolve(request.response) : reject(request));
    request.onerror = request.ontimeout = () => reject(request);
    request.send();
  });
}

// Every [data-region] takes over what the fresh document has under its id.
export function renew(fresh) {
  for (const region of document.querySelectorAll("[data-region]")) {
    const next = fresh.getElementById(region.id);
    if (next) renewOne(region, next);
  }
}

function renewOne(region, next) {
  if (region.dataset.region === "items") return renewItems(region, next);
  if (region.outerHTML === next.outerHTML || writing(region)) return;
  const focused = place(region);
  const open = [...region.querySelectorAll("details")].map((each) => [each.id, each.open]);
  const adopted = document.adoptNode(next);
  region.replaceWith(adopted);
  for (const [id, was] of open) if (id && document.getElementById(id)) document.getElementById(id).open = was;
  if (focused) adopted.querySelector(focused)?.focus({ preventScroll: true });
}

// A list whose items have ids: what is the same stays the very element that it was.
function renewItems(list, next) {
  const known = new Map([...list.children].map((each) => [each.id, each]));
  let before = null;
  for (const item of [...next.children]) {
    const old = known.get(item.id);
    known.delete(item.id);
    const kept = old?.outerHTML === item.outerHTML ? old : document.adoptNode(item);
    if (old && old !== kept) old.replaceWith(kept);
    else if (kept !== (before ? before.nextElementSibling : list.firstElementChild)) before ? before.after(kept) : list.prepend(kept);
    before = kept;
  }
  for (const gone of known.values()) gone.remove();
}

function writing(region) {
  const at = document.activeElement;
  return region.contains(at) && at.matches("input:not([type=hidden]), textarea, select");
}

// How to find the focused element again after its region was replaced.
function place(region) {
  const at = document.activeElement;
  if (!region.contains(at) || at === region) return "";
  if (at.id) return `#${CSS.escape(at.id)}`;
  if (at.dataset.key) return `[data-key="${CSS.escape(at.dataset.key)}"]`;
  const href = at.getAttribute("href");
  return href ? `[href="${CSS.escape(href)}"]` : "";
}
