import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The claims of a payload, by their names, and the bounds of each (section 7 of docs/format.md). */
final class Claims {
  static final long MAX_INTEGER = (1L << 53) - 1;
  static final long MAX_TIME = 253_402_300_799L;
  static final long MAX_GRACE = 31_622_400;

  private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:-]{0,127}");
  private static final List<String> REGISTERED = List.of("", "iss", "sub", "aud", "exp", "nbf", "iat", "cti");
  private static final List<String> REQUIRED =
      List.of("iss", "sub", "aud", "exp", "nbf", "iat", "cti", "ctr", "tier", "seats");

  private static final List<Object> USES = List.of("non-production", "trial", "emergency");

  private static final Map<String, Predicate<Object>> GOOD =
      Map.ofEntries(
          Map.entry("iss", Claims::isId),
          Map.entry("sub", Claims::isId),
          Map.entry("aud", Claims::isId),
          Map.entry("exp", integer(0, MAX_TIME)),
          Map.entry("nbf", integer(0, MAX_TIME)),
          Map.entry("iat", integer(0, MAX_TIME)),
          Map.entry("cti", Claims::isUuid7),
          Map.entry("ctr", integer(1, MAX_INTEGER)),
          Map.entry("tier", Claims::isId),
          Map.entry("seats", integer(0, MAX_INTEGER).or("unlimited"::equals)),
          Map.entry("features", sorted(256, Claims::isId)),
          Map.entry("limits", entries(1, 256, integer(0, MAX_INTEGER))),
          Map.entry("instances", integer(1, MAX_INTEGER)),
          Map.entry("hosts", sorted(1024, value -> value instanceof byte[] bytes && bytes.length == 32)),
          Map.entry("grace", integer(0, MAX_GRACE)),
          Map.entry("offline", integer(0, MAX_TIME)),
          Map.entry("dep", Claims::isId),
          Map.entry("name", text(200)),
          Map.entry("ref", text(100)),
          Map.entry("upd", integer(0, MAX_TIME)),
          Map.entry("use", USES::contains),
          Map.entry("clk", Boolean.TRUE::equals),
          Map.entry("ext", entries(1, 64, Claims::isExtension)));

  private final Map<String, Object> values = new HashMap<>();

  /** All keys are known. */
  Claims(List<Cbor.Pair> pairs) {
    for (Cbor.Pair pair : pairs) values.put(nameOf(pair.key()), pair.value());
  }

  /** The name of a claim; the text `iss` is not the key 1. */
  private static String nameOf(Object key) {
    if (key instanceof Long number && 0 < number && number < REGISTERED.size())
      return REGISTERED.get(number.intValue());
    return key instanceof String text && !REGISTERED.contains(text) ? text : "unknown";
  }

  static boolean isKnown(Object key) {
    return GOOD.containsKey(nameOf(key));
  }

  static boolean isGood(Object key, Object value) {
    return GOOD.get(nameOf(key)).test(value);
  }

  boolean hasRequired() {
    return values.keySet().containsAll(REQUIRED);
  }

  boolean has(String name) {
    return values.containsKey(name);
  }

  String text(String name) {
    return (String) values.get(name);
  }

  long number(String name) {
    return (Long) values.getOrDefault(name, 0L);
  }

  /** Fingerprints, in hexadecimal. */
  List<String> hosts() {
    return ((List<?>) values.get("hosts")).stream().map(host -> Bytes.hex((byte[]) host)).toList();
  }

  String licenseId() {
    return uuidText((byte[]) values.get("cti"));
  }

  static String uuidText(byte[] id) {
    return Bytes.hex(id).replaceFirst("(.{8})(.{4})(.{4})(.{4})(.{12})", "$1-$2-$3-$4-$5");
  }

  /** The text of section 7.1. */
  String lineage() {
    return Stream.of("iss", "aud", "sub", "dep").filter(this::has).map(this::text).collect(Collectors.joining("/"));
  }

  static boolean isId(Object value) {
    return value instanceof String text && ID.matcher(text).matches();
  }

  static boolean isLineage(String text) {
    String[] ids = text.split("/", -1);
    return (ids.length == 3 || ids.length == 4) && Stream.of(ids).allMatch(Claims::isId);
  }

  static boolean isTime(long time) {
    return 0 <= time && time <= MAX_TIME;
  }

  static Predicate<Object> integer(long low, long high) {
    return value -> value instanceof Long number && low <= number && number <= high;
  }

  /** Code points are counted, not the UTF-16 units of Java. */
  private static Predicate<Object> text(int high) {
    return value ->
        value instanceof String text && !text.isEmpty() && text.codePointCount(0, text.length()) <= high;
  }

  static boolean isUuid7(Object value) {
    return value instanceof byte[] id && id.length == 16 && (id[6] & 0xf0) == 0x70 && (id[8] & 0xc0) == 0x80;
  }

  /** Sorted by bytes, each once: ids are ASCII, and of fingerprints the hexadecimal has the same order. */
  static Predicate<Object> sorted(int high, Predicate<Object> isGood) {
    return value -> {
      if (!(value instanceof List<?> items) || items.isEmpty() || items.size() > high) return false;
      if (!items.stream().allMatch(isGood)) return false;
      List<String> texts = items.stream().map(item -> item instanceof byte[] b ? Bytes.hex(b) : (String) item).toList();
      for (int i = 1; i < texts.size(); i++) if (texts.get(i - 1).compareTo(texts.get(i)) >= 0) return false;
      return true;
    };
  }

  private static Predicate<Object> entries(int low, int high, Predicate<Object> isGood) {
    return value ->
        value instanceof Cbor.Pairs pairs
            && low <= pairs.list().size()
            && pairs.list().size() <= high
            && pairs.list().stream().allMatch(pair -> isId(pair.key()) && isGood.test(pair.value()));
  }

  private static boolean isExtension(Object value) {
    if (value instanceof Cbor.Pairs) return entries(0, Integer.MAX_VALUE, Claims::isExtension).test(value);
    return !(value instanceof List<?> items) || items.stream().allMatch(Claims::isExtension);
  }
}
