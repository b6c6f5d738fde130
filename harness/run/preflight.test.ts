import { expect } from "chai";
import { DriverUnsupported } from "../../peers/contract.ts";
import { identity } from "../ike/identity.ts";
import type { Datagram, Link } from "../link/types.ts";
import type { Arena } from "../script/arena.ts";
import type { ArenaWishes } from "../script/test.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import type { LaneOrder } from "./lane-protocol.ts";
import { memoryPeer } from "./live-peer.ts";
import { preflight } from "./preflight.ts";

const order: LaneOrder = {
  ...{ kind: "order", peer: "builtin:memory", id: "builtin@current:memory", tests: [], files: [], seed: "1" },
  ...{ testLimitMs: 30_000, runId: "test", lane: 0 },
};

/** The pre-flight of a builtin peer in an arena that is not as it should be. */
async function reasonWith(
  spoil: (arena: Arena) => void,
  wishes: ArenaWishes = {},
): Promise<string | undefined> {
  const peer = memoryPeer(order, "");
  const arena = async (test: string, changes: object) => {
    const made = await peer.arena(test, { ...wishes, ...changes });
    spoil(made);
    return made;
  };
  return (await preflight({ ...peer, arena }, order))?.reason;
}

const passing = (link: Link, passes: (datagram: Datagram) => boolean): Link => ({
  ...link,
  send: (datagram) => {
    if (passes(datagram)) link.send(datagram);
  },
});

const EXCHANGE_TYPE = 18;

describe("pre-flight", () => {
  it("finds nothing wrong with the builtin peer", async () => {
    expect(await reasonWith(() => {})).to.equal(undefined);
  });

  it("looks at no other port where IKE goes over TCP", async () => {
    const overTcp = { config: { transport: "tcp" as const } };
    const onePort = (arena: Arena) => {
      arena.remoteNatPort = 4501;
      arena.link = passing(arena.link, ({ destination }) => destination.port === arena.remote.port);
    };
    expect(await reasonWith(onePort)).to.match(/UDP port 4501 is filtered/);
    expect(await reasonWith(onePort, overTcp)).to.equal(undefined);
    const nobody = await reasonWith((arena) => {
      arena.link = passing(arena.link, () => false);
    }, overTcp);
    expect(nobody).to.match(/not reachable on TCP port 4500/);
  });

  it("tells a peer that is silent on IKE_AUTH from one that agrees to no proposal", async () => {
    const silent = await reasonWith((arena) => {
      arena.link = passing(arena.link, ({ data }) => ![data[18], data[22]].includes(EXCHANGE.IKE_AUTH));
    });
    expect(silent).to.match(/: no answer to IKE_AUTH: the peer may be silent on a wrong shared secret/);
    const declined = await reasonWith(({ config }) => {
      config.ikeProposals = ["aes128-sha256-modp3072"];
    });
    expect(declined).to.match(/: proposals do not agree with the peer's: /);
  });

  it("tells kinds of broken labs apart", async () => {
    const reasons = [
      await reasonWith((arena) => {
        arena.remote = { ...arena.remote, host: "192.0.2.99" };
      }),
      await reasonWith((arena) => {
        arena.link = passing(arena.link, ({ destination }) => destination.port !== 4500);
      }),
      await reasonWith((arena) => {
        const { policy } = arena;
        arena.policy = () => ({ ...policy(), psk: new TextEncoder().encode("another secret") });
      }),
      await reasonWith((arena) => {
        const { policy } = arena;
        arena.policy = () => ({ ...policy(), remoteId: identity("somebody.example") });
      }),
      await reasonWith((arena) => {
        const { policy } = arena;
        arena.policy = () => ({ ...policy(), localId: identity("nobody.example") });
      }),
      await reasonWith((arena) => {
        arena.link = passing(arena.link, ({ data }) => data.length < 1_200);
      }),
      await reasonWith((arena) => {
        let alive = true;
        arena.link = passing(arena.link, ({ data }) => {
          alive &&= (data[EXCHANGE_TYPE] ?? 0) < 240;
          return alive;
        });
      }),
    ];
    const patterns = [
      /not reachable on UDP port 500/,
      /port 4500 is filtered/,
      /: wrong shared secret/,
      /: wrong identity: the peer calls itself "peer.example"/,
      /does not know our identity/,
      /MTU too small/,
      /answers nothing any more/,
    ];
    reasons.forEach((reason, i) => {
      expect(reason).to.match(patterns[i] ?? /none/);
    });
  });

  it("leaves it to each test to say what a driver has no means for", async () => {
    const unable = () => Promise.reject(new DriverUnsupported("nobody can make it begin"));
    const peer = memoryPeer(order, "");
    const arena: typeof peer.arena = async (test, wishes) => {
      const made = await peer.arena(test, wishes);
      made.driver.initiate = unable;
      return made;
    };
    expect(await preflight({ ...peer, arena, begins: true }, order)).to.equal(undefined);
    expect(await preflight({ ...peer, arena: unable }, order)).to.equal(undefined);
  });
});
