import type { DocumentFacts } from "../../wire/documents/document.ts";

export const theFacts = {
  name: "the-document",
  title: "The title",
  // Newest first, of those that differ on the wire.
  revisions: [{ name: "the-revision", text: "the-document-the-revision" }],
  // The numbers it defines, as in esp-ping.ts beside this file. Those of other registries need a line there as well.
  codePoints: { NOTIFY: [] },
} as const satisfies DocumentFacts;
