/* Addresses within the page: what one leads to is unfolded, scrolled to and marked, and each exhibit and number has a control
   that copies its address. */
"use strict";

(() => {
  const { word, make, copy } = Report;
  const addressOf = (id) => `${location.href.split("#")[0]}#${id}`;

  /** Return what the address of the page names: an id is written as addresses are, so it is tried as it is first. */
  function named(hash) {
    const id = hash.slice(1);
    if (!id) return null;
    try {
      return document.getElementById(id) ?? document.getElementById(decodeURIComponent(id)) ?? document.getElementById(encodeURI(id)) ?? point(decodeURIComponent(id));
    } catch {
      return null;
    }
  }

  /** Return the plot with a point of a figure, by `figure:panel:time` or as the command line names its number; else the figure. */
  function point(id) {
    const parts = id.split(":");
    if (parts.length < 3) return null;
    const [panel, time] = parts.length === 5 ? [parts[4], parts[1]] : parts.slice(1);
    return Report.showPoint?.(parts[0], panel, Number(time)) ?? document.getElementById(`exhibit-${parts[0]}`);
  }

  let marked = null;
  /** Show an element: open what it is folded in, take back a filter that hides it, scroll to it, and mark it. */
  function reveal(target, { focus = false } = {}) {
    for (let folded = target.closest("details"); folded; folded = folded.parentElement.closest("details")) folded.open = true;
    for (let hidden = target; hidden; hidden = hidden.parentElement) if (hidden.matches("tr, details")) hidden.hidden = false;
    marked?.classList.remove("reached");
    marked = null;
    const small = target.matches("td, th, tr");
    if (small || target.matches("h2, h3, details")) {
      marked = target;
      target.classList.add("reached");
    }
    target.scrollIntoView({ block: small ? "center" : "start", inline: "nearest" });
    if (focus && target.matches(".plot")) target.focus({ preventScroll: true });
    if (focus && small) target.querySelector("button, a")?.focus({ preventScroll: true });
  }

  function follow() {
    const target = named(location.hash);
    if (target) reveal(target, { focus: true });
  }

  /** Make a control that copies the address of an element, and makes it the address of the page. */
  function copier(id, name, text = "#") {
    const status = make("span", { role: "status", class: "copied" });
    const button = make("button", { type: "button", class: text === "#" ? "here" : "tool", "aria-label": text === "#" ? `${word("copy_link")}: ${name}` : null,
      title: word("copy_link") }, text);
    const host = make("span", { class: "link" }, button, status);
    button.addEventListener("click", async () => {
      history.replaceState(null, "", `#${id}`);
      const done = await copy(addressOf(id), host);
      status.textContent = done ? word("link_copied") : "";
      if (!done) return;
      button.focus();
      setTimeout(() => (status.textContent = ""), 2500);
    });
    return host;
  }

  for (const head of document.querySelectorAll("main h2[id$='-head'], main h3[id$='-head']")) {
    head.after(copier(head.id.replace(/-head$/, ""), head.textContent));
    head.parentElement.classList.add("linked");
  }
  window.addEventListener("hashchange", follow);
  window.addEventListener("load", follow);
  Report.links = { copier, reveal, named };
})();
