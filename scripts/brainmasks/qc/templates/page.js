// SPDX-License-Identifier: MIT
// Sorts and filters the table of a page. Without it the page is a plain table, whole and in order.
"use strict";
(() => {
  const [body] = document.querySelector("table").tBodies;
  const rows = [...body.rows];
  const choices = new Map(rows.map((row) => [row, JSON.parse(row.dataset.choices)]));
  const form = document.querySelector("form");
  const { words } = form.elements;
  const selects = [...form.querySelectorAll("select")];
  const shown = document.getElementById("shown");
  const headings = [...document.querySelectorAll("th[data-sort]")];
  const collator = new Intl.Collator("en", { numeric: true });

  function filter() {
    const wanted = words.value.trim().toLowerCase();
    for (const row of rows) {
      const chosen = selects.every(
        (select, number) => !select.value || choices.get(row)[number].includes(select.value),
      );
      row.hidden = !chosen || !row.textContent.toLowerCase().includes(wanted);
    }
    const count = rows.filter((row) => !row.hidden).length;
    const { one, many } = shown.dataset;
    shown.textContent = count
      ? `${count} of ${rows.length} ${rows.length === 1 ? one : many} shown`
      : `No ${one} matches. Choose less, or show all.`;
  }

  function key(row, heading) {
    const text = row.cells[heading.cellIndex].dataset.key;
    return heading.dataset.sort === "number" && text ? Number(text) : text;
  }

  function compare(one, other, heading, sign) {
    const [a, b] = [key(one, heading), key(other, heading)];
    // What has no value is last, whatever the direction.
    if (a === "" || b === "") return (a === "") - (b === "");
    return sign * (typeof a === "number" ? a - b : collator.compare(a, b));
  }

  function sort(heading, direction) {
    for (const each of headings) {
      each.setAttribute("aria-sort", each === heading ? direction : "none");
    }
    const sign = direction === "descending" ? -1 : 1;
    body.append(...(heading ? rows.toSorted((a, b) => compare(a, b, heading, sign)) : rows));
  }

  // What is chosen stays when the page is loaded again, and can be handed on as a link.
  function remember() {
    const state = new URLSearchParams();
    for (const each of [words, ...selects]) if (each.value) state.set(each.name, each.value);
    for (const each of headings) {
      const direction = each.getAttribute("aria-sort");
      if (direction !== "none") state.set(direction, each.textContent);
    }
    // An empty one would leave the old one in place.
    history.replaceState(null, "", `#${state}`);
  }

  function recall() {
    const state = new URLSearchParams(location.hash.slice(1));
    words.value = state.get("words") ?? "";
    for (const select of selects) {
      select.value = state.get(select.name) ?? "";
      if (select.selectedIndex < 0) select.value = "";
    }
    for (const direction of ["ascending", "descending"]) {
      const heading = headings.find((each) => each.textContent === state.get(direction));
      if (heading) sort(heading, direction);
    }
    filter();
  }

  for (const heading of headings) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    heading.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const before = heading.getAttribute("aria-sort");
      sort(heading, before === "ascending" ? "descending" : "ascending");
      remember();
    });
  }
  form.addEventListener("input", () => {
    filter();
    remember();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    for (const each of [words, ...selects]) each.value = "";
    sort(null);
    filter();
    remember();
  });

  // A picture may not have been drawn, and a report shows this page in a frame without files beside it.
  function miss(image) {
    // Nor is then the view beside it.
    for (const each of image.closest("th").querySelectorAll(".picture, .view")) each.hidden = true;
    document.getElementById("missing").hidden = false;
  }
  for (const image of document.querySelectorAll(".picture img")) {
    image.addEventListener("error", () => miss(image));
    if (image.complete && !image.naturalWidth) miss(image);
  }

  form.hidden = false;
  recall();
})();
