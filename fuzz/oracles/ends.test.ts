import { expect } from "chai";
import { deathAlarm, framesOf, reportAlarms, withoutNumbers } from "./ends.ts";

const ASAN = `
==4711==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000171 at pc 0x7f01
READ of size 1 at 0x602000000171 thread T7
    #0 0x55d0 in __asan_memcpy (charon+0x1)
    #1 0x7f11 in get_value ../src/libcharon/encoding/payloads/notify_payload.c:411:9
    #2 0x7f12 in verify ../src/libcharon/encoding/payloads/notify_payload.c:200:1
    #3 0x7f13 in verify_payload message.c:9
    #4 0x7f14 in thread_main thread.c:1
`;

const BRACKETS = `dumping 3 stack frame addresses:
  /usr/lib/libcharon.so.0 @ 0x7f00 (process_payloads+0x11) [0x7f11]
  /usr/lib/libcharon.so.0 @ 0x7f00 (process_message+0x22) [0x7f22]
`;

describe("the end of a daemon", () => {
  it("is named by its signal and the innermost frames, wherever it was loaded", () => {
    const { signature, title } = deathAlarm("SIGABRT /lane/x", ASAN);
    expect(signature).to.equal("crash SIGABRT get_value < verify < verify_payload");
    expect(title).to.contain("heap-buffer-overflow");
    const elsewhere = deathAlarm("SIGABRT", ASAN.replaceAll("0x7f", "0x6a"));
    expect(elsewhere.signature).to.equal(signature);
    expect(framesOf(BRACKETS)).to.deep.equal(["process_payloads", "process_message"]);
    expect(deathAlarm("signal 31", "").signature).to.equal("crash signal 31");
  });

  it("has its assertion where there are no frames, without what differs from run to run", () => {
    const said = (state: number) =>
      `ABORT: ASSERTION FAILED: st->st_id == ${state} (in get_it() at /src/x.c:12)`;
    const [one, other] = [1, 2].map((state) => deathAlarm("SIGABRT", said(state)).signature);
    expect(one).to.equal(other).and.to.contain("get_it");
    expect(withoutNumbers("port 4500, SPI 0xdeadbeef, cafe0123cafe0123")).to.equal("port N, SPI N, N");
  });

  it("is not that of what it outlived", () => {
    const line = (what: string) => `EXPECTATION FAILED: ${what} (in f() at /x.c:1)\n`;
    const { signature } = deathAlarm("SIGSEGV", `${line("old")}${line("last != NULL")}`);
    expect(signature).to.equal("crash SIGSEGV last != NULL in f()");
    expect(deathAlarm("SIGSEGV", `${line("old")}${"x\n".repeat(40_000)}`).signature).to.equal(
      "crash SIGSEGV after x",
    );
  });

  it("has what it did last where nothing else names the place", () => {
    const log = (last: string) =>
      `spi=0x12: recv IKE_AUTH\n${last} 22\nlost child: pid 7455 terminated; signal 6\n`;
    const of = (text: string) => deathAlarm("SIGABRT", text).signature;
    expect(of(log("pld_id: length"))).to.equal("crash SIGABRT after pld_id: length N");
    const overflow = "*** buffer overflow detected ***: terminated\n";
    expect(of(`pld_id: length 22\n${overflow}`)).to.equal(
      "crash SIGABRT buffer overflow detected after pld_id: length N",
    );
    expect(deathAlarm("SIGABRT", overflow).title).to.equal("ends with SIGABRT: buffer overflow detected");
    expect(framesOf("#0  process_message (m=0x1) at x.c:1\n#1  main ()")).to.deep.equal([
      "process_message",
      "main",
    ]);
  });

  it("shows hostile logs inert and bounded", () => {
    const { signature, detail } = deathAlarm("SIGSEGV \u001b[2J", `\u001b]0;x\u0007${"A".repeat(2_000_000)}`);
    expect(signature.length).to.be.at.most(200);
    expect(detail.length).to.be.at.most(40_000);
    expect(`${signature}${detail}`).to.not.contain("\u001b");
  });
});

describe("what a daemon writes that goes on", () => {
  it("is one alarm for each fault", () => {
    const line = (n: number) => `| EXPECTATION FAILED: md != ${n} (in f() at /x.c:1)\n`;
    const undefinedOne = "src/a.c:12:5: runtime error: shift exponent 64 is too large\n";
    const alarms = reportAlarms(`${line(1)}${line(2)}${undefinedOne}nothing of note\n`);
    expect(alarms.map(({ severity }) => severity)).to.deep.equal(["medium", "low"]);
    expect(reportAlarms("all is well: 0 errors\n")).to.deep.equal([]);
  });

  it("is the same of every connection, address, SA and figure", () => {
    const line = (name: string, host: string, n: number) =>
      `Nov 21: EXPECTATION FAILED: "${name}"[${n}] ${host} #${n}: Message ID: REQUEST ${n}: old.responder.sent+1 == msgid; initiator .sent=-${n} .exchange= (start_v2_transition() +${n} programs/pluto/ikev2.c)\n`;
    const [alarm, ...more] = reportAlarms(
      line("a", "192.0.2.1", 4711) +
        line("b/c", "2001:db8::1", 8) +
        line("d", "198.51.100.7:4500", 2147483649),
    );
    expect(more).to.be.empty;
    expect(alarm?.signature).to.equal(
      "report an expectation of its own fails: Message ID: REQUEST N: old.responder.sent+N == msgid in start_vN_transition()",
    );
    const others = [
      '"a": st != NULL (in f() at /x.c:1)',
      '"a": st != NULL (in g() at /x.c:1)',
      "st != NULL (in f() at /y.c:2)",
    ];
    expect(reportAlarms(others.map((text) => `EXPECTATION FAILED: ${text}\n`).join(""))).to.have.lengthOf(2);
  });
});
