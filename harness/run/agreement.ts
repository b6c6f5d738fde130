/** Whether two ends hold the same SAs with the same keys: what an honest pair must come to. */
import type { ChildSa } from "../ike/child.ts";
import type { Endpoint } from "../ike/endpoint.ts";
import type { IkeSa } from "../ike/sa.ts";
import { equal, hex } from "../wire/bytes.ts";

const NAMES = ["SK_d", "SK_ai", "SK_ar", "SK_ei", "SK_er", "SK_pi", "SK_pr"] as const;

const spis = (sa: IkeSa): string => `${hex(sa.spiI)}-${hex(sa.spiR)}`;
const pairOf = (child: ChildSa): string => `${hex(child.spiIn)}-${hex(child.spiOut)}`;
const mirrored = (child: ChildSa): string => `${hex(child.spiOut)}-${hex(child.spiIn)}`;

/** What the two ends differ in, in words; empty if they agree. Half-open SAs are not looked at. */
export function disagreements(a: Endpoint, b: Endpoint): string[] {
  const ours = [...a.core.sas.values()].filter((sa) => sa.established);
  const theirs = [...b.core.sas.values()].filter((sa) => sa.established);
  const found: string[] = [];
  for (const sa of theirs)
    if (!ours.some((o) => spis(o) === spis(sa))) found.push(`only b has IKE SA ${spis(sa)}`);
  for (const sa of ours) {
    const other = theirs.find((o) => spis(o) === spis(sa));
    if (other) found.push(...sameIkeSa(sa, other));
    else found.push(`only a has IKE SA ${spis(sa)}`);
  }
  return found;
}

function sameIkeSa(sa: IkeSa, other: IkeSa): string[] {
  const found: string[] = [];
  const [mine, theirs] = [sa.keys, other.keys];
  for (const name of NAMES)
    if (!mine || !theirs || !equal(mine[name], theirs[name])) found.push(`${spis(sa)}: ${name} differs`);
  if (sa.role === other.role) found.push(`${spis(sa)}: both are ${sa.role}`);
  for (const child of other.children)
    if (!sa.children.some((c) => pairOf(c) === mirrored(child)))
      found.push(`only b has Child SA ${pairOf(child)}`);
  for (const child of sa.children) {
    const twin = other.children.find((c) => mirrored(c) === pairOf(child));
    if (twin) found.push(...sameChildSa(child, twin));
    else found.push(`only a has Child SA ${pairOf(child)}`);
  }
  return found;
}

function sameChildSa(child: ChildSa, twin: ChildSa): string[] {
  const directions = [
    [child.keysIn, twin.keysOut],
    [child.keysOut, twin.keysIn],
  ] as const;
  const same = directions.every(([x, y]) => equal(x.encr, y.encr) && equal(x.integ, y.integ));
  const found = same ? [] : [`Child SA ${pairOf(child)}: KEYMAT differs`];
  if (child.mode !== twin.mode || child.esn !== twin.esn) found.push(`${pairOf(child)}: mode or ESN differs`);
  return found;
}
