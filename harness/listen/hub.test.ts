import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { resultsSchema } from "../../reports/results.ts";
import { said } from "../cli/said.ts";
import { identity } from "../ike/identity.ts";
import { Caller, eventOf, type Lab, openLab } from "./testing.ts";
import { type SessionEvent, sessionEvent, sessionView } from "./types.ts";

const WRONG_CIPHERTEXT = "wrong-ml-kem-ciphertext";
const HYBRID = { ikeProposals: ["aes256-sha256-x25519-ke1_mlkem768"] };

describe("a session of the listener", function () {
  this.timeout(20_000);
  let lab: Lab;
  let caller: Caller;
  before(async () => {
    lab = await openLab();
  });
  beforeEach(async () => {
    caller = await Caller.open();
  });
  afterEach(() => caller.close());
  after(async () => {
    await lab.close();
    expect(lab.faults).to.deep.equal([]);
  });

  const dialIs = (what: string, dial?: number) => (event: SessionEvent) =>
    event.kind === "dial" && event.what === what && (dial === undefined || event.dial === dial);
  const lines = (id: string) =>
    lab.hub.events(id, 0).flatMap((event) => (event.kind === "message" ? [event.line] : []));

  it("fills while a dial goes on, and what was seen is kept", async () => {
    const { id, endpoint } = lab.session({ name: "Amber & friends" });
    const view = sessionView.parse(lab.hub.view(id));
    const session = await caller.script(view).dial();
    expect(await session.ping()).to.equal(true);
    await session.deleteIke();
    const verdict = await eventOf(lab.hub, id, (event) => event.kind === "verdict");
    expect(verdict).to.include({ of: "requirement", id: "rfc7296", verdict: "pass" });
    for (const event of lab.hub.events(id, 0)) sessionEvent.parse(event);
    expect(lines(id).join("\n")).to.match(
      /IKE_AUTH request 1: SK \{ IDi .*\n.*SK \{ IDr AUTH .*\nESP .*echo request/,
    );
    const capture = lab.hub.file(id, "capture.pcap");
    const ports = [endpoint.ikePort, endpoint.natPort].flatMap((port) => ["--port", String(port)]);
    const { out } = await said("pcap", "show", capture ?? "", ...ports);
    expect(out).to.match(/IKE_AUTH request 1: SK \{ IDi .*\n.*SK \{ IDr AUTH /);
    expect(lab.hub.files(id)).to.include.members(["ladder.txt", "events.jsonl", "keys/keys.json"]);
    for (const name of ["session.json", "../journal.jsonl", "/etc/passwd", "keys"])
      expect(lab.hub.file(id, name), name).to.equal(undefined);
  });

  it("tells why a wrong secret and a wrong identity were refused", async () => {
    const view = lab.session();
    const dialler = caller.script(view, (policy) => {
      policy.psk = Uint8Array.of(1);
    });
    expect((await dialler.tryDial()).failure).to.match(/AUTHENTICATION_FAILED/);
    const refused = await eventOf(lab.hub, view.id, dialIs("refused"));
    expect(refused).to.have.property("reason", "AUTH does not verify");
    expect(lab.hub.view(view.id)?.dialled).to.deep.equal([]);
    const before = lab.hub.events(view.id, 0).length;
    const other = await Caller.open();
    const stranger = other.script(view, (policy) => {
      policy.localId = identity("nobody.example");
    });
    expect((await stranger.tryDial()).failure).to.match(/AUTHENTICATION_FAILED/);
    await other.close();
    expect(lab.hub.events(view.id, before).filter((event) => event.kind === "message")).to.deep.equal([]);
  });

  it("lies on request, once", async () => {
    const view = lab.session();
    const hybrid = { ...view, proposals: { ...view.proposals, ike: HYBRID.ikeProposals } };
    await caller.script(hybrid).dial();
    await eventOf(lab.hub, view.id, dialIs("established", 1));
    expect(lab.hub.lie(view.id, "no-such-lie")).to.have.property("refused");
    expect(lab.hub.lies().map(({ name }) => name)).to.include(WRONG_CIPHERTEXT);
    expect(lab.hub.lie(view.id, WRONG_CIPHERTEXT)).to.equal(undefined);
    void caller.script(hybrid).tryDial();
    expect(await eventOf(lab.hub, view.id, dialIs("begun", 2))).to.have.property("lie", WRONG_CIPHERTEXT);
    // The secrets of the two ends differ: what comes under the new keys cannot be opened.
    const isClosed = (event: SessionEvent) =>
      event.kind === "message" && event.dial === 2 && /^IKE_AUTH.*cannot open: icv/.test(event.line);
    await eventOf(lab.hub, view.id, isClosed);
    expect(lab.hub.events(view.id, 0).some(dialIs("established", 2))).to.equal(false);
    expect(lab.hub.view(view.id)).not.to.have.property("lie");
    await caller.script(hybrid).dial();
  });

  it("plays a test with each dial, once it knows from where the participant dials", async () => {
    const view = lab.session({ name: "tested", documents: ["rfc7619"] });
    const { queued } = view;
    expect(queued).to.have.length(2);
    await caller.script(view).dial();
    await eventOf(lab.hub, view.id, dialIs("established", 1));
    const asked = eventOf(lab.hub, view.id, ({ kind }) => kind === "note");
    await caller.script(view).tryDial();
    expect(await asked)
      .to.have.property("text")
      .that.matches(/please dial again/);
    await caller.script(view).tryDial();
    const verdict = await eventOf(
      lab.hub,
      view.id,
      (event) => event.kind === "verdict" && event.of === "test",
    );
    expect(verdict).to.include({ id: queued[0], verdict: "pass" });
    expect(lab.hub.view(view.id)?.queued).to.deep.equal(queued.slice(1));
  });

  it("dials back, only to where a dial came from", async () => {
    const view = lab.session();
    const dialler = caller.script(view);
    await dialler.dial();
    await eventOf(lab.hub, view.id, dialIs("established", 1));
    expect(lab.hub.dialBack(view.id, { host: "127.0.0.1", port: 9 })).to.have.property("refused");
    expect(lab.hub.dialBack(view.id, caller.address)).to.equal(undefined);
    const back = await eventOf(lab.hub, view.id, dialIs("established", 2));
    expect(back).to.include({ by: "us" });
    expect(dialler.trace.exchanges.some(({ by }) => by === "peer")).to.equal(true);
  });

  it("shows the same pages after a restart, takes the same sessions, and makes a report", async () => {
    const view = lab.session({ name: "stays" });
    await caller.script(view).dial();
    await eventOf(lab.hub, view.id, dialIs("established", 1));
    await lab.restart();
    const events = lab.hub.events(view.id, 0);
    expect(events.at(-1)).to.include({ what: "ended", reason: "the listener ends" });
    const again = lab.hub.view(view.id);
    expect(again).to.include({ identity: view.identity, secret: view.secret, dials: 1, state: "idle" });
    if (again) await caller.script(again).dial();
    await eventOf(lab.hub, view.id, dialIs("established", 2));
    const ladder = readFileSync(join(lab.out, "sessions", view.id, "ladder.txt"), "utf8");
    expect(ladder).to.match(/^dial 1, [\s\S]*^dial 2, /m);
    const { err } = await said("report", lab.out, "--format", "json", "--baseline", "none");
    expect(err).to.include("1 tests: 1 pass");
    const results = resultsSchema.parse(JSON.parse(readFileSync(join(lab.out, "results.json"), "utf8")));
    expect(results.tests.map(({ peer, verdict }) => `${peer} ${verdict}`).join()).to.match(
      /^tested-[a-z0-9]{8}@unknown:address pass$/,
    );
  });
});
