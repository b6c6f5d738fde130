import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { isRefusal, type SessionView } from "../types.ts";
import { MOST_BODY } from "./limits.ts";
import { type Serving, serve } from "./server.ts";
import { MemoryHub, RawClient } from "./testing.ts";

const ATTACK = `"'><img src=x onerror="window.marked=1"><script>window.marked=1</script>`;

describe("the HTTP side of listen", () => {
  const hub = new MemoryHub();
  let serving: Serving;
  let folder = "";
  let port = 0;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-listen-"));
    serving = await serve(hub, { port: 0, limits: { posts: 1000 } });
    port = serving.port;
  });
  after(async () => {
    await serving.close();
    rmSync(folder, { recursive: true });
  });

  const get = (path: string, init: RequestInit = {}) =>
    fetch(new URL(path, serving.url), { redirect: "manual", ...init });
  const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    get(path, { method: "POST", body: new URLSearchParams(fields), headers });
  const made = (name = "box 1.0"): SessionView => {
    const session = hub.create({ name, documents: [] });
    if (isRefusal(session)) throw new Error(session.refused);
    return session;
  };
  /** The one line of a refusal. */
  async function refused(reply: Response, status: number): Promise<string> {
    const text = await reply.text();
    expect(reply.status, text).to.equal(status);
    expect(text).to.match(/^[^\n]{10,320}\n$/);
    return text;
  }
  /** The same over a socket, where fetch would not send such a thing. */
  async function raw(request: string): Promise<string> {
    return new RawClient(port, request).whole();
  }
  const CLOSE = "Connection: close\r\n\r\n";

  it("makes a session from a form, and shows what to configure", async () => {
    const start = await (await get("/")).text();
    expect(start)
      .to.include('<form class="card pad wish" method="post" action="/sessions">')
      .and.include("rfc9370");
    const reply = await get("/sessions", {
      method: "POST",
      body: new URLSearchParams("name=box+2.0&address=&documents=rfc7296&documents=rfc9370"),
    });
    expect(reply.status).to.equal(303);
    const where = reply.headers.get("location") ?? "";
    expect(where).to.match(/^\/s\/[0-9a-f]{32}$/);
    const session = hub.view(where.slice(3));
    expect(session).to.deep.include({ name: "box 2.0", documents: ["rfc7296", "rfc9370"] });
    const page = await (await get(where)).text();
    const hex = Buffer.from(session?.secret ?? "").toString("hex");
    for (const told of [session?.identity, session?.secret, "bakeoff.example", `secret = 0x${hex}`, "4500"])
      expect(page).to.include(told);
    expect(page).to.include("ike=aes_cbc_256-sha2_256-dh31").and.include("esp_proposals = aes256gcm16");
  });

  it("makes one from JSON, too, and tells it as JSON", async () => {
    const body = JSON.stringify({ name: "box", documents: ["rfc9370"], address: "192.0.2.7" });
    const headers = { "content-type": "application/json" };
    const reply = await get("/sessions", { method: "POST", body, headers });
    expect(reply.status).to.equal(303);
    const told: unknown = await reply.json();
    const where = reply.headers.get("location") ?? "";
    const json: unknown = await (await get(`${where}.json`)).json();
    expect(told).to.deep.include({ id: where.slice(3), address: "192.0.2.7" });
    expect(json).to.deep.include({ id: where.slice(3), name: "box", events: [] });
  });

  it("refuses names that would hide something, and shows markup as text", async () => {
    for (const name of ["a\u0000b", "a\nb", "\u202egnp.exe", "a\u200bb", "x".repeat(10_000)])
      expect(await refused(await post("/sessions", { name }), 400)).to.match(/^name: /);
    const reply = await post("/sessions", { name: ATTACK });
    const page = await (await get(reply.headers.get("location") ?? "")).text();
    expect(page).to.include("&lt;img src=x onerror=").and.not.include("<img");
  });

  it("refuses bodies that it cannot use, each in one line that names what is wrong", async () => {
    const json = { "content-type": "application/json" };
    const send = (body: string, headers: Record<string, string>) =>
      get("/sessions", { method: "POST", body, headers });
    expect(await refused(await send("{", json), 400)).to.equal("the body is no JSON\n");
    expect(await refused(await send('{"name":"\\ud800"}', json), 400)).to.match(/^name: /);
    expect(await refused(await send('{"nmae":"x"}', json), 400)).to.include("nmae");
    expect(await refused(await send('{"address":"localhost"}', json), 400)).to.match(/^address: /);
    expect(await refused(await send('{"documents":["../etc"]}', json), 400)).to.match(/^documents\.0: /);
    expect(await refused(await send("x", { "content-type": "text/plain" }), 415)).to.include("must be");
    expect(await refused(await post("/sessions", { documents: "rfc1" }), 409)).to.equal("no such document\n");
    expect(await refused(await send(" ".repeat(MOST_BODY + 1), json), 413)).to.include("larger than");
    const chunk = `${(MOST_BODY + 1).toString(16)}\r\n${" ".repeat(MOST_BODY + 1)}\r\n0\r\n\r\n`;
    const head = `POST /sessions HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n`;
    expect(await raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`)).to.match(/^HTTP\/1.1 413 /);
  });

  it("refuses heads that are too large or are none, and methods that it does not know", async () => {
    const host = `Host: 127.0.0.1:${port}\r\n`;
    expect(await raw(`GET /${"a".repeat(2000)} HTTP/1.1\r\n${host}${CLOSE}`)).to.match(/^HTTP\/1.1 414 /);
    expect(await raw(`GET / HTTP/1.1\r\nX: ${"a".repeat(9000)}\r\n${CLOSE}`)).to.match(/^HTTP\/1.1 431 /);
    expect(await raw("\u0016\u0003\u0001 hello\r\n\r\n")).to.match(/^HTTP\/1.1 400 [\s\S]*this is no HTTP/);
    expect(await raw(`GET http://192.0.2.9/ HTTP/1.1\r\n${host}${CLOSE}`)).to.match(/^HTTP\/1.1 400 /);
    await refused(await get("/", { method: "DELETE" }), 405);
    expect((await get("/", { method: "HEAD" })).status).to.equal(200);
  });

  it("is only itself: no other name, no other origin, no word to other sites", async () => {
    const asked = (headers: string, method = "GET", path = "/") =>
      raw(`${method} ${path} HTTP/1.1\r\n${headers}Content-Length: 0\r\n${CLOSE}`);
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1:1", `127.0.0.1:${port}@x`, ""])
      expect(await asked(`Host: ${host}\r\n`), host).to.match(/^HTTP\/1.1 421 /);
    expect(await raw(`GET / HTTP/1.0\r\n\r\n`), "no Host at all").to.match(/^HTTP\/1.1 421 /);
    expect(await asked(`Host: LOCALHOST:${port}\r\n`)).to.match(/^HTTP\/1.1 200 /);
    const ours = `Host: 127.0.0.1:${port}\r\n`;
    for (const bad of [
      "Origin: http://evil.example",
      "Origin: null",
      `Origin: http://127.0.0.1:${port}.evil`,
    ])
      expect(await asked(`${ours}${bad}\r\n`, "POST", "/sessions"), bad).to.match(/^HTTP\/1.1 403 /);
    for (const site of ["cross-site", "same-site"])
      expect(await asked(`${ours}Sec-Fetch-Site: ${site}\r\n`, "POST", "/sessions")).to.match(/ 403 /);
    const before = hub.sessions.size;
    const own = `Origin: http://127.0.0.1:${port}\r\nSec-Fetch-Site: same-origin\r\n`;
    const type = "Content-Type: application/x-www-form-urlencoded\r\n";
    expect(await asked(`${ours}${own}${type}`, "POST", "/sessions")).to.match(/^HTTP\/1.1 303 /);
    expect(hub.sessions.size).to.equal(before + 1);
    const { headers } = await get("/");
    expect(headers.get("content-security-policy"))
      .to.match(/^default-src 'self';/)
      .and.not.include("unsafe");
    expect(headers.get("access-control-allow-origin")).to.equal(null);
    expect(headers.get("x-content-type-options")).to.equal("nosniff");
  });

  it("gives out kept files by their names alone", async () => {
    const capture = join(folder, "1.pcap");
    const ladder = join(folder, "2.txt");
    writeFileSync(capture, "octets");
    writeFileSync(ladder, ATTACK);
    hub.kept.set("capture.pcap", capture).set("keys/ikev2 table", ladder).set("ladder.txt", ladder);
    hub.kept.set("gone.pcap", join(folder, "gone"));
    const base = `/s/${made().id}`;
    const reply = await get(`${base}/files/capture.pcap`);
    expect(await reply.text()).to.equal("octets");
    expect(reply.headers.get("content-disposition")).to.equal('attachment; filename="capture.pcap"');
    const text = await get(`${base}/files/ladder.txt`);
    expect(text.headers.get("content-type")).to.equal("text/plain; charset=utf-8");
    expect(await (await get(`${base}/files/keys/ikev2%20table`)).text()).to.equal(ATTACK);
    expect(await (await get(base)).text()).to.include(`${base}/files/keys/ikev2%20table`);
    await refused(await get(`${base}/files/gone.pcap`), 404);
    const ways = [
      "..%2f..%2fetc%2fpasswd",
      "../../../../etc/passwd",
      "%00",
      "%ff",
      "capture.pcap/",
      "",
      "keys",
    ];
    for (const way of ways) {
      const head = `GET ${base}/files/${way} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${CLOSE}`;
      expect(await raw(head), way).to.match(/^HTTP\/1.1 404 /);
    }
    hub.kept.clear();
  });

  it("knows sessions by their whole number alone", async () => {
    const { id } = made();
    const others = [
      id.slice(1),
      `${id}0`,
      "0".repeat(32),
      id.replace(/.$/, "%30"),
      `${id}.xml`,
      `${id}/nothing`,
    ];
    for (const other of [
      ...others.map((one) => `/s/${one}`),
      "/s",
      "/s/",
      "/sessions",
      "/assets/",
      "/assets/../x",
    ])
      await refused(await get(other), 404);
    await refused(await post(`/s/${"0".repeat(32)}/lie`, { name: "wrong-nonce" }), 404);
    expect(await (await get("/")).text()).to.not.include(id);
  });

  it("asks for lies and for a dial back, and hands on why not", async () => {
    const { id } = made();
    const told = await post(`/s/${id}/lie`, { name: "wrong-nonce" });
    expect([told.status, told.headers.get("location")]).to.deep.equal([303, `/s/${id}`]);
    expect(await (await get(`/s/${id}`)).text()).to.include("is told a lie: <code>wrong-nonce</code>");
    const lies = await (await get(`/s/${id}/lies`)).text();
    expect(lies)
      .to.include('value="wrong-nonce"')
      .and.include("<b>chosen</b>")
      .and.include("a nonce of 8 octets");
    expect(await refused(await post(`/s/${id}/lie`, { name: "wrong" }), 409)).to.equal("no such lie\n");
    expect((await post(`/s/${id}/lie`, { name: "" })).status).to.equal(303);
    expect(hub.view(id)?.lie).to.equal(undefined);
    expect((await post(`/s/${id}/dial-back`, { host: "192.0.2.7", port: "500" })).status).to.equal(303);
    expect(hub.dialledBack).to.deep.equal([{ host: "192.0.2.7", port: 500 }]);
    const elsewhere = await post(`/s/${id}/dial-back`, { host: "192.0.2.8", port: "500" });
    expect(await refused(elsewhere, 409)).to.include("no dial came from");
    await refused(await post(`/s/${id}/dial-back`, { host: "192.0.2.7", port: "0" }), 400);
    await refused(await post(`/s/${id}/dial-back`, { host: "box.example", port: "500" }), 400);
  });

  it("shows what happened without any script, every word as text", async () => {
    const { id } = made();
    const source = { host: "2001:db8::7", port: 500 };
    hub.tell(id, { kind: "dial", dial: 1, what: "begun", by: "participant", source, test: ATTACK });
    const payloads = [{ label: ATTACK, fields: [{ label: "data", text: ATTACK + "a".repeat(5000) }] }];
    hub.tell(id, { kind: "message", dial: 1, direction: "in", exchange: ATTACK, line: ATTACK, payloads });
    hub.tell(id, {
      kind: "verdict",
      dial: 1,
      of: "requirement",
      id: ATTACK,
      verdict: "fail",
      reason: ATTACK,
    });
    hub.tell(id, { kind: "note", text: ATTACK });
    hub.tell(id, { kind: "dial", dial: 2, what: "begun", by: "us", source });
    const page = await (await get(`/s/${id}`)).text();
    expect(page).to.not.match(/<img|<script>/);
    expect(page).to.match(/id="dial-2"[\s\S]*dialled back to[\s\S]*id="dial-1"[\s\S]*\[2001:db8::7\]:500/);
    expect(page).to.include("badge t-fail").and.include("more characters");
    expect(page).to.include(`/s/${id}/events?for=page&amp;after=5`);
  });

  it("draws no more of a message than a reader can use", async () => {
    const { id } = made();
    let deep = [{ label: "x", text: "end" }] as { label: string; text?: string; fields?: typeof deep }[];
    for (let depth = 0; depth < 2000; depth++) deep = [{ label: "in", fields: deep }];
    const wide = Array.from({ length: 20_000 }, (_, index) => ({ label: `payload ${index}` }));
    const message = { kind: "message", direction: "in", exchange: "IKE_AUTH request", line: "x" } as const;
    hub.tell(id, { ...message, dial: 1, payloads: deep });
    hub.tell(id, { ...message, dial: 1, payloads: wide });
    const page = await (await get(`/s/${id}`)).text();
    expect(page.length).to.be.lessThan(60_000);
    expect(page.split('<ul class="fields">').length, "lists in one another").to.be.lessThan(16);
    expect(page).to.include("There are more fields");
  });
});
