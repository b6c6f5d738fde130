import type { DocumentFacts } from "./document.ts";

export const gIkev2: DocumentFacts = {
  name: "g-ikev2",
  title: "Group Key Management Using IKEv2 (RFC 9838)",
  revisions: [],
};
