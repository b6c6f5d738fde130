import type { DocumentFacts } from "./document.ts";

export const antiReplaySubspaces: DocumentFacts = {
  name: "anti-replay-subspaces",
  title: "IPsec and IKE anti-replay sequence number subspaces",
  revisions: [{ name: "03", text: "draft-ponchon-ipsecme-anti-replay-subspaces-03" }],
  provisional: "the notification and the ESP header: the body of the draft could not be read",
};
