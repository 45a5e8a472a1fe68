import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The CBOR profile of section 4 of docs/format.md, in one walk from the first byte to the last: there is no library in
 * between. Integers are Long, byte strings byte[], texts String, arrays List, maps Pairs.
 */
final class Cbor {
  private static final int MAX_DEPTH = 8;
  private static final long MAX_INTEGER = (1L << 53) - 1;

  record Pair(Object key, Object value) {}

  record Pairs(List<Pair> list) {}

  private final byte[] data;
  private final boolean isFile;
  private int at = 0;

  private Cbor(byte[] data, boolean isFile) {
    this.data = data;
    this.isFile = isFile;
  }

  /** In a file one tag is allowed at the top, and the protected bytes are walked at their place (5.1). */
  static Object decode(byte[] data, boolean isFile) {
    Cbor cbor = new Cbor(data, isFile);
    Object value = cbor.item(0, isFile);
    Verify.refuseIf(cbor.at != data.length, Reason.CBOR_MALFORMED);
    return value;
  }

  private int take(long count) {
    // A length may be as large as 2^64-1, which is negative here.
    Verify.refuseIf(count < 0 || count > data.length - at, Reason.CBOR_MALFORMED);
    int start = at;
    at += (int) count;
    return start;
  }

  private Object item(int depth, boolean isTagAllowed) {
    int first = data[take(1)] & 0xff;
    int major = first >> 5;
    int info = first & 31;
    if (first == 0xf4 || first == 0xf5) return first == 0xf5;
    Verify.refuseIf(major == 7, Reason.CBOR_MALFORMED);
    Verify.refuseIf(info == 31 && major >= 2 && major <= 5, Reason.CBOR_NOT_DETERMINISTIC);
    Verify.refuseIf(info > 27, Reason.CBOR_MALFORMED);
    long argument = info > 23 ? argument(1 << (info - 24)) : info;
    boolean isOut = Long.compareUnsigned(argument, MAX_INTEGER - major) > 0;
    Verify.refuseIf(major < 2 && isOut, Reason.CBOR_MALFORMED);
    Verify.refuseIf(major == 6 && !isTagAllowed, Reason.CBOR_MALFORMED);
    Verify.refuseIf((major == 4 || major == 5) && depth == MAX_DEPTH, Reason.CBOR_MALFORMED);
    return switch (major) {
      case 0 -> argument;
      case 1 -> -1 - argument;
      case 2 -> bytes(argument);
      case 3 -> text(argument);
      case 4 -> array(argument, depth + 1);
      case 5 -> map(argument, depth + 1);
      default -> item(depth, false);
    };
  }

  private long argument(int size) {
    int start = take(size);
    long argument = 0;
    for (int i = 0; i < size; i++) argument = argument << 8 | data[start + i] & 0xff;
    boolean isLong = size == 1 ? argument < 24 : argument >>> (4 * size) == 0;
    Verify.refuseIf(isLong, Reason.CBOR_NOT_DETERMINISTIC);
    return argument;
  }

  private byte[] bytes(long length) {
    int start = take(length);
    return Arrays.copyOfRange(data, start, at);
  }

  private String text(long length) {
    try {
      // A new decoder reports what is no UTF-8; `new String` replaces it.
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes(length))).toString();
    } catch (CharacterCodingException fault) {
      throw new Refusal(Reason.CBOR_MALFORMED);
    }
  }

  private List<Object> array(long count, int depth) {
    List<Object> items = new ArrayList<>();
    for (long i = 0; i != count; i++) {
      Object item = item(depth, false);
      if (isFile && depth == 1 && i == 0 && item instanceof byte[] bytes && bytes.length > 0) decode(bytes, false);
      items.add(item);
    }
    return items;
  }

  private Pairs map(long count, int depth) {
    List<Pair> pairs = new ArrayList<>();
    int keyStart = 0;
    int keyEnd = 0;
    for (long i = 0; i != count; i++) {
      int start = at;
      Object key = item(depth, false);
      int order = Arrays.compareUnsigned(data, keyStart, keyEnd, data, start, at);
      Verify.refuseIf(i > 0 && order >= 0, Reason.CBOR_NOT_DETERMINISTIC);
      keyStart = start;
      keyEnd = at;
      pairs.add(new Pair(key, item(depth, false)));
    }
    return new Pairs(pairs);
  }

  static byte[] byteString(byte[] content) {
    int n = content.length;
    byte[] head = {0x5a, (byte) (n >> 24), (byte) (n >> 16), (byte) (n >> 8), (byte) n};
    if (n < 65_536) head = new byte[] {0x59, (byte) (n >> 8), (byte) n};
    if (n < 256) head = new byte[] {0x58, (byte) n};
    if (n < 24) head = new byte[] {(byte) (0x40 + n)};
    return Bytes.join(head, content);
  }
}
