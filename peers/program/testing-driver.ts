/**
 * The builtin peer behind the contract, on loopback, for tests of both: `node testing-driver.ts [MUTANT]`. A mutant breaks the
 * contract in one way.
 */
import { createInterface } from "node:readline";
import { BuiltinProcess } from "../builtin/process.ts";
import { peerConfigSchema } from "../builtin/process-protocol.ts";

const LOOPBACK = "127.0.0.1";
const mutant = process.argv[2];
const is = (name: string): boolean => mutant === name;

let peer: BuiltinProcess | undefined;
const theirs = (): BuiltinProcess => {
  if (!peer) throw new Error("hello comes first");
  return peer;
};

type Fields = Record<string, unknown>;

const numberIn = (end: unknown, field: string): number => Number(Reflect.get(Object(end), field));

/** At the ports that it had, if it had some. */
async function hello({ tester, peer: own }: Fields): Promise<Fields> {
  const at = (field: string) => ({ host: LOOPBACK, port: numberIn(own, field) });
  const testerNatPort = numberIn(tester, "natPort");
  peer = new BuiltinProcess({ seed: "driver", testerNatPort }, LOOPBACK, [at("port"), at("natPort")]);
  await peer.start();
  const [plain, marked] = peer.ends;
  const where = { port: plain.port, natPort: marked.port };
  return is("nameless") ? { peer: where } : { name: "builtin", version: "current", peer: where };
}

async function configure({ config }: Fields): Promise<Fields> {
  const known = peerConfigSchema.safeParse(config);
  if (known.success && !(is("keeps-configuration") && configured)) await theirs().configure(known.data);
  configured = true;
  return known.success || is("takes-any-setting") ? {} : { unsupported: "a setting that is not known" };
}
let configured = false;

async function status(): Promise<Fields> {
  if (is("silent-status")) return new Promise(() => {});
  const { alive, ikeSas, childSas } = await theirs().status();
  return is("blind") ? { alive, ikeSas: [], childSas: [] } : { alive, ikeSas, childSas };
}

async function reset(): Promise<Fields> {
  if (is("keeps-sas")) return {};
  if (is("resets-aloud")) await theirs().delete("ike");
  else await theirs().reset();
  return {};
}

const verbs: Record<string, (ask: Fields) => Promise<Fields | undefined>> = {
  hello,
  configure,
  status,
  reset,
  initiate: async () => void (is("idle") || (await theirs().initiate())),
  "rekey-ike": async () => void (await theirs().rekeyIke()),
  "rekey-child": async () => void (is("idle-child") || (await theirs().rekeyChild())),
  delete: async ({ what }) =>
    void (await theirs().delete(what === "ike" || is("deletes-all") ? "ike" : "child")),
  "send-traffic": async ({ from, to, count }) =>
    void (await theirs().sendTraffic({ from: String(from), to: String(to), count: Number(count) })),
  bye: async () => void (await theirs().stop()),
};

async function answer({ verb, ...ask }: Fields): Promise<Fields> {
  const known = verbs[String(verb)];
  if (!known) return is("takes-any-verb") ? { ok: true } : { unsupported: `no ${verb}` };
  try {
    const more = await known(ask);
    return more && "unsupported" in more ? more : { ok: true, ...more };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

if (is("greets")) process.stdout.write("builtin peer, ready\n");
createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, ...ask }: Fields = JSON.parse(line);
  const reply = await answer(ask);
  process.stdout.write(`${JSON.stringify({ ...(is("numberless") ? {} : { id }), ...reply })}\n`);
  if (is("dies") && ask.verb === "initiate") process.exit(3);
  if (is("leaves") && ask.verb === "configure") process.exit(3);
  if (is("chatters") && ask.verb === "configure") setTimeout(() => process.stdout.write("loaded\n"), 50);
  if (is("floods") && ask.verb === "configure") setInterval(() => process.stdout.write("x".repeat(65_536)));
  if (ask.verb === "bye" && !is("stays")) process.exit(0);
});
