/** Which rules of lint are certain in a conversation in which we lie, and where. */

/**
 * What of our messages a rule's word on a message of the peer rests on. `own`: on nothing of ours. `request`: on the
 * request it answers, which must be as an honest sender makes it. `honest`: on the whole conversation up to it. `whole`:
 * only a conversation without any lie will do. `never`: it is advice, and no finding of a fuzzer.
 */
export type Certainty = "own" | "request" | "honest" | "whole" | "never";

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Rules by the reason for which they hold whatever we sent. Those named nowhere need an honest conversation. */
const OWN: readonly [reason: string, rules: string][] = [
  [
    "every sender sets these fields by himself, and none is copied from what he answers",
    `reserved-flag-set version-flag-set length-not-of-message critical-bit-of-core-payload critical-bit-in-response
    payload-behind-sk sk-inside-sk ke-or-nonce-in-ike-auth informational-in-clear`,
  ],
  [
    "a request of the peer's own: a response is not judged",
    `cookie-not-first proposals-not-numbered-in-order esp-offer-mixes-aead configuration-request-without-address
    netmask-with-value-in-request supported-attributes-not-empty-in-request childless-with-child-payloads`,
  ],
  [
    "values that the sender makes, whose size or form depends on what stands beside them in his own message",
    `cookie-size modp-value-not-padded ke-group-not-in-sa ke-without-group-in-sa nonce-size
    nonce-shorter-than-half-the-prf-key id-with-terminator length-of-ecdsa-signature certreq-of-no-hashes
    certificate-url-not-http length-of-eap-message signature-data-malformed eddsa-identifier-with-parameters
    eddsa-signature-of-wrong-length signature-with-sha1 sha1-listed hash-list-malformed id-null-with-data
    ml-kem-value-of-wrong-length ml-kem-key-not-reduced reserved-spi-chosen zero-spi-in-ike-rekey`,
  ],
  [
    "a choice that must not be made even where it is offered",
    `several-proposals-chosen ike-sa-without-protection ike-rekey-without-ke forbidden-algorithm-for-esp
    no-selector-in-response selectors-in-ike-rekey cp-behind-sa`,
  ],
  [
    "notifies of the sender's own making",
    `length-of-invalid-ke-payload length-of-set-window-size length-of-invalid-message-id
    length-of-unsupported-critical-payload length-of-nat-detection-source-ip length-of-nat-detection-destination-ip
    invalid-message-id-in-response initial-contact-too-late nat-detection-without-its-pair ipcomp-without-sa
    several-ipcomp-in-response authentication-failed-beside-eap-failure rekey-sa-with-data
    hash-list-outside-of-ike-sa-init eap-only-notify-not-empty childless-notify-malformed
    fragmentation-notify-not-empty intermediate-notify-not-empty state-not-found-with-data use-ppk-not-empty
    no-ppk-auth-malformed no-ppk-auth-not-of-auth-method ppk-identity-malformed ppk-identity-of-response-not-empty
    use-ppk-int-not-empty use-ppk-int-alone both-ways-of-ppks-returned`,
  ],
  [
    "how the sender seals: under his own keys, into fragments of his own",
    `iv-used-again padding-longer-than-needed retransmission-not-identical fragment-before-keys
    payload-behind-fragment fragment-number-out-of-range first-fragment-names-no-payload later-fragment-names-payload
    clear-payload-in-later-fragment fragment-headers-differ synchronisation-in-fragments fragments-share-iv
    esp-with-spi-zero esp-number-zero esp-not-aligned esp-padding-not-counted`,
  ],
  [
    "what a controller or a member of a group says by himself",
    `group-notify-with-protocol-or-spi group-sender-not-4-octets traffic-selectors-in-gsa-auth sag-with-spi
    sag-without-key-wrap leaving-member-names-no-group group-policy-without-sequence-numbers
    group-policy-with-64-bit-numbers group-policy-not-one-of-each-type group-aead-with-integrity
    group-cipher-without-integrity rekey-sa-without-key-wrap signature-algorithm-missing
    signature-algorithm-without-signature gcauth-in-rekey group-cipher-of-implicit-iv rekey-sa-destination
    group-policy-without-lifetime inband-policy-counts-messages group-policies-of-wrong-number
    esp-and-ah-for-same-traffic group-policy-reserved-set sender-id-in-rekey auth-key-of-implicit-authentication
    auth-key-missing several-auth-keys wrap-key-inband sa-key-with-id rekey-sa-key-not-alone
    member-bag-reserved-set wrap-key-without-id`,
  ],
];

const REQUEST: readonly [reason: string, rules: string][] = [
  [
    "a header that peers may copy from the request",
    "initiator-flag-of-the-other version-not-2-0 responder-spi-in-refusal message-id-of-ike-sa-init",
  ],
  [
    "fields and values that peers may copy out of the request into what they choose",
    `reserved-bits-of-payload-header reserved-field-not-zero reserved-field-of-id reserved-field-of-ts
    spi-size-of-proposal attribute-twice key-length-missing key-length-of-fixed-key key-length-in-tlv-format
    aead-with-integrity aead-beside-other-ciphers group-in-ike-auth no-group-in-ike-rekey
    notify-protocol-without-spi notify-spi-of-no-child-sa spi-size-of-delete spi-count-of-delete
    value-in-configuration-ack additional-method-chosen-twice
    link-with-protocol-or-spi esp-without-any-protection counter-mode-without-integrity esp-aead-with-integrity
    chacha20-with-key-length aes-cbc-without-key-length gmac-beside-another-cipher sequence-numbers-missing
    implicit-iv-without-numbers ppk-identity-key-malformed transport-mode-said-twice eap-identity-request`,
  ],
  [
    "the answer is compared with its request",
    `response-not-identical nonce-reused response-to-another-address proposal-number-not-offered protocol-not-offered
    two-transforms-of-a-type transform-type-missing transform-not-offered attribute-changed chosen-group-not-of-ke
    invalid-ke-payload-names-wrong-group ipcomp-not-offered transport-mode-not-asked-for
    non-first-fragments-not-asked-for child-sa-not-found-of-another-spi critical-payload-overlooked
    unsupported-critical-payload-of-another-type selectors-wider-than-offered eap-without-auth-of-responder
    eap-with-shared-secret-of-responder sa-before-the-end-of-eap sequence-numbers-not-as-offered
    frodokem-ciphertext-of-wrong-length ppk-chosen-that-was-not-offered group-refusal-malformed
    leaving-member-not-answered-empty sender-ids-not-asked-for`,
  ],
];

/** The SPI of an ESP SA, and what goes back and forth in it, are ours as well. */
const WHOLE: readonly [reason: string, rules: string][] = [
  [
    "replies to ESP echo copy fields of the request, which is not an IKE message of ours",
    `plain-echo-padded plain-echo-names-another-reply-spi plain-echo-on-wrong-spi echo-with-more-than-data
    echo-padded`,
  ],
];

const NEVER: readonly [reason: string, rules: string][] = [
  ["the order in the figures is recommended, and lawful peers have another", "payloads-out-of-order"],
];

const ROWS: readonly (readonly [rule: string, Certainty])[] = (
  [
    ["own", OWN],
    ["request", REQUEST],
    ["whole", WHOLE],
    ["never", NEVER],
  ] as const
).flatMap(([certainty, groups]) =>
  groups.flatMap(([, rules]) => words(rules).map((rule) => [rule, certainty] as const)),
);
const TABLE: ReadonlyMap<string, Certainty> = new Map(ROWS);

/** Names of the rules that this table knows, as they stand in it; a rule that it does not know is `honest`. */
export const classified = (): string[] => ROWS.map(([rule]) => rule);

/** How much must be honest for what this rule says. */
export const certaintyOf = (rule: string): Certainty => TABLE.get(rule) ?? "honest";
