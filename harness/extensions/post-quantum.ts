/** What resists quantum computers, as far as the policy asks for it: RFC 9242, RFC 9370, RFC 8784, RFC 9867. */
import type { Extension } from "../ike/hooks.ts";
import type { CodePointOverrides } from "../wire/documents/code-point.ts";
import { intermediate } from "./intermediate.ts";
import { multipleKe } from "./multiple-ke.ts";
import { ppkInAuth } from "./ppk.ts";
import { ppkAgreement, ppkNumbers } from "./ppk-agreement.ts";
import { ppkInChild } from "./ppk-child.ts";
import { ppkInIntermediate } from "./ppk-intermediate.ts";

export interface PostQuantumOptions {
  /** Numbers that stand for others, by name. */
  codePoints?: CodePointOverrides | undefined;
}

/** Without additional key exchanges, PPKs or IKE_INTERMEDIATE in the policy none of them does anything. */
export function postQuantum({ codePoints }: PostQuantumOptions = {}): Extension[] {
  const numbers = ppkNumbers(codePoints);
  const additional = multipleKe();
  const early = ppkInIntermediate(numbers);
  return [
    ppkAgreement(numbers),
    // A PPK is mixed in last of all (RFC 9867 section 3.1.1).
    intermediate([additional.user, early.user]),
    additional.extension,
    early.extension,
    ppkInAuth(numbers),
    ppkInChild(numbers),
  ];
}
