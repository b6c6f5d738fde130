import { expect } from "chai";
import type { TraceEntry } from "../../harness/script/trace.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { Payload } from "../../harness/wire/types.ts";
import { heardIn, type Said } from "./lint-heard.ts";
import { CampaignMemory, secrecyAlarms } from "./secrecy.ts";
import { plain, played, signatures } from "./testing.ts";

const EAP: Payload = { kind: "EAP", type: PAYLOAD.EAP, code: 1, identifier: 1, data: new Uint8Array(1) };

const found = (ike: readonly Said[]): string[] => signatures(secrecyAlarms({ all: [], ike }));

/** The message with a payload in clear. */
const inClear = (said: Said, payload: Payload): Said => {
  const { message } = said.seen;
  return {
    ...said,
    seen: { ...said.seen, message: { ...message, payloads: [payload, ...message.payloads] } },
  };
};

const withoutSpi = (said: Said): Said => {
  const { message } = said.seen;
  const header = { ...message.header, spiR: new Uint8Array(8) };
  return { ...said, seen: { ...said.seen, message: { ...message, header } } };
};

/** The peer's datagrams with another SPI of its own. */
function fromAnotherSpi(entry: TraceEntry): TraceEntry {
  const { event } = entry;
  if (event.type !== "datagram-received") return entry;
  const data = Uint8Array.from(event.datagram.data);
  data[15] = (data[15] ?? 0) ^ 1;
  return { ...entry, event: { ...event, datagram: { ...event.datagram, data } } };
}

describe("what a peer gives away", () => {
  it("is what it sends in clear behind IKE_SA_INIT, and an SPI of zero", async () => {
    const { ike } = heardIn((await played(plain("init", "auth"))).entries);
    expect(found(ike)).to.deep.equal([]);
    expect(found(ike.map((said) => inClear(said, EAP)))).to.deep.equal(["in clear EAP"]);
    expect(found(ike.map(withoutSpi))).to.deep.equal(["SPI zero"]);
  });

  it("is a nonce that comes twice from one process, not a response that does", async () => {
    const outcome = await played(plain("init"));
    const other = { ...outcome, entries: outcome.entries.map(fromAnotherSpi) };
    const memory = new CampaignMemory();
    const see = ({ entries }: typeof outcome) => memory.see(heardIn(entries));
    expect(see(outcome)).to.deep.equal([]);
    expect(see(outcome)).to.deep.equal([]);
    expect(signatures(see(other))).to.deep.equal(["nonce twice"]);
    memory.clear();
    expect(see(other)).to.deep.equal([]);
  });

  it("is a cookie for two initiators, not one that comes with another responder's SPI", async () => {
    const heard = heardIn((await played(plain("init"), { setup: "cookies" })).entries);
    const again = (bend: (spiI: string, spiR: string) => string) => {
      const memory = new CampaignMemory();
      memory.see(heard);
      const ike = heard.ike.map((said) => {
        const [spiI = "", spiR = ""] = said.sa.split(":");
        return { ...said, sa: bend(spiI, spiR) };
      });
      return signatures(memory.see({ ...heard, ike }));
    };
    expect(again((_spiI, spiR) => `0011223344556677:${spiR}`)).to.deep.equal(["cookie twice"]);
    expect(again((spiI) => `${spiI}:0011223344556677`)).to.deep.equal([]);
  });
});
