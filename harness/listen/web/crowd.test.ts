/** Many, idle, slow and greedy readers at once. */
import { once } from "node:events";
import { expect } from "chai";
import { isRefusal } from "../types.ts";
import type { Limits } from "./limits.ts";
import { Rate } from "./limits.ts";
import { type Serving, serve } from "./server.ts";
import { MemoryHub, RawClient } from "./testing.ts";

const LONG = "x".repeat(100_000);

const pause = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

describe("a crowd before the HTTP side of listen", () => {
  const hub = new MemoryHub();
  const clients: RawClient[] = [];
  let serving: Serving | undefined;
  let port = 0;

  async function begin(limits: Partial<Limits>, publicUrl?: URL): Promise<void> {
    serving = await serve(hub, { port: 0, limits, ...(publicUrl && { publicUrl }) });
    port = serving.port;
  }
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    await serving?.close();
  });

  const client = (request = ""): RawClient => {
    const one = new RawClient(port, request);
    clients.push(one);
    return one;
  };
  const asking = (path: string, headers = "", method = "GET") =>
    `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${headers}Content-Length: 0\r\n\r\n`;
  const session = (): string => {
    const made = hub.create({ name: "box", documents: [] });
    if (isRefusal(made)) throw new Error(made.refused);
    return made.id;
  };
  const note = (id: string, text: string) => hub.tell(id, { kind: "note", text });
  const head = (one: RawClient) => one.until(() => one.closed || one.text.includes("\r\n\r\n"));

  it("lets a participant in past 1,000 idle connections, and cuts nobody who is being served", async () => {
    await begin({ connections: 200, perSource: 1000 });
    const id = session();
    const watching = client(asking(`/s/${id}/events`));
    await watching.until(() => watching.text.includes("retry:"));
    const idle: RawClient[] = [];
    for (let batch = 0; batch < 10; batch++) {
      const more = Array.from({ length: 100 }, (_, index) => client(index % 2 === 0 ? "" : "GET / HT"));
      await Promise.all(more.map(({ socket }) => once(socket, "connect")));
      idle.push(...more);
    }
    expect(await head(client(asking("/")))).to.match(/^HTTP\/1.1 200 /);
    note(id, "still served");
    await watching.until(() => watching.text.includes("still served"));
    await idle[700]?.whole();
    expect(idle.filter(({ closed }) => !closed).length).to.be.within(150, 320);
  });

  it("closes the idle ones of a source that has too many, before those of others", async () => {
    await begin({ connections: 100, perSource: 5 });
    const idle = Array.from({ length: 8 }, () => client());
    await Promise.all(idle.slice(0, 3).map((one) => one.whole()));
    expect(await head(client(asking("/")))).to.match(/^HTTP\/1.1 200 /);
    expect(idle.filter(({ closed }) => !closed).length).to.be.within(4, 5);
  });

  it("takes who has got his reply for idle again", async () => {
    await begin({ connections: 3 });
    for (let count = 0; count < 8; count++) {
      const one = client(asking("/assets/listen.js"));
      expect(await one.until(() => one.closed || one.text.includes("})();"))).to.match(/^HTTP\/1.1 200 /);
    }
  });

  it("says that it is full when everybody is being served", async () => {
    await begin({ connections: 3, perSource: 3 });
    const id = session();
    const served = Array.from({ length: 3 }, () => client(asking(`/s/${id}/events`)));
    await Promise.all(served.map((one) => one.until(() => one.text.includes("retry:"))));
    expect(await client().whole()).to.match(/^HTTP\/1.1 503 [\s\S]*too many connections/);
    for (const { closed } of served) expect(closed).to.equal(false);
  });

  it("hangs up on who asks again before he has his reply, and keeps nothing for him", async () => {
    await begin({ streamsPerSession: 16 });
    const id = session();
    const events = asking(`/s/${id}/events`);
    await client(events.repeat(16)).whole();
    await client(events + asking(`/s/${id}.json`).repeat(400)).whole();
    while (hub.watchers(id) > 0) await pause();
    const open = Array.from({ length: 16 }, () => client(events));
    for (const one of open) expect(await head(one)).to.match(/^HTTP\/1.1 200 /);
  });

  it("gives up on heads and bodies that do not end", async () => {
    await begin({ headMs: 150, requestMs: 300 });
    const slowHead = client("GET / HTTP/1.1\r\nHost: x\r\nX-");
    const slowBody = client(
      `POST /sessions HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
    );
    expect(await slowHead.whole()).to.match(/^HTTP\/1.1 408 [\s\S]*took too long/);
    await slowBody.whole();
  });

  it("tells events as they come, after a break from where it broke off, and shows signs of life", async () => {
    await begin({ beatMs: 40 });
    const id = session();
    note(id, "one");
    note(id, "two");
    const first = client(asking(`/s/${id}/events`));
    await first.until(() => first.text.includes("id: 2\n"));
    expect(first.text)
      .to.match(/text\/event-stream/)
      .and.include('data: {"kind":"note","text":"one"');
    note(id, "three");
    await first.until(() => first.text.includes("id: 3\n"));
    await first.until(() => first.text.includes(": still here\n\n"));
    first.socket.destroy();
    note(id, "four");
    const again = client(asking(`/s/${id}/events?after=1`, "Last-Event-ID: 3\r\n"));
    await again.until(() => again.text.includes("id: 4\n"));
    expect(again.text).to.not.include("id: 3\n");
    again.socket.destroy();
    const odd = client(asking(`/s/${id}/events?after=-1`, "Last-Event-ID: 1e9\r\n"));
    await odd.until(() => odd.text.includes("id: 4\n"));
    odd.socket.destroy();
    while (hub.watchers(id) > 0) await pause();
  });

  it("tells the page what has changed besides, once", async () => {
    await begin({ beatMs: 20 });
    const id = session();
    const watching = client(asking(`/s/${id}/events?for=page`));
    const states = () => watching.text.split("event: state\n").length - 1;
    await watching.until(() => states() === 1);
    note(id, "<b>");
    await watching.until(() => watching.text.includes('"place":"course"'));
    expect(watching.text).to.include("&lt;b&gt;").and.not.include("<b>\\");
    hub.lie(id, "wrong-nonce");
    await watching.until(
      () => watching.text.split("event: state\n").at(-1)?.includes("wrong-nonce") === true,
    );
    expect(states()).to.equal(2);
  });

  it("ends the stream alone where what has changed cannot be told", async () => {
    await begin({});
    const id = session();
    const broken = client(asking(`/s/${id}/events?for=page`));
    const other = client(asking(`/s/${id}/events`));
    await broken.until(() => broken.text.includes("event: state\n"));
    hub.broken = true;
    try {
      note(id, "one");
      await broken.whole();
    } finally {
      hub.broken = false;
    }
    await other.until(() => other.text.includes("one"));
    expect(other.closed).to.equal(false);
  });

  it("cuts off who takes nothing, and delays nobody", async () => {
    await begin({ slowMs: 1000 });
    const id = session();
    const slow = client(asking(`/s/${id}/events`));
    await slow.until(() => slow.text.includes("retry:"));
    slow.socket.pause();
    const quick = client(asking(`/s/${id}/events`));
    await quick.until(() => quick.text.includes("retry:"));
    quick.most = slow.most = 200_000;
    for (let count = 0; count < 150; count++) note(id, LONG);
    await quick.until(() => quick.text.includes("id: 150\n"));
    while (hub.watchers(id) > 1) await pause();
    expect(quick.closed).to.equal(false);
    slow.socket.resume();
    await slow.whole();
    expect(slow.octets, "of 15,000,000").to.be.lessThan(12_000_000);
  });

  it("reads nothing more for who takes nothing, and goes on with him when he does", async () => {
    await begin({});
    const id = session();
    const slow = client(asking(`/s/${id}/events`));
    await slow.until(() => slow.text.includes("retry:"));
    slow.socket.pause();
    slow.most = 200_000;
    for (let count = 0; count < 150; count++) note(id, LONG);
    for (let before = -1; before !== hub.asked; ) {
      before = hub.asked;
      await pause(50);
    }
    const stuck = hub.asked;
    for (let count = 0; count < 10; count++) {
      note(id, LONG);
      await pause();
    }
    expect(hub.asked).to.equal(stuck);
    slow.socket.resume();
    await slow.until(() => slow.text.includes("id: 160\n"));
  });

  it("has so many streams for a session and for a source", async () => {
    await begin({ streamsPerSession: 2, streamsPerSource: 3 });
    const [one, other] = [session(), session()];
    const open = async (id: string) => (await head(client(asking(`/s/${id}/events`)))).slice(9, 12);
    expect([await open(one), await open(one), await open(one)]).to.deep.equal(["200", "200", "503"]);
    expect([await open(other), await open(other)]).to.deep.equal(["200", "503"]);
    for (const { socket } of clients) socket.destroy();
    while (hub.watchers(one) + hub.watchers(other) > 0) await pause();
    expect(await open(one), "once the others are gone").to.equal("200");
  });

  it("takes so many requests for sessions from a source, and from each behind its proxy", async () => {
    await begin({ posts: 3 }, new URL("https://bakeoff.example"));
    const make = async (from: string) => {
      const type = "Content-Type: application/x-www-form-urlencoded\r\nX-Forwarded-For: 203.0.113.9, ";
      const request = `POST /sessions HTTP/1.1\r\nHost: bakeoff.example\r\n${type}${from}\r\nContent-Length: 0\r\n\r\n`;
      const text = await head(client(request));
      return text.slice(9, 12);
    };
    const first = [await make("192.0.2.1"), await make("192.0.2.1"), await make("192.0.2.1")];
    expect(first).to.deep.equal(["303", "303", "303"]);
    expect(await make("192.0.2.1")).to.equal("429");
    expect(await make("192.0.2.2")).to.equal("303");
  });

  it("counts tokens by the minute", () => {
    const rate = new Rate(2);
    expect([rate.take("a", 0), rate.take("a", 0), rate.take("a", 0)]).to.deep.equal([0, 0, 30_000]);
    expect([rate.take("b", 0), rate.take("a", 29_000), rate.take("a", 30_001)]).to.deep.equal([0, 1000, 0]);
  });
});
