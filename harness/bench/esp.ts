/** ESP seal and open against node:crypto alone. */
import { benchEsp as measureEsp } from "../esp/esp.bench.ts";
import { type BenchResult, compared } from "./measure.ts";

/** 1,400 octets under AES-256-GCM, sealed and opened. */
export async function benchEsp(seconds: number): Promise<BenchResult> {
  const { raw, ours } = await measureEsp(seconds);
  const reference = { what: "AES-256-GCM of node:crypto alone, both ways", value: raw };
  return {
    name: "esp",
    rows: [compared("seal and open of 1,400 octets", ours, "packets/s", reference, 0.7)],
  };
}
