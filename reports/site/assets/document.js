/** Filters the requirements of a document's page. The page is complete without it; what is chosen stands in the address. */

(() => {
  const form = document.querySelector(".filters");
  const table = document.getElementById("rows");
  const bodies = [...table.tBodies].map((body) => ({
    body,
    rows: [...body.rows].slice(1).map((row) => ({
      row,
      cells: [...row.cells].slice(1),
      text: row.textContent.toLowerCase(),
    })),
  }));
  const heads = [...table.tHead.rows[0].cells].slice(1);
  const all = bodies.reduce((sum, { rows }) => sum + rows.length, 0);

  function show() {
    const { q, peer, role, level, standing } = Object.fromEntries(
      [...new FormData(form)].map(([name, given]) => [name, given.trim()]),
    );
    const words = q.toLowerCase().split(/\s+/).filter(Boolean);
    const visible = heads.map(
      ({ dataset }) => (!peer || dataset.peer === peer) && (!role || dataset.role === role),
    );
    for (const [index, head] of heads.entries()) head.hidden = !visible[index];
    let shown = 0;
    for (const { body, rows } of bodies) {
      let some = false;
      for (const { row, cells, text } of rows) {
        const standings = cells.filter((_, index) => visible[index]).map(({ dataset }) => dataset.standing);
        const bound = !(peer || role) || standings.some((one) => one !== "not bound");
        const fits =
          bound &&
          (!level || row.dataset.level === level) &&
          (!standing || standings.includes(standing)) &&
          words.every((word) => text.includes(word));
        row.hidden = !fits;
        some ||= fits;
        if (fits) shown += 1;
        for (const [index, cell] of cells.entries()) cell.hidden = !visible[index];
      }
      body.hidden = !some;
    }
    document.getElementById("count").textContent = shown === all ? `all ${all}` : `${shown} of ${all}`;
    document.getElementById("none").hidden = shown > 0;
  }

  function change() {
    show();
    const set = [...new FormData(form)].filter(([, given]) => given.trim() !== "");
    const hash = set.map(([name, given]) => `${name}=${encodeURIComponent(given.trim())}`).join("&");
    history.replaceState(null, "", hash === "" ? location.pathname : `#${hash}`);
  }

  /** An address without `=` is that of a requirement. */
  function recall() {
    const hash = location.hash.slice(1);
    const set = new URLSearchParams(hash.includes("=") ? hash : "");
    for (const field of form.querySelectorAll("[name]")) field.value = set.get(field.name) ?? "";
    show();
    const target = hash.includes("=")
      ? document.getElementById("requirements")
      : document.querySelector(":target");
    if (hash !== "") target?.scrollIntoView();
  }

  form.addEventListener("input", change);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(change));
  addEventListener("hashchange", recall);
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
    event.preventDefault();
    form.elements.q.focus();
  });
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll(".define")) details.open = true;
  });
  form.hidden = false;
  recall();
})();
