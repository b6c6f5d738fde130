import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { isRawUnavailable, openRawEsp, probeRawEsp } from "./raw-socket.ts";

const MODULE = fileURLToPath(new URL("./raw-socket.ts", import.meta.url));
const isRoot = process.getuid?.() === 0;

/** Sends every packet back with its octets in reverse, so that an answer cannot be the own packet. */
const REFLECTOR = `
  const { openRawEsp } = await import(process.argv[1]);
  const links = process.argv.slice(2).map((local) => openRawEsp({ local }));
  for (const link of links) {
    if (!link.send) { console.log(JSON.stringify(link)); process.exit(1); }
    link.onReceive(({ source, destination, data }) =>
      link.send({ protocol: "esp", source: destination, destination: source, data: data.reverse() }));
  }
  console.log("ready");
  // Nothing here holds the links by now: they must live on all the same.
  setTimeout(gc, 100);
`;

/**
 * Sends a packet of each size in turn and prints what comes back. A packet is sent again until it is answered, for
 * the first ones may be lost; after 20 s it gives up.
 */
const SENDER = `
  const { openRawEsp } = await import(process.argv[1]);
  const [local, peer, ...sizes] = process.argv.slice(2);
  const link = openRawEsp({ local, onError: (error) => console.log(JSON.stringify({ error: error.message })) });
  const send = () => {
    const data = Uint8Array.from({ length: Number(sizes[0]) }, (_, index) => index);
    link.send({ protocol: "esp", source: { host: local, port: 0 }, destination: { host: peer, port: 0 }, data });
  };
  link.onReceive(({ source, destination, data }) => {
    if (data.length !== Number(sizes[0])) return;
    console.log(JSON.stringify({ from: source.host, to: destination.host, size: data.length, first: data[0], last: data.at(-1) }));
    sizes.shift();
    if (sizes.length === 0) process.exit(0);
    send();
  });
  send();
  setInterval(send, 250);
  setTimeout(() => process.exit(1), 20_000);
`;

describe("link: raw ESP sockets", () => {
  it("refuses what is no address, with a reason", () => {
    const link = openRawEsp({ local: "nowhere" });
    expect(link).to.include({ error: "not-available", cause: "family" });
  });

  it("opens, or says why not and what helps", async () => {
    const result = await probeRawEsp(4);
    if (result === true) return;
    expect(isRawUnavailable(result)).to.equal(true);
    expect(result.reason).not.to.equal("");
    expect(result.remedy).not.to.equal("");
  });
});

describe("link: raw ESP between two network namespaces", () => {
  const names = ["bo-raw-a", "bo-raw-b"].map((name) => `${name}-${process.pid}`);
  const ip = (...args: string[]): void => void execFileSync("ip", args, { stdio: "pipe" });
  let reflector: ChildProcess | undefined;

  // Not "ip netns exec", which mounts /sys anew: that can fail while others mount.
  const run = (namespace: string, script: string, ...args: string[]): ChildProcess =>
    spawn(
      "nsenter",
      [
        ...[`--net=/run/netns/${namespace}`, process.execPath, "--expose-gc", "--import", "tsx"],
        ...["--input-type=module", "--eval", script, MODULE, ...args],
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );

  before(async function () {
    if (!isRoot || (await probeRawEsp(4)) !== true) this.skip();
    for (const name of names) ip("netns", "add", name);
    ip("link", "add", "v", "netns", names[0]!, "type", "veth", "peer", "name", "v", "netns", names[1]!);
    names.forEach((name, index) => {
      ip("-n", name, "addr", "add", `192.0.2.${index + 1}/24`, "dev", "v");
      ip("-n", name, "addr", "add", `2001:db8::${index + 1}/64`, "dev", "v", "nodad");
      ip("-n", name, "link", "set", "v", "up");
    });
    reflector = run(names[1]!, REFLECTOR, "192.0.2.2", "2001:db8::2");
    const [ready] = await once(reflector.stdout!, "data");
    expect(String(ready).trim()).to.equal("ready");
  });

  after(() => {
    reflector?.kill();
    if (isRoot) for (const name of names) spawnSync("ip", ["netns", "del", name]);
  });

  for (const [family, local, peer] of [
    ["IPv4", "192.0.2.1", "192.0.2.2"],
    ["IPv6", "2001:db8::1", "2001:db8::2"],
  ] as const) {
    it(`carries packets both ways over ${family}, without the IP header, up to the largest`, async () => {
      const sizes = [8, 1400, 9000];
      const sender = run(names[0]!, SENDER, local, peer, ...sizes.map(String));
      const [output, complaints] = ["", ""].map((said, i) => {
        const all = { said };
        (i === 0 ? sender.stdout : sender.stderr)!.on("data", (chunk) => {
          all.said += String(chunk);
        });
        return all;
      });
      // Not "exit", after which output can still come.
      const ended = await once(sender, "close");
      expect({ ended, complaints: complaints!.said, reflector: reflector?.exitCode }).to.deep.equal({
        ...{ ended: [0, null], complaints: "", reflector: null },
      });
      const lines = output!.said.trim().split("\n");
      const seen = lines.map((line): unknown => JSON.parse(line));
      expect(seen).to.deep.equal(
        sizes.map((size) => ({ from: peer, to: local, size, first: (size - 1) & 0xff, last: 0 })),
      );
    });
  }
});
