import java.util.Locale;

/** A refusal where it has a reason; otherwise a good license. `clk`: the claim had its effect (10.2). */
record Verdict(
    Reason reason, String state, Claims claims, String kid, String digest, String lineage, boolean clk) {
  /** The license is taken into the state. */
  boolean isTaken() {
    return "active".equals(state) || "grace".equals(state);
  }
}

/** The closed list of section 2, each with its layer. */
enum Reason {
  TOO_LARGE("size"),
  ARMOR_MALFORMED("armor"),
  CBOR_MALFORMED("cbor"),
  CBOR_NOT_DETERMINISTIC("cbor"),
  COSE_MALFORMED("cose"),
  TYP_WRONG("cose"),
  ALG_UNKNOWN("cose"),
  KEY_COMPOSITE_ONLY("key"),
  KEY_UNKNOWN("key"),
  KEY_ALGORITHM_MISMATCH("key"),
  SIGNATURE_INVALID("signature"),
  CLAIMS_MALFORMED("claims"),
  CLAIMS_UNKNOWN("claims"),
  KEY_REVOKED("policy"),
  KEY_WRONG_PURPOSE("policy"),
  ALGORITHM_NOT_ALLOWED("policy"),
  LICENSE_REVOKED("policy"),
  SUPERSEDED("policy"),
  ISSUER_MISMATCH("binding"),
  PRODUCT_MISMATCH("binding"),
  DEPLOYMENT_MISMATCH("binding"),
  HOST_MISMATCH("binding"),
  BUILD_NOT_COVERED("binding"),
  LINEAGE_NOT_NEWER("lineage"),
  COUNTER_ROLLED_BACK("counter"),
  COUNTER_CONFLICT("counter");

  final String layer;

  Reason(String layer) {
    this.layer = layer;
  }

  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}

/** How a step ends the judging. */
final class Refusal extends RuntimeException {
  final Reason reason;

  Refusal(Reason reason) {
    super(reason.word(), null, false, false);
    this.reason = reason;
  }
}
