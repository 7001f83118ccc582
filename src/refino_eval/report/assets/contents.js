/* The contents at the side: marks the section being read; on a narrow screen it is a drawer with a button. */
"use strict";

(() => {
  const nav = document.getElementById("contents");
  const links = [...nav.querySelectorAll('ol a[href^="#"]')];
  const pairs = links
    .map((link) => ({ link, target: document.getElementById(link.hash.slice(1)) }))
    .filter(({ target }) => target && !target.hidden);
  const narrow = window.matchMedia("(max-width: 60rem)");

  // The explorer's chapter shows itself when its script runs; its entry comes and goes with it.
  for (const link of links) {
    const target = document.getElementById(link.hash.slice(1));
    if (target?.id === "explorer") pairs.push({ link, target });
  }

  let marked = null;
  function mark() {
    const line = 120;
    let current = pairs[0];
    for (const pair of pairs) {
      if (pair.target.getClientRects().length && pair.target.getBoundingClientRect().top <= line) {
        const later = !current || pair.target.compareDocumentPosition(current.target) & Node.DOCUMENT_POSITION_PRECEDING;
        if (later || pair === current) current = pair;
      }
    }
    if (!current || current === marked) return;
    marked?.link.removeAttribute("aria-current");
    for (const item of nav.querySelectorAll("li.open")) item.classList.remove("open");
    current.link.setAttribute("aria-current", "location");
    for (let item = current.link.closest("li"); item; item = item.parentElement.closest("li")) item.classList.add("open");
    if (!narrow.matches) {
      // Only the list scrolls, never the page.
      const item = current.link.getBoundingClientRect();
      const frame = nav.getBoundingClientRect();
      if (item.top < frame.top || item.bottom > frame.bottom) nav.scrollTop += item.top - frame.top - frame.height / 3;
    }
    marked = current;
  }

  let waiting = false;
  window.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      mark();
    });
  }, { passive: true });
  mark();

  const button = Report.make("button", { type: "button", class: "drawer", "aria-expanded": "false", "aria-controls": "contents" }, Report.word("contents"));
  nav.before(button);

  function open(yes) {
    Report.showContents(yes);
    if (yes) (nav.querySelector("[aria-current]") ?? links[0]).focus();
  }
  /** Show or hide the contents where they are a drawer, without moving the focus. */
  Report.showContents = (yes) => {
    button.setAttribute("aria-expanded", String(yes && narrow.matches));
    nav.classList.toggle("open", yes && narrow.matches);
  };
  button.addEventListener("click", () => open(button.getAttribute("aria-expanded") !== "true"));
  nav.addEventListener("click", (event) => {
    if (event.target.closest("a")) open(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && nav.classList.contains("open")) {
      open(false);
      button.focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (nav.classList.contains("open") && !nav.contains(event.target) && event.target !== button) open(false);
  });
})();
