/** Planted breaches: ESP packets and what is negotiated for ESP. */
import { concat, u16, u32 } from "../../../wire/bytes.ts";
import { ENCR } from "../../../wire/registry/encr.ts";
import { NOTIFY } from "../../../wire/registry/notify-types.ts";
import { TRANSFORM } from "../../../wire/registry/transform-types.ts";
import type { Transform } from "../../../wire/types.ts";
import type { Seen, SeenEsp } from "../../seen.ts";
import {
  authenticating,
  capture,
  espProposal,
  init,
  type Planted,
  packet,
  sa,
  transform,
} from "./by-hand.ts";
import { auth, notify, octets } from "./payloads.ts";

const { ENCR: CIPHER, INTEG, SN } = TRANSFORM;
const GCM = [transform(CIPHER, ENCR.AES_GCM_16, 256), transform(SN, 0)];
const CBC = [transform(CIPHER, ENCR.AES_CBC, 256), transform(INTEG, 12), transform(SN, 0)];

/** A Child SA of these transforms, and packets of the initiator on it. */
const on = (transforms: Transform[], packets: readonly SeenEsp[], more: readonly number[] = []): Seen[] => {
  const extra = more.map((type) => notify(type));
  const request = [auth(), sa(espProposal(transforms)), ...extra];
  const response = [auth(), sa(espProposal(transforms, 2)), ...extra];
  return capture(...init(), ...authenticating(request, response), ...packets);
};

const withIv = (sequence: number, cipher: number, fill: number): SeenEsp => {
  const plain = packet({ sequence });
  return {
    ...plain,
    octets: concat(plain.octets.subarray(0, 8), octets(cipher, fill), octets(48, 16 * sequence + fill)),
  };
};

/** A packet of AES-CBC: IV, two blocks and an ICV of so many octets. */
const cbc = (sequence: number, iv: Uint8Array, icv = 16): SeenEsp => {
  const plain = packet({ sequence });
  return { ...plain, octets: concat(plain.octets.subarray(0, 8), iv, octets(32, sequence), octets(icv, 9)) };
};

const opened = (nextHeader: number, payload: Uint8Array, padding: Uint8Array): SeenEsp =>
  packet({ sequence: 1, opening: "opened", content: { nextHeader, payload, padding } });

/** An IPv4 packet of 24 octets, and octets behind it. */
const inner = (behind: number): Uint8Array =>
  concat(Uint8Array.of(0x45, 0), u16(24), octets(20), octets(behind));

const TFC_REFUSED = [NOTIFY.ESP_TFC_PADDING_NOT_SUPPORTED];

const packets: Planted[] = [
  ["esp-with-spi-zero", "ESP-02", capture(packet({ sequence: 1, spi: 0 })), capture(packet({ sequence: 1 }))],
  [
    "esp-with-spi-zero",
    "ESP-NAT-01",
    capture(packet({ sequence: 1, spi: 0, transport: "udp" })),
    capture(packet({ sequence: 1, transport: "udp" })),
  ],
  ["esp-number-zero", "ESP-05", on(GCM, [packet({ sequence: 0 })]), on(GCM, [packet({ sequence: 1 })])],
  [
    "esp-number-twice",
    "ESP-07",
    on(GCM, [withIv(1, 8, 1), withIv(1, 8, 2)]),
    on(GCM, [withIv(2, 8, 1), withIv(1, 8, 2), withIv(2, 8, 1)]),
  ],
  [
    "esp-iv-twice",
    "ESP-GCM-01",
    on(GCM, [withIv(1, 8, 1), withIv(2, 8, 1)]),
    on(GCM, [withIv(1, 8, 1), withIv(1, 8, 1)]),
  ],
  [
    "esp-iv-twice",
    "ESP-CTR-01",
    on(
      [transform(CIPHER, ENCR.AES_CTR, 256), transform(INTEG, 12), transform(SN, 0)],
      [withIv(1, 8, 1), withIv(2, 8, 1)],
    ),
    on([transform(CIPHER, ENCR.AES_GCM_16_IIV, 256), transform(SN, 0)], [withIv(1, 8, 1), withIv(2, 8, 1)]),
  ],
  [
    "esp-iv-twice",
    "ESP-GMAC-01",
    on(
      [transform(CIPHER, ENCR.NULL_AUTH_AES_GMAC, 256), transform(SN, 0)],
      [withIv(1, 8, 1), withIv(2, 8, 1)],
    ),
    on(
      [transform(CIPHER, ENCR.NULL_AUTH_AES_GMAC, 256), transform(SN, 0)],
      [withIv(1, 8, 1), withIv(2, 8, 2)],
    ),
  ],
  [
    "esp-iv-twice",
    "ESP-CBC-01",
    on(CBC, [cbc(1, octets(16, 1)), cbc(2, octets(16, 1))]),
    on(CBC, [cbc(1, octets(16, 1)), cbc(1, octets(16, 1))]),
  ],
  [
    "esp-iv-chained",
    "ESP-CBC-01",
    on(CBC, [cbc(1, octets(16, 7)), cbc(2, octets(16, 1))]),
    on(CBC, [cbc(1, octets(16, 7)), cbc(2, octets(16, 8))]),
  ],
  [
    "esp-icv-cut-to-96-bits",
    "ESP-HMAC-01",
    on(CBC, [cbc(1, octets(16, 7), 12)]),
    on(CBC, [cbc(1, octets(16, 7), 16)]),
  ],
  [
    "esp-not-aligned",
    "ESP-13",
    capture(opened(17, octets(9), octets(0))),
    capture(opened(17, octets(10), octets(0))),
  ],
  [
    "esp-padding-not-counted",
    "ESP-14",
    capture(opened(17, octets(8), Uint8Array.of(1, 3))),
    capture(opened(17, octets(8), Uint8Array.of(1, 2))),
  ],
  [
    "tfc-padding-not-agreed",
    "ESP-21",
    on(GCM, [opened(4, inner(6), octets(0))], TFC_REFUSED),
    on(GCM, [opened(4, inner(6), octets(0))]),
  ],
];

const offered = (...transforms: Transform[]): Seen[] =>
  capture(...init(), ...authenticating([auth(), sa(espProposal(transforms))], []));
const chosen = (...transforms: Transform[]): Seen[] =>
  capture(...init(), ...authenticating([auth()], [auth(), sa(espProposal(transforms, 2))]));

const honest = offered(...GCM);
const sequential = transform(SN, 0);
const hmac = transform(INTEG, 12);

const offers: Planted[] = [
  [
    "reserved-spi-chosen",
    "ESP-02",
    capture(...init(), ...authenticating([sa({ ...espProposal(), spi: Uint8Array.of(0, 0, 0, 255) })])),
    capture(...init(), ...authenticating([sa({ ...espProposal(), spi: Uint8Array.of(0, 0, 1, 0) })])),
  ],
  ["esp-without-any-protection", "ESP-01", offered(transform(CIPHER, ENCR.NULL), sequential), honest],
  [
    "counter-mode-without-integrity",
    "ESP-CTR-01",
    offered(transform(CIPHER, ENCR.AES_CTR, 128), sequential),
    honest,
  ],
  [
    "esp-offer-mixes-aead",
    "ESP-AEAD-01",
    offered(...GCM, transform(CIPHER, ENCR.AES_CBC, 128), hmac),
    honest,
  ],
  ["esp-aead-with-integrity", "ESP-AEAD-02", offered(...GCM, hmac), offered(...GCM, transform(INTEG, 0))],
  [
    "forbidden-algorithm-for-esp",
    "ESP-ALG-02",
    offered(transform(CIPHER, ENCR.DES), hmac, sequential),
    honest,
  ],
  [
    "chacha20-with-key-length",
    "ESP-CP-02",
    offered(transform(CIPHER, ENCR.CHACHA20_POLY1305, 256), sequential),
    offered(transform(CIPHER, ENCR.CHACHA20_POLY1305), sequential),
  ],
  [
    "aes-cbc-without-key-length",
    "ESP-CBC-02",
    offered(transform(CIPHER, ENCR.AES_CBC), hmac, sequential),
    offered(...CBC),
  ],
  [
    "gmac-beside-another-cipher",
    "ESP-GMAC-04",
    chosen(...GCM, transform(CIPHER, ENCR.NULL_AUTH_AES_GMAC, 128)),
    offered(...GCM, transform(CIPHER, ENCR.NULL_AUTH_AES_GMAC, 128)),
  ],
  ["sequence-numbers-missing", "SN-02", offered(transform(CIPHER, ENCR.AES_GCM_16, 256)), honest],
  [
    "sequence-numbers-not-as-offered",
    "SN-03",
    capture(
      ...init(),
      ...authenticating(undefined, [auth(), sa(espProposal([...GCM.slice(0, 1), transform(SN, 1)], 2))]),
    ),
    capture(...init(), ...authenticating()),
  ],
  [
    "implicit-iv-without-numbers",
    "SN-10",
    offered(transform(CIPHER, ENCR.AES_GCM_16_IIV, 256), transform(SN, 2)),
    offered(transform(CIPHER, ENCR.AES_GCM_16_IIV, 256), transform(SN, 2), sequential),
  ],
];

/** A packet of ESP echo outside of SAs. */
function plain(over: { spi?: number; subType?: number; reply?: number; padding?: number }): Seen[] {
  const { spi = 7, subType = 2, reply = 8, padding = 2 } = over;
  const echo = concat(Uint8Array.of(subType, 0x80), u16(8), u16(1), u16(1), u32(reply), octets(8, 3));
  const trailer = concat(octets(padding), Uint8Array.of(padding, 144));
  return capture(packet({ sequence: 0, spi, octets: concat(u32(spi), u32(0), echo, trailer) }));
}

/** One inside of an SA. */
const sealed = (behind: number, padding: number): Seen[] => {
  const echo = concat(Uint8Array.of(2, 0x80), u16(8), octets(8, 1), octets(8 + behind, 3));
  const counted = Uint8Array.from({ length: padding }, (_, at) => at + 1);
  return on(GCM, [opened(144, echo, counted)], [NOTIFY.ESP_ECHO_SUPPORTED]);
};

const echoes: Planted[] = [
  ["plain-echo-padded", "ESP-PING-13", plain({ padding: 6 }), plain({})],
  ["plain-echo-names-another-reply-spi", "ESP-PING-14", plain({ reply: 7 }), plain({})],
  ["plain-echo-on-wrong-spi", "ESP-PING-22", plain({ spi: 8 }), plain({ spi: 8, subType: 3 })],
  ["echo-with-more-than-data", "ESP-PING-05", sealed(4, 2), sealed(0, 2)],
  ["echo-padded", "ESP-PING-12", sealed(0, 6), sealed(0, 2)],
];

export const plantedInEsp: readonly Planted[] = [...packets, ...offers, ...echoes];
