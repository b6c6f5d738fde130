import { expect } from "chai";
import {
  certificateBombs,
  emptyPayloads,
  hugeEap,
  manyAttributes,
  manyConfigAttributes,
  manyProposals,
  manySpis,
  manyTransforms,
  thousandsOfSelectors,
} from "../script/bulk.ts";
import type { Payload } from "../wire/types.ts";
import { excess, MOST_CERTIFICATES, MOST_PARTS, MOST_PAYLOADS } from "./limits.ts";

describe("limits of a message", () => {
  it("let pass what is just within them", () => {
    const [certificate] = certificateBombs["of garbage"]();
    const certificates = Array.from({ length: MOST_CERTIFICATES }, () => certificate as Payload);
    expect(excess(emptyPayloads(MOST_PAYLOADS))).to.equal(undefined);
    expect(excess([manyConfigAttributes(MOST_PARTS)])).to.equal(undefined);
    expect(excess(certificates)).to.equal(undefined);
    expect(excess([hugeEap()])).to.equal(undefined);
  });

  it("name what is beyond them", () => {
    expect(excess(emptyPayloads(MOST_PAYLOADS + 1))).to.equal(
      "257 payloads, of which no more than 256 are looked at",
    );
    expect(excess([manyConfigAttributes(MOST_PARTS + 1)])).to.equal(
      "2001 parts of payloads, of which no more than 2000 are looked at",
    );
    expect(excess(certificateBombs["in hundreds"]())).to.equal(
      "300 certificates, of which no more than 32 are looked at",
    );
  });

  it("count parts of every kind, all payloads together", () => {
    const makers = [manyProposals, manyTransforms, manyAttributes, manySpis, thousandsOfSelectors];
    for (const make of makers) expect(excess([make()]), make.name).to.match(/^\d+ parts of payloads, /);
    const attributes = Array.from({ length: MOST_PARTS }, () => ({ type: 1, value: 1 }));
    const policy = { kind: "group-wide" as const, attributes };
    expect(excess([{ kind: "GSA", type: 51, policies: [policy] }])).to.match(/^2001 parts/);
    const bags = Array.from({ length: MOST_PARTS + 1 }, () => ({ kind: "member" as const, attributes: [] }));
    expect(excess([{ kind: "KD", type: 52, bags }])).to.match(/^2001 parts/);
    const half = manyConfigAttributes(MOST_PARTS / 2 + 1);
    expect(excess([half, half])).to.match(/^2002 parts/);
  });
});
