import { expect } from "chai";
import { fromHex } from "../bytes.ts";
import type { Proposal } from "../types.ts";
import {
  formatProposal,
  isSpecError,
  parseProposal,
  proposalKeywords,
  transformKeyword,
} from "./proposal-spec.ts";
import { PROTOCOL } from "./protocol-ids.ts";

function parsed(spec: string, protocolId: number): Proposal {
  const proposal = parseProposal(spec, protocolId);
  if (isSpecError(proposal)) throw new Error(proposal.reason);
  return proposal;
}

/** `type:id` or `type:id/bits` of every transform. */
const numbers = (spec: string, protocolId: number): string =>
  parsed(spec, protocolId)
    .transforms.map(({ type, id, attributes }) => `${type}:${id}${attributes.map((a) => `/${a.value}`)}`)
    .join(" ");

describe("parseProposal", () => {
  /** What is written, for which protocol, and the transforms it means. */
  const cases: [string, number, string][] = [
    ["aes256gcm16-prfsha256-x25519", PROTOCOL.IKE, "1:20/256 2:5 4:31"],
    ["aes256-sha256-x25519", PROTOCOL.IKE, "1:12/256 2:5 3:12 4:31"],
    ["aes128-sha256-prfsha512-ecp256", PROTOCOL.IKE, "1:12/128 2:7 3:12 4:19"],
    ["aes256gcm16-sha384-ecp384", PROTOCOL.IKE, "1:20/256 2:6 4:20"],
    [
      "aes256-aes128-sha256-sha1-modp2048-modp3072",
      PROTOCOL.IKE,
      "1:12/256 1:12/128 2:5 2:2 3:12 3:2 4:14 4:15",
    ],
    ["chacha20poly1305-prfsha256-x25519-ke1_mlkem768", PROTOCOL.IKE, "1:28 2:5 4:31 6:36"],
    ["aes128-sha256-x25519-ke2_none-ke2_mlkem512", PROTOCOL.IKE, "1:12/128 2:5 3:12 4:31 7:0 7:35"],
    ["aes128-sha256-noesn", PROTOCOL.ESP, "1:12/128 3:12 5:0"],
    ["aes128-sha256", PROTOCOL.ESP, "1:12/128 3:12 5:0"],
    ["aes256gcm16-esn-noesn", PROTOCOL.ESP, "1:20/256 5:1 5:0"],
    ["aes256gcm16-prfsha256-x25519", PROTOCOL.ESP, "1:20/256 4:31 5:0"],
    ["null-sha256", PROTOCOL.ESP, "1:11 3:12 5:0"],
    ["chacha20poly1305iiv", PROTOCOL.ESP, "1:31 5:0"],
    ["AES128GCM128-curve25519", PROTOCOL.ESP, "1:20/128 4:31 5:0"],
    ["sha256", PROTOCOL.AH, "3:12 5:0"],
  ];
  for (const [spec, protocolId, expected] of cases) {
    it(`${spec} for protocol ${protocolId}`, () => {
      expect(numbers(spec, protocolId)).to.equal(expected);
    });
  }

  it("makes proposal 1 with the SPI given", () => {
    const proposal = parseProposal("aes128-sha256", PROTOCOL.ESP, fromHex("c1c2c3c4"));
    expect(proposal).to.deep.include({ number: 1, protocolId: 3, spi: fromHex("c1c2c3c4") });
  });

  it("names the keyword it does not know", () => {
    for (const [spec, keyword] of [
      ["aes256-sha265-x25519", "sha265"],
      ["aes256--x25519", ""],
      ["constructor", "constructor"],
      ["ke1_sha256", "ke1_sha256"],
      ["ke8_x25519", "ke8_x25519"],
      ["ke1_ke1_x25519", "ke1_ke1_x25519"],
    ] as const) {
      const error = parseProposal(spec, PROTOCOL.IKE);
      expect(isSpecError(error) && error.keyword, spec).to.equal(keyword);
    }
    const empty = parseProposal(" ", PROTOCOL.IKE);
    expect(isSpecError(empty) && empty.error).to.equal("no-keyword");
  });
});

describe("formatProposal", () => {
  it("gives every keyword back", () => {
    for (const keyword of proposalKeywords()) {
      const { transforms } = parsed(`${keyword}-aes128`, PROTOCOL.IKE);
      expect(transforms.map(transformKeyword)).to.include(keyword);
    }
  });

  it("writes numbers where there is no keyword", () => {
    expect(formatProposal(parsed("aes256-sha256-x25519-ke1_mlkem768", PROTOCOL.IKE))).to.equal(
      "aes256-prfsha256-sha256-x25519-ke1_mlkem768",
    );
    expect(transformKeyword({ type: 1, id: 12, attributes: [{ type: 14, value: 100 }] })).to.equal(
      "1:12/100",
    );
    expect(transformKeyword({ type: 1, id: 12, attributes: [{ type: 9, value: 100 }] })).to.equal("1:12");
    expect(transformKeyword({ type: 77, id: 1, attributes: [] })).to.equal("77:1");
    expect(transformKeyword({ type: 3, id: 0, attributes: [] })).to.equal("none");
    expect(transformKeyword({ type: 6, id: 0, attributes: [] })).to.equal("ke1_none");
  });
});
