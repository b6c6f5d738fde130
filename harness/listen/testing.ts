/** Participants for tests of the listener: endpoints of ours on ports of their own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemRandom } from "../crypto/seeded-random.ts";
import type { Policy } from "../ike/policy.ts";
import type { Link } from "../link/types.ts";
import { openUdp, RealWorld } from "../link/udp.ts";
import { policyFor } from "../script/policy.ts";
import { Script } from "../script/script.ts";
import { configOf } from "./credentials.ts";
import type { HubLimits, ListenHub } from "./hub.ts";
import { openListener } from "./open.ts";
import { Participant } from "./participant.ts";
import { isRefusal, type SessionEvent, type SessionView, type SessionWish } from "./types.ts";

const LOOPBACK = "127.0.0.1";

export interface Lab {
  hub: ListenHub;
  out: string;
  faults: unknown[];
  /** A session that is there, or the test fails. */
  session(wish?: Partial<SessionWish>): SessionView;
  /** Closes it and opens another with the same folder. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function openLab(limits: Partial<HubLimits> = {}): Promise<Lab> {
  const out = mkdtempSync(join(tmpdir(), "bakeoff-listen-"));
  const faults: unknown[] = [];
  const fault = (error: unknown) => void faults.push(error);
  const options = {
    ...{ address: LOOPBACK, ikePort: 0, natPort: 0, identity: "listen.example" },
    limits,
    fault,
  };
  const lab: Lab = {
    ...{ hub: await openListener({ ...options, out }), out, faults },
    session(wish = {}) {
      const made = lab.hub.create({ documents: [], ...wish });
      if (isRefusal(made)) throw new Error(made.refused);
      return made;
    },
    async restart() {
      await lab.hub.close();
      lab.hub = await openListener({ ...options, out });
    },
    async close() {
      await lab.hub.close();
      rmSync(out, { recursive: true });
    },
  };
  return lab;
}

/** One who dials in, from two ports of its own. */
export class Caller {
  readonly #link: Link & { addresses: { host: string; port: number }[] };
  readonly #scripts: Script[] = [];

  private constructor(link: Link & { addresses: { host: string; port: number }[] }) {
    this.#link = link;
  }

  static async open(host: string = LOOPBACK): Promise<Caller> {
    return new Caller(await openUdp([host, host].map((one) => ({ host: one, port: 0 }))));
  }

  get address(): { host: string; port: number } {
    const [first] = this.#link.addresses;
    if (!first) throw new Error("it has two ports");
    return first;
  }

  /** An endpoint of its own that is configured as the page says; the one before is forgotten. */
  script(view: SessionView, change: (policy: Policy) => void = () => {}): Script {
    this.#scripts.at(-1)?.host.stop();
    const { host, ikePort, natPort } = view.endpoint;
    const [local = this.address, marked = this.address] = this.#link.addresses;
    const ends = { local, remote: { host, port: ikePort } };
    const world = new RealWorld();
    // What the listener takes for the other end's configuration, from the other end.
    const wishes = { config: { ikeProposals: view.proposals.ike } };
    const config = configOf({ local: ends.remote, remote: local }, view, wishes);
    const policy = (): Policy => {
      const own = policyFor(config, "peer");
      change(own);
      return own;
    };
    const driver = new Participant({ release: () => {}, again: async () => false });
    const script = new Script({
      ...{ world, random: systemRandom, link: this.#link, driver, config, policy, ...ends },
      ...{ natPort: marked.port, remoteNatPort: natPort, patience: 3_000, quiet: 200, rawEsp: false },
      inner: { tester: "203.0.113.17", peer: "203.0.113.1" },
      poke: () => world.poke(),
    });
    this.#scripts.push(script);
    return script;
  }

  async close(): Promise<void> {
    this.#scripts.at(-1)?.host.stop();
    await this.#link.close();
  }
}

/** Waits for an event of the session, of what has been and of what comes. */
export function eventOf(
  hub: ListenHub,
  id: string,
  wanted: (event: SessionEvent) => boolean,
  ms = 5_000,
): Promise<SessionEvent> {
  const found = hub.events(id, 0).find(wanted);
  if (found) return Promise.resolve(found);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      reject(
        new Error(
          `no such event among ${hub
            .events(id, 0)
            .map((event) => JSON.stringify(event))
            .join("\n")}`,
        ),
      );
    }, ms);
    const stop = hub.watch(id, (event) => {
      if (!wanted(event)) return;
      clearTimeout(timer);
      stop();
      resolve(event);
    });
  });
}
