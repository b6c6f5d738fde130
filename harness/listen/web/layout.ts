/** What every page of the live responder has: the look of the reports, and nothing from elsewhere. */
import { type Fragment, html, render } from "../../../reports/site/markup.ts";
import { HTML, type Reply } from "./reply.ts";

export interface LivePage {
  title: string;
  body: Fragment;
  /** Runs the script that fills the page. */
  live?: true;
  status?: number;
}

export function page({ title, body, live, status = 200 }: LivePage): Reply {
  const text = render(html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="stylesheet" href="/assets/site.css">
<link rel="stylesheet" href="/assets/listen.css">
<link rel="icon" href="data:,">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top"><div><a class="brand" href="/"><span aria-hidden="true">⇄</span> bake-off</a><nav aria-label="Site"><a href="/">New session</a></nav></div></header>
<main id="main" tabindex="-1">
${body}
</main>
<footer class="foot">A live responder of ipsec-bakeoff. Sessions know nothing of one another, and there are no accounts.</footer>
${live && html`<script src="/assets/listen.js"></script>\n`}</body>
</html>
`);
  return { status, type: HTML, body: text };
}
