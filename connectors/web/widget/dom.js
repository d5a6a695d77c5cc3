// Builds elements without ever parsing HTML: text stays text, and Trusted Types have nothing to complain about.
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

const SVG = "http://www.w3.org/2000/svg";

export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  fill(svg, { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" });
  svg.append(fill(document.createElementNS(SVG, "path"), { d: path }));
  return svg;
}

export const ICONS = {
  chat: "M12 3.5c-5 0-9 3.3-9 7.5 0 2.3 1.2 4.3 3.1 5.7-.1 1.3-.6 2.5-1.6 3.6 2 0 3.8-.7 5.1-1.9.8.1 1.6.2 2.4.2 5 0 9-3.3 9-7.6S17 3.5 12 3.5z",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4.5 12h14M12.5 5.5L19 12l-6.500 6.500",
  up: "M7.500 20.500V10.500l4-7.500c1.600 0 2.500 1.100 2.500 2.600V9.500h4.600c1.300 0 2.200 1.200 1.900 2.500l-1.500 6.600c-.2 1.100-1.100 1.900-2.200 1.900zM7.500 10.500h-4v10h4",
  down: "M16.500 3.500v10l-4 7.500c-1.600 0-2.500-1.100-2.500-2.600V14.500H5.400c-1.300 0-2.200-1.200-1.900-2.500l1.500-6.600c.2-1.100 1.100-1.900 2.200-1.900zM16.500 13.500h4v-10h-4",
  link: "M9 15l6-6M10.500 6.500l1.700-1.700a4 4 0 0 1 5.700 5.700l-1.700 1.700M13.500 17.500l-1.700 1.700a4 4 0 0 1-5.700-5.700l1.700-1.700",
  file: "M7 3.500h7l4 4v13h-11zM14 3.500v4h4",
  place: "M12 21c4-4.500 6-8 6-11a6 6 0 0 0-12 0c0 3 2 6.500 6 11zM12 12.200a2.200 2.200 0 1 0 0-4.400 2.200 2.200 0 0 0 0 4.400z",
  back: "M14.500 5.500L8 12l6.500 6.500",
  on: "M9.500 5.500L16 12l-6.500 6.500",
  stop: "M7.500 7.500h9v9h-9z",
  arrow: "M12 5v14M5.500 12.500L12 19l6.500-6.500",
};

// Only these may become a link; anything else stays text.
export function safeUrl(text) {
  try {
    const url = new URL(text);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

// Of what a bot sends: it may only be shown from, or lead to, the web.
export function webUrl(text) {
  const url = safeUrl(text);
  return url?.startsWith("http") ? url : null;
}

export function link(url, ...children) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
}

function fill(element, attributes, children = []) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}
