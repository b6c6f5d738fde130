/** Lies about payload formats. */
import type { KeyPair } from "../../../harness/crypto/types.ts";
import type { Extension, IncomingMessage, OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { natHash } from "../../../harness/ike/nat.ts";
import { hasNotify, notifies, payload } from "../../../harness/ike/payloads.ts";
import type { Address } from "../../../harness/link/types.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import { FLAG, type Payload } from "../../../harness/wire/types.ts";
import { type Lie, lie } from "./lie.ts";
import { decides, eachPayload, inMessage } from "./tools.ts";

const nonces = [
  lie("insists-on-nonces-of-32-octets", "IKEV2-266", "drops messages with a nonce of another length", () => ({
    ike: {
      incoming: ({ payloads }) => {
        const nonce = payload(payloads, "Nonce");
        return nonce && nonce.data.length !== 32 ? "drop" : undefined;
      },
    },
  })),
  lie("repeats-its-nonce", "IKEV2-267", "the same nonce in every message", () => ({
    ike: {
      outgoing: eachPayload("Nonce", (nonce) => {
        nonce.data = new Uint8Array(32).fill(0x11);
      }),
    },
  })),
  lie("sends-nonces-of-16-octets", "IKEV2-148", "nonces of 16 octets, whatever the PRF", () => ({
    policy: (policy) => {
      policy.nonceLength = 16;
    },
  })),
];

const addresses = [
  lie("answers-to-port-500", "IKEV2-150", "responses go to port 500, wherever the request came from", () => ({
    ike: {
      outgoing: (message) => {
        const host = message.request?.datagram.source.host;
        if (host) message.destination = { host, port: 500 };
      },
    },
  })),
  lie(
    "answers-from-port-4500",
    "IKEV2-150",
    "responses leave from port 4500, wherever the request went to",
    () => ({
      ike: {
        outgoing: (message) => {
          const host = message.request?.datagram.destination.host;
          if (host) message.source = { host, port: 4500 };
        },
      },
    }),
  ),
];

const NO_SPI = new Uint8Array(8);

const nat = [
  lie(
    "hashes-addresses-without-spis",
    "IKEV2-204",
    "NAT detection hashes over addresses and ports alone",
    () => ({
      ike: {
        outgoing: inMessage(EXCHANGE.IKE_SA_INIT, ({ sa, payloads }) => {
          if (!sa) return;
          const change = (type: number, address: Address) => {
            for (const n of notifies(payloads, type)) n.data = natHash(NO_SPI, NO_SPI, address);
          };
          change(NOTIFY.NAT_DETECTION_SOURCE_IP, sa.local);
          change(NOTIFY.NAT_DETECTION_DESTINATION_IP, sa.remote);
        }),
      },
    }),
  ),
  lie("omits-nat-detection-destination-ip", "IKEV2-203", "one of the two notifies alone", () => ({
    ike: {
      outgoing: inMessage(EXCHANGE.IKE_SA_INIT, (message) => {
        message.payloads = message.payloads.filter(
          (p) => p.kind !== "Notify" || p.notifyType !== NOTIFY.NAT_DETECTION_DESTINATION_IP,
        );
      }),
    },
  })),
  decides("stays-on-port-500", "IKEV2-205", "does not move when it sees a NAT", { "NAT detected": "stay" }),
  decides("overlooks-a-nat", "IKEV2-209", "does not compare the hashes", { "NAT detection": "none" }),
];

/** Takes a value that the group refuses for the shared secret, as 0 and 1 are whatever our own key. */
const credulous = (pair: KeyPair): KeyPair => ({
  ...pair,
  derive: (peerPublic) => {
    const secret = pair.derive(peerPublic);
    return secret instanceof Uint8Array ? secret : peerPublic;
  },
});

const keyExchange = [
  lie("takes-any-ke-value", "IKEV2-315", "checks no public value, and has one key pair for ever", () => {
    const pairs = new Map<number, KeyPair>();
    const keyPair: Extension["keyPair"] = (make, _peerPublic, { id, respond }) => {
      // The two ends of a KEM have different things in their hands.
      if (respond) return make();
      const pair = pairs.get(id) ?? credulous(make());
      pairs.set(id, pair);
      return pair;
    };
    return { ike: { keyPair } };
  }),
  lie("shortens-its-ke-value", "IKEV2-253", "the public value as a number without its first octet", () => ({
    ike: {
      outgoing: eachPayload("KE", (ke) => {
        ke.data = ke.data.subarray(1);
      }),
    },
  })),
  lie(
    "answers-a-wrong-group-with-no-proposal-chosen",
    "IKEV2-015",
    "NO_PROPOSAL_CHOSEN in CREATE_CHILD_SA",
    () => ({
      ike: {
        outgoing: eachPayload("Notify", (n) => {
          if (n.notifyType === NOTIFY.INVALID_KE_PAYLOAD) n.notifyType = NOTIFY.NO_PROPOSAL_CHOSEN;
        }),
      },
    }),
  ),
  lie("names-the-group-in-four-octets", "IKEV2-016", "INVALID_KE_PAYLOAD with the group as 32 bits", () => ({
    ike: {
      outgoing: eachPayload("Notify", (n) => {
        if (n.notifyType === NOTIFY.INVALID_KE_PAYLOAD) n.data = Uint8Array.of(0, 0, ...n.data);
      }),
    },
  })),
];

/** A lie that does not see messages of which this holds. */
const drops = (
  name: string,
  breaks: string,
  effect: string,
  matches: (message: IncomingMessage) => boolean,
): Lie =>
  lie(name, breaks, effect, () => ({
    ike: { incoming: (message) => (matches(message) ? "drop" : undefined) },
  }));

/** A lie that changes the header of every message. */
const headers = (name: string, breaks: string, effect: string, change: (m: OutgoingMessage) => void): Lie =>
  lie(name, breaks, effect, () => ({ ike: { outgoing: change } }));

const isInit = ({ header }: OutgoingMessage): boolean => header.exchangeType === EXCHANGE.IKE_SA_INIT;

const header = [
  headers("inverts-the-i-flag", "IKEV2-227", "the I flag of the other side", (m) => {
    m.header = { ...m.header, flags: m.header.flags ^ FLAG.initiator };
  }),
  headers("sends-an-spir-in-its-first-request", "IKEV2-225", "SPIr is not zero in IKE_SA_INIT", (m) => {
    if (isInit(m) && !m.isResponse) m.header = { ...m.header, spiR: new Uint8Array(8).fill(7) };
  }),
  headers("sends-an-spii-of-zero", "IKEV2-224", "SPIi is zero in IKE_SA_INIT", (m) => {
    if (isInit(m) && !m.isResponse) m.header = { ...m.header, spiI: NO_SPI };
  }),
  headers("answers-with-an-spir-of-zero", "IKEV2-225", "SPIr is zero in the IKE_SA_INIT response", (m) => {
    if (isInit(m) && m.isResponse) m.header = { ...m.header, spiR: NO_SPI };
  }),
  headers(
    "counts-the-marker-in-length",
    "IKEV2-232",
    "Length is four octets more than the message has",
    (m) => {
      m.octets = (octets) => {
        const view = new DataView(octets.buffer, octets.byteOffset);
        view.setUint32(24, octets.length + 4);
        return [octets];
      };
    },
  ),
];

/** The types that the tests send; all others are left alone. */
const UNKNOWN_ERROR = 4000;
const UNKNOWN_STATUS = 60_000;

const has = ({ payloads }: IncomingMessage, type: number): boolean => hasNotify(payloads, type);

const unknownThings = [
  drops("drops-critical-payloads", "IKEV2-234", "drops messages with a critical payload, known or not", (m) =>
    m.payloads.some((p) => p.critical),
  ),
  drops("drops-requests-with-an-unknown-error-notify", "IKEV2-271", "does not ignore an unknown error", (m) =>
    has(m, UNKNOWN_ERROR),
  ),
  drops(
    "drops-requests-with-an-unknown-status-notify",
    "IKEV2-271",
    "does not ignore an unknown status",
    (m) => has(m, UNKNOWN_STATUS),
  ),
  drops(
    "drops-responses-with-an-unknown-status-notify",
    "IKEV2-271",
    "does not ignore an unknown status in a response",
    (m) => m.isResponse && has(m, UNKNOWN_STATUS),
  ),
  lie(
    "overlooks-unknown-errors-in-responses",
    "IKEV2-270",
    "an unknown error does not make a request fail",
    () => ({
      ike: {
        incoming: (m) => {
          const isError = (p: Payload) => p.kind === "Notify" && p.notifyType === UNKNOWN_ERROR;
          m.payloads = m.payloads.filter((p) => !isError(p));
          return undefined;
        },
      },
    }),
  ),
  drops(
    "minds-the-protocol-of-notifies-without-spi",
    "IKEV2-269",
    "drops them unless Protocol ID is 0",
    (m) => m.payloads.some((p) => p.kind === "Notify" && p.spi.length === 0 && p.protocolId !== 0),
  ),
  lie("sends-notifies-of-protocol-ike", "IKEV2-268", "Protocol ID 1 in notifies without SPI", () => ({
    ike: {
      outgoing: eachPayload("Notify", (n) => {
        if (n.spi.length === 0) n.protocolId = PROTOCOL.IKE;
      }),
    },
  })),
  drops("drops-messages-with-vendor-ids", "IKEV2-276", "does not ignore unknown Vendor IDs", (m) =>
    m.payloads.some((p) => p.kind === "VendorID"),
  ),
];

const encrypted = [
  decides("wants-minimal-padding", "IKEV2-281", "drops SK with more padding than its cipher needs", {
    "SK padding": "minimal only",
  }),
  decides("takes-any-pad-length", "IKEV2-281", "takes SK with a Pad Length beyond the plaintext for empty", {
    "SK padding": "overlook a bad Pad Length",
  }),
  decides("accepts-any-icv", "IKEV2-283", "does not look at the ICV of CBC ciphers", {
    "wrong ICV": "accept",
  }),
  decides("answers-wrong-icvs-in-clear", "IKEV2-283", "INVALID_SYNTAX in clear to what does not open", {
    "wrong ICV": "answer in clear",
  }),
  lie("repeats-the-iv-of-sk", "IKEV2-280", "an IV of zeros in every message", () => ({
    ike: {
      outgoing: ({ sa, seal }) => {
        seal.iv = new Uint8Array(sa?.suite?.encr.ivLength ?? 0);
      },
    },
  })),
];

export const payloadLies: readonly Lie[] = [
  ...header,
  ...unknownThings,
  ...encrypted,
  ...keyExchange,
  ...nonces,
  ...addresses,
  ...nat,
  decides(
    "accepts-malformed-messages",
    "IKEV2-272",
    "acts on malformed payloads as far as it can read them",
    {
      "malformed message": "accept",
      "unacceptable TS": "take own",
    },
  ),
];
