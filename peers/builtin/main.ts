/** The builtin peer in a process of its own, on UDP and TCP sockets of the loopback; ends with its standard input. */
import { createInterface } from "node:readline";
import { seededRandom } from "../../harness/crypto/seeded-random.ts";
import { joined } from "../../harness/link/joined.ts";
import { openTcp } from "../../harness/link/tcp.ts";
import type { Address, Link } from "../../harness/link/types.ts";
import { openUdp, RealWorld } from "../../harness/link/udp.ts";
import { realEffects } from "./faults/effects.ts";
import { findLie } from "./lies/index.ts";
import { BuiltinPeer } from "./peer.ts";
import { behindNat } from "./process-nat.ts";
import { type Answer, requestSchema, startSchema, type Verb } from "./process-protocol.ts";
import { findVariant } from "./variants.ts";

const options = startSchema.parse(JSON.parse(process.argv[2] ?? "{}"));
const { sockets, plain, marked } = await openSockets(5);

const peer: BuiltinPeer = new BuiltinPeer({
  clock: new RealWorld().clock,
  random: seededRandom(options.seed),
  link: mortal(behindNat(sockets, [plain, marked])),
  natPort: 4500,
  effects: realEffects(),
  remoteNatPort: options.testerNatPort,
  lie: options.lie === undefined ? undefined : findLie(options.lie),
  variant: options.variant === undefined ? undefined : findVariant(options.variant),
});

/** A port that the system gives for UDP may be taken for TCP: then both are chosen anew, `tries` times. */
async function openSockets(tries: number): Promise<{ sockets: Link; plain: Address; marked: Address }> {
  const udp = await openUdp(options.bind);
  const [plain, marked] = udp.addresses;
  if (!plain || !marked) throw new Error("two sockets were asked for");
  try {
    return { sockets: joined(udp, await openTcp({ listen: [marked] })), plain, marked };
  } catch (error) {
    await udp.close();
    if (tries <= 1) throw error;
    return openSockets(tries - 1);
  }
}

/** A peer that dies takes its process along, as a daemon does. */
function mortal(link: Link): Link {
  return {
    ...link,
    onReceive: (handler) =>
      link.onReceive((datagram) => {
        handler(datagram);
        void peer.status().then(({ alive }) => {
          if (!alive) process.kill(process.pid, "SIGSEGV");
        });
      }),
  };
}

async function act(verb: Verb): Promise<object> {
  switch (verb.verb) {
    case "configure":
      await peer.configure(verb.config);
      break;
    case "delete":
      await peer.delete(verb.what);
      break;
    case "sendTraffic":
      await peer.sendTraffic(verb.options);
      break;
    case "ping":
      await peer.ping(verb.options);
      break;
    case "status":
      return { status: await peer.status() };
    case "logs":
      return { logs: await peer.logs() };
    default:
      await peer[verb.verb]();
  }
  return { done: true };
}

const say = (answer: Answer | { id: number }): void => {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
};

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const { id, verb } = requestSchema.parse(JSON.parse(line));
  act(verb).then(
    (answer) => say({ id, ...answer }),
    (error: unknown) => say({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});
lines.on("close", () => process.exit(0));
say({ ready: [plain.port, marked.port] });
