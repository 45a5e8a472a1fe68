import java.util.Map;
import java.util.Set;

/** Who verifies, where and when (section 9 of docs/format.md). Fingerprints are lower-case hexadecimal. */
record Context(
    String issuer,
    String product,
    Long now,
    Long defaultGrace,
    String deployment,
    Set<String> hosts,
    Long buildDate,
    Long clock,
    Seen seen) {
  Context {
    boolean isGood = Claims.isId(issuer) && Claims.isId(product) && now != null && Claims.isTime(now);
    isGood = isGood && defaultGrace != null && 0 <= defaultGrace && defaultGrace <= Claims.MAX_GRACE;
    isGood = isGood && (deployment == null || Claims.isId(deployment));
    isGood = isGood && hosts.stream().allMatch(host -> Bytes.isHex(host, 32));
    isGood = isGood && (buildDate == null || Claims.isTime(buildDate));
    isGood = isGood && (clock == null || Claims.isTime(clock)) && (seen == null || seen.isGood());
    if (!isGood) throw new Misuse();
  }

  Context at(long clock, long floor, Seen seen) {
    long now = Math.max(Math.max(clock, floor), seen == null ? 0 : seen.highestIat());
    return new Context(issuer, product, now, defaultGrace, deployment, hosts, buildDate, clock, seen);
  }
}

/** The context is not one of section 9. */
final class Misuse extends RuntimeException {}

/** The highest counter of a lineage, and the digest of the payload that had it. */
record Accepted(long counter, String digest) {
  /** Of two payloads with one counter, which no honest signer makes, that with the higher digest is above the other. */
  boolean isAbove(Accepted other) {
    return counter != other.counter ? counter > other.counter : digest.compareTo(other.digest) > 0;
  }

  boolean isGood() {
    return 0 < counter && counter <= Claims.MAX_INTEGER && Bytes.isHex(digest, 32);
  }
}

/** What was accepted before. */
record Seen(String current, long highestIat, Map<String, Accepted> lineages) {
  boolean isGood() {
    return lineages.containsKey(current)
        && Claims.isTime(highestIat)
        && lineages.keySet().stream().allMatch(Claims::isLineage)
        && lineages.values().stream().allMatch(Accepted::isGood);
  }

}
