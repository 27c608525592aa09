// Draws the curve over the sketch, and again whenever the results are replaced. Everything works without this file.
"use strict";
(function () {
  let plot = null;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const dollars = (v) => (v === null || v === undefined ? "" : "$" + Math.round(v).toLocaleString("en-US"));

  function series(label, stroke, dash, width) {
    return { label: label, stroke: stroke, dash: dash, width: width, points: { show: false }, value: (u, v) => dollars(v) };
  }

  function draw() {
    const box = document.getElementById("curve");
    if (!box || typeof uPlot === "undefined") return;
    const d = JSON.parse(box.dataset.curve);
    const ink = colour("--ink"), soft = colour("--soft"), line = colour("--accent"), season = colour("--season");
    const axis = { stroke: soft, grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    box.textContent = "";
    plot = new uPlot({
      width: Math.max(260, box.clientWidth), height: 250, pxAlign: 0, legend: { live: true }, cursor: { drag: { x: false, y: false } },
      scales: { x: { time: false } },
      axes: [Object.assign({ label: "business hours", labelSize: 22 }, axis), Object.assign({ size: 68, values: (u, v) => v.map(dollars) }, axis)],
      series: [
        { label: "hours", value: (u, v) => (v === null ? "" : v.toFixed(1) + " h") },
        series("ordinary P90", line, [], 0), series("ordinary P10", line, [], 0), series("ordinary", line, [], 2),
      ].concat(d.season_p50 ? [
        series("season P90", season, [], 0), series("season P10", season, [], 0), series("season", season, [7, 4], 2),
      ] : []),
      bands: [{ series: [1, 2], fill: line + "38" }].concat(d.season_p50 ? [{ series: [4, 5], fill: season + "2e" }] : []),
    }, [d.hours, d.ordinary_p90, d.ordinary_p10, d.ordinary_p50].concat(
      d.season_p50 ? [d.season_p90, d.season_p10, d.season_p50] : []), box);
    plot.root.style.color = ink;
  }

  document.addEventListener("DOMContentLoaded", function () {
    draw();
    new MutationObserver(function (changes) {
      if (changes.some((c) => c.target.id === "results")) draw();
    }).observe(document.getElementById("results"), { childList: true });
    addEventListener("resize", draw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  });
})();
