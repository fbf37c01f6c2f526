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
