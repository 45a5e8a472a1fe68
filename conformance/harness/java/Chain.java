import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** A trusted chain of keysets (K3 to K6 of docs/keysets.md): which version counts, and the trust that follows. */
final class Chain {
  private static final int MAX_CHAIN_BYTES = 16_777_216;
  private static final int MAX_BLOCKS = 4_096;
  private static final int MAX_KEYSET_BYTES = 524_288;

  record Notice(String source, String reason) {}

  record Choice(Chain chain, String source, List<Notice> notices) {}

  /** How far a file went: its newest version, and the fault that ended it, or null. */
  private record Extent(long last, String reason) {}

  private final boolean requireComposite;
  private boolean compositeRoots;
  private Keyset newest;
  private final Map<Long, String> digests = new HashMap<>();
  private Map<String, String> purposes = new HashMap<>();
  private Map<String, String> components = new HashMap<>();
  private final Map<String, Key> formerRoots = new HashMap<>();

  private Chain(boolean requireComposite) {
    this.requireComposite = requireComposite;
    this.compositeRoots = requireComposite;
  }

  /** K5, rule 1: the signatures are not judged. */
  static Chain builtIn(byte[] file, String issuer, boolean requireComposite) {
    Chain chain = new Chain(requireComposite);
    try {
      eachBlock(
          file,
          block -> {
            Keyset next = new Keyset(block);
            Keyset.refuseIf(!next.issuer().equals(issuer), "issuer_mismatch");
            boolean isAbove = chain.newest == null || next.number("version") > chain.version();
            Keyset.refuseIf(!isAbove, "not_ascending");
            Keyset.refuseIf(!next.roots().stream().allMatch(Key::isGoodPoint), "key_invalid");
            chain.add(next);
          });
    } catch (KeysetFault fault) {
      throw new ConfigurationInvalid();
    }
    return chain;
  }

  /** K5: the chain that counts, where it is from, and the notices. */
  static Choice choose(Chain chain, List<byte[]> copies, byte[] file) {
    String source = "built-in";
    List<Notice> notices = new ArrayList<>();
    List<byte[]> sources = new ArrayList<>(copies);
    if (file != null) sources.add(file);
    for (byte[] data : sources) {
      String name = data == file ? "file" : "state";
      long before = chain.version();
      Extent extent = chain.extend(data);
      if (chain.version() > before) source = name;
      boolean isOlder = extent.reason == null && data == file && extent.last < before;
      String reason = isOlder ? "keyset_older" : extent.reason;
      if (reason != null) notices.add(new Notice(name, reason));
    }
    return new Choice(chain, source, notices);
  }

  long version() {
    return newest.number("version");
  }

  /** Reads block by block, in order (K3). What is before a block belongs to it. */
  private static void eachBlock(byte[] chain, Consumer<byte[]> take) {
    Keyset.refuseIf(chain.length > MAX_CHAIN_BYTES, "too_large");
    String text = new String(chain, StandardCharsets.ISO_8859_1);
    int at = skipBlanks(text, 0);
    boolean isOnNewLine = true;
    for (int count = 0; count == 0 || at < text.length(); count++) {
      Keyset.refuseIf(count == MAX_BLOCKS, "too_large");
      Keyset.refuseIf(!isOnNewLine, "armor_malformed");
      // A block is the lines from BEGIN to END; END may be the last of its line.
      StringBuilder body = new StringBuilder();
      int lines = 0;
      int lastLength = 64;
      Keyset.refuseIf(!lineAt(text, at).equals("-----BEGIN VTLIC KEYSET-----"), "armor_malformed");
      at = nextLine(text, at);
      while (!text.startsWith("-----END VTLIC KEYSET-----", at)) {
        String line = lineAt(text, at);
        Keyset.refuseIf(line.isEmpty() || line.length() > 64 || lastLength != 64, "armor_malformed");
        body.append(line);
        lastLength = line.length();
        lines++;
        at = nextLine(text, at);
      }
      int end = at + "-----END VTLIC KEYSET-----".length();
      byte[] decoded = decode(body.toString());
      Keyset.refuseIf(lines == 0, "armor_malformed");
      Keyset.refuseIf(decoded.length > MAX_KEYSET_BYTES, "too_large");
      take.accept(decoded);
      at = skipBlanks(text, end);
      isOnNewLine = text.substring(end, at).contains("\n");
    }
  }

  private static byte[] decode(String text) {
    byte[] decoded = null;
    try {
      decoded = Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException fault) {
      Keyset.refuseIf(true, "armor_malformed");
    }
    Keyset.refuseIf(!Base64.getEncoder().encodeToString(decoded).equals(text), "armor_malformed");
    return decoded;
  }

  private static int skipBlanks(String text, int at) {
    while (at < text.length() && "\t\n\r ".indexOf(text.charAt(at)) >= 0) at++;
    return at;
  }

  private static int nextLine(String text, int at) {
    return text.indexOf('\n', at) + 1;
  }

  /** A line without its end, which has to be there. */
  private static String lineAt(String text, int at) {
    int end = text.indexOf('\n', at);
    Keyset.refuseIf(end < 0, "armor_malformed");
    String line = text.substring(at, end);
    return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
  }

  /** Takes what continues the chain. */
  private Extent extend(byte[] file) {
    long[] last = {0};
    try {
      eachBlock(
          file,
          block -> {
            Keyset next = new Keyset(block);
            Keyset.refuseIf(!next.issuer().equals(newest.issuer()), "issuer_mismatch");
            Keyset.refuseIf(next.number("version") <= last[0], "not_ascending");
            last[0] = next.number("version");
            accept(next);
          });
    } catch (KeysetFault fault) {
      return new Extent(last[0], fault.getMessage());
    }
    return new Extent(last[0], null);
  }

  /** Rules 3 to 8 of K4. */
  private void accept(Keyset next) {
    if (next.number("version") <= version()) {
      String known = digests.get(next.number("version"));
      Keyset.refuseIf(known != null && !known.equals(next.digest), "conflict");
      return;
    }
    Keyset.refuseIf(!next.roots().stream().allMatch(Key::isGoodPoint), "key_invalid");
    Map<String, Key> known = new HashMap<>();
    Stream.concat(newest.roots().stream(), next.roots().stream()).forEach(root -> known.put(root.kid(), root));
    Set<String> signed = new HashSet<>();
    for (Keyset.Signer signer : next.signers) {
      Key root = known.get(signer.kid());
      if (root == null) continue;
      boolean isAlg = signer.alg().equals(root.alg().equals(Key.ED25519) ? -19L : Key.COMPOSITE);
      boolean isValid = isAlg && Verify.isSignatureValid(root, signer.signature(), signer.signed());
      Keyset.refuseIf(!isValid, "signature_invalid");
      signed.add(signer.kid());
    }
    boolean isEnough = count(newest, signed, compositeRoots) >= newest.number("threshold");
    Keyset.refuseIf(!isEnough, "threshold_previous");
    boolean isOwnOnly = compositeRoots || !next.policy().isEmpty();
    Keyset.refuseIf(count(next, signed, isOwnOnly) < next.number("threshold"), "threshold_own");
    add(next);
  }

  private static long count(Keyset keyset, Set<String> signed, boolean compositeOnly) {
    return keyset.roots().stream()
        .filter(root -> signed.contains(root.kid()) && (!compositeOnly || root.alg().equals(Key.COMPOSITE)))
        .count();
  }

  /** Rule 8 of K4; then the version is the newest. */
  private void add(Keyset next) {
    Keyset.refuseIf(!next.keys().stream().allMatch(Key::isGoodPoint), "key_invalid");
    List<Key> all = Stream.concat(next.roots().stream(), next.keys().stream()).toList();
    Map<String, String> newPurposes = new HashMap<>(purposes);
    for (Key key : all) {
      String before = newPurposes.putIfAbsent(key.kid(), key.purpose());
      Keyset.refuseIf(before != null && !before.equals(key.purpose()), "purpose_changed");
    }
    Map<String, String> newComponents = new HashMap<>(components);
    for (Key key : all)
      for (byte[] part : key.components()) {
        String owner = newComponents.putIfAbsent(Bytes.hex(part), key.kid());
        Keyset.refuseIf(owner != null && !owner.equals(key.kid()), "component_shared");
      }
    Set<String> kids = new HashSet<>();
    next.keys().forEach(key -> kids.add(key.kid()));
    boolean areThere = newest == null || newest.keys().stream().allMatch(key -> kids.contains(key.kid()));
    Keyset.refuseIf(!areThere, "key_removed");
    next.roots().forEach(root -> formerRoots.put(root.kid(), root));
    purposes = newPurposes;
    components = newComponents;
    newest = next;
    digests.put(next.number("version"), next.digest);
    compositeRoots = compositeRoots || !next.policy().isEmpty();
  }

  /** K6. */
  Trust trust() {
    List<Key> keys = new ArrayList<>(newest.keys());
    keys.addAll(formerRoots.values());
    boolean composite = requireComposite || newest.policy().containsKey("composite");
    Long until = (Long) newest.policy().get("ed25519_until");
    return new Trust(keys, new Policy(composite, until, newest.revoked(), newest.lowest()));
  }
}
