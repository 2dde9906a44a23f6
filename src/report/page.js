// Comfort for readers with scripts: the title in the chosen language, values at the pointer and with the keyboard, sorted and
// searched tables, and the hours of a day from its place in a chart. The page is complete without it.
"use strict";

// A text in both languages, of which the style shows one.
function both(element, en, ko) {
  for (const [lang, text] of [["en", en], ["ko", ko]]) {
    const span = document.createElement("span");
    span.lang = lang;
    span.textContent = text;
    element.append(span);
  }
  return element;
}

function isKorean() {
  return document.getElementById("show-ko").checked;
}

function followLanguage() {
  const choose = () => {
    document.documentElement.lang = isKorean() ? "ko" : "en";
    document.title = isKorean() ? document.body.dataset.titleKo : document.body.dataset.titleEn;
  };
  for (const radio of document.querySelectorAll(".languages input")) radio.addEventListener("change", choose);
  choose();
}

// Opens the hours of a day, and everything around them.
function openDetails(id) {
  const details = document.getElementById(id);
  if (!details) return;
  for (let around = details; around; around = around.parentElement) {
    if (around.tagName === "DETAILS") around.open = true;
  }
  details.querySelector("summary").focus();
  details.scrollIntoView({ block: "nearest" });
}

// Shows the value of one position of a chart, at the pointer or at the position that the arrow keys chose.
function showValues() {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("role", "status");
  document.body.append(tip);
  const hide = () => {
    tip.classList.remove("shown");
    for (const marked of document.querySelectorAll(".hit.marked")) marked.classList.remove("marked");
  };
  const show = (hit) => {
    hide();
    hit.classList.add("marked");
    tip.textContent = hit.dataset.value;
    tip.classList.add("shown");
    const box = hit.getBoundingClientRect();
    const left = box.left + box.width / 2 - tip.offsetWidth / 2;
    const most = document.documentElement.clientWidth - tip.offsetWidth - 4;
    tip.style.left = `${window.scrollX + Math.max(4, Math.min(left, most))}px`;
    tip.style.top = `${window.scrollY + box.top - tip.offsetHeight - 4}px`;
  };
  for (const chart of document.querySelectorAll("svg.chart")) {
    const hits = [...chart.querySelectorAll(".hit")];
    if (!hits.length) continue;
    // The browser's own tip would cover this one.
    for (const hit of hits) {
      const title = hit.querySelector("title");
      hit.dataset.value = title.textContent;
      title.remove();
    }
    let place = hits.length - 1;
    const move = (to) => {
      place = Math.max(0, Math.min(hits.length - 1, to));
      show(hits[place]);
    };
    chart.setAttribute("tabindex", "0");
    chart.addEventListener("pointermove", (event) => {
      const hit = event.target.closest(".hit");
      if (hit) move(hits.indexOf(hit));
    });
    chart.addEventListener("pointerleave", hide);
    chart.addEventListener("focus", () => move(place));
    chart.addEventListener("blur", hide);
    chart.addEventListener("click", (event) => {
      const hit = event.target.closest(".hit");
      if (hit) openDetails(hit.dataset.details);
    });
    chart.addEventListener("keydown", (event) => {
      const places = {
        ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: hits.length - 1,
      };
      if (event.key in places) move(places[event.key]);
      else if (event.key === "Enter") openDetails(hits[place].dataset.details);
      else if (event.key === "Escape") hide();
      else return;
      event.preventDefault();
    });
  }
}

// The text of a cell in the chosen language, or its number.
function valueOf(cell) {
  if (!cell) return "";
  if (cell.dataset.n !== undefined) return Number(cell.dataset.n);
  const shown = cell.querySelector(`[lang="${isKorean() ? "ko" : "en"}"]`) || cell;
  const text = shown.textContent.trim();
  const number = Number(text.replaceAll(",", ""));
  return text && cell.classList.contains("number") && !Number.isNaN(number) ? number : text;
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  // Cells without a number are last.
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a.localeCompare(b);
}

function sortTables() {
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    if (body.rows.length < 2 || body.querySelector("[colspan]:not(.bar)") && body.rows.length < 3) continue;
    for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
      if (head.tagName !== "TH") continue;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const isNumber = head.classList.contains("number");
        const first = isNumber ? "descending" : "ascending";
        const second = isNumber ? "ascending" : "descending";
        const order = head.getAttribute("aria-sort") === first ? second : first;
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        const rows = [...body.rows].map((row) => [valueOf(row.cells[column]), row]);
        rows.sort(([a], [b]) => sign * compare(a, b));
        body.append(...rows.map(([, row]) => row));
      });
    }
  }
}

// Adds a field above each table of some length that hides the rows without its text.
function searchTables() {
  for (const table of document.querySelectorAll("table.sortable")) {
    const rows = [...table.tBodies[0].rows];
    if (rows.length < 10) continue;
    const label = both(document.createElement("label"), "Search", "검색");
    label.className = "search";
    const field = document.createElement("input");
    field.type = "search";
    label.append(" ", field);
    const count = document.createElement("span");
    count.setAttribute("role", "status");
    label.append(" ", count);
    table.closest(".scroll").before(label);
    field.addEventListener("input", () => {
      const wanted = field.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
        shown += row.hidden ? 0 : 1;
      }
      count.textContent = wanted ? `${shown} / ${rows.length}` : "";
    });
  }
}

followLanguage();
showValues();
sortTables();
searchTables();
