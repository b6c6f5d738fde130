/** Lies about the derivation of keys. */
import { type Lie, lie } from "./lie.ts";

function withoutLeadingZeros(octets: Uint8Array): Uint8Array {
  const first = octets.findIndex((octet) => octet !== 0);
  return octets.subarray(Math.max(0, first));
}

export const keyLies: readonly Lie[] = [
  lie("swaps-ni-and-nr-in-skeyseed", "IKEV2-155", "SKEYSEED and prf+ take Nr | Ni", () => ({
    ike: {
      ikeKeys: (inputs) => {
        [inputs.Ni, inputs.Nr] = [inputs.Nr, inputs.Ni];
      },
    },
  })),
  lie("swaps-sk-ei-and-sk-er", "IKEV2-155", "the keys of the two directions are exchanged", () => ({
    ike: {
      afterIkeKeys: (_, keys) => {
        [keys.SK_ei, keys.SK_er] = [keys.SK_er, keys.SK_ei];
      },
    },
  })),
  lie("strips-leading-zeros-of-g-ir", "IKEV2-156", "g^ir as a number without leading zeros", () => ({
    ike: {
      ikeKeys: (inputs) => {
        inputs.sharedSecret = withoutLeadingZeros(inputs.sharedSecret);
      },
    },
  })),
  lie(
    "swaps-the-directions-of-keymat",
    "IKEV2-173",
    "the keys of the two directions of ESP are exchanged",
    () => ({
      ike: {
        childEstablished: (child) => {
          [child.keysIn, child.keysOut] = [child.keysOut, child.keysIn];
        },
      },
    }),
  ),
];
