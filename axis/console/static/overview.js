// The chart of the flow: drawn from the table beside it, which is what everybody else reads.
"use strict";

(() => {
  const place = document.getElementById("flow-chart");
  const source = document.getElementById("flow-rows");
  if (!place || !source || !window.uPlot) return;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const names = () => [...source.querySelectorAll("thead th")].map((each) => each.textContent);
  const read = () => {
    const rows = [...source.querySelectorAll("tr[data-at]")].reverse();
    const columns = [0, 1, 2].map((place) => rows.map((row) => Number(row.querySelectorAll("td")[place].textContent)));
    return [rows.map((row) => Number(row.dataset.at)), ...columns];
  };
  const width = () => Math.max(240, place.clientWidth);
  const axis = () => ({ stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 } });
  const line = (label, stroke, dash) => ({ label, stroke: colour(stroke), width: 2, dash, points: { show: false } });
  const titles = names();
  const chart = new uPlot(
    {
      width: width(),
      height: 220,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Asia/Ho_Chi_Minh"),
      series: [
        { label: titles[0], value: "{HH}:{mm}" },
        line(titles[1], "--link"),
        line(titles[2], "--good", [6, 3]),
        line(titles[3], "--poor", [2, 3]),
      ],
      axes: [{ ...axis(), values: "{HH}:{mm}" }, { ...axis(), incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000] }],
      scales: { y: { range: (_, __, most) => [0, Math.max(5, most)] } },
    },
    read(),
    place,
  );
  new MutationObserver(() => chart.setData(read())).observe(source, { childList: true, subtree: true, characterData: true });
  new ResizeObserver(() => chart.setSize({ width: width(), height: 220 })).observe(place);
})();
