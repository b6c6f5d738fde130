import { expect } from "chai";
import { makePair } from "../../run/pair.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { KE } from "../../wire/registry/ke.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import type { Payload } from "../../wire/types.ts";
import { notify, payload } from "../payloads.ts";
import { groupOctets } from "./ike-sa-init.ts";

const GROUPS: number[] = [KE.CURVE25519, KE.ECP256, KE.ECP384];
const { CREATE_CHILD_SA } = EXCHANGE;

/** The group of its KE payload is refused, and the one before it in the list is asked for. */
function anotherGroup(request: Payload[]): Payload[] {
  const at = GROUPS.indexOf(payload(request, "KE")?.group ?? 0);
  return [notify(NOTIFY.INVALID_KE_PAYLOAD, groupOctets(GROUPS.at(at - 1) ?? 0))];
}

/** A pair that is up, the second of which never has enough of INVALID_KE_PAYLOAD; the list gets the groups it saw. */
function insatiable(seed: string) {
  const ciphers = "x25519-ecp256-ecp384";
  const config = {
    ikeProposals: [`aes256gcm16-prfsha256-${ciphers}`],
    espProposals: [`aes256gcm16-${ciphers}`],
  };
  const pair = makePair({ seed, config });
  const seen: (number | undefined)[] = [];
  pair.b.options.extensions.push({
    name: "insatiable",
    answers: (_core, _sa, { header, payloads }) => {
      if (header.exchangeType !== CREATE_CHILD_SA) return undefined;
      seen.push(payload(payloads, "KE")?.group);
      return { payloads: anotherGroup(payloads) };
    },
  });
  const sa = pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b);
  pair.a.settle();
  pair.network.run(100);
  return { pair, sa, seen };
}

describe("INVALID_KE_PAYLOAD in CREATE_CHILD_SA", () => {
  for (const what of ["create", "rekey", "rekey IKE"] as const)
    it(`makes us try each group once, whatever it asks for: ${what}`, () => {
      const { pair, sa, seen } = insatiable(what);
      const { endpoint } = pair.a;
      const results: unknown[] = [];
      const done = (result: unknown) => void results.push(result);
      const [child] = sa.children;
      if (what === "create") endpoint.createChild(sa, {}, done);
      else if (what === "rekey IKE") endpoint.rekeyIke(sa, {}, done);
      else if (child) endpoint.rekeyChild(child, {}, done);
      pair.a.settle();
      pair.network.run(10_000);
      expect(seen).to.deep.equal([KE.CURVE25519, KE.ECP384, KE.ECP256]);
      expect(results).to.deep.equal(["refused with notify 17 (INVALID_KE_PAYLOAD)"]);
      expect(sa.state).to.equal("established");
    });
});
