import { expect } from "chai";
import type { PeerConfig } from "../../peers/contract.ts";
import type { AuthOutcome } from "../ike/exchanges/ike-auth.ts";
import type { HostEvent } from "../script/host.ts";
import { policyFor } from "../script/policy.ts";
import type { Payload } from "../wire/types.ts";
import { ordinaryConfig } from "./config.ts";
import { makePair, PAIR_ADDRESSES } from "./pair.ts";

interface Met {
  outcome?: AuthOutcome;
  /** The method and the octets of each KE payload that arrived. */
  arrived: [method: number, octets: number][];
}

async function meet(config: Partial<PeerConfig>): Promise<Met> {
  const met: Met = { arrived: [] };
  const seen = (payload: Payload): void => {
    if (payload.kind === "KE") met.arrived.push([payload.group, payload.data.length]);
  };
  const event = (_end: "a" | "b", event: HostEvent): void => {
    if (event.type === "received") event.message.payloads.forEach(seen);
  };
  const { a, network, addresses } = makePair({ seed: "numbers", config, event });
  a.endpoint.connect(addresses.a, addresses.b, (outcome) => {
    met.outcome = outcome;
  });
  a.settle();
  await network.until(() => met.outcome !== undefined, 60_000);
  return met;
}

describe("key exchange methods under other numbers", () => {
  it("stand on the wire as the configuration says", async () => {
    const { outcome, arrived } = await meet({
      ikeProposals: ["aes256-sha256-mlkem512"],
      codePoints: { ML_KEM_512: 2001 },
    });
    expect(outcome?.failure).to.equal(undefined);
    expect(arrived).to.deep.equal([
      [2001, 800],
      [2001, 768],
    ]);
  });

  it("may change places", async () => {
    const { outcome, arrived } = await meet({
      ikeProposals: ["aes256-sha256-mlkem768"],
      codePoints: { ML_KEM_768: 35, ML_KEM_512: 36 },
    });
    expect(outcome?.failure).to.equal(undefined);
    expect(arrived).to.deep.equal([
      [35, 1184],
      [35, 1088],
    ]);
  });

  it("are those of additional key exchanges too, and of nothing else", () => {
    const config = ordinaryConfig(PAIR_ADDRESSES.b, PAIR_ADDRESSES.a);
    const { ike, rekeyEsp = [] } = policyFor(
      {
        ...config,
        ikeProposals: ["aes256-sha256-x25519-ke1_frodoa3-ke2_none"],
        espProposals: ["aes256gcm16-frodoa3"],
        codePoints: { FRODOKEM_976_AES: 2000, ESP_ECHO_SUPPORTED: 31 },
      },
      "tester",
    );
    const ids = [...ike, ...rekeyEsp].flatMap(({ transforms }) =>
      transforms.map(({ type, id }) => [type, id]),
    );
    expect(ids).to.deep.include.members([
      [4, 31],
      [6, 2000],
      [7, 0],
      [4, 2000],
    ]);
    expect(ids.flat()).not.to.include(1084);
  });
});
