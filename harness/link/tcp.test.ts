import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { fromHex, hex } from "../wire/bytes.ts";
import { openTcp, type TcpFinding, type TcpLink, type TcpOptions } from "./tcp.ts";
import type { Address, Datagram } from "./types.ts";

const LOOPBACK = "127.0.0.1";
const IKE = fromHex("00000000a1a2a3a4");

describe("link: TCP", () => {
  const open: TcpLink[] = [];
  const raw: Socket[] = [];
  afterEach(async () => {
    for (const socket of raw.splice(0)) socket.destroy();
    await Promise.all(open.splice(0).map((link) => link.close()));
  });

  async function start(options: TcpOptions = {}) {
    const link = await openTcp(options);
    open.push(link);
    const got: Datagram[] = [];
    link.onReceive((datagram) => got.push(datagram));
    return { link, got };
  }

  async function listening() {
    const findings: TcpFinding[] = [];
    const side = await start({
      listen: [{ host: LOOPBACK, port: 0 }],
      finding: (finding) => findings.push(finding),
    });
    const [address] = side.link.addresses;
    if (!address) throw new Error("one address was asked for");
    return { ...side, findings, address };
  }

  async function until(condition: () => boolean): Promise<void> {
    for (let left = 200; left > 0 && !condition(); left--) await pause(5);
    expect(condition()).to.equal(true);
  }

  async function rawTo({ host, port }: Address): Promise<Socket> {
    const socket = connect({ host, port });
    raw.push(socket);
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  }

  it("carries frames both ways between the ends of a connection, whatever their size", async () => {
    const server = await listening();
    const client = await start();
    const local = await client.link.connect(LOOPBACK, server.address);
    const send = (data: Uint8Array) =>
      client.link.send({ protocol: "tcp", source: local, destination: server.address, data });
    for (const size of [4, 1500, 65_533]) send(new Uint8Array(size).fill(size));
    await until(() => server.got.length === 3);
    expect(server.got.map(({ data }) => data.length)).to.deep.equal([4, 1500, 65_533]);
    expect(server.got[0]).to.deep.include({ protocol: "tcp", source: local, destination: server.address });
    server.link.send({ protocol: "tcp", source: server.address, destination: local, data: IKE });
    await until(() => client.got.length === 1);
    expect(client.got[0]).to.deep.equal({
      ...{ protocol: "tcp", source: server.address, destination: local },
      data: IKE,
    });
  });

  it("writes the prefix in front of the originator's frames alone", async () => {
    const server = await listening();
    const socket = await rawTo(server.address);
    const { localPort: port = 0 } = socket;
    let answer = "";
    socket.on("data", (piece) => {
      answer += hex(piece);
    });
    for (const octet of fromHex("494b45544350 000a00000000a1a2a3a4 0002 0003ff")) {
      socket.write(Uint8Array.of(octet));
      await pause(1);
    }
    await until(() => server.got.length === 2);
    expect(server.got.map(({ data }) => hex(data))).to.deep.equal([hex(IKE), "ff"]);
    const destination: Address = { host: LOOPBACK, port, transport: "tcp" };
    server.link.send({ protocol: "tcp", source: server.address, destination, data: IKE });
    await until(() => answer.length > 0);
    expect(answer).to.equal("000a00000000a1a2a3a4");
  });

  for (const [what, octets] of [
    ["another prefix", "494b4554435100"],
    ["a Length of 0", "494b45544350 0000"],
    ["a Length of 1", "494b45544350 0003ff 0001"],
  ] as const) {
    it(`closes the connection at ${what}, with a finding`, async () => {
      const server = await listening();
      const socket = await rawTo(server.address);
      socket.write(fromHex(octets));
      await once(socket, "close");
      expect(server.findings.map(({ fault }) => fault?.field)).to.have.length(1);
    });
  }

  it("opens a connection for what is sent, and again after it broke", async () => {
    const server = await listening();
    const client = await start();
    const source: Address = { host: LOOPBACK, port: 4500, transport: "tcp" };
    const send = () => client.link.send({ protocol: "tcp", source, destination: server.address, data: IKE });
    send();
    await until(() => server.got.length === 1);
    const first = server.got[0]?.source;
    server.link.send({ protocol: "tcp", source: server.address, destination: first ?? source, data: IKE });
    await until(() => client.got.length === 1);
    expect(client.got[0]?.destination).to.deep.equal(source);
    await server.link.close();
    await pause(20);
    const again = await start({ listen: [{ host: LOOPBACK, port: server.address.port }] });
    send();
    await until(() => again.got.length === 1);
  });

  it("does not connect to who connected to it, and tells of a frame that is too long", async () => {
    const server = await listening();
    const socket = await rawTo(server.address);
    await until(() => socket.localPort !== undefined);
    const destination: Address = { host: LOOPBACK, port: socket.localPort ?? 0, transport: "tcp" };
    const send = (data: Uint8Array) =>
      server.link.send({ protocol: "tcp", source: server.address, destination, data });
    socket.write(fromHex("494b45544350 0003ff"));
    await until(() => server.got.length === 1);
    send(new Uint8Array(65_534));
    expect(server.findings.map(({ reason }) => reason)).to.deep.equal([
      "65534 octets; a frame holds at most 65533",
    ]);
    socket.destroy();
    await pause(20);
    send(IKE);
    await pause(50);
    expect(server.findings).to.have.length(1);
  });

  it("listens beyond the loopback only when asked, and says what the system says", async () => {
    const failed = async (attempt: Promise<unknown>): Promise<string> =>
      attempt.then(
        () => "",
        (error: unknown) => String(error),
      );
    expect(await failed(start({ listen: [{ host: "0.0.0.0", port: 0 }] }))).to.contain("no loopback address");
    const server = await listening();
    await server.link.close();
    expect(await failed((await start()).link.connect(LOOPBACK, server.address))).to.contain("ECONNREFUSED");
  });

  it("closes in time although the other end reads nothing", async () => {
    const server = await listening();
    const socket = await rawTo(server.address);
    socket.pause();
    socket.write(fromHex("494b45544350 0003ff"));
    await until(() => server.got.length === 1);
    const destination: Address = { host: LOOPBACK, port: socket.localPort ?? 0, transport: "tcp" };
    for (let frame = 0; frame < 200; frame++)
      server.link.send({
        ...{ protocol: "tcp", source: server.address, destination },
        data: new Uint8Array(65_000),
      });
    const begun = Date.now();
    await server.link.close();
    expect(Date.now() - begun).to.be.within(900, 3_000);
    socket.destroy();
  });
});
