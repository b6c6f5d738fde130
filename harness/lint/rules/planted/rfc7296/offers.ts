/** Planted breaches: proposals and answers to them. */
import { u16 } from "../../../../wire/bytes.ts";
import { ENCR } from "../../../../wire/registry/encr.ts";
import { PROTOCOL } from "../../../../wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../../../wire/registry/transform-types.ts";
import { whole } from "./conversations.ts";
import { type Planted, payload, proposal, transform } from "./rows.ts";

const { ENCR: CIPHER, INTEG, KE, SN } = TRANSFORM;

const inOffers: Planted[] = [
  {
    rule: "proposals-not-numbered-in-order",
    of: whole,
    change: (said) => {
      proposal(said, 1, 1).number = 3;
    },
    at: "1 @80 SA > proposal 2 > number",
  },
  {
    rule: "spi-size-of-proposal",
    of: whole,
    change: (said) => {
      proposal(said, 1, 1).spi = new Uint8Array(8);
    },
    at: "1 @82 SA > proposal 2 > SPI size",
  },
  {
    rule: "zero-spi-in-ike-rekey",
    of: whole,
    change: (said) => {
      proposal(said, 9).spi = new Uint8Array(8);
      said.splice(10);
    },
    at: "9 @SK+12 SA > proposal 1 > SPI",
  },
  {
    rule: "zero-spi-in-ike-rekey",
    is: "IKEV2-025",
    of: whole,
    change: (said) => {
      proposal(said, 10).spi = new Uint8Array(8);
      said.splice(10);
    },
    at: "10 @SK+12 SA > proposal 1 > SPI",
  },
  {
    rule: "attribute-twice",
    of: whole,
    change: (said) => {
      transform(said, 1, CIPHER, 1).attributes.push({ type: 14, value: 128 });
    },
    at: "1 @92 SA > proposal 2 > transform 1 > attributes",
  },
  {
    rule: "key-length-missing",
    of: whole,
    change: (said) => {
      proposal(said, 1).transforms.push({ type: CIPHER, id: ENCR.AES_CTR, attributes: [] });
    },
    at: "1 @82 SA > proposal 1 > transform 5 > key length",
  },
  {
    rule: "key-length-missing",
    is: "IKEV2-307",
    of: whole,
    change: (said) => {
      transform(said, 1, CIPHER, 1).attributes = [];
    },
    at: "1 @90 SA > proposal 2 > transform 1 > key length",
  },
  {
    rule: "key-length-of-fixed-key",
    of: whole,
    change: (said) => {
      transform(said, 1, TRANSFORM.PRF, 1).attributes = [{ type: 14, value: 512 }];
    },
    at: "1 @104 SA > proposal 2 > transform 2 > key length",
  },
  {
    rule: "key-length-of-fixed-key",
    is: "IKEV2-310",
    of: whole,
    change: (said) => {
      transform(said, 1, CIPHER, 1).id = ENCR.CHACHA20_POLY1305;
    },
    at: "1 @92 SA > proposal 2 > transform 1 > key length",
  },
  {
    rule: "key-length-in-tlv-format",
    of: whole,
    change: (said) => {
      transform(said, 1, CIPHER, 1).attributes = [{ type: 14, value: u16(256) }];
    },
    at: "1 @92 SA > proposal 2 > transform 1 > key length",
  },
  {
    rule: "aead-with-integrity",
    is: "IKEV2-308",
    of: whole,
    change: (said) => {
      proposal(said, 1, 1).transforms.push({ type: INTEG, id: 12, attributes: [] });
    },
    at: "1 @118 SA > proposal 2 > transform 4",
  },
  {
    rule: "aead-with-integrity",
    of: whole,
    change: (said) => {
      for (const at of [5, 6]) transform(said, at, CIPHER).id = ENCR.AES_GCM_16;
    },
    at: "5 @SK+46 SA > proposal 1 > transform 2",
    also: ["aead-with-integrity"],
  },
  {
    rule: "aead-beside-other-ciphers",
    of: whole,
    change: (said) => {
      proposal(said, 1).transforms.push({
        type: CIPHER,
        id: ENCR.AES_GCM_16,
        attributes: [{ type: 14, value: 256 }],
      });
    },
    at: "1 @82 SA > proposal 1 > transform 5",
  },
  {
    rule: "ike-sa-without-protection",
    of: whole,
    change: (said) => {
      proposal(said, 1, 1).transforms.push({ type: CIPHER, id: ENCR.NULL, attributes: [] });
    },
    at: "1 @118 SA > proposal 2 > transform 4",
    also: ["aead-beside-other-ciphers"],
  },
  {
    rule: "group-in-ike-auth",
    of: whole,
    change: (said) => {
      proposal(said, 3).transforms.push({ type: KE, id: 31, attributes: [] });
    },
    at: "3 @SK+144 SA > proposal 1 > transform 4",
  },
  {
    rule: "group-in-ike-auth",
    is: "IKEV2-010",
    of: whole,
    change: (said) => {
      proposal(said, 3).transforms.push({ type: KE, id: 0, attributes: [] });
    },
    at: "3 @SK+144 SA > proposal 1 > transform 4",
  },
  {
    rule: "no-group-in-ike-rekey",
    of: whole,
    change: (said) => {
      proposal(said, 9).transforms.push({ type: KE, id: 0, attributes: [] });
    },
    at: "9 @SK+62 SA > proposal 1 > transform 5",
  },
];

const inAnswers: Planted[] = [
  {
    rule: "several-proposals-chosen",
    of: whole,
    change: (said) => {
      payload(said, 2, "SA").proposals.push({ ...proposal(said, 1, 1) });
    },
    at: "2 @76 SA > proposal 2",
  },
  {
    rule: "proposal-number-not-offered",
    of: whole,
    change: (said) => {
      proposal(said, 2).number = 3;
    },
    at: "2 @36 SA > proposal 1 > number",
  },
  {
    rule: "protocol-not-offered",
    of: whole,
    change: (said) => {
      proposal(said, 4).protocolId = PROTOCOL.AH;
    },
    at: "4 @SK+82 SA > proposal 1 > protocol",
  },
  {
    rule: "two-transforms-of-a-type",
    of: whole,
    change: (said) => {
      proposal(said, 2).transforms.push({ ...transform(said, 2, KE) });
    },
    at: "2 @80 SA > proposal 1 > transform 5",
  },
  {
    rule: "transform-type-missing",
    of: whole,
    change: (said) => {
      proposal(said, 4).transforms = proposal(said, 4).transforms.filter(({ type }) => type !== SN);
    },
    at: "4 @SK+77 SA > proposal 1",
  },
  {
    rule: "transform-not-offered",
    of: whole,
    change: (said) => {
      transform(said, 4, INTEG).id = 14;
    },
    at: "4 @SK+107 SA > proposal 1 > transform 2",
  },
  {
    rule: "attribute-changed",
    of: whole,
    change: (said) => {
      transform(said, 4, CIPHER).attributes = [{ type: 14, value: 128 }];
    },
    at: "4 @SK+97 SA > proposal 1 > transform 1 > attributes",
  },
];

export const plantedInOffers: readonly Planted[] = [...inOffers, ...inAnswers];
