import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Link } from "../link/types.ts";
import { ListenHub } from "./hub.ts";
import { ORDINARY } from "./open.ts";
import { Records } from "./records.ts";
import type { Session } from "./session.ts";
import { Caller, eventOf, type Lab, openLab } from "./testing.ts";

describe("a disk that fails the listener", function () {
  this.timeout(20_000);
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());

  it("is told of once for each session, and ends neither dials nor the listener", async () => {
    const view = lab.session();
    const folder = join(lab.out, "sessions", view.id);
    rmSync(folder, { recursive: true });
    writeFileSync(folder, "no folder");
    const caller = await Caller.open();
    const session = await caller.script(view).dial();
    expect(await session.ping()).to.equal(true);
    await session.deleteIke();
    await eventOf(lab.hub, view.id, (event) => event.kind === "dial" && event.what === "ended");
    await caller.close();
    expect(lab.hub.files(view.id)).to.deep.equal([]);
    expect(lab.hub.lie(view.id, undefined)).to.equal(undefined);
    expect(lab.faults).to.have.length(1);
    expect(String(lab.faults[0])).to.match(/ENOTDIR|EEXIST/);
  });

  it("does not keep its ports", async () => {
    class Broken extends Records {
      override close(): void {
        throw new Error("no room");
      }
    }
    let isClosed = false;
    const link: Link = {
      send: () => {},
      onReceive: () => {},
      close: async () => {
        isClosed = true;
      },
    };
    const out = mkdtempSync(join(tmpdir(), "bakeoff-listen-"));
    const endpoint = { host: "192.0.2.1", ikePort: 500, natPort: 4500 };
    const hub = new ListenHub({
      ...{ link, endpoint, identity: "listen.example", out, tests: [], limits: ORDINARY },
      ...{ records: new Broken(out, () => {}), fault: () => {} },
    });
    expect(String(await hub.close().catch((error: unknown) => error))).to.include("no room");
    expect(isClosed).to.equal(true);
    rmSync(out, { recursive: true });
  });
});

describe("the folder of a session", () => {
  let out: string;
  let session: Session;
  const read = () => {
    const [found] = new Records(out, () => {}).sessions();
    if (!found) throw new Error("the session is lost");
    return found;
  };
  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), "bakeoff-listen-"));
    session = new Records(out, () => {}).begin({
      ...{ id: "0".repeat(32), name: "box", label: "box", created: 1, identity: "box.example" },
      ...{ peerIdentity: "listen.example", secret: "s", documents: [], queued: [], dials: 0 },
    });
  });
  afterEach(() => rmSync(out, { recursive: true }));

  it("holds the session whole at any moment", () => {
    const path = join(session.files.folder, "session.json");
    const before = readFileSync(path, "utf8");
    // What a listener leaves that is killed while it writes.
    writeFileSync(`${path}.part`, before.slice(0, 20));
    expect(read().stored.name).to.equal("box");
    expect(session.files.names(), "it has the secret").to.deep.equal([]);
    const { ino } = statSync(path);
    session.store();
    expect(statSync(path).ino, "written in its place").to.not.equal(ino);
  });

  it("has no more folders of keys than a good participant needs, and the newest set in the first", () => {
    const set = (n: number) => ({
      ...{ spiI: new Uint8Array(8).fill(1), spiR: new Uint8Array(8).fill(2), encrId: 12, keyBits: 256 },
      ...{ integId: 12, SK_ei: new Uint8Array(32).fill(n), SK_er: new Uint8Array(32).fill(n) },
      ...{ SK_ai: new Uint8Array(32), SK_ar: new Uint8Array(32) },
    });
    for (let n = 1; n <= 40; n++) session.files.keys([set(n)], []);
    const names = session.files.names();
    expect(names.filter((name) => name.endsWith("/ikev2_decryption_table"))).to.have.length(16);
    const table = readFileSync(join(session.files.folder, "keys", "ikev2_decryption_table"), "utf8");
    expect(table).to.include("28".repeat(32));
    writeFileSync(join(session.files.folder, "stray"), "");
    expect(session.files.names(), "looked again, for nothing new").to.deep.equal(names);
    session.add({ kind: "note", text: "the first line of a file" });
    expect(session.files.names()).to.include.members(["events.jsonl", "stray"]);
  });

  it("shows what comes after a restart to who has seen events that no file holds", () => {
    for (let i = 0; i < 3; i++) session.add({ kind: "note", text: `note ${i}` });
    const again = read();
    expect(again.events(3)).to.deep.equal([]);
    again.add({ kind: "note", text: "new" });
    expect(again.events(3).map(({ seq }) => seq)).to.deep.equal([4]);
    expect(again.events(900).map(({ seq }) => seq)).to.deep.equal([1, 2, 3, 4]);
  });
});
