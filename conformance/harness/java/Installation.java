import com.google.gson.Gson;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A product on one host: its state (docs/runtime.md, and "A verifier with state" of docs/conformance.md). */
final class Installation {
  private static final Gson GSON = new Gson();

  /** What was accepted in a lineage under a key. */
  private record Entry(String lineage, String kid, long counter, String digest, long iat, long seq) {}

  private final Context context;
  private Trust trust;
  private long clock;
  private List<Entry> entries = new ArrayList<>();

  // What is durable: the state, as JSON, and the file in place.
  private String stateOnDisk = "[]";
  private byte[] fileOnDisk;

  Installation(Trust trust, Context context, long clock) {
    this.trust = trust;
    this.context = context;
    this.clock = clock;
  }

  void setTrust(Trust trust) {
    this.trust = trust;
  }

  void setClock(long clock) {
    this.clock = clock;
  }

  /** Forgets what is not durable. While the program was stopped, a file was put in place, or the state was deleted. */
  void restart(byte[] file, boolean loseState) {
    if (loseState) stateOnDisk = "[]";
    if (file != null) fileOnDisk = file;
    entries = new ArrayList<>(List.of(GSON.fromJson(stateOnDisk, Entry[].class)));
  }

  Verdict install(byte[] file) {
    Verdict verdict = judge(file);
    if (verdict.isTaken()) fileOnDisk = file;
    return verdict;
  }

  /** Judges what is in place; null where there is nothing. */
  Verdict look() {
    return fileOnDisk == null ? null : judge(fileOnDisk);
  }

  private Verdict judge(byte[] file) {
    Verdict verdict = Verify.verify(file, trust, context.at(clock, seen()));
    if (verdict.isTaken()) take(verdict);
    return verdict;
  }

  /** What counts now: not what a revoked key signed, unless it is honored. */
  private Seen seen() {
    List<Entry> counting = entries.stream().filter(this::counts).toList();
    if (counting.isEmpty()) return null;
    String current = counting.stream().max(Comparator.comparingLong(Entry::seq)).get().lineage;
    long highestIat = counting.stream().mapToLong(Entry::iat).max().getAsLong();
    Map<String, Accepted> lineages = new HashMap<>();
    for (Entry entry : counting) {
      Accepted accepted = new Accepted(entry.counter, entry.digest);
      lineages.merge(entry.lineage, accepted, (a, b) -> a.isAbove(b) ? a : b);
    }
    return new Seen(current, highestIat, lineages);
  }

  private boolean counts(Entry entry) {
    Key key = trust.key(entry.kid);
    return key == null || key.counts(entry.digest);
  }

  private void take(Verdict verdict) {
    long counter = verdict.claims().number("ctr");
    long iat = verdict.claims().number("iat");
    String digest = verdict.digest();
    List<Entry> after = new ArrayList<>();
    long seq = 0;
    for (Entry entry : entries) {
      seq = Math.max(seq, entry.seq);
      if (!entry.lineage.equals(verdict.lineage()) || !entry.kid.equals(verdict.kid())) {
        long kept = verdict.clk() ? Math.min(entry.iat, iat) : entry.iat;
        after.add(new Entry(entry.lineage, entry.kid, entry.counter, entry.digest, kept, entry.seq));
        continue;
      }
      if (entry.counter > counter) {
        counter = entry.counter;
        digest = entry.digest;
      }
      if (!verdict.clk()) iat = Math.max(iat, entry.iat);
    }
    after.add(new Entry(verdict.lineage(), verdict.kid(), counter, digest, iat, seq + 1));
    entries = after;
    stateOnDisk = GSON.toJson(entries);
  }
}
