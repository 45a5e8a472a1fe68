import java.io.ByteArrayOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Bytes: a byte[] of Java is compared by identity, so digests, kids and fingerprints are hexadecimal texts here. */
final class Bytes {
  private Bytes() {}

  static byte[] join(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) out.writeBytes(part);
    return out.toByteArray();
  }

  static byte[] hash(String algorithm, byte[] data) {
    try {
      return MessageDigest.getInstance(algorithm).digest(data);
    } catch (NoSuchAlgorithmException fault) {
      throw new IllegalStateException(algorithm + " is not here", fault);
    }
  }

  static String hex(byte[] data) {
    return HexFormat.of().formatHex(data);
  }

  static byte[] unhex(String text) {
    return HexFormat.of().parseHex(text);
  }

  /** Whether a text is lower-case hexadecimal of so many bytes. */
  static boolean isHex(String text, int length) {
    return text != null && text.length() == 2 * length && text.matches("[0-9a-f]*");
  }
}
