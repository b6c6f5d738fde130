/** Thirty changes, each in one place, and the one difference each of them is. */
import { fromHex } from "../../harness/wire/bytes.ts";
import { CFG_ATTRIBUTE } from "../../harness/wire/registry/cfg-attributes.ts";
import { EAP_TYPE } from "../../harness/wire/registry/eap.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { ID_TYPE } from "../../harness/wire/registry/id-types.ts";
import { KE } from "../../harness/wire/registry/ke.ts";
import { NOTIFY } from "../../harness/wire/registry/notify-types.ts";
import { TRANSFORM } from "../../harness/wire/registry/transform-types.ts";
import type { NotifyPayload, Payload, Proposal, Transform } from "../../harness/wire/types.ts";
import { type Draft, Editor, type Which } from "./edit.ts";
import type { Conversation, Recording } from "./recording.ts";

export interface Planted {
  name: string;
  conversation: Conversation;
  /** Kind and path of the difference. */
  expected: string;
  plant: (recording: Recording) => Recording;
}

const PLAIN: Conversation = { name: "plain", acts: ["ping", "liveness", "rekey child", "delete"] };
const EAP: Conversation = {
  name: "EAP",
  config: { testerAuth: { method: "eap", type: "mschapv2" } },
  acts: ["ping"],
};
const ADDRESSES: Conversation = {
  name: "addresses",
  config: { addressPools: ["203.0.113.64/28"] },
  acts: ["ping"],
};
const ROUNDS: Conversation = {
  name: "rounds",
  config: { ikeProposals: ["aes256-sha256-x25519-ke1_mlkem512-ke2_ecp256"] },
  acts: ["ping"],
};

const INIT: Which = { exchange: EXCHANGE.IKE_SA_INIT };
const INIT_RESPONSE: Which = { ...INIT, isResponse: true };
const AUTH: Which = { exchange: EXCHANGE.IKE_AUTH };
const AUTH_RESPONSE: Which = { ...AUTH, isResponse: true };
const CHILD: Which = { exchange: EXCHANGE.CREATE_CHILD_SA };
const LIVENESS: Which = { exchange: EXCHANGE.INFORMATIONAL };
const DELETE_CHILD: Which = { exchange: EXCHANGE.INFORMATIONAL, number: 2 };
const response = (which: Which): Which => ({ ...which, isResponse: true });

/** Changes one message. */
const changed =
  (which: Which, edit: (draft: Draft) => void) =>
  (recording: Recording): Recording =>
    new Editor(recording).change(which, edit);

type Kind = Payload["kind"];
type Of<K extends Kind> = Extract<Payload, { kind: K }>;

/** Changes one payload, inside of SK where there is one. */
const inPayload = <K extends Kind>(which: Which, kind: K, edit: (payload: Of<K>) => void) =>
  changed(which, (draft) => edit(find(draft, kind)));

const listOf = (draft: Draft): Payload[] => draft.inner ?? draft.clear;

function find<K extends Kind>(draft: Draft, kind: K): Of<K> {
  const found = listOf(draft).find((payload): payload is Of<K> => payload.kind === kind);
  if (!found) throw new Error(`there is no ${kind} payload`);
  return found;
}

/** Leaves out the first payload of a type. */
const without = (which: Which, type: number) =>
  changed(which, (draft) => {
    const list = listOf(draft);
    list.splice(
      list.findIndex((payload) => payload.type === type),
      1,
    );
  });

/** Swaps the places of two payloads. */
const swapped = (which: Which, first: number, second: number) =>
  changed(which, (draft) => {
    const list = listOf(draft);
    const [one, other] = [list[first]!, list[second]!];
    list[first] = other;
    list[second] = one;
  });

const inProposal = (which: Which, edit: (proposal: Proposal) => void) =>
  inPayload(which, "SA", ({ proposals: [proposal] }) => edit(proposal!));

const inTransform = (which: Which, type: number, edit: (transform: Transform) => void) =>
  inProposal(which, ({ transforms }) => edit(transforms.find((transform) => transform.type === type)!));

const notify = (notifyType: number, data = new Uint8Array(0)): NotifyPayload => ({
  ...{ kind: "Notify", type: 41, protocolId: 0, spi: new Uint8Array(0), notifyType, data },
});

const added = (which: Which, payload: Payload) => changed(which, (draft) => listOf(draft).push(payload));

const INIT_LABEL = "IKE_SA_INIT request";
const AUTH_LABEL = "IKE_AUTH request > SK";

const ofProposals: Planted[] = [
  {
    name: "key length inside of SK",
    conversation: PLAIN,
    expected: `changed ${AUTH_LABEL} > SA > proposal 1 > transform ENCR > key length`,
    plant: inTransform(AUTH, TRANSFORM.ENCR, (encr) => {
      encr.attributes[0]!.value = 128;
    }),
  },
  {
    name: "another PRF is chosen",
    conversation: PLAIN,
    expected: "changed IKE_SA_INIT response > SA > proposal 1 > transform PRF > id",
    plant: inTransform(INIT_RESPONSE, TRANSFORM.PRF, (prf) => {
      prf.id = 7;
    }),
  },
  {
    name: "one more group in front of the others",
    conversation: PLAIN,
    expected: `added ${INIT_LABEL} > SA > proposal 1 > transform KE MODP3072`,
    plant: inProposal(INIT, ({ transforms }) => {
      transforms.splice(2, 0, { type: TRANSFORM.KE, id: KE.MODP3072, attributes: [] });
    }),
  },
  {
    name: "the first proposal is left out",
    conversation: PLAIN,
    expected: `missing ${INIT_LABEL} > SA > proposal 1`,
    plant: inPayload(INIT, "SA", ({ proposals }) => {
      proposals.shift();
      for (const [index, proposal] of proposals.entries()) proposal.number = index + 1;
    }),
  },
  {
    name: "two proposals change places",
    conversation: PLAIN,
    expected: `reordered ${AUTH_LABEL} > SA`,
    plant: inPayload(AUTH, "SA", (sa) => {
      sa.proposals.unshift(...sa.proposals.splice(1, 1));
      for (const [index, proposal] of sa.proposals.entries()) proposal.number = index + 1;
    }),
  },
  {
    name: "another group in KE",
    conversation: PLAIN,
    expected: `changed ${INIT_LABEL} > KE > group`,
    plant: inPayload(INIT, "KE", (ke) => {
      ke.group = KE.ECP256;
    }),
  },
];

const ofPayloads: Planted[] = [
  {
    name: "order in clear",
    conversation: PLAIN,
    expected: `reordered ${INIT_LABEL}`,
    plant: swapped(INIT, 1, 2),
  },
  {
    name: "order inside of SK",
    conversation: PLAIN,
    expected: "reordered IKE_AUTH response > SK",
    plant: swapped(AUTH_RESPONSE, 0, 1),
  },
  {
    name: "critical bit",
    conversation: PLAIN,
    expected: `changed ${INIT_LABEL} > Nonce > critical bit`,
    plant: inPayload(INIT, "Nonce", (nonce) => {
      nonce.critical = true;
    }),
  },
  {
    name: "reserved bits inside of SK",
    conversation: PLAIN,
    expected: `changed ${AUTH_LABEL} > IDi > reserved bits`,
    plant: inPayload(AUTH, "ID", (id) => {
      id.reserved = 1;
    }),
  },
  {
    name: "shorter nonce",
    conversation: PLAIN,
    expected: "changed IKE_SA_INIT response > Nonce > data",
    plant: inPayload(INIT_RESPONSE, "Nonce", (nonce) => {
      nonce.data = nonce.data.subarray(0, 16);
    }),
  },
  {
    name: "a notification more in clear",
    conversation: PLAIN,
    expected: "added IKE_SA_INIT response > N(REDIRECT_SUPPORTED)",
    plant: added(INIT_RESPONSE, notify(NOTIFY.REDIRECT_SUPPORTED)),
  },
  {
    name: "a notification more inside of SK",
    conversation: PLAIN,
    expected: `added ${AUTH_LABEL} > N(INITIAL_CONTACT)`,
    plant: added(AUTH, notify(NOTIFY.INITIAL_CONTACT)),
  },
  {
    name: "no NAT detection",
    conversation: PLAIN,
    expected: `missing ${INIT_LABEL} > N(NAT_DETECTION_SOURCE_IP)`,
    plant: without(INIT, 41),
  },
  {
    name: "no IDr",
    conversation: PLAIN,
    expected: `missing ${AUTH_LABEL} > IDr`,
    plant: without(AUTH, 36),
  },
  {
    name: "two SPIs in Delete",
    conversation: PLAIN,
    expected: "added INFORMATIONAL request #2 > SK > D(ESP) > SPI 2",
    plant: inPayload(DELETE_CHILD, "Delete", ({ spis }) => {
      spis.push(fromHex("c0ffee01"));
    }),
  },
];

const ofContents: Planted[] = [
  {
    name: "start port",
    conversation: PLAIN,
    expected: `changed ${AUTH_LABEL} > TSi > selector 1 > start port`,
    plant: inPayload(AUTH, "TS", ({ selectors: [selector] }) => {
      selector!.startPort = 500;
    }),
  },
  {
    name: "one more selector in front",
    conversation: PLAIN,
    expected: `added ${AUTH_LABEL} > TSi > selector 1`,
    plant: inPayload(AUTH, "TS", ({ selectors }) => {
      selectors.unshift({ ...selectors[0]!, startPort: 443, endPort: 443, ipProtocol: 6 });
    }),
  },
  {
    name: "another identity",
    conversation: PLAIN,
    expected: `changed ${AUTH_LABEL} > IDi > data`,
    plant: inPayload(AUTH, "ID", (id) => {
      id.data = Buffer.from("planted.example");
    }),
  },
  {
    name: "another type of identity",
    conversation: PLAIN,
    expected: "changed IKE_AUTH response > SK > IDr > ID type",
    plant: inPayload(AUTH_RESPONSE, "ID", (id) => {
      id.idType = ID_TYPE.ID_RFC822_ADDR;
    }),
  },
  {
    name: "another way to authenticate",
    conversation: PLAIN,
    expected: `changed ${AUTH_LABEL} > AUTH > method`,
    plant: inPayload(AUTH, "AUTH", (auth) => {
      auth.method = 13;
    }),
  },
  {
    name: "another inner address",
    conversation: ADDRESSES,
    expected: "changed IKE_AUTH response > SK > CP > INTERNAL_IP4_ADDRESS > value",
    plant: inPayload(AUTH_RESPONSE, "CP", ({ attributes }) => {
      const address = attributes.find(({ type }) => type === CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS);
      if (address) address.data = fromHex("cb0071fe");
    }),
  },
  {
    name: "another EAP method",
    conversation: EAP,
    expected: "changed IKE_AUTH response #2 > SK > EAP > type",
    plant: inPayload({ ...AUTH_RESPONSE, number: 2 }, "EAP", (eap) => {
      eap.data = Uint8Array.of(EAP_TYPE.GTC, ...eap.data.subarray(1));
    }),
  },
];

const ofMessages: Planted[] = [
  {
    name: "flags",
    conversation: PLAIN,
    expected: "changed CREATE_CHILD_SA request > header > flags",
    plant: changed(CHILD, ({ header }) => {
      header.flags |= 0x40;
    }),
  },
  {
    name: "in fragments",
    conversation: PLAIN,
    expected: `changed ${AUTH_LABEL} > fragments`,
    plant: changed(AUTH, (draft) => {
      draft.inFragments = true;
    }),
  },
  {
    name: "no liveness check",
    conversation: PLAIN,
    expected: "missing INFORMATIONAL exchange",
    plant: (recording) => new Editor(recording).drop(LIVENESS, response(LIVENESS)),
  },
  {
    name: "no response",
    conversation: PLAIN,
    expected: "missing CREATE_CHILD_SA response",
    plant: (recording) => new Editor(recording).drop(response(CHILD)),
  },
  {
    name: "a round less",
    conversation: ROUNDS,
    expected: "missing IKE_INTERMEDIATE exchange #2",
    plant: (recording) => {
      const second: Which = { exchange: EXCHANGE.IKE_INTERMEDIATE, number: 2 };
      return new Editor(recording).drop(second, response(second));
    },
  },
];

const ofEsp: Planted[] = [
  {
    name: "next header in ESP",
    conversation: PLAIN,
    expected: "changed ESP SA from initiator > inner packets",
    plant: (recording) =>
      new Editor(recording).changeEsp((draft) => {
        draft.nextHeader = 41;
      }),
  },
  {
    name: "ESP in UDP",
    conversation: PLAIN,
    expected: "changed ESP SA from responder > encapsulation",
    plant: (recording) => {
      const host = recording.packets[0]?.source.host;
      return new Editor(recording).changePackets((packet) => {
        if (packet.protocol !== "esp" || packet.source.host === host) return packet;
        const [source, destination] = [packet.source, packet.destination].map((end) => ({
          ...end,
          port: 4500,
        }));
        return { ...packet, protocol: "udp", source: source!, destination: destination! };
      });
    },
  },
];

export const PLANTED: readonly Planted[] = [
  ...ofProposals,
  ...ofPayloads,
  ...ofContents,
  ...ofMessages,
  ...ofEsp,
];
