/** Lies about payload formats. */
import { payload } from "../../../harness/ike/payloads.ts";
import { type Lie, lie } from "./lie.ts";
import { decides, eachPayload } from "./tools.ts";

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

export const payloadLies: readonly Lie[] = [
  ...nonces,
  ...addresses,
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
