/** Lies about payload formats. */
import type { KeyPair } from "../../../harness/crypto/types.ts";
import { natHash } from "../../../harness/ike/nat.ts";
import { notifies, payload } from "../../../harness/ike/payloads.ts";
import type { Address } from "../../../harness/link/types.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
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
    const keyPair = (make: () => KeyPair): KeyPair => {
      const made = credulous(make());
      const pair = pairs.get(made.publicValue.length) ?? made;
      pairs.set(made.publicValue.length, pair);
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

export const payloadLies: readonly Lie[] = [
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
