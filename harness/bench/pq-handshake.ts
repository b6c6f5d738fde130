/** One handshake of the loss experiment: IKE_SA_INIT, IKE_INTERMEDIATE where there is ADDKE1, and IKE_AUTH. */
import { aesGcm } from "../crypto/encr-aead.ts";
import { ordinaryPolicy } from "../ike/policy.ts";
import { makePair, type PairOptions } from "../run/pair.ts";
import { type PqMethod, type ReadyPair, withReadyPair } from "./pq-methods.ts";

/** IPv4 and UDP headers. */
const HEADERS = 20 + 8;
const IKE_HEADER = 28;
/** Generic payload header, Fragment Number and Total Fragments (RFC 7383 section 2.5). */
const SKF_HEADER = 8;
const PAD_LENGTH = 1;

const CIPHER = aesGcm(256, 16);
const PROPOSAL = "aes256gcm16-prfsha256-x25519";

/** How long a request is sent again, as the endpoint does it. Milliseconds. */
export const RETRANSMISSION = {
  firstMs: ordinaryPolicy.retransmitMs,
  transmissions: ordinaryPolicy.retransmitTries,
  /** Of the exchange, from its first transmission on; each wait is twice the one before. */
  givesUpMs: ordinaryPolicy.retransmitMs * (2 ** ordinaryPolicy.retransmitTries - 1),
};
/** Of a handshake of three exchanges, whatever is lost. */
const LONGEST_MS = 3 * RETRANSMISSION.givesUpMs;

/** Most octets of inner payloads in a fragment that is to fit an IPv4 packet of `packet` octets, on UDP port 500 (RFC 7383 section 2.5.1). */
export function chunkFor(packet: number): number {
  const sealed = packet - HEADERS - IKE_HEADER - SKF_HEADER - CIPHER.ivLength - CIPHER.icvLength;
  return sealed - (sealed % CIPHER.blockSize) - PAD_LENGTH;
}

/** What is the same for all handshakes of one cell of the table. */
export interface Circumstances {
  method: PqMethod;
  /** Largest IP packet in octets. */
  packet: number;
  /** In percent; each packet is lost by itself. */
  loss: number;
  rttMs: number;
}

export interface Outcome {
  /** From the first packet until the initiator has its Child SA; not set if it never came to that. */
  delayMs?: number;
  /** Both ways until then, retransmissions too, with the headers of IP and UDP. */
  packets: number;
  octets: number;
}

function pairOptions(seed: string, at: Circumstances, ready: ReadyPair): PairOptions {
  const { method, packet, loss, rttMs } = at;
  const keyword = method.additional && `-ke1_${method.additional.keyword}`;
  return {
    seed,
    impairment: { loss: loss / 100, delayMs: rttMs / 2, maxInARow: Number.POSITIVE_INFINITY },
    config: { ikeProposals: [`${PROPOSAL}${keyword ?? ""}`], espProposals: ["aes256gcm16"] },
    // A responder that stays as long as its initiator tries: what fails, fails for what was lost.
    policies: { b: { halfOpenMs: LONGEST_MS } },
    fragmentation: { chunk: chunkFor(packet), timeoutMs: RETRANSMISSION.givesUpMs },
    extensions: (end) => (method.additional ? [withReadyPair(end, ready)] : []),
  };
}

/** Equal seeds lose the same packets, and at a higher rate more beside them. */
export function lossyHandshake(seed: string, at: Circumstances, ready: ReadyPair): Outcome {
  const outcome: Outcome = { packets: 0, octets: 0 };
  let over = false;
  const { a, network, addresses } = makePair({
    ...pairOptions(seed, at, ready),
    event: (_, event) => {
      if (event.type !== "datagram-sent" || over) return;
      const octets = event.datagram.data.length + HEADERS;
      if (octets > at.packet) throw new Error(`a packet of ${octets} octets, where ${at.packet} is the most`);
      outcome.packets += 1;
      outcome.octets += octets;
    },
  });
  a.endpoint.connect(addresses.a, addresses.b, ({ child }) => {
    over = true;
    if (child) outcome.delayMs = network.clock.now();
  });
  a.settle();
  network.run(LONGEST_MS);
  return outcome;
}
