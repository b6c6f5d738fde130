/**
 * The script of the report page: filters the list of tests and opens the test a link points to. It reads only
 * what is in the page, and the page is complete without it.
 */
export const SCRIPT = `
"use strict";
(() => {
  const items = [...document.querySelectorAll(".tests > li")];
  const find = document.getElementById("find");
  const selects = [...document.querySelectorAll(".filters select")];
  const chips = [...document.querySelectorAll("button[data-verdict]")];
  const shown = document.getElementById("shown");
  const none = document.getElementById("none");

  function apply() {
    const words = find.value.toLowerCase().split(/\\s+/).filter(Boolean);
    const hidden = new Set(chips.filter((c) => c.getAttribute("aria-pressed") === "false").map((c) => c.dataset.verdict));
    let count = 0;
    for (const item of items) {
      const fits =
        !hidden.has(item.dataset.verdict) &&
        selects.every((s) => s.value === "" || item.dataset[s.dataset.field] === s.value) &&
        words.every((word) => item.dataset.text.includes(word));
      item.hidden = !fits;
      if (fits) count += 1;
    }
    shown.textContent = count === items.length ? "all " + count : count + " of " + items.length;
    none.hidden = count > 0;
  }

  function clear() {
    find.value = "";
    for (const select of selects) select.value = "";
    for (const chip of chips) chip.setAttribute("aria-pressed", "true");
  }

  // The first click singles a verdict out, further ones add and take away, and the last taken away brings all back.
  function choose(chip) {
    const on = (c) => c.getAttribute("aria-pressed") === "true";
    if (chips.every(on)) for (const c of chips) c.setAttribute("aria-pressed", String(c === chip));
    else chip.setAttribute("aria-pressed", String(!on(chip)));
    if (!chips.some(on)) for (const c of chips) c.setAttribute("aria-pressed", "true");
  }

  function open() {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (!target || !target.matches(".tests > li")) return;
    if (target.hidden) { clear(); apply(); }
    target.firstElementChild.open = true;
    target.scrollIntoView();
    target.querySelector("summary").focus({ preventScroll: true });
  }

  find.addEventListener("input", apply);
  for (const select of selects) select.addEventListener("change", apply);
  for (const chip of chips)
    chip.addEventListener("click", () => { choose(chip); apply(); });
  document.getElementById("clear").addEventListener("click", () => { clear(); apply(); find.focus(); });
  for (const link of document.querySelectorAll("a[data-document]"))
    link.addEventListener("click", () => {
      clear();
      for (const select of selects) select.value = link.dataset[select.dataset.field];
      apply();
    });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing) { event.preventDefault(); find.focus(); }
    if (event.key === "Escape" && document.activeElement === find) { find.value = ""; apply(); }
  });
  window.addEventListener("hashchange", open);
  document.querySelector(".filters").hidden = false;
  apply();
  open();
})();
`;
