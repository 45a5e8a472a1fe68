import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Files of public keys (section 11.2 of docs/format.md). */
final class KeyFile {
  private static final int MAX_BYTES = 1_048_576;
  private static final int MAX_JSON_DEPTH = 64;
  private static final Map<Integer, String> SPKIS =
      Map.of(
          32, "302a300506032b6570032100",
          1952, "308207b2300b0609608648016503040312038207a100",
          1984, "308207d1300a06082b06010505070630038207c100");
  // Possessive, so that a long file does not overflow the stack.
  private static final Pattern BLOCK =
      Pattern.compile(
          "-----BEGIN PUBLIC KEY-----[\t ]*+\r?\n((?:[A-Za-z0-9+/=\t ]*+\r?\n)*+)"
              + "-----END PUBLIC KEY-----([\t\n\r ]*+)");
  private static final Pattern PRIVATE =
      Pattern.compile(
          "(?i)----[- ]BEGIN [^-\r\n]{0,64}PRIVATE|PuTTY-User-Key-File-|AGE-SECRET-KEY-"
              + "|untrusted comment: [^\r\n]{0,128}secret key");
  private static final Set<String> PRIVATE_MEMBERS = Set.of("d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv");

  private KeyFile() {}

  static void require(boolean isGood) {
    if (!isGood) throw new KeyFileFault("key_invalid");
  }

  private static void requireJson(boolean isGood) {
    if (!isGood) throw new KeyFileFault("json_malformed");
  }

  static Key makeKey(byte[] bytes) {
    require(bytes.length == 32 || bytes.length == 1984);
    String alg = bytes.length == 32 ? Key.ED25519 : Key.COMPOSITE;
    Key key = new Key(alg, Bytes.hex(bytes), "license", "active", null, null, null);
    require(key.isGoodPoint());
    return key;
  }

  static byte[] unbase64(String text) {
    return unbase64(text, Base64.getDecoder(), Base64.getEncoder());
  }

  private static byte[] unbase64(String text, Base64.Decoder decoder, Base64.Encoder encoder) {
    byte[] bytes = null;
    try {
      bytes = decoder.decode(text);
    } catch (IllegalArgumentException fault) {
      require(false);
    }
    require(encoder.encodeToString(bytes).equals(text));
    return bytes;
  }

  private static boolean hasPrivateText(String text) {
    return PRIVATE.matcher(text).find()
        || text.contains("-----BEGIN AGE ENCRYPTED FILE-----")
        || text.startsWith("age-encryption.org/v");
  }

  /** A text of Java has UTF-16 units, as the marks of a private key count. */
  static List<Key> read(byte[] file) {
    require(file.length <= MAX_BYTES && !hasPrivateText(new String(file, StandardCharsets.UTF_8)));
    String text = new String(file, StandardCharsets.ISO_8859_1);
    String start = text.replaceFirst("^[\t\n\r ]+", "");
    int first = file.length > 0 ? file[0] & 0xff : 0;
    List<Key> keys;
    if (0x80 <= first && first <= 0xbf) keys = List.of(coseKey(file));
    else if (text.matches("(?s)0[^\t\n\r A-Za-z0-9+/=].*")) keys = pairUp(structures(file));
    else if (start.startsWith("-----BEGIN")) keys = pairUp(pemParts(start));
    else if (start.startsWith("{")) keys = jwks(readJson(file));
    else keys = List.of(makeKey(unbase64(text.replaceAll("[\t\n\r ]", ""))));
    Map<String, Key> unique = new LinkedHashMap<>();
    Map<String, String> owners = new HashMap<>();
    for (Key key : keys) {
      unique.putIfAbsent(key.kid(), key);
      for (byte[] part : key.components()) {
        String owner = owners.putIfAbsent(Bytes.hex(part), key.kid());
        require(owner == null || owner.equals(key.kid()));
      }
    }
    return List.copyOf(unique.values());
  }

  private static Key coseKey(byte[] file) {
    String hex = Bytes.hex(file);
    for (String alg : List.of(Key.ED25519, Key.COMPOSITE)) {
      String head = Bytes.hex(Key.coseKeyHead(alg));
      if (!hex.startsWith(head)) continue;
      Key key = makeKey(Bytes.unhex(hex.substring(head.length())));
      require(key.alg().equals(alg));
      return key;
    }
    throw new KeyFileFault("key_invalid");
  }

  /** The keys of the structures of a DER file, in turn: 32, 1952 or 1984 bytes. */
  private static List<byte[]> structures(byte[] der) {
    List<byte[]> found = new ArrayList<>();
    int at = 0;
    while (at < der.length) {
      int before = at;
      for (Map.Entry<Integer, String> spki : SPKIS.entrySet()) {
        byte[] head = Bytes.unhex(spki.getValue());
        int end = at + head.length + spki.getKey();
        if (end > der.length || !Arrays.equals(head, Arrays.copyOfRange(der, at, at + head.length))) continue;
        found.add(Arrays.copyOfRange(der, at + head.length, end));
        at = end;
        break;
      }
      require(at > before);
    }
    return found;
  }

  /** One structure for each block. */
  static List<byte[]> pemParts(String text) {
    List<byte[]> parts = new ArrayList<>();
    Matcher block = BLOCK.matcher(text);
    for (int at = 0; at < text.length(); at = block.end()) {
      require(block.find(at) && block.start() == at);
      require(block.end() == text.length() || block.group(2).contains("\n"));
      List<byte[]> found = structures(unbase64(block.group(1).replaceAll("[\t\n\r ]", "")));
      require(found.size() == 1);
      parts.add(found.get(0));
    }
    return parts;
  }

  /** An ML-DSA-65 key and the Ed25519 key right after it are one composite. */
  private static List<Key> pairUp(List<byte[]> parts) {
    List<Key> keys = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      byte[] bytes = parts.get(i);
      if (bytes.length == 1952) {
        require(++i < parts.size() && parts.get(i).length == 32);
        bytes = Bytes.join(bytes, parts.get(i));
      }
      keys.add(makeKey(bytes));
    }
    return keys;
  }

  private static Map<?, ?> readJson(byte[] file) {
    List<String> texts = new ArrayList<>();
    List<String> names = new ArrayList<>();
    Object value = null;
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(file)).toString();
      JsonReader reader = new JsonReader(new StringReader(text));
      reader.setStrictness(Strictness.STRICT);
      value = readValue(reader, 1, texts, names);
      requireJson(reader.peek() == JsonToken.END_DOCUMENT);
    } catch (CharacterCodingException fault) {
      requireJson(false);
    } catch (IOException | IllegalStateException | NumberFormatException fault) {
      requireJson(false);
    }
    for (String text : texts) requireJson(StandardCharsets.UTF_8.newEncoder().canEncode(text)); // A lone surrogate.
    require(names.stream().noneMatch(PRIVATE_MEMBERS::contains));
    require(texts.stream().noneMatch(KeyFile::hasPrivateText));
    return (Map<?, ?>) value;
  }

  private static Object readValue(JsonReader reader, int depth, List<String> texts, List<String> names)
      throws IOException {
    switch (reader.peek()) {
      case BEGIN_OBJECT:
        requireJson(depth <= MAX_JSON_DEPTH);
        Map<String, Object> object = new HashMap<>();
        reader.beginObject();
        while (reader.hasNext()) {
          String name = reader.nextName();
          texts.add(name);
          names.add(name);
          requireJson(!object.containsKey(name));
          object.put(name, readValue(reader, depth + 1, texts, names));
        }
        reader.endObject();
        return object;
      case BEGIN_ARRAY:
        requireJson(depth <= MAX_JSON_DEPTH);
        List<Object> array = new ArrayList<>();
        reader.beginArray();
        while (reader.hasNext()) array.add(readValue(reader, depth + 1, texts, names));
        reader.endArray();
        return array;
      case STRING:
        String text = reader.nextString();
        texts.add(text);
        return text;
      case BOOLEAN:
        return reader.nextBoolean();
      case NULL:
        reader.nextNull();
        return null;
      default: // A number stays a text in a list: it has no bound.
        return List.of(reader.nextString());
    }
  }

  private static List<Key> jwks(Map<?, ?> value) {
    if (!value.containsKey("keys")) return List.of(jwk(value));
    require(!value.containsKey("kty") && value.get("keys") instanceof List<?> items && !items.isEmpty());
    List<Key> keys = new ArrayList<>();
    for (Object item : (List<?>) value.get("keys")) keys.add(jwk(item));
    return keys;
  }

  private static Key jwk(Object value) {
    require(value instanceof Map<?, ?>);
    Map<?, ?> jwk = (Map<?, ?>) value;
    boolean isAlg = Key.COMPOSITE.equals(jwk.get("alg")) || "ML-DSA-65-Ed25519".equals(jwk.get("alg"));
    boolean isComposite = "AKP".equals(jwk.get("kty")) && isAlg;
    require(isComposite || ("OKP".equals(jwk.get("kty")) && "Ed25519".equals(jwk.get("crv"))));
    require(jwk.get(isComposite ? "pub" : "x") instanceof String);
    String text = (String) jwk.get(isComposite ? "pub" : "x");
    Key key = makeKey(unbase64(text, Base64.getUrlDecoder(), Base64.getUrlEncoder().withoutPadding()));
    require(key.alg().equals(isComposite ? Key.COMPOSITE : Key.ED25519));
    return key;
  }
}

/** `key_invalid` or `json_malformed`. */
final class KeyFileFault extends RuntimeException {
  KeyFileFault(String reason) {
    super(reason, null, false, false);
  }
}
