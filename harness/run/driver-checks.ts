/** What `bakeoff driver-check` asks of a driver: one check for each thing that the contract demands. */
import type { ContractDriver } from "../../peers/contract-driver.ts";
import { hasNotify } from "../ike/payloads.ts";
import type { Arena } from "../script/arena.ts";
import type { Script } from "../script/script.ts";
import type { Session } from "../script/session.ts";
import type { ArenaWishes } from "../script/test.ts";
import { Failure, Unsupported } from "../script/verdicts.ts";
import { hex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";

/** A driver with its implementation, and our endpoint beside it. */
export interface DriverLab {
  driver: ContractDriver;
  /** A fresh script, the peer configured for it; `spoil` changes its arena first. */
  script(wishes?: ArenaWishes, spoil?: (arena: Arena) => void): Promise<Script>;
}

export interface DriverCheck {
  /** What the driver does that passes. */
  name: string;
  /** The contract lets no driver do without. */
  needed?: true;
  /** Throws what is wrong; Unsupported where the driver has no means for it. */
  run(lab: DriverLab): Promise<void>;
}

const demand = (held: boolean, expected: string, actual: string): void => {
  if (!held) throw new Failure(expected, actual);
};

/** No verb of any version of the contract. */
const NO_VERB = "sing";
const NO_FIELD = "no-such-field";

async function dialled({ script }: DriverLab, wishes: ArenaWishes = {}): Promise<Session> {
  return (await script(wishes)).dial();
}

export const driverChecks: readonly DriverCheck[] = [
  {
    name: "hello names the implementation",
    needed: true,
    async run({ driver: { about } }) {
      demand(!!about.name, "a name of the implementation", "none");
    },
  },
  {
    name: "a verb that it does not know is unsupported",
    async run({ driver }) {
      const reply = await driver.tell({ verb: NO_VERB });
      demand(
        "unsupported" in reply,
        `"unsupported" as the reply to the verb ${NO_VERB}`,
        JSON.stringify(reply),
      );
    },
  },
  {
    name: "a setting that it does not know is unsupported",
    async run({ driver, script }) {
      const { config, inner: hosts } = (await script()).arena;
      const changed = { ...config, [NO_FIELD]: true };
      const reply = await driver.tell({ verb: "configure", config: changed, hosts });
      const expected = `"unsupported" as the reply to a configuration with the field ${NO_FIELD}`;
      demand("unsupported" in reply, expected, JSON.stringify(reply));
    },
  },
  {
    name: "configured, the peer answers: IKE SA and Child SA come up",
    needed: true,
    async run(lab) {
      await dialled(lab);
    },
  },
  { name: "status names the SAs that are up", run: statusNamesSas },
  {
    name: "reset forgets the SAs, and says nothing of it to the other end",
    needed: true,
    run: resetIsSilent,
  },
  { name: "a configuration takes the place of the one before", needed: true, run: configureReplaces },
  {
    name: "initiate has the peer begin, and both SAs come up",
    run: async ({ script }) => void (await (await script()).accept()),
  },
  {
    name: "rekey-child rekeys the Child SA",
    run: async (lab) => void (await (await dialled(lab)).peerRekeysChild()),
  },
  {
    name: "rekey-ike rekeys the IKE SA",
    run: async (lab) => void (await (await dialled(lab)).peerRekeysIke()),
  },
  { name: "delete child deletes the Child SA and no more", run: (lab) => deletes(lab, "child") },
  { name: "delete ike deletes the IKE SA", run: (lab) => deletes(lab, "ike") },
  {
    name: "the host behind the peer answers through the tunnel",
    async run(lab) {
      const answered = await (await dialled(lab)).ping();
      if (!answered) throw new Unsupported("no echo reply: tests that need one will be unsupported");
    },
  },
  {
    name: "send-traffic sends through the tunnel",
    async run(lab) {
      const session = await dialled(lab);
      const { peer, tester } = session.hosts;
      const since = session.script.mark();
      await lab.driver.sendTraffic({ from: peer, to: tester, count: 3 });
      const came = () =>
        session.script.trace.entries
          .slice(since)
          .some(({ event }) => event.type === "esp-received" && event.inner?.echo !== undefined);
      demand(await session.script.until(came), "ICMP echo in ESP that opens with our keys", "none");
    },
  },
  {
    name: "bye ends it",
    needed: true,
    async run({ driver }) {
      const reply = await driver.tell({ verb: "bye" });
      demand("ok" in reply, '"ok" as the reply to bye', JSON.stringify(reply));
      demand(await driver.hasEnded(BYE_MS), `its process to end within ${BYE_MS / 1000} s`, "it runs on");
    },
  },
];

const BYE_MS = 3_000;

async function statusNamesSas(lab: DriverLab): Promise<void> {
  const { sa, child, script } = await dialled(lab);
  const reply = await lab.driver.tell({ verb: "status" });
  if ("unsupported" in reply) throw new Unsupported(`${reply.unsupported}: its end is not seen then`);
  demand("ok" in reply, '"ok" as the reply to status', JSON.stringify(reply));
  const { alive, ikeSas, childSas } = await lab.driver.status();
  demand(alive, "a peer that is alive, as it answers", "dead");
  const [spiI, spiR] = [hex(sa.spiI), hex(sa.spiR)];
  const ike = ikeSas.some(
    (one) => one.spiI.padStart(16, "0") === spiI && one.spiR.padStart(16, "0") === spiR,
  );
  demand(ike, `an IKE SA ${spiI} ${spiR}`, JSON.stringify(ikeSas));
  const [into, out] = [hex(child.spiOut), hex(child.spiIn)];
  const ours = childSas.some(
    (one) => one.spiIn.padStart(8, "0") === into && one.spiOut.padStart(8, "0") === out,
  );
  demand(ours, `a Child SA in ${into} out ${out}`, JSON.stringify(childSas));
  script.host.stop();
}

async function resetIsSilent({ driver, script }: DriverLab): Promise<void> {
  const session = await (await script()).dial();
  const since = session.script.mark();
  await driver.reset();
  await session.script.wait();
  const said = session.script.trace.entries.slice(since).some(({ event }) => event.type === "received");
  demand(!said, "silence", "a message of the peer on the IKE SA that is reset");
  demand(!(await session.alive()), "an IKE SA that nobody knows any more", "an answer on it");
  const { ikeSas } = await driver.status();
  // Our looking for life leaves a half-open one.
  const [spiI, spiR] = [hex(session.sa.spiI), hex(session.sa.spiR)];
  const known = ikeSas.some((one) => one.spiI === spiI && one.spiR === spiR);
  demand(!known, "no such IKE SA in status", JSON.stringify(ikeSas));
}

async function configureReplaces({ script }: DriverLab): Promise<void> {
  const one = await script();
  const { policy } = one.arena;
  await one.dial();
  const other = await script({ config: { psk: "another shared secret" } });
  await other.dial();
  const stale = await script({ config: { psk: "another shared secret" } }, (arena) => {
    arena.policy = policy;
  });
  const { failure } = await stale.tryDial();
  const refused = stale.trace
    .exchangesOf(EXCHANGE.IKE_AUTH)
    .some(({ response }) => hasNotify(response?.payloads ?? [], NOTIFY.AUTHENTICATION_FAILED));
  demand(refused, "AUTHENTICATION_FAILED for the shared secret of before", failure ?? "an IKE SA");
}

async function deletes(lab: DriverLab, what: "ike" | "child"): Promise<void> {
  const session = await dialled(lab);
  const wanted = what === "ike" ? PROTOCOL.IKE : PROTOCOL.ESP;
  await lab.driver.delete(what);
  const protocols = () =>
    session.script.trace
      .exchangesOf(EXCHANGE.INFORMATIONAL, "peer")
      .flatMap(({ request }) => request.payloads)
      .flatMap((one) => (one.kind === "Delete" ? [one.protocolId] : []));
  demand(await session.script.until(() => protocols().length > 0), `a Delete of the ${what} SA`, "none");
  const names = protocols().map((id) => (id === PROTOCOL.IKE ? "IKE" : "ESP"));
  demand(
    protocols().every((id) => id === wanted),
    `a Delete of the ${what} SA alone`,
    `Delete of ${names.join(", ")}`,
  );
}
