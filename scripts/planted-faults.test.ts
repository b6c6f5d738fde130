import { expect } from "chai";
import { setups } from "../fuzz/setups.ts";
import type { EspExtension } from "../harness/esp/hooks.ts";
import type { Extension } from "../harness/ike/hooks.ts";
import { memoryArena } from "../harness/run/arena-memory.ts";
import { Script } from "../harness/script/script.ts";
import type { Session } from "../harness/script/session.ts";
import type { Effects } from "../peers/builtin/faults/effects.ts";
import { faults } from "../peers/builtin/faults/index.ts";
import type { Planted } from "../peers/builtin/lies/lie.ts";
import type { PeerRole } from "../peers/contract.ts";

type Shown = (what: string) => void;

/** A peer with all faults at once, each of which tells when it shows. */
function allFaults(shown: Shown): Planted {
  const effects = (name: string): Effects => ({
    crash: () => shown(`${name} crashes`),
    hang: () => shown(`${name} hangs`),
    loop: () => shown(`${name} loops`),
    leak: () => shown(`${name} leaks`),
  });
  return {
    name: "all",
    behaviour: () => {
      const all = faults.map(({ name, behaviour }) => ({ name, of: behaviour(effects(name)) }));
      return {
        sees: (message, core) => {
          for (const { name, of } of all) {
            of.sees?.(message, core);
            const decided = Object.values(of.ike?.decide ?? {}).some((choice) => choice !== undefined);
            if (decided) shown(`${name} decides`);
          }
        },
        ike: hooksOf(
          all.map(({ name, of: { ike } }) => ({ name, ...ike })),
          shown,
        ),
        esp: packetsOf(
          all.map(({ name, of: { esp } }) => ({ name, ...esp })),
          shown,
        ),
      };
    },
  };
}

const hooksOf = (all: Extension[], shown: Shown): Omit<Extension, "name"> => ({
  ikeKeys: (inputs) => {
    for (const { ikeKeys } of all) ikeKeys?.(inputs);
  },
  incoming: (message, core) => {
    for (const { name, incoming } of all) {
      const before = message.payloads.length;
      if (incoming?.(message, core) === "drop" || message.payloads.length !== before) shown(`${name} bends`);
    }
    return undefined;
  },
  outgoing: (message, core) => {
    for (const { name, outgoing } of all) {
      outgoing?.(message, core);
      if (message.octets) shown(`${name} bursts`);
    }
  },
});

const packetsOf = (all: EspExtension[], shown: Shown): Omit<EspExtension, "name"> => ({
  incoming: (result, ...rest) => {
    for (const { name, incoming } of all)
      if (incoming && incoming(result, ...rest) !== result) shown(`${name} delivers`);
    return result;
  },
});

/** All that both ends do in honest conversations, and what each end does there. */
async function live(s: Script, session: Session, peer: PeerRole): Promise<void> {
  await session.alive();
  if (session.sa.children.length === 0) await session.tryCreateChild();
  if (session.sa.children.length > 0) {
    await session.ping();
    await session.rekeyChild();
    if (peer === "initiator") await session.peerRekeysChild();
    await session.createChild();
    await session.deleteChild();
  }
  const next = peer === "initiator" ? await session.peerRekeysIke() : await session.rekeyIke();
  if (next.sa.children.length > 0) await next.deleteChild();
  await s.arena.driver.delete("child");
  await next.tryCreateChild();
  await next.deleteIke();
}

describe("planted faults", () => {
  for (const { name, wishes, roles } of setups) {
    for (const peer of roles) {
      it(`do not show in honest conversations: ${name}, the peer as ${peer}`, async () => {
        const seen: string[] = [];
        const lie = allFaults((what) => seen.push(what));
        const script = new Script(await memoryArena(wishes, { seed: "honest", lie }));
        await live(script, await script.establish(peer), peer);
        expect(seen).to.deep.equal([]);
      });
    }
  }
});
