import type { DocumentFacts } from "./document.ts";

const PRIVATE = "private: this harness (draft esp-ping)";
const PROTOTYPES = "prototypes, this harness (draft esp-ping)";

export const espPing = {
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
  codePoints: {
    NOTIFY: [
      { value: 51100, name: "ENCRYPTED_PING_SUPPORTED", state: "private use", document: PRIVATE },
      { value: 51101, name: "ESP_ECHO_SUPPORTED", state: "private use", document: PRIVATE },
    ],
    IP_PROTOCOL: [{ value: 144, name: "AGGFRAG", state: "assigned", document: "RFC 9347" }],
    // The registry has no range for private use.
    AGGFRAG_SUB_TYPE: [
      { value: 2, name: "ESP_ECHO_REQUEST", state: "requested", document: PROTOTYPES },
      { value: 3, name: "ESP_ECHO_REPLY", state: "requested", document: PROTOTYPES },
    ],
    RESERVED_SPI: [
      { value: 7, name: "ESP_ECHO_REQUEST", state: "requested", document: PROTOTYPES },
      { value: 8, name: "ESP_ECHO_REPLY", state: "requested", document: PROTOTYPES },
    ],
  },
} as const satisfies DocumentFacts;
