/** Every operator by its name. */

import { certificatesOperators } from "./certificates.ts";
import { authOperators } from "./crypto-auth.ts";
import { plaintextOperators } from "./crypto-plaintext.ts";
import { sealOperators } from "./crypto-seal.ts";
import { signatureOperators } from "./crypto-signature.ts";
import { weakOperators } from "./crypto-weak.ts";
import { eapOperators } from "./eap.ts";
import { eapMschapv2Operators } from "./eap-mschapv2.ts";
import { eapSimOperators } from "./eap-sim.ts";
import { eapTlsOperators } from "./eap-tls.ts";
import { eapTtlsOperators } from "./eap-ttls.ts";
import { espOperators } from "./esp.ts";
import { espInnerOperators } from "./esp-inner.ts";
import { fieldsOperators } from "./fields.ts";
import { fragmentOperators } from "./fragments.ts";
import { headerOperators } from "./header.ts";
import { identitiesOperators } from "./identities.ts";
import { keyExchangeOperators } from "./key-exchange.ts";
import { lengthsOperators } from "./lengths.ts";
import { notifiesOperators } from "./notifies.ts";
import { octetsOperators } from "./octets.ts";
import type { Operator } from "./operator.ts";
import { partsOperators } from "./part-lists.ts";
import { proposalsOperators } from "./proposals.ts";
import { selectorsOperators } from "./selectors.ts";
import { sequenceOperators } from "./sequence.ts";
import { structureOperators } from "./structure.ts";

export const operators: readonly Operator[] = [
  ...octetsOperators,
  ...fieldsOperators,
  ...lengthsOperators,
  ...structureOperators,
  ...partsOperators,
  ...proposalsOperators,
  ...selectorsOperators,
  ...notifiesOperators,
  ...keyExchangeOperators,
  ...identitiesOperators,
  ...certificatesOperators,
  ...sealOperators,
  ...plaintextOperators,
  ...authOperators,
  ...signatureOperators,
  ...weakOperators,
  ...headerOperators,
  ...sequenceOperators,
  ...espOperators,
  ...espInnerOperators,
  ...fragmentOperators,
  ...eapOperators,
  ...eapMschapv2Operators,
  ...eapTlsOperators,
  ...eapTtlsOperators,
  ...eapSimOperators,
];

const byName = new Map(operators.map((operator) => [operator.name, operator]));

export const findOperator = (name: string): Operator | undefined => byName.get(name);
