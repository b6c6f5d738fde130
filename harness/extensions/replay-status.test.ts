import { expect } from "chai";
import fc from "fast-check";
import { notify } from "../ike/payloads.ts";
import { fromHex, hex } from "../wire/bytes.ts";
import { encodeChain } from "../wire/index.ts";
import { parseProposal } from "../wire/registry/proposal-spec.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { Payload, Proposal } from "../wire/types.ts";
import {
  canEsn,
  type ReplayStatus,
  readStatus,
  replayStatus,
  replayStatusType,
  statusIn,
  statusOctets,
  withoutEsn,
} from "./replay-status.ts";

const said = (...data: string[]): Payload[] =>
  data.map((octets) => notify(replayStatusType("01"), fromHex(octets)));

function esp(spec: string): Proposal {
  const proposal = parseProposal(spec, PROTOCOL.ESP);
  if ("error" in proposal) throw new Error(proposal.reason);
  return proposal;
}

const numbersOf = (proposals: Proposal[]): number[] =>
  proposals.flatMap((p) => p.transforms.filter((t) => t.type === TRANSFORM.SN).map(({ id }) => id));

describe("the anti-replay status notification", () => {
  it("has the octets of the examples", () => {
    const off00 = notify(replayStatusType("00"), statusOctets("00", { protects: false }));
    const off01 = notify(replayStatusType("01"), statusOctets("01", { protects: false, esnWithout: true }));
    expect(hex(encodeChain([off00]))).to.equal("000000090000c7a600");
    expect(hex(encodeChain([off01]))).to.equal("000000090000c7a702");
  });

  it("is read as it was written", () => {
    fc.assert(
      fc.property(fc.boolean(), fc.boolean(), (protects, esnWithout) => {
        const status: ReplayStatus = { protects, esnWithout };
        expect(readStatus("01", statusOctets("01", status))).to.deep.equal(status);
        expect(readStatus("00", statusOctets("00", status))).to.deep.equal({ protects });
      }),
    );
  });

  it("is read by its first octet, without reserved bits", () => {
    for (let octet = 0; octet < 256; octet++) {
      const status = { protects: octet % 2 === 1, esnWithout: octet % 4 > 1 };
      expect(readStatus("01", Uint8Array.of(octet, 255 - octet))).to.deep.equal(status);
    }
    expect(readStatus("01", fromHex("fe000000"))).to.deep.equal({ protects: false, esnWithout: true });
    expect(readStatus("01", fromHex("01ff"))).to.deep.equal({ protects: true, esnWithout: false });
    expect(readStatus("00", fromHex("0001"))).to.deep.equal({ protects: false });
  });

  it("says nothing where it is empty, or of revision 00 and reserved", () => {
    expect(readStatus("01", fromHex(""))).to.equal(undefined);
    expect(readStatus("00", fromHex(""))).to.equal(undefined);
    for (let octet = 2; octet < 256; octet++)
      expect(readStatus("00", Uint8Array.of(octet))).to.equal(undefined);
  });

  it("is safe where copies differ", () => {
    const safe = { protects: true, esnWithout: false };
    expect(statusIn("01", said("02", "02"))).to.deep.equal({ protects: false, esnWithout: true });
    expect(statusIn("01", said("02", "00"))).to.deep.equal(safe);
    expect(statusIn("01", said("00", ""))).to.deep.equal(safe);
    expect(statusIn("01", said())).to.equal(undefined);
  });

  it("is another number where a peer has its own", () => {
    const own = { REPLAY_PROT_AND_ESN_STATUS: 50_000 };
    expect(statusIn("01", [notify(50_000, fromHex("01"))], own)).to.deep.equal({
      protects: true,
      esnWithout: false,
    });
    expect(statusIn("01", said("01"), own)).to.equal(undefined);
  });
});

describe("the choice of the Sequence Numbers transform", () => {
  const both = [esp("aes256gcm16-esn-noesn"), esp("aes128-sha256-esn")];
  const choice = (own: ReplayStatus, payloads: Payload[]): number[] => {
    const { ike } = replayStatus({ revision: "01", own });
    return numbersOf(ike.childPolicies?.(both, payloads) ?? []);
  };
  const checks = { protects: true, esnWithout: true };

  it("leaves extended numbers to those who can receive with them", () => {
    expect(canEsn({ protects: true, esnWithout: false })).to.equal(true);
    expect(canEsn({ protects: false, esnWithout: true })).to.equal(true);
    expect(canEsn({ protects: false, esnWithout: false })).to.equal(false);
    expect(canEsn({ protects: false })).to.equal(true);
  });

  it("is 32 bits unless both ends can have more", () => {
    expect(choice(checks, said("00"))).to.deep.equal([0]);
    expect(choice({ protects: false, esnWithout: false }, said("01"))).to.deep.equal([0]);
    for (const octets of ["01", "02", "03"]) expect(choice(checks, said(octets))).to.deep.equal([1, 0, 1]);
    expect(choice(checks, [])).to.deep.equal([1, 0, 1]);
  });

  it("drops a proposal of extended numbers alone", () => {
    expect(withoutEsn(both)).to.have.length(1);
    expect(numbersOf(withoutEsn(both))).to.deep.equal([0]);
  });
});
