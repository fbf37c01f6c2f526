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
