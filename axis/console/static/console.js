// The console's own script: what no attribute can say. Everything works without it, but for what is live.
"use strict";

// A session that has ended ends the live parts of a page; the page asked for anew leads to the login.
document.addEventListener("over", () => location.reload());

// A form that says so is sent as soon as a choice in it changes.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-send-on-change]");
  if (form) form.requestSubmit();
});

// A question before what cannot be undone.
document.addEventListener("submit", (event) => {
  const asked = event.submitter?.dataset.ask ?? event.target.dataset.ask;
  if (asked && !window.confirm(asked)) event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

// On a phone a row stands as a card (console.css): each cell says what the heading of its column is. Roles are said, as
// what is no table to the eye would be none to a screen reader either. Without this the table scrolls sideways.
const headed = () => {
  for (const table of document.querySelectorAll(".wide table")) {
    const titles = [...(table.tHead?.rows[0]?.cells ?? [])].map((each) => each.textContent.trim());
    const rows = [...table.rows].filter((row) => row.parentNode !== table.tHead);
    if (!titles.length || rows.some((row) => row.cells.length !== titles.length)) continue;
    if (!table.classList.contains("carded")) table.classList.add("carded");
    table.setAttribute("role", "table");
    for (const group of [table.tHead, ...table.tBodies]) group.setAttribute("role", "rowgroup");
    for (const cell of table.tHead.rows[0].cells) cell.setAttribute("role", "columnheader");
    for (const row of table.rows) row.setAttribute("role", "row");
    for (const row of rows)
      for (const [place, cell] of [...row.cells].entries()) {
        cell.dataset.title = titles[place];
        cell.setAttribute("role", cell.scope === "row" ? "rowheader" : "cell");
      }
  }
};
headed();
// What comes later comes as the server wrote it: new rows, and old ones without what was said here.
new MutationObserver(headed).observe(document.querySelector("main"), { childList: true, subtree: true, attributeFilter: ["class"] });

// What is asked for seldom is folded away on a phone, unless something of it is asked for. A phone that is turned is wide:
// there is nothing to unfold it with then (console.css), so it is open.
const narrow = window.matchMedia("(max-width: 40rem)");
const fold = () => {
  for (const more of document.querySelectorAll("details[data-fold]"))
    more.open = !narrow.matches || more.contains(document.activeElement) ||
      [...more.querySelectorAll("input, select")].some((each) => each.value);
};
fold();
narrow.addEventListener("change", fold);

// What is live says so itself when it is not any more.
for (const word of document.querySelectorAll("[data-stale-for]")) {
  const watched = document.querySelector(word.dataset.staleFor);
  let last = performance.now();
  new MutationObserver(() => {
    last = performance.now();
    word.hidden = true;
  }).observe(watched, { childList: true, subtree: true, characterData: true, attributes: true });
  setInterval(() => {
    if (performance.now() - last > Number(word.dataset.staleAfter) * 1000) word.hidden = false;
  }, 1000);
}
