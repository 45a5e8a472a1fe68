import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** A keyset that has passed K1 and K2 of docs/keysets.md. Faults are KeysetFault. */
final class Keyset {
  private static final String TYP = "application/vnd.vtlic.keyset+cose";

  record Signer(String kid, Object alg, byte[] signed, byte[] signature) {}

  final Map<String, Object> payload;
  final String digest;
  final List<Signer> signers = new ArrayList<>();

  static void refuseIf(boolean fault, String reason) {
    if (fault) throw new KeysetFault("keyset_" + reason);
  }

  private static Object walk(byte[] data, boolean isFile) {
    try {
      return Cbor.decode(data, isFile);
    } catch (Refusal refusal) {
      throw new KeysetFault("keyset_" + refusal.reason.word());
    }
  }

  /** K1, in the order of its rule 6; then K2. */
  Keyset(byte[] data) {
    Object content = walk(data, true);
    boolean isTag = data.length > 1 && (data[0] & 0xff) == 0xd8 && data[1] == 98;
    refuseIf(!isTag, "cose_malformed");
    List<?> items = shape(content, 4);
    refuseIf(!(items.get(2) instanceof byte[]) || !(items.get(3) instanceof List<?>), "cose_malformed");
    byte[] payloadBytes = (byte[]) items.get(2);
    List<?> signatures = (List<?>) items.get(3);
    refuseIf(signatures.isEmpty() || signatures.size() > 64, "cose_malformed");
    byte[] body = (byte[]) items.get(0);
    Map<Object, Object> bodyHeader = header(body, Set.of(16L));
    refuseIf(!(bodyHeader.get(16L) instanceof String), "cose_malformed");
    for (Object signature : signatures) refuseIf(!(shape(signature, 3).get(2) instanceof byte[]), "cose_malformed");
    for (Object signature : signatures) walk((byte[]) ((List<?>) signature).get(0), false);
    for (Object one : signatures) {
      byte[] protectedBytes = (byte[]) ((List<?>) one).get(0);
      Map<Object, Object> header = header(protectedBytes, Set.of(1L, 4L));
      Object alg = header.get(1L);
      refuseIf(!(alg instanceof Long || alg instanceof String), "cose_malformed");
      refuseIf(!(header.get(4L) instanceof byte[] kid) || kid.length != 32, "cose_malformed");
      byte[] start = "\u0085\u0069Signature".getBytes(StandardCharsets.ISO_8859_1);
      byte[] headers = Bytes.join(Cbor.byteString(body), Cbor.byteString(protectedBytes));
      byte[] signed = Bytes.join(start, headers, new byte[] {0x40}, Cbor.byteString(payloadBytes));
      signers.add(new Signer(Bytes.hex((byte[]) header.get(4L)), alg, signed, (byte[]) ((List<?>) one).get(2)));
    }
    refuseIf(!bodyHeader.get(16L).equals(TYP), "typ_wrong");
    boolean areKnown = signers.stream().allMatch(one -> one.alg.equals(-19L) || one.alg.equals(Key.COMPOSITE));
    refuseIf(!areKnown, "alg_unknown");
    for (int i = 1; i < signers.size(); i++)
      refuseIf(signers.get(i - 1).kid.compareTo(signers.get(i).kid) >= 0, "cose_malformed");
    payload = readPayload(payloadBytes);
    digest = Bytes.hex(Bytes.hash("SHA-256", payloadBytes));
  }

  /** An array of so many items that begins with bytes and an empty map. */
  private static List<?> shape(Object value, int count) {
    refuseIf(!(value instanceof List<?> items) || items.size() != count, "cose_malformed");
    List<?> items = (List<?>) value;
    boolean isGood = items.get(0) instanceof byte[] bytes && bytes.length > 0;
    isGood = isGood && items.get(1) instanceof Cbor.Pairs pairs && pairs.list().isEmpty();
    refuseIf(!isGood, "cose_malformed");
    return items;
  }

  private static Map<Object, Object> header(byte[] data, Set<Long> keys) {
    Map<Object, Object> header = new HashMap<>();
    if (walk(data, false) instanceof Cbor.Pairs pairs)
      for (Cbor.Pair pair : pairs.list()) header.put(pair.key(), pair.value());
    refuseIf(!header.keySet().equals(keys), "cose_malformed");
    return header;
  }

  // K2.

  private static boolean isCoseKey(Object value) {
    if (!(value instanceof byte[] bytes) || (bytes.length != 40 && bytes.length != 2010)) return false;
    byte[] head = Key.coseKeyHead(bytes.length == 40 ? Key.ED25519 : Key.COMPOSITE);
    return Bytes.hex(bytes).startsWith(Bytes.hex(head));
  }

  private static final Map<String, Predicate<Object>> ISSUING_KEY =
      Map.of(
          "key", Keyset::isCoseKey,
          "purpose", List.<Object>of("license", "license-key")::contains,
          "status", List.<Object>of("pre-published", "active", "retired", "revoked")::contains,
          "products", Claims.sorted(64, Claims::isId),
          "tiers", Claims.sorted(64, Claims::isId),
          "from", Claims.integer(0, Claims.MAX_TIME),
          "until", Claims.integer(0, Claims.MAX_TIME),
          "honored", Claims.sorted(12_288, Keyset::is32Bytes));

  private static final Map<String, Predicate<Object>> POLICY =
      Map.of("composite", Boolean.TRUE::equals, "ed25519_until", Claims.integer(0, Claims.MAX_TIME));

  private static final Map<String, Predicate<Object>> MEMBERS =
      Map.of(
          "iss", Claims::isId,
          "version", Claims.integer(1, Claims.MAX_INTEGER),
          "made", Claims.integer(0, Claims.MAX_TIME),
          "expires", Claims.integer(0, Claims.MAX_TIME),
          "roots", Claims.sorted(16, Keyset::isCoseKey),
          "threshold", Claims.integer(1, 16),
          "keys", Keyset::areIssuingKeys,
          "policy", Keyset::isPolicy,
          "revoked", Claims.sorted(16_384, Claims::isUuid7),
          "lowest", Keyset::isLowest);

  private static boolean is32Bytes(Object value) {
    return value instanceof byte[] bytes && bytes.length == 32;
  }

  private static boolean isGood(Map<String, Object> map, Map<String, Predicate<Object>> checks, Set<String> required) {
    return map != null
        && map.keySet().containsAll(required)
        && map.entrySet().stream().allMatch(item -> checks.get(item.getKey()).test(item.getValue()));
  }

  /** A map whose members are all in the table; null where it is no map. */
  private static Map<String, Object> members(Object value, Map<String, Predicate<Object>> checks) {
    if (!(value instanceof Cbor.Pairs pairs)) return null;
    Map<String, Object> members = new HashMap<>();
    for (Cbor.Pair pair : pairs.list()) {
      refuseIf(!(pair.key() instanceof String name) || !checks.containsKey(name), "claims_unknown");
      members.put((String) pair.key(), pair.value());
    }
    return members;
  }

  private static boolean areIssuingKeys(Object value) {
    if (!(value instanceof List<?> items) || items.size() > 128) return false;
    String before = "";
    for (Object item : items) {
      Map<String, Object> key = members(item, ISSUING_KEY);
      if (!isGood(key, ISSUING_KEY, Set.of("key", "purpose", "status"))) return false;
      if (!isBefore(key.get("from"), key.get("until"))) return false;
      if (key.containsKey("honored") && !key.get("status").equals("revoked")) return false;
      String bytes = Bytes.hex((byte[]) key.get("key"));
      if (before.compareTo(bytes) >= 0) return false;
      before = bytes;
    }
    return true;
  }

  private static boolean isBefore(Object from, Object until) {
    return from == null || until == null || (Long) from < (Long) until;
  }

  private static boolean isPolicy(Object value) {
    Map<String, Object> policy = members(value, POLICY);
    return isGood(policy, POLICY, Set.of()) && !policy.isEmpty();
  }

  private static boolean isLowest(Object value) {
    if (!(value instanceof Cbor.Pairs pairs) || pairs.list().isEmpty() || pairs.list().size() > 8_192) return false;
    Predicate<Object> isCounter = Claims.integer(1, Claims.MAX_INTEGER);
    return pairs.list().stream()
        .allMatch(p -> p.key() instanceof String name && Claims.isLineage(name) && isCounter.test(p.value()));
  }

  private static Map<String, Object> readPayload(byte[] data) {
    Object content = null;
    try {
      content = Cbor.decode(data, false);
    } catch (Refusal refusal) {
      refuseIf(true, "claims_malformed");
    }
    Map<String, Object> payload = members(content, MEMBERS);
    boolean isGood = isGood(payload, MEMBERS, Set.of("iss", "version", "made", "roots", "threshold", "keys"));
    isGood = isGood && isBefore(payload.get("made"), payload.get("expires"));
    isGood = isGood && (Long) payload.get("threshold") <= ((List<?>) payload.get("roots")).size();
    refuseIf(!isGood, "claims_malformed");
    return payload;
  }

  // What it says.

  String issuer() {
    return (String) payload.get("iss");
  }

  long number(String name) {
    return (Long) payload.get(name);
  }

  Map<String, Object> policy() {
    return payload.containsKey("policy") ? members(payload.get("policy"), POLICY) : Map.of();
  }

  List<Key> roots() {
    List<Key> roots = new ArrayList<>();
    for (Object root : (List<?>) payload.get("roots")) roots.add(keyOf((byte[]) root, "root", "active", Map.of()));
    return roots;
  }

  List<Key> keys() {
    List<Key> keys = new ArrayList<>();
    for (Object item : (List<?>) payload.get("keys")) {
      Map<String, Object> key = members(item, ISSUING_KEY);
      keys.add(keyOf((byte[]) key.get("key"), (String) key.get("purpose"), (String) key.get("status"), key));
    }
    return keys;
  }

  private static Key keyOf(byte[] coseKey, String purpose, String status, Map<String, Object> members) {
    boolean isEd25519 = coseKey.length == 40;
    String hex = Bytes.hex(coseKey).substring(isEd25519 ? 16 : 2 * 26);
    String alg = isEd25519 ? Key.ED25519 : Key.COMPOSITE;
    return new Key(
        alg, hex, purpose, status, texts(members, "products"), texts(members, "tiers"), texts(members, "honored"));
  }

  private static Set<String> texts(Map<String, Object> members, String name) {
    if (!members.containsKey(name)) return null;
    Set<String> texts = new HashSet<>();
    for (Object item : (List<?>) members.get(name)) texts.add(item instanceof byte[] b ? Bytes.hex(b) : (String) item);
    return texts;
  }

  Set<String> revoked() {
    Set<String> ids = new HashSet<>();
    if (payload.get("revoked") instanceof List<?> items)
      for (Object id : items) ids.add(Claims.uuidText((byte[]) id));
    return ids;
  }

  Map<String, Long> lowest() {
    Map<String, Long> lowest = new HashMap<>();
    if (payload.get("lowest") instanceof Cbor.Pairs pairs)
      for (Cbor.Pair pair : pairs.list()) lowest.put((String) pair.key(), (Long) pair.value());
    return lowest;
  }
}

/** Why a keyset is refused: a reason of K7. */
final class KeysetFault extends RuntimeException {
  KeysetFault(String reason) {
    super(reason, null, false, false);
  }
}
