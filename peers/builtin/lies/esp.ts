/** Lies about ESP. */
import type { EspExtension, OutgoingEsp } from "../../../harness/esp/hooks.ts";
import {
  type DropReason,
  type InboundOptions,
  InboundSa,
  type OpenResult,
} from "../../../harness/esp/inbound.ts";
import type { ChildSa } from "../../../harness/ike/child.ts";
import { hasNotify } from "../../../harness/ike/payloads.ts";
import { readU32 } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../../harness/wire/registry/transform-types.ts";
import type { Transform } from "../../../harness/wire/types.ts";
import { type LieBehaviour, lie } from "./lie.ts";
import { eachPayload, inMessage } from "./tools.ts";

type Incoming = NonNullable<EspExtension["incoming"]>;

const receiving = (incoming: Incoming): LieBehaviour => ({ esp: { incoming } });
const sending = (outgoing: (packet: OutgoingEsp) => void): LieBehaviour => ({ esp: { outgoing } });
/** Changes a Child SA before it is used. */
const inSa = (childEstablished: (child: ChildSa) => void): LieBehaviour => ({ ike: { childEstablished } });

/** Drops what is right. */
const dropped = (reason: DropReason): OpenResult => ({ ok: false, reason, detail: "a lie" });

/** Delivers what has to be dropped for this reason, opened again with these options. */
const deliver = (options: Partial<InboundOptions>, wrong: (reason: DropReason, detail: string) => boolean) =>
  receiving((result, reopen) =>
    !result.ok && wrong(result.reason, result.detail) ? reopen(options) : result,
  );

/** Receives nothing any more once something came. */
function stopsAt(trigger: (result: OpenResult) => boolean): LieBehaviour {
  let stopped = false;
  return receiving((result) => {
    stopped ||= trigger(result);
    return stopped ? dropped("spi") : result;
  });
}

const noWindow = { window: { enabled: false } };
const high = (sequence: bigint) => sequence >> 32n;

/** Answers CREATE_CHILD_SA with the whole offer where it finds nothing in it. */
const takesWhatItRefuses = (): LieBehaviour => ({
  ike: {
    outgoing: (message) => {
      const asked = message.request?.payloads.find((p) => p.kind === "SA");
      const refuses = hasNotify(message.payloads, NOTIFY.NO_PROPOSAL_CHOSEN);
      if (message.header.exchangeType === EXCHANGE.CREATE_CHILD_SA && asked && refuses) {
        message.payloads = [asked];
      }
    },
  },
});

const DES: Transform = { type: TRANSFORM.ENCR, id: 2, attributes: [] };
const AES_GMAC: Transform = { type: TRANSFORM.ENCR, id: 21, attributes: [{ type: 14, value: 128 }] };

/** Changes the transforms of its ESP proposals in CREATE_CHILD_SA. */
const inEspProposals = (which: "request" | "response", change: (transforms: Transform[]) => Transform[]) =>
  inMessage(
    EXCHANGE.CREATE_CHILD_SA,
    eachPayload("SA", (sa) => {
      for (const p of sa.proposals) if (p.protocolId === PROTOCOL.ESP) p.transforms = change(p.transforms);
    }),
    which,
  );

const keys = [
  lie("swaps-child-keys", "ESP-KEY-01", "KEYMAT cut in the wrong order: nothing opens", () =>
    inSa((child) => Object.assign(child, { keysIn: child.keysOut, keysOut: child.keysIn })),
  ),
  lie("zeroes-the-salt", "ESP-GCM-05", "a salt of zeros in every nonce", () =>
    inSa((child) => {
      const { saltLength } = child.encr;
      for (const { encr } of [child.keysIn, child.keysOut]) encr.fill(0, encr.length - saltLength);
    }),
  ),
  lie("cuts-icv-to-96-bits", "ESP-HMAC-01", "12 octets of ICV for every HMAC", () =>
    inSa((child) => {
      const { integ } = child;
      if (!integ) return;
      const compute = (key: Uint8Array, data: Uint8Array) => integ.compute(key, data).slice(0, 12);
      child.integ = { ...integ, icvLength: 12, compute };
    }),
  ),
  lie("cuts-the-icv-of-gmac", "ESP-GMAC-02", "12 octets of ICV for AES-GMAC", () =>
    inSa((child) => {
      const { encr } = child;
      const seal: typeof encr.seal = (...input) => encr.seal(...input).slice(0, -4);
      child.encr = { ...encr, icvLength: 12, seal };
    }),
  ),
  lie("leaves-high-bits-out-of-icv", "ESP-10", "ESN negotiated, ICV as without", () =>
    inSa((child) => {
      child.esn = false;
    }),
  ),
  lie("repeats-iv", "ESP-GCM-01", "every packet has the IV of zeros", () => {
    let ivLength = 0;
    return {
      ...inSa((child) => {
        ivLength = child.encr.ivLength;
      }),
      ...sending((packet) => {
        packet.options.iv = new Uint8Array(ivLength);
      }),
    };
  }),
  lie(
    "chains-cbc-iv",
    "ESP-CBC-01",
    "the IV is the last block of the packet before (ICV of 32 octets)",
    () => {
      let last = new Uint8Array(16);
      return sending((packet) => {
        packet.options.iv = last;
        packet.octets = (sealed) => {
          last = sealed.slice(-48, -32);
          return [sealed];
        };
      });
    },
  ),
  lie("accepts-null-with-no-integrity", "ESP-01", "chooses NULL without integrity", takesWhatItRefuses),
  lie("accepts-forbidden-algorithms", "ESP-ALG-02", "takes an offer of DES", takesWhatItRefuses),
  lie("offers-des-for-esp", "ESP-ALG-02", "DES beside the ciphers of its offers", () => ({
    ike: { outgoing: inEspProposals("request", (transforms) => [DES, ...transforms]) },
  })),
  lie("chooses-gmac-beside-a-cipher", "ESP-GMAC-04", "two ciphers in its choice", () => ({
    ike: { outgoing: inEspProposals("response", (transforms) => [...transforms, AES_GMAC]) },
  })),
  lie("chooses-a-reserved-spi", "ESP-02", "SPI 1 in its SA payload", () => ({
    ike: {
      outgoing: eachPayload("SA", (sa) => {
        for (const p of sa.proposals) if (p.spi.length === 4) p.spi = Uint8Array.of(0, 0, 0, 1);
      }),
    },
  })),
];

const numbers = [
  lie("starts-sequence-at-zero", "ESP-05", "its first packet has number 0", () => {
    let count = 0n;
    return sending((packet) => {
      packet.options.sequence = count++;
    });
  }),
  lie("skips-sequence-numbers", "ESP-05", "1, 3, 5...", () => {
    let count = -1n;
    return sending((packet) => {
      count += 2n;
      packet.options.sequence = count;
    });
  }),
  lie("delivers-duplicates", "ESP-32", "takes a number twice", () =>
    deliver(noWindow, (reason, detail) => reason === "replay" && detail.startsWith("duplicate")),
  ),
  lie("delivers-old-numbers", "ESP-36", "takes numbers left of its window", () =>
    deliver(noWindow, (reason, detail) => reason === "replay" && detail.startsWith("old")),
  ),
  lie("delivers-number-zero", "ESP-35", "takes sequence number 0", () =>
    deliver(noWindow, (reason) => reason === "sequence-zero"),
  ),
  lie("moves-window-before-icv", "ESP-38", "a forged number blocks all that are lower", () =>
    receiving((result, _reopen, { packet, sa }) => {
      if (!result.ok && result.reason === "icv" && sa instanceof InboundSa)
        sa.window.update(0, readU32(packet, 4));
      return result;
    }),
  ),
  lie("keeps-a-window-of-16", "ESP-39", "drops what is 16 or more behind", () => {
    let top = 0n;
    return receiving((result) => {
      if (!result.ok) return result;
      if (result.sequence > top) top = result.sequence;
      return top - result.sequence < 16n ? result : dropped("replay");
    });
  }),
  lie("takes-only-the-next-numbers", "ESP-35", "drops what jumps ahead by more than 64", () => {
    let top = 0n;
    return receiving((result) => {
      if (!result.ok) return result;
      if (result.sequence > top + 64n) return dropped("replay");
      if (result.sequence > top) top = result.sequence;
      return result;
    });
  }),
  lie("forgets-high-bits", "ESP-10", "drops everything behind 2^32", () =>
    receiving((result) => (result.ok && high(result.sequence) > 0n ? dropped("icv") : result)),
  ),
  lie("forgets-the-number-before-the-boundary", "ESP-10", "drops what is late across 2^32", () => {
    let crossed = false;
    return receiving((result) => {
      if (!result.ok) return result;
      crossed ||= high(result.sequence) > 0n;
      return crossed && high(result.sequence) === 0n ? dropped("icv") : result;
    });
  }),
];

const trailer = [
  lie("pads-with-zeros", "ESP-14", "padding 0, 0, 0...", () =>
    sending((packet) => {
      packet.options.mutatePlaintext = (plaintext) => {
        const end = plaintext.length - 2;
        return plaintext.fill(0, end - plaintext[end]!, end);
      };
    }),
  ),
  lie("pads-to-the-octet", "ESP-13", "no padding, where the cipher lets it", () =>
    sending((packet) => {
      packet.options.padding = new Uint8Array();
    }),
  ),
  lie("refuses-long-padding", "ESP-12", "drops more than 16 octets of padding", () =>
    receiving((result) => (result.ok && result.padding.length > 16 ? dropped("padding") : result)),
  ),
  lie("stops-at-wrong-padding", "ESP-15", "receives nothing behind a packet with wrong padding", () =>
    stopsAt((result) => !result.ok && result.reason === "padding"),
  ),
  lie("stops-at-wrong-pad-length", "ESP-12", "receives nothing behind a Pad Length beyond the packet", () =>
    stopsAt((result) => !result.ok && result.reason === "length"),
  ),
  lie("stops-at-short-packets", "ESP-41", "receives nothing behind a packet with no room for its parts", () =>
    stopsAt((result) => !result.ok && result.reason === "short"),
  ),
  lie("delivers-dummy-packets", "ESP-18", "acts on the body of a packet with Next Header 59", () =>
    receiving((result) => (result.ok && result.dummy ? { ...result, dummy: false, nextHeader: 4 } : result)),
  ),
  lie("stops-at-dummy-packets", "ESP-43", "receives nothing behind a dummy packet", () =>
    stopsAt((result) => result.ok && result.dummy),
  ),
  lie("drops-tfc-padding", "ESP-23", "drops packets with octets behind the inner one", () =>
    receiving((result) => (result.ok && result.tfcLength > 0 ? dropped("length") : result)),
  ),
  lie("adds-tfc-padding-unasked", "ESP-21", "TFC padding although the notify forbids it", () =>
    sending((packet) => {
      packet.options.tfc = 20;
    }),
  ),
];

const outbound = [
  lie("applies-transport-mode-to-fragments", "ESP-28", "cuts a long datagram before it is sealed", () =>
    sending((packet) => {
      packet.payload = packet.payload.subarray(0, 1480);
    }),
  ),
  lie("sends-an-spi-of-zero-in-udp", "ESP-NAT-01", "a copy of each packet with SPI 0", () =>
    sending((packet) => {
      packet.octets = (sealed) => [sealed, sealed.slice().fill(0, 0, 4)];
    }),
  ),
];

const protection = [
  lie("ignores-icv", "ESP-41", "delivers packets whatever their ICV", () =>
    deliver({ checkIcv: false, window: { enabled: false } }, (reason) => reason === "icv"),
  ),
  lie("leaks-a-packet-in-clear", "ESP-24", "its second packet leaves in clear, too", () => {
    let count = 0;
    return sending((packet) => {
      packet.leak = ++count === 2;
    });
  }),
  lie("reflects-strays", "ESP-31", "sends back what belongs to no SA", () => ({
    esp: { stray: (octets) => [octets.slice()] },
  })),
  lie("refuses-esp-in-udp", "ESP-NAT-06", "takes raw ESP only", () =>
    receiving((result, _reopen, { datagram }) => (datagram.protocol === "udp" ? dropped("spi") : result)),
  ),
  lie("refuses-plain-esp", "IKEV2-208", "takes ESP in UDP only", () =>
    receiving((result, _reopen, { datagram }) => (datagram.protocol === "esp" ? dropped("spi") : result)),
  ),
  lie("delivers-outside-the-selectors", "ESP-48", "no check of the inner addresses", () =>
    inSa((child) => {
      const all = { startAddress: new Uint8Array(4), endAddress: new Uint8Array(4).fill(255) };
      child.localTs = child.localTs.map((ts) => ({ ...ts, ...all }));
      child.remoteTs = child.remoteTs.map((ts) => ({ ...ts, ...all }));
    }),
  ),
];

export const espLies = [...keys, ...numbers, ...trailer, ...outbound, ...protection];
