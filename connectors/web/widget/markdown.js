import { h, link, safeUrl } from "./dom.js";

// A small, safe part of Markdown as DOM nodes: paragraphs, headings, lists, code, bold, italic, links.
// "[1]" becomes what cite(1) gives, where it gives something.
export function renderMarkdown(text, cite = () => null) {
  citing = cite;
  const fragment = document.createDocumentFragment();
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  while (lines.length) fragment.append(...nextBlock(lines));
  return fragment;
}

let citing; // rendering is one piece, so there is only one at a time

// A text that is still being written: what its last line opened is closed, or left out where nothing follows yet.
export function closed(text) {
  const start = text.lastIndexOf("\n") + 1;
  let line = text.slice(start).replace(/\[([^\]]*)(?:\]\([^()\s]*)?$/, (_, label) => (/^\d*$/.test(label) ? "" : label));
  line = line.replace(/(?<!\*)\*$/, "");
  for (const mark of ["`", "**"]) {
    if (line.split(mark).length % 2) continue;
    line = line.endsWith(mark) ? line.slice(0, -mark.length) : line + mark;
  }
  return text.slice(0, start) + line;
}

const BULLET = /^\s*[-*+•]\s+(.*)$/;
const NUMBER = /^\s*(\d{1,4})[.)]\s+(.*)$/;
const HEADING = /^#{1,6}\s+(.*)$/;
const FENCE = /^\s*```/;

function nextBlock(lines) {
  if (!lines[0].trim()) return lines.shift() && [];
  if (FENCE.test(lines[0])) return [codeBlock(lines)];
  if (BULLET.test(lines[0])) return [list("ul", BULLET, 1, lines)];
  if (NUMBER.test(lines[0])) return [list("ol", NUMBER, 2, lines)];
  const heading = HEADING.exec(lines[0]);
  if (heading) return lines.shift() && [h("p", { dir: "auto" }, h("strong", {}, ...inline(heading[1])))];
  return [paragraph(lines)];
}

function codeBlock(lines) {
  lines.shift();
  const code = takeWhile(lines, (line) => !FENCE.test(line));
  lines.shift();
  return h("pre", { dir: "auto", tabindex: "0" }, h("code", {}, code.join("\n")));
}

function list(tag, pattern, group, lines) {
  const start = tag === "ol" ? pattern.exec(lines[0])[1] : null;
  const items = takeWhile(lines, (line) => pattern.test(line));
  return h(tag, { start }, ...items.map((line) => h("li", { dir: "auto" }, ...inline(pattern.exec(line)[group]))));
}

function paragraph(lines) {
  const plain = (line) => line.trim() && ![BULLET, NUMBER, HEADING, FENCE].some((special) => special.test(line));
  const nodes = takeWhile(lines, plain).flatMap((line, index) => (index ? [h("br"), ...inline(line)] : inline(line)));
  return h("p", { dir: "auto" }, ...nodes);
}

function takeWhile(lines, wanted) {
  const taken = [];
  while (lines.length && wanted(lines[0])) taken.push(lines.shift());
  return taken;
}

// Tried from left to right; each repeat has a bound, so no text can stall the page.
const INLINE = new RegExp(
  [
    "`([^`\\n]+)`",
    "\\[([^\\]\\n]{1,500})\\]\\(([^()\\s]{1,2000})\\)",
    "\\*\\*(?!\\s)((?:[^*\\n]|\\*(?!\\*)){1,2000}?)\\*\\*",
    "(?<![\\p{L}\\p{N}_])__([^_\\n]{1,2000})__(?![\\p{L}\\p{N}_])",
    "(?<!\\*)\\*([^*\\s][^*\\n]{0,2000})\\*(?!\\*)",
    "(?<![\\p{L}\\p{N}_])_([^_\\s][^_\\n]{0,2000})_(?![\\p{L}\\p{N}_])",
    "\\[(\\d{1,2})\\](?!\\()",
    "(https?://[^\\s<>()\\[\\]\"']{1,2000}[^\\s<>()\\[\\]\"'.,;:!?])",
  ].join("|"),
  "gu",
);

function inline(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(text.slice(end, match.index), inlineNode(match));
    end = match.index + match[0].length;
  }
  return [...nodes, text.slice(end)].filter((node) => node !== "");
}

function inlineNode([whole, code, label, target, bold, bold2, italic, italic2, number, bare]) {
  if (code) return h("code", {}, code);
  if (bold || bold2) return h("strong", {}, ...inline(bold || bold2));
  if (italic || italic2) return h("em", {}, ...inline(italic || italic2));
  if (number) return citing(Number(number)) ?? whole;
  const url = safeUrl(target || bare);
  return url ? link(url, label || bare) : whole;
}
