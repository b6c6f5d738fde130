/** All planted faults, in one list: thirty, six of each depth, made before any operator of the fuzzer was. */
import { clearFaults } from "./clear.ts";
import { eapFaults } from "./eap.ts";
import { establishedFaults } from "./established.ts";
import type { Fault } from "./fault.ts";
import { firstSkFaults } from "./first-sk.ts";
import { orderFaults } from "./order.ts";

export const faults: readonly Fault[] = [
  ...clearFaults,
  ...firstSkFaults,
  ...eapFaults,
  ...establishedFaults,
  ...orderFaults,
];

export const findFault = (name: string): Fault | undefined => faults.find((fault) => fault.name === name);
