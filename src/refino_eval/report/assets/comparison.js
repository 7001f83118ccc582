/* The comparison with the published numbers: filtered by verdict and exhibit. */
"use strict";

(() => {
  const { word, fixed } = Report;
  const bar = document.querySelector(".filters");

  if (!bar) return;
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
})();
