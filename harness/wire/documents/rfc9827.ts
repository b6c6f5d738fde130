import type { DocumentFacts } from "./document.ts";

export const rfc9827: DocumentFacts = {
  name: "rfc9827",
  title: "Renaming the Extended Sequence Numbers (ESN) Transform Type in IKEv2",
  revisions: [],
};
