import { expect } from "chai";
import { HalfOpenTable, MOST_HALF_OPEN } from "./half-open.ts";
import { IkeSa } from "./sa.ts";

const LOCAL = { host: "192.0.2.1", port: 500 };

/** A table that has so many SAs of each of these addresses, in the order of the list. */
function tableOf(...hosts: string[]) {
  const table = new HalfOpenTable();
  const sas = hosts.map((host) => new IkeSa("responder", new Uint8Array(8), LOCAL, { host, port: 500 }));
  const enter = (sa: IkeSa) => {
    const gone = table.enter(String(sas.indexOf(sa)), sa);
    if (gone) table.forget(gone);
    return gone;
  };
  return { table, sas, gone: sas.map(enter) };
}

const distinct = (count: number) =>
  Array.from({ length: count }, (_, i) => `2001:db8:${(i + 1).toString(16)}::1`);

describe("half-open SAs beyond the limit", () => {
  it("give way from the address that has most of them, the oldest first", () => {
    const flood = Array.from({ length: MOST_HALF_OPEN + 2 }, () => "198.51.100.7");
    const { sas, gone } = tableOf("192.0.2.2", ...flood);
    expect(gone.filter((sa) => sa !== undefined)).to.deep.equal(sas.slice(1, 4));
  });

  it("count together for a host that has a whole IPv6 network of 64 bits", () => {
    const flood = Array.from({ length: MOST_HALF_OPEN }, (_, i) => `2001:db8::${i + 1}`);
    const { sas, gone } = tableOf("2001:db8:1::1", ...flood);
    expect(gone.at(-1)).to.equal(sas[1]);
  });

  it("give way from those that get no further, where every address has one", () => {
    const { table, sas } = tableOf(...distinct(MOST_HALF_OPEN));
    const [first, second, third] = sas;
    if (!first || !second) throw new Error("no SAs");
    table.progressed(first);
    table.established(second);
    const more = distinct(MOST_HALF_OPEN + 2)
      .slice(-2)
      .map((host) => new IkeSa("responder", new Uint8Array(8), LOCAL, { host, port: 500 }));
    expect(more.map((sa, i) => table.enter(`more ${i}`, sa))).to.deep.equal([undefined, third]);
  });

  it("give way alike where an address has a few only, as behind a NAT", () => {
    const { sas, gone } = tableOf(...distinct(MOST_HALF_OPEN - 7), ...Array(8).fill("192.0.2.2"));
    expect(gone.at(-1)).to.equal(sas[0]);
  });

  it("are not entered again by the progress of an SA that is established or gone", () => {
    const { table, sas } = tableOf("192.0.2.2", "192.0.2.3");
    const [first, second] = sas;
    if (!first || !second) throw new Error("no SAs");
    table.established(first);
    table.forget(second);
    for (const sa of sas) table.progressed(sa);
    expect([table.waiting, table.size]).to.deep.equal([0, 1]);
  });
});
