import type { DocumentFacts } from "../../wire/documents/document.ts";

export const theFacts = {
  name: "the-document",
  title: "The title",
  // Newest first, of those that differ on the wire.
  revisions: [{ name: "the-revision", text: "the-document-the-revision" }],
  // The numbers it defines, by registry, as in esp-ping.ts beside this file.
  codePoints: {},
} as const satisfies DocumentFacts;
