import type { DocumentFacts } from "./document.ts";

const PRIVATE = "private: this harness (draft anti-replay-subspaces)";

export const antiReplaySubspaces = {
  name: "anti-replay-subspaces",
  title: "IPsec and IKE anti-replay sequence number subspaces",
  revisions: [{ name: "03", text: "draft-ponchon-ipsecme-anti-replay-subspaces-03" }],
  provisional: "the notification and the ESP header: the body of the draft could not be read",
  codePoints: {
    NOTIFY: [{ value: 51120, name: "ANTI_REPLAY_SUBSPACES", state: "private use", document: PRIVATE }],
  },
} as const satisfies DocumentFacts;
