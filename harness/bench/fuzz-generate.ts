/** Making IKE_SA_INIT requests with a lie in them, beside scapy's `fuzz()` on the same message. */
import { type Dice, dice } from "../../fuzz/dice.ts";
import { recordSamples } from "../../fuzz/generate/samples.ts";
import { isEsp } from "../../fuzz/generate/stages.ts";
import { operators } from "../../fuzz/operators/index.ts";
import type { IkeOperator, LieContext } from "../../fuzz/operators/operator.ts";
import { detach } from "../../fuzz/play/copy.ts";
import { findSetup } from "../../fuzz/setups.ts";
import { seededRandom } from "../crypto/seeded-random.ts";
import type { OutgoingMessage } from "../ike/hooks.ts";
import { makePair } from "../run/pair.ts";
import { encodeMessage } from "../wire/index.ts";
import { type BenchRow, compared } from "./measure.ts";
import { runPython } from "./scapy.ts";

/** Twenty times scapy. */
const AIM = 20;
const UNIT = "messages/s of one core";

/**
 * Takes seconds as its argument; writes one line of JSON. The message has the payloads that ours has, and every field
 * that scapy's `fuzz()` draws is drawn anew for each.
 */
const PROGRAM = `
import json, sys, time, logging
logging.getLogger("scapy").setLevel(logging.CRITICAL)
import scapy
from scapy.packet import fuzz
from scapy.contrib.ikev2 import *
seconds = float(sys.argv[1])
def chain(kinds):
    chained = None
    for kind, number in reversed(kinds):
        one = IKEv2_payload_Transform(transform_type=kind, transform_id=number)
        chained = one / chained if chained else one
    return chained
def proposal(number, kinds):
    return IKEv2_payload_Proposal(SPIsize=0, SPI=b"", proposal=number, trans_nb=len(kinds), trans=chain(kinds))
first = proposal(1, [("Encryption", 12), ("PRF", 5), ("Integrity", 12), ("GroupDesc", 31), ("GroupDesc", 19), ("GroupDesc", 14)])
second = proposal(2, [("Encryption", 20), ("PRF", 5), ("GroupDesc", 31), ("GroupDesc", 19)])
message = (IKEv2(init_SPI=b"12345678", exch_type="IKE_SA_INIT", flags="Initiator")
    / IKEv2_payload_SA(prop=first / second) / IKEv2_payload_KE(group=31, load=b"k" * 32) / IKEv2_payload_Nonce(load=b"n" * 32)
    / IKEv2_payload_Notify(SPIsize=0, SPI=b"", type=16388, load=b"a" * 20) / IKEv2_payload_Notify(SPIsize=0, SPI=b"", type=16389, load=b"b" * 20)
    / IKEv2_payload_Notify(SPIsize=0, SPI=b"", type=16431, load=b"\\x00\\x02\\x00\\x03"))
drawn = fuzz(message)
def make():
    drawn.clear_cache()
    return bytes(drawn)
size = len(make())
count, start, own = 0, time.perf_counter(), time.process_time()
while True:
    for _ in range(5): make()
    count += 5
    elapsed = time.perf_counter() - start
    if elapsed >= seconds: break
print(json.dumps({"version": scapy.__version__, "rate": count / (time.process_time() - own), "octets": size}))
`;

interface ScapyFuzz {
  version: string;
  rate: number;
}

/** A third of the time is scapy's, if it is there. */
export async function measureGeneration(seconds: number, seed: string): Promise<BenchRow> {
  const make = await maker(seed);
  const made = ownRate(make, (seconds * 2) / 3);
  const output = await runPython(PROGRAM, [String(seconds / 3)]);
  const scapy = output === undefined ? undefined : (JSON.parse(output) as ScapyFuzz);
  const reference = scapy && {
    what: `scapy ${scapy.version}, fuzz() of the same message`,
    value: scapy.rate,
  };
  return compared("IKE_SA_INIT requests with one lie, to octets", made, UNIT, reference, AIM);
}

const WARM = 2_000;
const BATCH = 50;

/** Per second of processor time, as scapy's: a machine that is busy with something else disturbs neither. */
function ownRate(make: () => void, seconds: number): number {
  for (let i = 0; i < WARM; i++) make();
  const [start, own] = [performance.now(), process.cpuUsage()];
  let count = 0;
  for (; performance.now() - start < seconds * 1000; count += BATCH) for (let i = 0; i < BATCH; i++) make();
  const { user, system } = process.cpuUsage(own);
  return (count * 1_000_000) / (user + system);
}

/** What draws a change, makes it and encodes the message, each time that it is called. */
async function maker(seed: string): Promise<() => void> {
  const psk = findSetup("psk");
  const [sample] = (psk && (await recordSamples(psk, "responder")).get("init")) ?? [];
  if (!sample || isEsp(sample)) throw new Error("no honest IKE_SA_INIT was recorded");
  const random = seededRandom(`bench fuzz ${seed}`);
  const from = dice(random);
  const fitting = operators.filter((one): one is IkeOperator => one.on === "ike" && fits(one, sample, from));
  const context = contextOf(from, seed);
  return () => {
    let operator = from.pick(fitting);
    let draft = operator.draw(sample, from);
    while (!draft) {
      operator = from.pick(fitting);
      draft = operator.draw(sample, from);
    }
    const message: OutgoingMessage = { ...sample };
    detach(message);
    operator.apply(message, draft, context);
    const octets = encodeMessage({ header: message.header, payloads: message.payloads });
    message.octets?.(octets);
  };
}

const TRIES = 20;

const fits = (operator: IkeOperator, sample: OutgoingMessage, from: Dice): boolean =>
  Array.from({ length: TRIES }).some(() => operator.draw(sample, from) !== undefined);

function contextOf(from: Dice, seed: string): LieContext {
  const { core } = makePair({ seed: `bench fuzz ${seed}` }).a.endpoint;
  return { core, sent: [], dice: from, copies: () => {}, hold: () => {}, also: () => {} };
}
