import { expect } from "chai";
import { seededRandom } from "../crypto/seeded-random.ts";
import { MemoryNetwork } from "../link/memory.ts";
import type { Link } from "../link/types.ts";
import { pki } from "../pki/pki.ts";
import { concat } from "../wire/bytes.ts";
import { authenticator, supplicant } from "./index.ts";
import type { EapConversation, EapPacket, EapStep } from "./types.ts";

/** Virtual time that stands still while work goes on outside of it. */
class PatientNetwork extends MemoryNetwork {
  readonly #work = new Set<Promise<void>>();

  /** To be called in the event that begins the work; the promise must resolve after what the work leads to. */
  outside(work: Promise<void>): void {
    const kept = work.finally(() => this.#work.delete(kept));
    this.#work.add(kept);
  }

  override async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    const deadline = this.clock.now() + timeoutMs;
    for (;;) {
      if (this.#work.size > 0) await Promise.race(this.#work);
      else if (condition()) return true;
      else if (!(await super.until(() => this.#work.size > 0 || condition(), deadline - this.clock.now())))
        return false;
    }
  }
}

const ADDRESSES = ["192.0.2.1", "192.0.2.2"] as const;

/** Lets an end of EAP live at a link: one packet in a datagram, without its length. */
function live(network: PatientNetwork, end: EapConversation, index: 0 | 1, steps: EapStep[]) {
  const link: Link = network.attach(ADDRESSES[index]);
  const address = (host: string) => ({ host, port: 500 });
  const send = ({ code, identifier, data }: EapPacket) =>
    link.send({
      protocol: "udp",
      source: address(ADDRESSES[index]),
      destination: address(ADDRESSES[1 - index] ?? ADDRESSES[0]),
      data: concat(Uint8Array.of(code, identifier), data),
    });
  const onStep = (step: EapStep): void => {
    steps.push(step);
    if (step.send) send(step.send);
  };
  link.onReceive(({ data }) => {
    const [code = 0, identifier = 0] = data;
    const step = end.take({ code, identifier, data: data.subarray(2) });
    if (step.later) network.outside(step.later.then(onStep));
    else onStep(step);
  });
  return send;
}

/** Virtual milliseconds that the conversation took, and the results of both ends. */
async function run(): Promise<{ took: number; steps: EapStep[] }> {
  const { ca, credential } = await pki();
  const random = seededRandom("virtual time");
  const network = new PatientNetwork(random);
  const user = { type: "tls", identity: "peer.example", password: "" } as const;
  const tls = async (name: string) => ({ credential: await credential(name, "ed25519"), trusted: ca });
  const asks = authenticator({ user, random, tls: await tls("tester.example") });
  const answers = supplicant({ user, random, tls: await tls("peer.example") });
  const steps: EapStep[] = [];
  const send = live(network, asks, 0, steps);
  live(network, answers, 1, steps);
  let tick = 0;
  network.clock.at(5, () => {
    tick = steps.length;
  });
  send(asks.begin());
  const ended = () => steps.filter(({ result }) => result !== undefined).length === 2;
  expect(await network.until(ended, 1000)).to.equal(true);
  expect(tick).to.equal(4);
  return { took: network.clock.now(), steps };
}

describe("eap: TLS in virtual time", () => {
  it("takes the time of its datagrams and no more, every time the same", async () => {
    const first = await run();
    expect(first.steps.map(({ result }) => result).filter(Boolean)).to.deep.equal(["success", "success"]);
    expect(first.took).to.equal(first.steps.length);
    expect((await run()).took).to.equal(first.took);
  });
});
