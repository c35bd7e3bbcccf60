// Tables of a report sort by a column, and when asked again the other way round. Nothing needs it.
"use strict";

(() => {
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const FIGURE = /^[−+-]?[\d,]*\.?\d+/;

  const readText = (cell) => cell.textContent.trim();
  const readFigure = (cell) => {
    const [text] = readText(cell).match(FIGURE) ?? ["NaN"];
    return Number(text.replace("−", "-").replaceAll(",", ""));
  };

  const compareFigures = (way) => (a, b) => {
    // What is no figure comes last, whichever way round.
    const missing = Number.isNaN(a.key) - Number.isNaN(b.key);
    return missing || (Number.isNaN(a.key) ? 0 : way * (a.key - b.key));
  };
  const compareTexts = (way) => (a, b) => way * collator.compare(a.key, b.key);

  const sort = (table, heading, column) => {
    const way = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    table.querySelectorAll("[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
    const figures = heading.classList.contains("figure");
    const read = figures ? readFigure : readText;
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, key: read(row.cells[column]) }));
    rows.sort((figures ? compareFigures : compareTexts)(way));
    table.tBodies[0].append(...rows.map(({ row }) => row));
  };

  for (const table of document.querySelectorAll("table.data")) {
    // Rows that share a heading belong together.
    const shared = table.querySelector("[rowspan], [colspan]");
    if (shared || table.tHead?.rows.length !== 1 || table.tBodies[0]?.rows.length < 2) {
      continue;
    }
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      if (heading.tagName === "TH") {
        const button = document.createElement("button");
        button.type = "button";
        button.append(...heading.childNodes);
        button.addEventListener("click", () => sort(table, heading, column));
        heading.append(button);
      }
    });
  }
})();
