import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bouncycastle.crypto.params.MLDSAParameters;
import org.bouncycastle.crypto.params.MLDSAPublicKeyParameters;
import org.bouncycastle.crypto.params.ParametersWithContext;
import org.bouncycastle.crypto.signers.MLDSASigner;

/**
 * A verifier of .vtlic licenses, with the JDK's Ed25519 and Bouncy Castle's ML-DSA. Section numbers are those of
 * docs/format.md.
 *
 * <pre>
 * Trust trust = new Trust(List.of(new Key("ed25519", bytes, "license", "active")), Policy.NONE);
 * Verdict verdict = Verify.verify(file, trust, context);
 * </pre>
 */
final class Verify {
  private static final int MAX_FILE_BYTES = 98_304;
  private static final int MAX_DECODED_BYTES = 49_152;
  private static final String TYP = "application/vnd.vtlic.license+cose";
  private static final byte[] LABEL = ascii("COMPSIG-MLDSA65-Ed25519-SHA512");
  private static final byte[] PREFIX = ascii("CompositeAlgorithmSignatures2025");
  private static final byte[] ED25519_SPKI = Bytes.unhex("302a300506032b6570032100");

  private Verify() {}

  static void refuseIf(boolean fault, Reason reason) {
    if (fault) throw new Refusal(reason);
  }

  /** Runs the steps of section 2. */
  static Verdict verify(byte[] file, Trust trust, Context context) {
    try {
      return judge(file, trust, context);
    } catch (Refusal refusal) {
      return new Verdict(refusal.reason, null, null, null, null, null, false);
    }
  }

  private static Verdict judge(byte[] file, Trust trust, Context context) {
    Cose cose = readCose(dearmor(file));
    Key key = trust.key(cose.kid);
    refuseIf(key == null && trust.isComponent(cose.kid), Reason.KEY_COMPOSITE_ONLY);
    refuseIf(key == null, Reason.KEY_UNKNOWN);
    refuseIf(!key.alg().equals(cose.alg), Reason.KEY_ALGORITHM_MISMATCH);
    refuseIf(!isSignatureValid(key, cose.signature, cose.signed()), Reason.SIGNATURE_INVALID);
    Claims claims = readClaims(cose.payload);
    String digest = Bytes.hex(Bytes.hash("SHA-256", cose.payload));
    checkPolicy(claims, digest, key, trust.policy(), context.now());
    checkBinding(claims, context);
    boolean clk = context.seen() != null && checkSeen(claims, digest, context.seen());
    return new Verdict(null, stateOf(claims, clk, context), claims, cose.kid, digest, claims.lineage(), clk);
  }

  // Sections 3 and 4: armor and CBOR. The walk of section 4 is in Cbor.java.

  private static byte[] dearmor(byte[] file) {
    refuseIf(file.length > MAX_FILE_BYTES, Reason.TOO_LARGE);
    int start = 0;
    int end = file.length;
    while (start < end && isBlank(file[start])) start++;
    while (end > start && isBlank(file[end - 1])) end--;
    // ISO 8859-1 gives each byte a character of its own.
    String block = new String(file, start, end - start, StandardCharsets.ISO_8859_1);
    String[] lines = block.split("\n", -1);
    int last = lines.length - 1;
    boolean isWhole = last > 1 && lines[last].equals("-----END VTLIC-----");
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < last; i++) {
      String line = lines[i].endsWith("\r") ? lines[i].substring(0, lines[i].length() - 1) : lines[i];
      if (i == 0) isWhole = isWhole && line.equals("-----BEGIN VTLIC-----");
      else isWhole = isWhole && (i < last - 1 ? line.length() == 64 : !line.isEmpty() && line.length() <= 64);
      if (i > 0) text.append(line);
    }
    refuseIf(!isWhole, Reason.ARMOR_MALFORMED);
    byte[] decoded = null;
    try {
      decoded = Base64.getDecoder().decode(text.toString());
    } catch (IllegalArgumentException fault) {
      refuseIf(true, Reason.ARMOR_MALFORMED);
    }
    // The decoder takes missing padding, and unused bits that are not zero.
    refuseIf(!Base64.getEncoder().encodeToString(decoded).equals(text.toString()), Reason.ARMOR_MALFORMED);
    refuseIf(decoded.length > MAX_DECODED_BYTES, Reason.TOO_LARGE);
    return decoded;
  }

  private static boolean isBlank(byte value) {
    return value == '\t' || value == '\n' || value == '\r' || value == ' ';
  }

  // Section 5: COSE.

  private record Cose(String alg, String kid, byte[] protectedBytes, byte[] payload, byte[] signature) {
    /** Section 5.3. */
    byte[] signed() {
      byte[] start = Bytes.join(ascii("\u0084\u006aSignature1"), Cbor.byteString(protectedBytes));
      return Bytes.join(start, new byte[] {0x40}, Cbor.byteString(payload));
    }
  }

  private static Cose readCose(byte[] data) {
    Object content = Cbor.decode(data, true);
    refuseIf((data[0] & 0xff) != 0xd2, Reason.COSE_MALFORMED); // Tag 18 has this one spelling.
    refuseIf(!(content instanceof List<?> items) || items.size() != 4, Reason.COSE_MALFORMED);
    List<?> items = (List<?>) content;
    for (int i : new int[] {0, 2, 3}) refuseIf(!(items.get(i) instanceof byte[]), Reason.COSE_MALFORMED);
    byte[] protectedBytes = (byte[]) items.get(0);
    boolean isEmpty = items.get(1) instanceof Cbor.Pairs unprotected && unprotected.list().isEmpty();
    refuseIf(protectedBytes.length == 0 || !isEmpty, Reason.COSE_MALFORMED);
    Map<Object, Object> header = new HashMap<>();
    if (Cbor.decode(protectedBytes, false) instanceof Cbor.Pairs pairs)
      for (Cbor.Pair pair : pairs.list()) header.put(pair.key(), pair.value());
    boolean hasKeys = header.keySet().equals(Set.of(1L, 4L, 16L));
    refuseIf(!hasKeys || !(header.get(1L) instanceof Long || header.get(1L) instanceof String), Reason.COSE_MALFORMED);
    refuseIf(!(header.get(4L) instanceof byte[] kid) || kid.length != 32, Reason.COSE_MALFORMED);
    refuseIf(!(header.get(16L) instanceof String), Reason.COSE_MALFORMED);
    refuseIf(!header.get(16L).equals(TYP), Reason.TYP_WRONG);
    String alg = header.get(1L).equals(-19L) ? Key.ED25519 : header.get(1L).equals(Key.COMPOSITE) ? Key.COMPOSITE : "";
    refuseIf(alg.isEmpty(), Reason.ALG_UNKNOWN);
    String kid = Bytes.hex((byte[]) header.get(4L));
    return new Cose(alg, kid, protectedBytes, (byte[]) items.get(2), (byte[]) items.get(3));
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  // Section 6: signatures. The key has passed the constructor of Trust.

  static boolean isSignatureValid(Key key, byte[] signature, byte[] signed) {
    byte[] bytes = key.bytes();
    if (key.alg().equals(Key.ED25519)) return signature.length == 64 && isEd25519Valid(bytes, signature, signed);
    if (signature.length != 3373) return false;
    byte[] message = Bytes.join(PREFIX, LABEL, new byte[1], Bytes.hash("SHA-512", signed));
    var mldsa65 = new MLDSAPublicKeyParameters(MLDSAParameters.ml_dsa_65, Arrays.copyOf(bytes, 1952));
    MLDSASigner verifier = new MLDSASigner();
    verifier.init(false, new ParametersWithContext(mldsa65, LABEL));
    verifier.update(message, 0, message.length);
    boolean isMldsaValid = verifier.verifySignature(Arrays.copyOf(signature, 3309));
    byte[] ed25519 = Arrays.copyOfRange(bytes, 1952, 1984);
    return isMldsaValid && isEd25519Valid(ed25519, Arrays.copyOfRange(signature, 3309, 3373), message);
  }

  /** Criteria 4 to 6 of section 6.4: the JDK does 4 and 6. */
  private static boolean isEd25519Valid(byte[] bytes, byte[] signature, byte[] message) {
    if (Key.SMALL_ORDER.contains(Bytes.hex(Arrays.copyOf(signature, 32)))) return false;
    try {
      X509EncodedKeySpec spki = new X509EncodedKeySpec(Bytes.join(ED25519_SPKI, bytes));
      PublicKey key = KeyFactory.getInstance("Ed25519", "SunEC").generatePublic(spki);
      Signature verifier = Signature.getInstance("Ed25519", "SunEC");
      verifier.initVerify(key);
      verifier.update(message);
      return verifier.verify(signature);
    } catch (SignatureException invalid) {
      return false;
    } catch (GeneralSecurityException fault) {
      throw new IllegalStateException("Ed25519 of SunEC does not work here", fault);
    }
  }

  // Section 7: claims. Claims.java has the bounds of each.

  private static Claims readClaims(byte[] payload) {
    Object content = null;
    try {
      content = Cbor.decode(payload, false);
    } catch (Refusal refusal) {
      refuseIf(true, Reason.CLAIMS_MALFORMED);
    }
    refuseIf(!(content instanceof Cbor.Pairs), Reason.CLAIMS_MALFORMED);
    List<Cbor.Pair> pairs = ((Cbor.Pairs) content).list();
    refuseIf(!pairs.stream().allMatch(pair -> Claims.isKnown(pair.key())), Reason.CLAIMS_UNKNOWN);
    refuseIf(!pairs.stream().allMatch(pair -> Claims.isGood(pair.key(), pair.value())), Reason.CLAIMS_MALFORMED);
    Claims claims = new Claims(pairs);
    refuseIf(!claims.hasRequired(), Reason.CLAIMS_MALFORMED);
    long exp = claims.number("exp");
    refuseIf(claims.number("nbf") >= exp || claims.number("iat") >= exp, Reason.CLAIMS_MALFORMED);
    return claims;
  }

  // Section 2, steps 8 to 11.

  private static void checkPolicy(Claims claims, String digest, Key key, Policy policy, long now) {
    refuseIf(!key.counts(digest), Reason.KEY_REVOKED);
    refuseIf(!key.purpose().equals("license"), Reason.KEY_WRONG_PURPOSE);
    refuseIf(key.products() != null && !key.products().contains(claims.text("aud")), Reason.KEY_WRONG_PURPOSE);
    refuseIf(key.tiers() != null && !key.tiers().contains(claims.text("tier")), Reason.KEY_WRONG_PURPOSE);
    boolean isOver = policy.ed25519Until() != null && now >= policy.ed25519Until();
    boolean isEd25519 = key.alg().equals(Key.ED25519);
    refuseIf(isEd25519 && (policy.requireComposite() || isOver), Reason.ALGORITHM_NOT_ALLOWED);
    refuseIf(policy.revoked().contains(claims.licenseId()), Reason.LICENSE_REVOKED);
    refuseIf(claims.number("ctr") < policy.lowest().getOrDefault(claims.lineage(), 0L), Reason.SUPERSEDED);
  }

  private static void checkBinding(Claims claims, Context context) {
    refuseIf(!claims.text("iss").equals(context.issuer()), Reason.ISSUER_MISMATCH);
    refuseIf(!claims.text("aud").equals(context.product()), Reason.PRODUCT_MISMATCH);
    boolean isDeployed = !claims.has("dep") || claims.text("dep").equals(context.deployment());
    refuseIf(!isDeployed, Reason.DEPLOYMENT_MISMATCH);
    boolean isHere = !claims.has("hosts") || claims.hosts().stream().anyMatch(context.hosts()::contains);
    refuseIf(!isHere, Reason.HOST_MISMATCH);
    boolean isCovered = context.buildDate() != null && context.buildDate() < claims.number("upd");
    refuseIf(claims.has("upd") && !isCovered, Reason.BUILD_NOT_COVERED);
  }

  /** Section 10.1. Returns whether `clk` has its effect (10.2). */
  private static boolean checkSeen(Claims claims, String digest, Seen seen) {
    boolean isCurrent = claims.lineage().equals(seen.current());
    refuseIf(!isCurrent && claims.number("iat") <= seen.highestIat(), Reason.LINEAGE_NOT_NEWER);
    Accepted accepted = seen.lineages().get(claims.lineage());
    if (accepted == null) return false;
    long counter = claims.number("ctr");
    refuseIf(counter < accepted.counter(), Reason.COUNTER_ROLLED_BACK);
    refuseIf(counter == accepted.counter() && !digest.equals(accepted.digest()), Reason.COUNTER_CONFLICT);
    return claims.has("clk") && isCurrent && counter > accepted.counter();
  }

  private static String stateOf(Claims claims, boolean clk, Context context) {
    long clock = context.clock() == null ? context.now() : context.clock();
    long now = clk ? Math.max(clock, claims.number("iat")) : context.now();
    long grace = claims.has("grace") ? claims.number("grace") : context.defaultGrace();
    if (now < claims.number("nbf")) return "not_yet_valid";
    if (now < claims.number("exp")) return "active";
    return now < claims.number("exp") + grace ? "grace" : "lapsed";
  }
}
