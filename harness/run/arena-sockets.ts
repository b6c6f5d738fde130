/** Arenas on real sockets under real time: one set of sockets for all tests of a lane. */
import { setTimeout as pause } from "node:timers/promises";
import { type Driver, DriverUnsupported, type PeerConfig } from "../../peers/contract.ts";
import type { PeerInfo } from "../../reports/results.ts";
import { seededRandom } from "../crypto/seeded-random.ts";
import type { Extension } from "../ike/hooks.ts";
import type { Address, Link } from "../link/types.ts";
import { pki } from "../pki/pki.ts";
import type { Arena } from "../script/arena.ts";
import { materialFor, policyFor } from "../script/policy.ts";
import { Script } from "../script/script.ts";
import type { IpVersion } from "../script/test.ts";
import { SetupProblem, Unsupported } from "../script/verdicts.ts";
import { configFor, innerHosts } from "./config.ts";
import { death, Hung } from "./judge.ts";
import type { LivePeer } from "./live-peer.ts";
import { MortalWorld } from "./mortal-world.ts";

export interface SocketPeer {
  info: PeerInfo;
  driver: Driver;
  restart(): Promise<void>;
  stop(): Promise<void>;
  link: Link;
  seed: string;
  /** The ends by IP version. */
  ends: { [version in IpVersion]?: Ends };
  /** Where IKE and ESP go over TCP; not set where they cannot. */
  tcp?: Ends;
  natPort: number;
  remoteNatPort: number;
  rawEsp: boolean;
  /** Not set: none. */
  extensions?: readonly Extension[];
}

/** IKE addresses of one IP version. */
export interface Ends {
  local: Address;
  remote: Address;
  stranger?: Address;
}

/** How long an answer may take, and how long silence is watched for. */
const PATIENCE_MS = 4_000;
const QUIET_MS = 300;
/** What a peer sent before it was reset arrives within this time. */
const DRAIN_MS = 10;

export function socketPeer(parts: SocketPeer): LivePeer {
  const { info, driver, link, seed } = parts;
  const attempts = new Map<string, number>();
  /** What the peer has loaded, as JSON; not set when nobody knows. */
  let loaded: string | undefined;
  const prepare = async (config: PeerConfig) => {
    const wanted = JSON.stringify(config);
    if (loaded === wanted) return driver.reset();
    loaded = undefined;
    await driver.configure(config);
    loaded = wanted;
  };
  const restart = async () => {
    loaded = undefined;
    await parts.restart();
  };
  return {
    id: info.id,
    info,
    epochMs: performance.timeOrigin,
    driver: () => driver,
    async arena(test, wishes) {
      const attempt = (attempts.get(test) ?? 0) + 1;
      attempts.set(test, attempt);
      driver.begin?.(test);
      link.onReceive(() => {});
      const byTcp = wishes.config?.transport === "tcp";
      const ends = byTcp ? parts.tcp : parts.ends[wishes.outer ?? 4];
      if (!ends) throw new Unsupported(`no ${byTcp ? "IKE over TCP" : `IPv${wishes.outer}`} in this runtime`);
      const config = configFor(ends.remote, ends.local, wishes);
      const random = seededRandom(`${seed}/${test}/${attempt}`);
      const material = await materialFor(config, "tester", pki);
      const policy = () => policyFor(config, "tester", material);
      const own = { config, policy, inner: innerHosts(config, wishes), random };
      await prepare(config).catch(async (error: unknown) => {
        if (error instanceof DriverUnsupported || error instanceof SetupProblem) throw error;
        // A daemon that died or hangs since the test before is not to be brought back without a word.
        if (await death(driver)) throw error;
        const script = new Script(arena(parts, ends, own));
        if (await hangs(script)) throw new Hung("the peer stopped answering before this test");
        // Still busy with the test before: what a restart mends is no matter of this test.
        await restart();
        await prepare(config);
      });
      await driver.markLog();
      await pause(DRAIN_MS);
      return arena(parts, ends, own);
    },
    restart,
    async stop() {
      await parts.stop();
      await link.close();
    },
  };
}

/** A busy daemon may let its driver wait, but answers a stranger. */
async function hangs(script: Script): Promise<boolean> {
  try {
    const status = await script.arena.driver.status().catch(() => undefined);
    return status?.alive !== true && !(await script.peerAnswers());
  } finally {
    script.host.stop();
  }
}

function arena(
  parts: SocketPeer,
  ends: Ends,
  own: Pick<Arena, "config" | "policy" | "inner" | "random">,
): Arena {
  const { driver, link, natPort, remoteNatPort, rawEsp, extensions } = parts;
  const world = new MortalWorld(() => driver.ended?.() === true);
  return {
    ...{
      ...own,
      ...ends,
      world,
      link,
      driver,
      natPort,
      remoteNatPort,
      rawEsp,
      ...(extensions && { extensions }),
    },
    ...{ patience: PATIENCE_MS, quiet: QUIET_MS, poke: () => world.poke() },
  };
}
