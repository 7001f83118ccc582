/* The explorer: one effect at a time, by outcome, specification and unit, with its interval, tests and path. */
"use strict";

(() => {
  const { data, word, make, fixed, decimalsFor, pValue } = Report;
  const explorer = data.explorer;
  const chapter = document.getElementById("explorer");
  if (!explorer || !chapter) return;

  const [byOutcome, bySpecification, byUnit] = ["outcome", "specification", "unit"].map((id) => document.getElementById(`explorer-${id}`));
  const result = document.getElementById("explorer-result");
  const paths = document.getElementById("explorer-paths");

  const groups = Map.groupBy ? Map.groupBy(explorer.outcomes, (o) => o.group) : explorer.outcomes.reduce(
    (map, o) => map.set(o.group, [...(map.get(o.group) ?? []), o]), new Map());
  for (const [group, outcomes] of groups) {
    byOutcome.append(make("optgroup", { label: group }, ...outcomes.map((o) => make("option", { value: o.name }, o.label))));
  }

  /** Fill a list, keeping the chosen option where the list still has it. */
  function fill(select, options) {
    const kept = select.value;
    select.replaceChildren(...options.map(([value, label]) => make("option", { value }, label)));
    if (options.some(([value]) => value === kept)) select.value = kept;
  }

  const chosen = () => explorer.outcomes.find((o) => o.name === byOutcome.value);

  function offer() {
    const outcome = chosen();
    fill(bySpecification, Object.keys(outcome.specifications).map((name) => [name, explorer.specifications[name]]));
    fill(byUnit, outcome.units.map((unit) => [unit.key, unit.label]));
  }

  /** Return the factor from the outcome's unit to the chosen one, or nothing where that cannot be used. */
  function scaleOf(unit, effect) {
    if (!unit.relative) return unit.scale;
    return effect.mean_control ? 100 / Math.abs(effect.mean_control) : null;
  }

  const limits = (effect, write) => `[${write(effect.conf_low)}; ${write(effect.conf_high)}]`;

  /** Draw the confidence interval on a line through zero. */
  function interval(effect, scale, write) {
    const reach = 1.15 * Math.max(Math.abs(effect.conf_low), Math.abs(effect.conf_high), 1e-12) * scale;
    const x = (value) => (150 + (140 * value * scale) / reach).toFixed(1);
    const svg = (name, attributes, ...children) => make(`svg:${name}`, attributes, ...children);
    return svg("svg", { viewBox: "0 0 300 46", class: "interval", role: "img",
      "aria-label": `${effect.interval}: ${limits(effect, write)}` },
      svg("line", { class: "rule", x1: 5, x2: 295, y1: 18, y2: 18 }),
      svg("line", { class: "zero", x1: 150, x2: 150, y1: 6, y2: 30 }),
      svg("text", { x: 150, y: 43 }, "0"),
      svg("line", { class: "whisker", x1: x(effect.conf_low), x2: x(effect.conf_high), y1: 18, y2: 18 }),
      svg("circle", { class: "dot", cx: x(effect.estimate), cy: 18, r: 5 }));
  }

  function facts(outcome, effect, unit, scale) {
    const decimals = decimalsFor(effect.std_error * scale, 2);
    const write = (value) => fixed(value * scale, decimals);
    const mean = (value) => (unit.relative || value === undefined ? null
      : `${fixed(value * scale, decimalsFor(value * scale, 3, 2))} ${unit.level ?? unit.label}`);
    const rows = [
      [word("estimate"), `${write(effect.estimate)} ${unit.label}`, "estimate"],
      [effect.interval, limits(effect, write), "confidence"],
      [word("control_mean"), mean(effect.mean_control), "control"],
      ...effect.tests.map(([name, p]) => [name, pValue(p), "p"]),
      [word("people"), fixed(effect.n, 0), "people"],
    ].filter(([, text]) => text);
    const list = make("dl", {}, ...rows.flatMap(([name, text, key]) => [make("dt", {}, name), make("dd", { "data-fact": key }, text)]));
    const zero = effect.conf_low <= 0 && effect.conf_high >= 0;
    return [
      make("p", { class: "about" }, make("strong", {}, outcome.label), outcome.about ? ` · ${outcome.about}` : ""),
      interval(effect, scale, write),
      make("p", {}, word(zero ? "includes_zero" : "excludes_zero")),
      list,
      make("p", { class: "source" }, `${word("found_in")} `, make("a", { href: `#exhibit-${effect.exhibit}` },
        document.getElementById(`exhibit-${effect.exhibit}-head`)?.firstChild.textContent ?? effect.exhibit)),
    ];
  }

  /** Return a path in the chosen unit. */
  function scaled(path, scale, unit) {
    const times = (values) => values?.map((value) => (value === null ? null : value * scale));
    const series = path.series.map((s) => ({ ...s, y: times(s.y), low: times(s.low), high: times(s.high), bandLow: times(s.bandLow), bandHigh: times(s.bandHigh) }));
    return { ...path, series, limits: times(path.limits), unit: unit ?? path.unit };
  }

  /** Return the path of an outcome's state: summed where the outcome is, of the specification where there is one. */
  function pathFor(outcome, specification, effect) {
    const fitting = explorer.paths.filter((path) => path.state === outcome.state && path.effect === effect);
    const rank = (path) => (path.summed === outcome.summed ? 2 : 0) + (path.specification === specification ? 1 : 0);
    return fitting.sort((a, b) => rank(b) - rank(a))[0];
  }

  function drawPaths(outcome, specification, unit, scale) {
    const drawn = [];
    for (const effect of [true, false]) {
      const path = outcome.state && pathFor(outcome, specification, effect);
      // A path of single periods keeps its unit next to an outcome that sums them, and next to per cent of a mean.
      const same = path && path.summed === outcome.summed && !unit.relative;
      if (!path) continue;
      const heading = word(effect ? "effect_path" : "arm_path");
      const remarks = [];
      if (effect && path.specification !== specification) remarks.push(`${word("path_under")} ${path.under}.`);
      if (outcome.summed && !path.summed) remarks.push(word("path_monthly"));
      const host = make("div", { class: "charts single" });
      Report.draw(host, { panels: [{ ...scaled(path, same ? scale : 1, same ? (effect ? unit.label : unit.level ?? unit.label) : null), title: `${heading}: ${path.title}` }], axis: path.axis, period: path.period });
      drawn.push(make("div", {}, host, remarks.length ? make("p", { class: "remark" }, remarks.join(" ")) : null));
    }
    paths.replaceChildren(...(drawn.length ? drawn : [make("p", { class: "remark" }, word("no_path"))]));
  }

  function show() {
    const outcome = chosen();
    const effect = outcome.specifications[bySpecification.value];
    const unit = outcome.units.find((u) => u.key === byUnit.value);
    const scale = scaleOf(unit, effect);
    if (scale === null) {
      result.replaceChildren(make("p", {}, word("no_control_mean")));
      return;
    }
    result.replaceChildren(...facts(outcome, effect, unit, scale));
    drawPaths(outcome, bySpecification.value, unit, scale);
  }

  byOutcome.addEventListener("change", () => {
    offer();
    show();
  });
  bySpecification.addEventListener("change", show);
  byUnit.addEventListener("change", show);
  chapter.hidden = false;
  // Begin with an outcome that has a path, to show what the explorer can do.
  byOutcome.value = (explorer.outcomes.find((o) => o.state && pathFor(o, null, true)) ?? explorer.outcomes[0]).name;
  offer();
  show();
})();
