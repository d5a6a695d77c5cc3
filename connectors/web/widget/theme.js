// Style sheets made by script are allowed under a strict Content-Security-Policy; style elements are not.
export function adoptStyles(root) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(WIDGET_CSS);
  root.adoptedStyleSheets = [sheet];
}

// Give the widget the page's own colour, with black or white on it, whichever reads better.
export function applyAccent(element, accent) {
  const rgb = hexColour(accent);
  for (const name of ["--rj-accent", "--rj-on-accent"]) element.style.removeProperty(name);
  if (!rgb) return;
  element.style.setProperty("--rj-accent", `rgb(${rgb.join(" ")})`);
  element.style.setProperty("--rj-on-accent", luminance(rgb) > 0.179 ? "#111" : "#fff");
}

function hexColour(text) {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text?.trim() ?? "")?.[1];
  if (!digits) return null;
  const full = digits.length === 3 ? [...digits].map((digit) => digit + digit).join("") : digits;
  return [0, 2, 4].map((start) => parseInt(full.slice(start, start + 2), 16));
}

function luminance(rgb) {
  const [red, green, blue] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
