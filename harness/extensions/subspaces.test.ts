import { expect } from "chai";
import { SubspaceInboundSa, SubspaceOutboundSa, subspaceNumber } from "../esp/subspaces.ts";
import { notify } from "../ike/payloads.ts";
import { makePair, type Pair } from "../run/pair.ts";
import { fromHex, hex } from "../wire/bytes.ts";
import { encodeChain } from "../wire/index.ts";
import type { Payload } from "../wire/types.ts";
import { limitIn, type SubspaceAudit, subspaces, subspacesType } from "./subspaces.ts";

const said = (...data: string[]): Payload[] => data.map((octets) => notify(subspacesType(), fromHex(octets)));

describe("the notify of sequence number subspaces", () => {
  it("has its limit in two octets", () => {
    expect(hex(encodeChain(said("0004")))).to.equal("0000000a0000c7b00004");
    expect(limitIn(said("0004"))).to.equal(4);
    expect(limitIn(said("ffff"))).to.equal(65_535);
  });

  it("says nothing where it is malformed, or twice with different limits", () => {
    for (const data of ["", "04", "000004", "00000004", "0000"])
      expect(limitIn(said(data))).to.equal(undefined);
    expect(limitIn(said("0004", "0005"))).to.equal(undefined);
    expect(limitIn(said("0004", "0004"))).to.equal(4);
    expect(limitIn([])).to.equal(undefined);
  });

  it("is another number where a peer has its own", () => {
    expect(limitIn(said("0004"), { ANTI_REPLAY_SUBSPACES: 50_000 })).to.equal(undefined);
    expect(limitIn([notify(50_000, fromHex("0002"))], { ANTI_REPLAY_SUBSPACES: 50_000 })).to.equal(2);
  });
});

interface Limits {
  a?: number;
  b?: number;
}

/** Two hosts with a Child SA; each has the extension where it has a limit. */
async function connected(
  limits: Limits,
  espProposals = ["aes256gcm16-esn"],
): Promise<Pair & { audits: SubspaceAudit[] }> {
  const audits: SubspaceAudit[] = [];
  const pair = makePair({ seed: "subspaces", config: { espProposals } });
  for (const [end, receive] of Object.entries(limits)) {
    const { options } = end === "a" ? pair.a : pair.b;
    const { ike, esp } = subspaces({ receive, audit: (entry) => audits.push(entry) });
    options.extensions.push(ike);
    options.esp.push(esp);
  }
  pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b);
  pair.a.settle();
  await pair.network.until(() => pair.a.pipes.length > 0 && pair.b.pipes.length > 0, 10_000);
  return { ...pair, audits };
}

const kinds = ({ a, b }: Pair): boolean[] =>
  [a, b].map(({ pipes: [pipe] }) => pipe?.outbound instanceof SubspaceOutboundSa);

describe("the negotiation of sequence number subspaces", () => {
  it("gives each direction the limit of its receiver", async () => {
    const { a, b } = await connected({ a: 2, b: 5 });
    const limits = [a, b].map(({ pipes: [pipe] }) => [
      pipe?.outbound instanceof SubspaceOutboundSa && pipe.outbound.subspaces,
      pipe?.inbound instanceof SubspaceInboundSa && pipe.inbound.subspaces,
    ]);
    expect(limits).to.deep.equal([
      [5, 2],
      [2, 5],
    ]);
  });

  it("leaves plain ESP where one end does not announce, or the numbers have 32 bits", async () => {
    expect(kinds(await connected({ a: 2 }))).to.deep.equal([false, false]);
    expect(kinds(await connected({ b: 2 }))).to.deep.equal([false, false]);
    expect(kinds(await connected({ a: 2, b: 2 }, ["aes256gcm16-noesn"]))).to.deep.equal([false, false]);
    expect(kinds(await connected({ a: 2, b: 2 }, ["aes256gcm16-esn-noesn"]))).to.deep.equal([true, true]);
  });

  it("records a packet beyond the limit, and keeps nothing for forged ones", async () => {
    const pair = await connected({ a: 8, b: 2000 });
    const [pipe] = pair.a.pipes;
    const receiver = pair.b.pipes[0]?.inbound;
    if (!pipe || !(receiver instanceof SubspaceInboundSa)) throw new Error("no subspaces");
    const send = (sequence: bigint, corruptIcv: boolean) =>
      pair.a.sendEsp(pipe, fromHex("00"), 59, { sequence, corruptIcv });
    for (let subspace = 0; subspace < 2000; subspace++) send(subspaceNumber(subspace, 1), true);
    send(subspaceNumber(2000, 1), false);
    await pair.network.until(() => pair.audits.length > 0, 1000);
    expect(receiver.windowCount).to.equal(0);
    const { host: source } = pair.addresses.a;
    const { host: destination } = pair.addresses.b;
    expect(pair.audits).to.deep.equal([{ spi: receiver.spi, subspace: 2000, source, destination }]);
  });
});
