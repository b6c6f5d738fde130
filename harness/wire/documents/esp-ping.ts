import type { DocumentFacts } from "./document.ts";

export const espPing: DocumentFacts = {
  name: "esp-ping",
  title: "ESP Echo Protocol",
  revisions: [
    {
      name: "M",
      text: "draft-ietf-ipsecme-encrypted-esp-ping-04 and -05, read in its merge text of August 2026",
    },
    { name: "E3", text: "draft-ietf-ipsecme-encrypted-esp-ping-03" },
    { name: "E2", text: "draft-ietf-ipsecme-encrypted-esp-ping-00 to -02" },
    { name: "C", text: "draft-ietf-ipsecme-esp-ping-00 and -01" },
    { name: "C0", text: "draft-colitti-esp-ping-00" },
    { name: "K", text: "the prototype for Linux and strongSwan" },
  ],
};
