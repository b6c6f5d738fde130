import { expect } from "chai";
import { formatLadder } from "../../pcaps/ladder.ts";
import { ladderSvg } from "../../pcaps/ladder-svg.ts";
import { viewsOfEvents } from "../../pcaps/view-events.ts";
import type { PeerConfig } from "../../peers/contract.ts";
import { notify } from "../ike/payloads.ts";
import { Script } from "../script/script.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { memoryArena } from "./arena-memory.ts";
import { eventLines } from "./event-stream.ts";
import { ladderViews } from "./ladder.ts";

async function play(config: Partial<PeerConfig>, act: (s: Script) => Promise<void>): Promise<Script> {
  const s = new Script(await memoryArena({ config }, { seed: "ladder" }));
  await act(s);
  s.host.stop();
  return s;
}

const texts = (s: Script): string[] =>
  ladderViews(s.trace).map(({ from, text, note }) => `${from} ${text}${note ? ` (${note})` : ""}`);

describe("ladder of a test", () => {
  it("is the same from the trace and from the event stream", async () => {
    const s = await play({}, async (script) => {
      const session = await script.dial();
      await session.proveTraffic();
      await session.rekeyChild();
    });
    const views = viewsOfEvents(eventLines(s.trace));
    expect(views).to.deep.equal(ladderViews(s.trace));
    const ladder = formatLadder(views);
    for (const line of ladder.split("\n")) expect(line.length).to.be.at.most(100);
    expect(ladder).to.match(/-- IKE_SA_INIT request 0: SA KE\(\w+\) No N\(NATD_S_IP\)/);
    expect(ladder).to.match(/<-+ IKE_AUTH response 1: SK \{ IDr AUTH SA TSi TSr \} --/);
    expect(ladder).to.match(/-- ESP [0-9a-f]{8} number 1: next header 4 echo request [0-9.]+ > [0-9.]+ -*>/);
    expect(ladderSvg(views, { title: "t", left: "us", right: "peer" })).to.include(
      "CREATE_CHILD_SA request 2",
    );
  });

  it("has ends, header and payloads of every message", async () => {
    const s = await play({}, async (script) => {
      await script.dial();
    });
    const [request, , auth] = viewsOfEvents(eventLines(s.trace));
    expect(request).to.include({ source: "192.0.2.1:500", destination: "192.0.2.2:500", kind: "ike" });
    expect(request?.header).to.include({ exchangeType: "IKE_SA_INIT", flags: 8, messageId: 0, version: 32 });
    expect(request?.clear.map(({ kind }) => kind).slice(0, 3)).to.deep.equal(["SA", "KE", "Nonce"]);
    expect(auth?.clear).to.deep.equal([]);
    expect(auth?.inner?.map(({ kind }) => kind)).to.include.members(["ID", "AUTH", "SA", "TS"]);
  });

  it("tells the fragments of both ways, and payloads in clear beside SK", async () => {
    const series = { ikeProposals: ["aes256-sha256-x25519-ke1_mlkem768-ke2_mlkem1024"] };
    const s = await play(series, async (script) => {
      script.change(EXCHANGE.INFORMATIONAL, ({ clear }) => {
        clear.push(notify(NOTIFY.INITIAL_CONTACT));
      });
      const session = await script.dial();
      await session.deleteIke();
    });
    const all = texts(s);
    const [request, response] = all.filter((text) => text.includes("IKE_INTERMEDIATE"));
    expect(request).to.match(/^left IKE_INTERMEDIATE request 1: SK \{ KE\(ML_KEM_768\) \} \(\d fragments\)$/);
    expect(response).to.match(/^right IKE_INTERMEDIATE response 1: SK \{ KE.* \} \(\d fragments\)$/);
    expect(all.some((text) => text.includes("SKF"))).to.equal(false);
    expect(all).to.include("left INFORMATIONAL request 4: N(INIT_CONTACT) SK { D(IKE) }");
    const ping = ladderViews(s.trace).find(({ text }) => text.startsWith("INFORMATIONAL request"));
    expect(ping?.clear).to.have.length(1);
  });

  it("shows retransmissions, raw datagrams and what was not acted on", async () => {
    const s = await play({}, async (script) => {
      await script.dial();
      const first = script.trace.entries.find(({ event }) => event.type === "datagram-sent")?.event;
      if (first?.type !== "datagram-sent") throw new Error("nothing was sent");
      const { datagram } = first;
      script.host.send(datagram);
      script.host.send({ ...datagram, data: new Uint8Array(9) });
      const { source, destination } = datagram;
      const data = datagram.data.subarray(0, 40);
      script.host.take({ ...datagram, data, source: destination, destination: source });
      await script.wait();
    });
    const all = texts(s);
    expect(all.filter((text) => /^left IKE_SA_INIT.*\(retransmission\)$/.test(text))).to.have.length(1);
    expect(all).to.include("left 9 octets (raw datagram)");
    expect(all.some((text) => /^right IKE_SA_INIT request 0: .* \(not acted on: .*\)$/.test(text))).to.equal(
      true,
    );
    const svg = ladderSvg(ladderViews(s.trace), { title: "t", left: "us", right: "peer" });
    expect(svg).to.include("bl-again").and.include('class="bl-cross"');
  });
});
