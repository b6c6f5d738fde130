/** Filters and pages the list of tests, whose data is in tests.js. What is chosen stands in the address. */

(() => {
  const PER_PAGE = 100;
  const { glyphs, columns, firstWord, words, rows } = bakeoff;
  const column = (name) => columns.indexOf(name);
  const value = (row, name) => (column(name) < firstWord ? row[column(name)] : words[row[column(name)]]);
  const texts = rows.map((row) => row.slice(1, firstWord).join(" ").toLowerCase());

  const form = document.querySelector(".filters");
  const list = document.getElementById("list");
  const count = document.getElementById("count");
  const pages = document.querySelector(".pages");
  const [previous, next] = [document.getElementById("previous"), document.getElementById("next")];
  let page = 0;

  function element(name, className, ...children) {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...children);
    return made;
  }

  function badge(verdict) {
    const glyph = element("span", "glyph", glyphs[verdict] ?? "");
    glyph.setAttribute("aria-hidden", "true");
    return element("span", `badge t-${verdict}`, glyph, verdict);
  }

  function item(row) {
    const standing = value(row, "standing");
    const what = element("span", "what", element("b", "", value(row, "title")));
    if (value(row, "reason")) what.append(element("span", "", value(row, "reason")));
    if (standing !== "as expected") what.append(element("span", "mark", standing));
    what.append(element("code", "", value(row, "id")));
    const who = element("span", "who", value(row, "peer"), element("small", "", `as ${value(row, "role")}`));
    const link = element("a", "", badge(value(row, "verdict")), what, who);
    link.href = `tests/${value(row, "place")}.html`;
    return element("li", `t-${value(row, "verdict")}`, link);
  }

  /** A filter may name several values, with commas. */
  function fitting() {
    const chosen = Object.fromEntries([...new FormData(form)].map(([name, given]) => [name, given.trim()]));
    const asked = chosen.q.toLowerCase().split(/\s+/).filter(Boolean);
    const tests = columns
      .slice(firstWord)
      .filter((name) => chosen[name])
      .map((name) => {
        const wanted = new Set(chosen[name].split(",").map((word) => words.indexOf(word)));
        wanted.add(words.indexOf(chosen[name]));
        return (row) => wanted.has(row[column(name)]);
      });
    if (chosen.requirement) {
      const wanted = chosen.requirement.toLowerCase();
      tests.push((row) => row[column("requirement")].toLowerCase().split(" ").includes(wanted));
    }
    return rows.filter(
      (row, index) => asked.every((word) => texts[index].includes(word)) && tests.every((test) => test(row)),
    );
  }

  function show() {
    const found = fitting();
    const last = Math.max(0, Math.ceil(found.length / PER_PAGE) - 1);
    page = Math.min(page, last);
    list.replaceChildren(...found.slice(page * PER_PAGE, (page + 1) * PER_PAGE).map(item));
    count.textContent =
      found.length === rows.length ? `all ${rows.length}` : `${found.length} of ${rows.length}`;
    document.getElementById("none").hidden = found.length > 0;
    list.parentElement.hidden = found.length === 0;
    pages.hidden = last === 0;
    previous.disabled = page === 0;
    next.disabled = page === last;
    document.getElementById("page").textContent = `${page + 1} of ${last + 1}`;
  }

  function remember() {
    const set = [...new FormData(form)].filter(([, given]) => given.trim() !== "");
    if (page > 0) set.push(["page", String(page + 1)]);
    const hash = set.map(([name, given]) => `${name}=${encodeURIComponent(given.trim())}`).join("&");
    history.replaceState(null, "", hash === "" ? location.pathname : `#${hash}`);
  }

  /** A value from an address that no option has, as a choice of two verdicts, gets an option of its own. */
  function recall() {
    const set = new URLSearchParams(location.hash.slice(1));
    for (const field of form.querySelectorAll("[name]")) {
      const given = set.get(field.name) ?? "";
      const known = field.tagName !== "SELECT" || [...field.options].some((option) => option.value === given);
      if (!known) field.append(new Option(given.replaceAll(",", " or "), given));
      field.value = given;
    }
    page = Math.max(0, (Number.parseInt(set.get("page") ?? "", 10) || 1) - 1);
    show();
  }

  function turn(by) {
    page += by;
    show();
    remember();
    document.getElementById("main").focus();
    scrollTo(0, 0);
  }

  function change() {
    page = 0;
    show();
    remember();
  }

  form.addEventListener("input", change);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(change));
  previous.addEventListener("click", () => turn(-1));
  next.addEventListener("click", () => turn(1));
  addEventListener("hashchange", recall);
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
    event.preventDefault();
    form.elements.q.focus();
  });
  form.hidden = false;
  recall();
})();
