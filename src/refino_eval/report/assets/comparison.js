/* The comparison with the print: filtered by verdict and exhibit. A link to a folded exhibit opens it. */
"use strict";

(() => {
  const { word, fixed } = Report;
  const bar = document.querySelector(".filters");

  /** Open the folded part that an address names, or that holds what it names. */
  function unfold() {
    const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    const folded = target?.closest("details");
    if (folded) {
      folded.open = true;
      folded.scrollIntoView();
    }
  }
  window.addEventListener("hashchange", unfold);
  if (!bar) {
    unfold();
    return;
  }
  const [verdict, exhibit] = ["filter-verdict", "filter-exhibit"].map((id) => document.getElementById(id));
  const count = document.getElementById("filter-count");
  const blocks = [...document.querySelectorAll("details.compared")];

  function filter() {
    let shown = 0;
    let all = 0;
    for (const block of blocks) {
      let here = 0;
      for (const row of block.querySelectorAll("tbody tr")) {
        const fits = (!verdict.value || row.dataset.verdict === verdict.value) && (!exhibit.value || block.dataset.exhibit === exhibit.value);
        row.hidden = !fits;
        here += fits ? 1 : 0;
        all += 1;
      }
      block.hidden = here === 0;
      block.open = here > 0 && Boolean(verdict.value || exhibit.value);
      shown += here;
    }
    count.textContent = word("shown").replace("{shown}", fixed(shown, 0)).replace("{all}", fixed(all, 0));
  }
  verdict.addEventListener("change", filter);
  exhibit.addEventListener("change", filter);
  bar.hidden = false;
  filter();
  unfold();
})();
