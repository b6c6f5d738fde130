/** Planted breaches: key exchange, nonces, traffic selectors. */
import { u16 } from "../../../../wire/bytes.ts";
import { NOTIFY } from "../../../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../../wire/registry/payload-types.ts";
import { TRANSFORM } from "../../../../wire/registry/transform-types.ts";
import { notify, ts } from "../payloads.ts";
import { refusal, whole, withOtherGroup } from "./conversations.ts";
import { add, drop, message, type Planted, payload, proposal, swap, transform } from "./rows.ts";

const { KE } = TRANSFORM;

const inKe: Planted[] = [
  {
    rule: "modp-value-not-padded",
    of: withOtherGroup,
    change: (said) => {
      payload(said, 1, "KE").data = new Uint8Array(255);
    },
    at: "1 @92 KE > data",
  },
  {
    rule: "ke-group-not-in-sa",
    of: whole,
    change: (said) => {
      for (const at of [1, 2]) payload(said, at, "KE").group = 32;
      said.splice(1, 13, refusal(notify(NOTIFY.INVALID_KE_PAYLOAD, u16(31))));
    },
    at: "1 @116 KE > group",
  },
  {
    rule: "ke-group-not-in-sa",
    is: "IKEV2-014",
    of: whole,
    change: (said) => {
      payload(said, 5, "KE").group = 32;
      message(said, 6).payloads = [notify(NOTIFY.NO_PROPOSAL_CHOSEN)];
      said.splice(6);
    },
    at: "5 @SK+104 KE > group",
  },
  {
    rule: "ke-without-group-in-sa",
    of: whole,
    change: (said) => {
      for (const at of [5, 6])
        proposal(said, at).transforms = proposal(said, at).transforms.filter(({ type }) => type !== KE);
      drop(said, 6, "KE");
    },
    at: "5 @SK+92 KE",
  },
  {
    rule: "ke-without-group-in-sa",
    is: "IKEV2-252",
    of: whole,
    change: (said) => {
      proposal(said, 5).transforms.push({ type: KE, id: 0, attributes: [] });
      proposal(said, 6).transforms = proposal(said, 6).transforms.filter(({ type }) => type !== KE);
    },
    at: "6 @SK+80 KE",
  },
  {
    rule: "chosen-group-not-of-ke",
    of: whole,
    change: (said) => {
      proposal(said, 5).transforms.push({ type: KE, id: 32, attributes: [] });
      transform(said, 6, KE).id = 32;
      Object.assign(payload(said, 6, "KE"), { group: 32, data: new Uint8Array(56) });
    },
    at: "6 @SK+92 KE > group",
  },
  {
    rule: "ike-rekey-without-ke",
    of: whole,
    change: (said) => {
      drop(said, 9, "KE");
      message(said, 10).payloads = [notify(NOTIFY.INVALID_SYNTAX)];
      said.splice(10);
    },
    at: "9 KE",
  },
  {
    rule: "ike-rekey-without-ke",
    is: "IKEV2-175",
    of: whole,
    change: (said) => drop(said, 10, "KE"),
    at: "10 KE",
  },
  {
    rule: "length-of-invalid-ke-payload",
    of: withOtherGroup,
    change: (said) => {
      payload(said, 2, "Notify").data = Uint8Array.of(31);
    },
    at: "2 @36 N(INVALID_KE_PAYLOAD) > data",
  },
  {
    rule: "invalid-ke-payload-names-wrong-group",
    of: withOtherGroup,
    change: (said) => {
      payload(said, 2, "Notify").data = u16(21);
      said.splice(2);
    },
    at: "2 @36 N(INVALID_KE_PAYLOAD) > data",
  },
  {
    rule: "invalid-ke-payload-names-wrong-group",
    is: "IKEV2-015",
    of: whole,
    change: (said) => {
      message(said, 6).payloads = [notify(NOTIFY.INVALID_KE_PAYLOAD, u16(31))];
      said.splice(6);
    },
    at: "6 @SK+8 N(INVALID_KE_PAYLOAD) > data",
  },
  {
    rule: "nonce-size",
    of: whole,
    change: (said) => {
      payload(said, 2, "Nonce").data = new Uint8Array(15);
    },
    at: "2 @120 NONCE > data",
  },
  {
    rule: "nonce-shorter-than-half-the-prf-key",
    of: whole,
    change: (said) => {
      payload(said, 1, "Nonce").data = new Uint8Array(24);
    },
    at: "1 @156 NONCE > data",
  },
  {
    rule: "nonce-reused",
    of: whole,
    change: (said) => {
      payload(said, 5, "Nonce").data.fill(1);
    },
    at: "5 @SK+68 NONCE > data",
  },
];

const inTs: Planted[] = [
  {
    rule: "ports-of-any-protocol",
    of: whole,
    change: (said) => {
      for (const at of [3, 4]) Object.assign(payload(said, at, "TS").selectors[0] ?? {}, { endPort: 80 });
    },
    at: "3 @SK+150 TSi > selector 1 > ports",
    also: ["ports-of-any-protocol"],
  },
  {
    rule: "ports-backwards",
    of: whole,
    change: (said) => {
      Object.assign(payload(said, 3, "TS").selectors[0] ?? {}, { ipProtocol: 6, startPort: 80, endPort: 70 });
      message(said, 4).payloads = message(said, 4)
        .payloads.slice(0, 2)
        .concat(notify(NOTIFY.TS_UNACCEPTABLE));
      said.splice(4);
    },
    at: "3 @SK+150 TSi > selector 1 > ports",
  },
  {
    rule: "selectors-wider-than-offered",
    of: whole,
    change: (said) => {
      swap(said, 4, "TS", ts(PAYLOAD.TSi, "c0000200", "c00003ff"), ts(PAYLOAD.TSr, "c6336400", "c63364ff"));
      said.splice(4);
    },
    at: "4 @SK+125 TSi > selector 1",
  },
  {
    rule: "no-selector-in-response",
    of: whole,
    change: (said) => {
      payload(said, 4, "TS").selectors = [];
      said.splice(4);
    },
    at: "4 @SK+121 TSi > count",
  },
  {
    rule: "selectors-in-ike-rekey",
    of: whole,
    change: (said) => add(said, 9, ts(PAYLOAD.TSi, "c0000200", "c00002ff")),
    at: "9 @SK+132 TSi",
  },
  {
    rule: "rekey-offers-narrower-selectors",
    of: whole,
    change: (said) => {
      for (const at of [5, 6])
        swap(
          said,
          at,
          "TS",
          ts(PAYLOAD.TSi, "c0000200", "c000027f"),
          ts(PAYLOAD.TSr, "c6336400", "c63364ff"),
        );
    },
    at: "5 @SK+140 TSi",
  },
  {
    rule: "rekey-answered-with-narrower-selectors",
    of: whole,
    change: (said) =>
      swap(said, 6, "TS", ts(PAYLOAD.TSi, "c0000200", "c000027f"), ts(PAYLOAD.TSr, "c6336400", "c63364ff")),
    at: "6 @SK+128 TSi",
  },
];

export const plantedInKeyExchange: readonly Planted[] = [...inKe, ...inTs];
