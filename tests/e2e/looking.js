// What is wrong with the page for somebody who sees badly, has no mouse, or hears it read: a list of sentences.
// The numbers are those of WCAG 2.2 (AA): 1.4.3 contrast, 2.5.8 size of targets; the rest is 1.1.1, 1.3.1, 2.4.6, 4.1.2.
() => {
  const wrong = [];
  const shown = (e) => {
    if (!e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || e.closest(".visually-hidden")) return false;
    const box = e.getBoundingClientRect();
    return box.width > 1 && box.height > 1;
  };
  const name = (e) => `<${e.tagName.toLowerCase()}${e.id ? "#" + e.id : ""}> ${(e.textContent || "").trim().slice(0, 40)}`;

  const colour = (text) => {
    const canvas = colour.canvas ??= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return { r, g, b, a: a / 255 };
  };
  const over = (top, below) => {
    const mix = (part) => top[part] * top.a + below[part] * (1 - top.a);
    return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
  };
  const behind = (e) => {
    const layers = [];
    for (let each = e; each; each = each.parentElement) layers.push(colour(getComputedStyle(each).backgroundColor));
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    return layers.reverse().reduce((below, top) => over(top, below), colour(dark ? "#121212" : "#ffffff"));
  };
  const light = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (e) => {
    const back = behind(e);
    const [a, b] = [light(over(colour(getComputedStyle(e).color), back)), light(back)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (seen.has(e) || !walker.currentNode.data.trim() || e.closest("script, style, noscript, :disabled, option") || !shown(e)) continue;
    seen.add(e);
    const found = contrast(e);
    if (found < 4.5) wrong.push(`contrast ${found.toFixed(2)}: ${name(e)}`);
  }

  const named = (e) => {
    const by = (e.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean);
    const said = [e.getAttribute("aria-label"), ...by.map((id) => document.getElementById(id)?.textContent), e.textContent,
      ...[...e.querySelectorAll("img[alt], svg title")].map((each) => each.getAttribute("alt") || each.textContent)];
    return said.some((each) => each && each.trim());
  };
  for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    const label = [...(e.labels || [])].some((each) => each.textContent.trim()) || e.getAttribute("aria-label") || e.getAttribute("aria-labelledby");
    if (!label) wrong.push(`no label: ${e.outerHTML.slice(0, 80)}`);
  }
  for (const e of document.querySelectorAll("a[href], button, summary")) if (!named(e)) wrong.push(`no name: ${e.outerHTML.slice(0, 80)}`);
  for (const e of document.querySelectorAll("img:not([alt])")) wrong.push(`no alt: ${e.outerHTML.slice(0, 80)}`);
  for (const e of document.querySelectorAll("canvas")) if (!e.closest("[role=img][aria-label], [aria-hidden=true], figure")) wrong.push("a drawing that nobody can hear");
  for (const e of document.querySelectorAll("table")) {
    if (e.closest("[aria-hidden=true]")) continue;  // a drawing's legend; what is drawn is in a table besides
    if (!e.caption && !e.getAttribute("aria-label")) wrong.push(`table without a caption: ${name(e)}`);
    if (![...e.querySelectorAll("th")].every((each) => each.scope)) wrong.push(`heading without a scope: ${name(e)}`);
  }
  for (const e of document.querySelectorAll("button, input:not([type=hidden]), select, textarea")) {
    const { width, height } = e.getBoundingClientRect();
    if (shown(e) && (width < 24 || height < 20)) wrong.push(`${Math.round(width)} by ${Math.round(height)} pixels to hit: ${name(e)}`);
  }

  const headings = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter(shown).map((e) => Number(e.tagName[1]));
  if (headings.filter((level) => level === 1).length !== 1) wrong.push(`headings of the first level: ${headings}`);
  headings.forEach((level, at) => { if (at && level > headings[at - 1] + 1) wrong.push(`a level of headings is left out: ${headings}`); });
  for (const landmark of ["main", "header", "nav"]) if (!document.querySelector(landmark)) wrong.push(`no landmark ${landmark}`);
  if (document.querySelectorAll("main").length > 1) wrong.push("two mains");
  if (!document.documentElement.lang) wrong.push("no language");
  if (!document.title.trim().replace(/^–/, "")) wrong.push("no title");
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of new Set(ids.filter((each, at) => ids.indexOf(each) !== at))) wrong.push(`id twice: ${id}`);
  for (const e of document.querySelectorAll("[aria-describedby], [aria-labelledby], [aria-controls]")) {
    for (const role of ["aria-describedby", "aria-labelledby", "aria-controls"]) {
      for (const id of (e.getAttribute(role) || "").split(/\s+/).filter(Boolean)) if (!document.getElementById(id)) wrong.push(`${role} names nothing: ${id}`);
    }
  }

  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) {
    const widest = [...document.body.querySelectorAll("*")].filter((e) => !e.parentElement.closest(".wide, .menu, pre") && e.getBoundingClientRect().right > clientWidth + 1);
    wrong.push(`${scrollWidth} pixels wide where there are ${clientWidth}: ${widest.slice(0, 3).map(name).join("; ")}`);
  }
  return wrong;
}
