/** The first page: what this is, and the form for a session. */
import { html, type Markup } from "../../../reports/site/markup.ts";
import { catalogue } from "../../run/catalogue.ts";
import type { Hub } from "../types.ts";
import { page } from "./layout.ts";
import type { Reply } from "./reply.ts";

/** A document that a participant may choose. */
export interface Choice {
  name: string;
  title: string | undefined;
}

/** All of them. To find their titles takes long the first time. */
export const choicesOf = (hub: Hub): Choice[] =>
  hub.documents().map((name) => ({ name, title: catalogue(name)?.title }));

export const startPage = (documents: readonly Choice[]): Reply =>
  page({
    title: "Dial in: ipsec-bakeoff",
    body: html`<section class="hero"><h1>Dial in with your IKEv2 implementation</h1>
<p class="prose">This end answers. You get an identity and a secret, you dial, and your page fills while the exchange goes on: every message decoded, what is wrong with it by which requirement, a capture and the keys to read it.</p>
<ol class="prose">
<li>Ask for a session below. Its page tells what to configure.</li>
<li>Dial as often as you like. Where you chose documents, each dial after the first plays their next test.</li>
<li>Look at the page. It can also make this end lie to you once, or dial you back.</li>
</ol></section>
${form(documents)}`,
  });

const form = (
  documents: readonly Choice[],
): Markup => html`<form class="card pad wish" method="post" action="/sessions">
<h2>New session</h2>
<p><label for="name">Name</label> <input id="name" name="name" maxlength="80" autocomplete="off" aria-describedby="name-why"><small id="name-why">As it shall stand in the organiser's matrix: your implementation and its version.</small></p>
<p><label for="address">Address that will dial</label> <input id="address" name="address" maxlength="45" autocomplete="off" aria-describedby="address-why"><small id="address-why">May be left empty. Where no other session names it, your dials are known by it from the first message on.</small></p>
${documents.length > 0 && choices(documents)}
<p><button type="submit">Make a session</button></p>
</form>`;

const choices = (
  documents: readonly Choice[],
): Markup => html`<fieldset><legend>Documents to be tested</legend>
<p class="soft">None: every message is judged all the same, and nothing unusual is done to you.</p>
<ul class="plain choices">${documents.map(choice)}</ul></fieldset>`;

const choice = ({ name, title }: Choice): Markup =>
  html`<li><label><input type="checkbox" name="documents" value="${name}"> ${name}${title !== undefined && html`<small>${title}</small>`}</label></li>\n`;
