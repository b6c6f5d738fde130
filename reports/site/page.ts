/** What every page of the site has: its head with the policy, the way back, and the foot. */
import { type Fragment, html, render, trusted } from "./markup.ts";

export interface Page {
  /** Path in the site, as in `documents/rfc7296.html`. */
  path: string;
  title: string;
  /** The way from the overview to here; the last is the page itself. */
  trail: readonly { text: string; path?: string }[];
  body: Fragment;
  /** Scripts in `assets/` that the page runs, besides none. */
  scripts?: readonly string[];
  /** Wider than text should be: for two ladders side by side. */
  wide?: boolean;
}

/** From a page to the root of the site: `../../`. */
const rootFrom = (path: string): string => "../".repeat(path.split("/").length - 1);

/** From one page to another, or to a place in it. Every path in a site is made by `fileName`, so nothing needs escaping. */
export const hrefFrom = (from: string, to: string): string => `${rootFrom(from)}${to}` || "./";

/** A place in another page: `filters` as its script reads them. */
export const filtered = (path: string, filters: Readonly<Record<string, string | undefined>>): string => {
  const set = Object.entries(filters).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return `${path}#${set.map(([key, value]) => `${key}=${encode(value)}`).join("&")}`;
};

/** Lone surrogates cannot be encoded. */
export const encode = (value: string): string => encodeURIComponent(value.replace(/\p{Cs}/gu, "\ufffd"));

const MENU = [
  { text: "Overview", path: "index.html" },
  { text: "Tests", path: "tests.html" },
  { text: "Fuzzing", path: "findings.html" },
] as const;

/** Text of a page. */
export function pageText({ path, title, trail, body, scripts = [], wide = false }: Page): string {
  const root = rootFrom(path);
  const menu = MENU.map(
    (one) =>
      html`<a href="${root}${one.path}"${one.path === path && html` aria-current="page"`}>${one.text}</a>`,
  );
  return render(html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="stylesheet" href="${root}assets/site.css">
<link rel="icon" href="data:,">
</head>
<body${wide && html` class="wide"`}>
<a class="skip" href="#main">Skip to the content</a>
<header class="top"><div><a class="brand" href="${root}index.html"><span aria-hidden="true">⇄</span> bake-off</a><nav aria-label="Site">${menu}</nav></div></header>
<main id="main" tabindex="-1">
${trail.length > 1 && crumbs(path, trail)}
${body}
</main>
<footer class="foot">Written by ipsec-bakeoff from results.json. Plain files: keep the folder, send it, print it.</footer>
${scripts.map((script) => html`<script src="${root}assets/${script}"></script>\n`)}</body>
</html>
`);
}

function crumbs(path: string, trail: Page["trail"]): Fragment {
  const items = trail.map((one, index) =>
    one.path === undefined || index === trail.length - 1
      ? html`<li${index === trail.length - 1 && html` aria-current="page"`}>${one.text}</li>`
      : html`<li><a href="${hrefFrom(path, one.path)}">${one.text}</a></li>`,
  );
  return html`<nav class="crumbs" aria-label="Where this is"><ol>${items}</ol></nav>`;
}

/**
 * Only scripts and styles of the folder, nothing from a network. Of pages opened from disk, Firefox takes 'self' for
 * nothing at all, so `file:` stands beside it.
 */
const POLICY =
  "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; script-src 'self' file:; style-src 'self' file:";
