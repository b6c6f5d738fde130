import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import { BuiltinProcess } from "../../peers/builtin/process.ts";
import type { PeerConfig } from "../../peers/contract.ts";
import { MOST_HALF_OPEN } from "../ike/half-open.ts";
import type { Extension } from "../ike/hooks.ts";
import { notify } from "../ike/payloads.ts";
import { sealMessage } from "../ike/sk.ts";
import { certificateBombs } from "../script/bulk.ts";
import { Script } from "../script/script.ts";
import { concat } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { FLAG } from "../wire/types.ts";
import { BOMBS, type Bomb, type Place, plant } from "./hostile-bombs.ts";
import type { LivePeer } from "./live-peer.ts";
import { openPeer } from "./open-peer.ts";

const MOST = 64 * 2 ** 20;

/** Octets out of `/proc/PID/status`: resident now, or the most since the figure was set back. */
function memory(pid: number, field: "VmRSS" | "VmHWM"): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1]) * 1024;
}

const PATIENCE_MS = 150;
const SETTLE_MS = 50;
/** With signatures to make and to verify. */
const PROOF_MS = 2_000;
/** What the sockets of the victim hold of a burst is little. */
const BREATH_MS = 3;
const FRAGMENTS = 254;

/** Begins with a long request, and goes on with fragments of which the last never comes. */
const unfinished: Extension = {
  name: "unfinished",
  outgoing: ({ header, payloads }) => {
    if (header.exchangeType === EXCHANGE.IKE_SA_INIT)
      payloads.push(notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, new Uint8Array(60_000)));
  },
  split: (_message, _inner, seal) =>
    Array.from({ length: FRAGMENTS }, (_, i) =>
      seal(new Uint8Array(255), i === 0 ? 41 : 0, { number: i + 1, total: FRAGMENTS + 1 }),
    ),
};

describe("a hostile peer on UDP sockets", function () {
  this.timeout(240_000);
  let peer: LivePeer;
  let victim: BuiltinProcess;
  let pid = 0;
  let idle = 0;

  before(async () => {
    const settings = { testLimitMs: 60_000, runId: "hostile", lane: 0, seed: "hostile" };
    peer = await openPeer({ ...settings, kind: "order", peer: "builtin:process", id: "victim", tests: [] });
    const driver = peer.driver();
    if (!(driver instanceof BuiltinProcess)) throw new Error("another kind of process");
    victim = driver;
    pid = victim.pid ?? 0;
    for (let i = 0; i < 5; i++) await honest();
    idle = memory(pid, "VmRSS");
    // Sets the highest figure back to what is resident now.
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
  });

  after(async () => {
    await peer?.stop();
  });

  /** Our end, which does not wait for long. */
  async function attacker(name: string, config: Partial<PeerConfig> = {}): Promise<Script> {
    const arena = await peer.arena(name, { config: { fragmentation: true, ...config } });
    const patience = config.auth ? PROOF_MS : PATIENCE_MS;
    return new Script({ ...arena, patience, quiet: BREATH_MS });
  }

  /** The next test: everything works again. */
  async function honest(): Promise<void> {
    const script = new Script(await peer.arena("honest", { config: { fragmentation: true } }));
    const session = await script.dial();
    expect(await session.alive()).to.equal(true);
    script.host.stop();
  }

  async function expectCheap(what: string): Promise<void> {
    await honest();
    expect(memory(pid, "VmHWM") - idle, `${what}: octets above the idle figure`).to.be.below(MOST);
  }

  /** Plays until the victim, which is the other end of what `place` names, has refused it or had its time. */
  async function play(name: string, place: Place, bomb: Bomb, config: Partial<PeerConfig> = {}) {
    const script = await attacker(name, config);
    script.extensions.push({ name: "hostile", outgoing: (message) => plant(message, place, bomb) });
    if (place.of === "request") await script.tryDial();
    else await script.provoke(() => script.trace.exchangesOf(EXCHANGE.INFORMATIONAL, "peer").length > 0);
    // The answer to its refusal is under way.
    await script.wait(SETTLE_MS);
    script.host.stop();
  }

  for (const exchange of ["IKE_SA_INIT", "IKE_AUTH"] as const) {
    for (const of of ["request", "response"] as const) {
      it(`costs little by one message, an ${exchange} ${of}, and leaves a finding`, async () => {
        for (const [what, bomb] of Object.entries(BOMBS)) {
          await play(what, { exchange, of }, bomb);
          if (/^10,000/.test(what))
            expect(await victim.logs(), what).to.match(/dropped: 1\d{4} .* no more than/);
          await expectCheap(what);
        }
      });
    }
  }

  for (const of of ["request", "response"] as const) {
    it(`costs little by certificates that are none, in an IKE_AUTH ${of}, and leaves a finding`, async () => {
      const signature = { method: "signature", key: "ecdsa256" } as const;
      for (const [what, bomb] of Object.entries(certificateBombs)) {
        await play(what, { exchange: "IKE_AUTH", of }, bomb, { auth: signature, testerAuth: signature });
        expect(await victim.logs(), what).to.match(/malformed: |300 certificates, of which no more than 32/);
        await expectCheap(what);
      }
    });
  }

  it("costs little by every fragment a message can have, and leaves a finding", async () => {
    const script = await attacker("all fragments");
    const { sa } = await script.dial();
    const { outbound, spiI, spiR, nextMessageId: messageId } = sa;
    if (!outbound) throw new Error("no keys");
    const exchangeType = EXCHANGE.INFORMATIONAL;
    const header = { ...{ spiI, spiR, version: 0x20, flags: FLAG.initiator }, exchangeType, messageId };
    const total = 65_535;
    for (let number = total; number > 0; number--) {
      const fragment = { number, total };
      const { random } = script.arena;
      const sealed = sealMessage(outbound, random, header, [], new Uint8Array(), 0, {}, fragment);
      // Past our own end, which would keep it all; from the port with the marker, as the victim sees a NAT.
      const data = concat(new Uint8Array(4), sealed);
      script.arena.link.send({ protocol: "udp", source: sa.local, destination: sa.remote, data });
      if (number % 500 === 0) await script.wait(BREATH_MS);
    }
    expect(await victim.logs()).to.match(/fragment 65535 of 65535, and more than 255 are not collected/);
    script.host.stop();
    await expectCheap("all fragments");
  });

  it("costs little by handshakes that it does not finish", async () => {
    const { arena } = await attacker("unfinished");
    for (let i = 0; i < 1.5 * MOST_HALF_OPEN; i++) {
      const script = new Script(arena);
      script.extensions.unshift(unfinished);
      const { sa } = await script.tryInit();
      script.host.endpoint.auth(sa);
      await script.wait(BREATH_MS);
      script.host.stop();
    }
    await expectCheap("unfinished handshakes");
  });
});
