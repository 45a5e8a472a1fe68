import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The trust of section 8.1 of docs/format.md, judged as a whole when it is made. */
final class Trust {
  private static final Set<String> PURPOSES =
      Set.of("license", "license-key", "root", "ledger", "approval", "transcript", "counters", "release", "receipt");
  private static final Set<String> STATUSES = Set.of("pre-published", "active", "retired", "revoked");
  private static final String LICENSE_ID = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

  private final Map<String, Key> keys = new HashMap<>();
  private final Set<String> componentKids = new HashSet<>();
  private final Policy policy;

  Trust(List<Key> list, Policy policy) {
    this.policy = policy;
    Map<String, String> owners = new HashMap<>();
    for (Key key : list) {
      require(isGood(key));
      Key before = keys.putIfAbsent(key.kid(), key);
      require(before == null || before.equals(key));
      for (byte[] component : key.components()) {
        String owner = owners.putIfAbsent(Bytes.hex(component), key.kid());
        require(owner == null || owner.equals(key.kid()));
      }
      if (key.alg().equals(Key.COMPOSITE)) componentKids.add(Key.ed25519Kid(key.components().get(0)));
    }
    require(policy.ed25519Until() == null || Claims.isTime(policy.ed25519Until()));
    require(policy.revoked().stream().allMatch(id -> id.matches(LICENSE_ID)));
    require(policy.lowest().keySet().stream().allMatch(Claims::isLineage));
    require(policy.lowest().values().stream().allMatch(count -> 0 <= count && count <= Claims.MAX_INTEGER));
  }

  private static void require(boolean isGood) {
    if (!isGood) throw new ConfigurationInvalid();
  }

  private static boolean isGood(Key key) {
    Integer length = Map.of(Key.ED25519, 32, Key.COMPOSITE, 1984).get(key.alg());
    return length != null
        && key.bytes().length == length
        && key.isGoodPoint()
        && PURPOSES.contains(key.purpose())
        && STATUSES.contains(key.status())
        && (key.products() == null || key.products().stream().allMatch(Claims::isId))
        && (key.tiers() == null || key.tiers().stream().allMatch(Claims::isId))
        && (key.honored() == null || key.honored().stream().allMatch(digest -> Bytes.isHex(digest, 32)))
        && (key.honored() == null || key.honored().isEmpty() || key.status().equals("revoked"));
  }

  Key key(String kid) {
    return keys.get(kid);
  }

  List<Key> keys() {
    return List.copyOf(keys.values());
  }

  boolean isComponent(String kid) {
    return componentKids.contains(kid);
  }

  Policy policy() {
    return policy;
  }
}

/** The trust is at fault as a whole (8.1). */
final class ConfigurationInvalid extends RuntimeException {}

record Policy(boolean requireComposite, Long ed25519Until, Set<String> revoked, Map<String, Long> lowest) {}

/** A trusted key. The bytes are in hexadecimal, so that two equal keys are equal; no list means every one. */
record Key(
    String alg,
    String publicKey,
    String purpose,
    String status,
    Set<String> products,
    Set<String> tiers,
    Set<String> honored) {
  static final String ED25519 = "ed25519";
  static final String COMPOSITE = "ed25519+ml-dsa-65";
  static final Set<String> SMALL_ORDER =
      Set.of(
          "0100000000000000000000000000000000000000000000000000000000000000",
          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
          "0000000000000000000000000000000000000000000000000000000000000000",
          "0000000000000000000000000000000000000000000000000000000000000080",
          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
          "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
          "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa");
  private static final Set<String> SIGNED_ZERO =
      Set.of(
          "0100000000000000000000000000000000000000000000000000000000000080",
          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
  private static final BigInteger ONE = BigInteger.ONE;
  private static final BigInteger P = ONE.shiftLeft(255).subtract(BigInteger.valueOf(19));
  private static final BigInteger D =
      new BigInteger("37095705934669439343138083508754565189542113879843219016388785533085940283555");

  byte[] bytes() {
    return Bytes.unhex(publicKey);
  }

  /** The Ed25519 one first. */
  List<byte[]> components() {
    byte[] bytes = bytes();
    int split = bytes.length - 32;
    byte[] ed25519 = Arrays.copyOfRange(bytes, split, bytes.length);
    return split == 0 ? List.of(ed25519) : List.of(ed25519, Arrays.copyOf(bytes, split));
  }

  /** Whether what the key signed still counts. */
  boolean counts(String payloadDigest) {
    return !status.equals("revoked") || (honored != null && honored.contains(payloadDigest));
  }

  /** The thumbprint of section 6.2. */
  String kid() {
    return Bytes.hex(Bytes.hash("SHA-256", Bytes.join(coseKeyHead(alg), bytes())));
  }

  static String ed25519Kid(byte[] publicKey) {
    return Bytes.hex(Bytes.hash("SHA-256", Bytes.join(coseKeyHead(ED25519), publicKey)));
  }

  /** A COSE_Key is this and the public key. */
  static byte[] coseKeyHead(String alg) {
    if (alg.equals(ED25519)) return Bytes.unhex("a301012006215820");
    byte[] name = COMPOSITE.getBytes(StandardCharsets.US_ASCII);
    return Bytes.join(Bytes.unhex("a301070371"), name, Bytes.unhex("205907c0"));
  }

  /** Criteria 1 to 3 of section 6.4. */
  boolean isGoodPoint() {
    byte[] ed25519 = components().get(0);
    if (SMALL_ORDER.contains(Bytes.hex(ed25519)) || SIGNED_ZERO.contains(Bytes.hex(ed25519))) return false;
    byte[] bigEndian = new byte[32];
    for (int i = 0; i < 32; i++) bigEndian[i] = ed25519[31 - i];
    bigEndian[0] &= 0x7f;
    BigInteger y = new BigInteger(1, bigEndian);
    BigInteger square = y.multiply(y);
    BigInteger product = square.subtract(ONE).multiply(D.multiply(square).add(ONE));
    BigInteger power = product.modPow(P.subtract(ONE).shiftRight(1), P);
    return y.compareTo(P) < 0 && power.compareTo(ONE) <= 0;
  }
}
