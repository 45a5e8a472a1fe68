import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The override of a product's environment (section 11.3 of docs/format.md). */
final class KeyOverride {
  private static final int MAX_FILE_BYTES = 65_536;

  private KeyOverride() {}

  /** `files`: path → content. */
  static Trust over(List<Key> keys, Policy policy, Map<String, String> environment, Map<String, byte[]> files) {
    Trust before = new Trust(keys, policy);
    List<Key> given = new ArrayList<>();
    String required = value(environment, "LICENSE_REQUIRE_COMPOSITE");
    try {
      KeyFile.require(required.isEmpty() || required.equals("1"));
      for (byte[] bytes : items(environment, files)) {
        Key key = KeyFile.makeKey(bytes);
        given.add(before.key(key.kid()) == null ? key : before.key(key.kid()));
      }
    } catch (KeyFileFault fault) {
      throw new ConfigurationInvalid();
    }
    boolean isComposite = policy.requireComposite() || required.equals("1");
    Policy made = new Policy(isComposite, policy.ed25519Until(), policy.revoked(), policy.lowest());
    if (given.isEmpty()) return new Trust(keys, made);
    List<Key> all = new ArrayList<>(keys);
    all.addAll(given);
    new Trust(all, made); // Step 1: the components of all keys together.
    List<Key> left = new ArrayList<>(keys);
    left.removeIf(key -> key.purpose().equals("license"));
    left.addAll(given);
    return new Trust(left, made);
  }

  private static String value(Map<String, String> environment, String name) {
    return trim(environment.getOrDefault(name, ""));
  }

  private static String trim(String text) {
    return text.replaceAll("\\A[\t\n\r ]+|[\t\n\r ]+\\z", "");
  }

  private static List<byte[]> items(Map<String, String> environment, Map<String, byte[]> files) {
    String ed25519 = value(environment, "LICENSE_PUBLIC_KEY");
    String mldsa65 = value(environment, "LICENSE_MLDSA_PUBLIC_KEY");
    KeyFile.require(!ed25519.isEmpty() || mldsa65.isEmpty());
    if (ed25519.isEmpty()) return List.of();
    String[] left = ed25519.split(",", -1);
    String[] right = mldsa65.isEmpty() ? new String[left.length] : mldsa65.split(",", -1);
    KeyFile.require(left.length == right.length);
    List<byte[]> items = new ArrayList<>();
    for (int i = 0; i < left.length; i++) {
      byte[] own = read(trim(left[i]), 32, files);
      boolean isPaired = right[i] != null && !trim(right[i]).isEmpty();
      items.add(isPaired ? Bytes.join(read(trim(right[i]), 1952, files), own) : own);
    }
    return items;
  }

  private static byte[] read(String item, int length, Map<String, byte[]> files) {
    String text = item;
    if (item.startsWith("file:")) {
      byte[] content = files.get(item.substring(5));
      KeyFile.require(content != null && content.length <= MAX_FILE_BYTES);
      text = trim(new String(content, StandardCharsets.ISO_8859_1));
    }
    byte[] bytes;
    if (text.startsWith("-----BEGIN")) {
      List<byte[]> parts = KeyFile.pemParts(text);
      KeyFile.require(parts.size() == 1);
      bytes = parts.get(0);
    } else bytes = KeyFile.unbase64(text);
    KeyFile.require(bytes.length == length);
    return bytes;
  }
}
