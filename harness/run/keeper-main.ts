/** The process of a keeper: starts a peer and holds it until it is told to let go. Its argument names the peer. */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import type { RunningPeer } from "../../peers/contract.ts";
import { findPeer, peerName } from "../../peers/definition.ts";
import { startPeer } from "../../peers/runtime/index.ts";
import { ordinaryConfig } from "./config.ts";
import {
  type KeeperAnswer,
  type KeptStatus,
  type Question,
  questionSchema,
  type Ready,
  socketPath,
} from "./keeper-protocol.ts";

const chosen = findPeer(process.argv[2] ?? "");
const path = socketPath(peerName(chosen));
let running: RunningPeer | undefined;

async function statusOf(peer: RunningPeer): Promise<KeptStatus> {
  const { alive, exit, ikeSas, childSas } = await peer.driver.status();
  const { version, tester, peer: address, testerNamespace } = peer;
  return {
    ...{ version, tester, peer: address, alive, ikeSas: ikeSas.length, childSas: childSas.length },
    ...(testerNamespace === undefined ? {} : { namespace: testerNamespace }),
    ...(exit === undefined ? {} : { exit }),
  };
}

async function answer(question: Question, peer: RunningPeer): Promise<KeeperAnswer> {
  try {
    if (question === "status") return { status: await statusOf(peer) };
    if (question === "logs") return { logs: await peer.driver.logs() };
    await peer.stop();
    return { down: true };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function reply(socket: Socket, question: Question, peer: RunningPeer): void {
  void answer(question, peer).then((said) =>
    socket.end(`${JSON.stringify(said)}\n`, () => {
      if ("down" in said) leave();
    }),
  );
}

function serve(socket: Socket, peer: RunningPeer): void {
  socket.on("error", () => {});
  socket.setEncoding("utf8").once("data", (text: string) => {
    const question = questionSchema.safeParse(text.trim());
    if (question.success) reply(socket, question.data, peer);
    else socket.destroy();
  });
}

function leave(): never {
  rmSync(path, { force: true });
  process.exit(0);
}

async function letGo(): Promise<void> {
  await running?.stop();
  leave();
}

async function start(): Promise<KeptStatus> {
  const { definition, version, runtime } = chosen;
  const peer = await startPeer(definition, version, runtime, {
    runId: randomBytes(4).toString("hex"),
    lane: 0,
  });
  running = peer;
  const address = (host: string) => ({ host, port: 500 });
  await peer.driver.configure(ordinaryConfig(address(peer.peer), address(peer.tester)));
  rmSync(path, { force: true });
  const server = createServer((socket) => serve(socket, peer));
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
  return statusOf(peer);
}

function say(ready: Ready): Promise<void> {
  return new Promise((resolve) => process.send?.(ready, () => resolve()));
}

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => void letGo());
// Until it is up its parent waits for it; who interrupts that wants no peer.
process.once("disconnect", () => void letGo());
try {
  const ready = await start();
  process.removeAllListeners("disconnect");
  await say({ ready });
} catch (error) {
  await say({ error: error instanceof Error ? error.message : String(error) });
  await running?.stop();
  process.exit(1);
}
