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

  /**
   * A time that never goes back (docs/runtime.md, "Time"). The clock may lead it by more than a day: `ledFor` is how long
   * the product ran since then, and `lowest` what the clock showed at least, moved on with the time that ran. `byClk`
   * says that a license with `clk` has set it: then it counts only while an entry of the state counts.
   */
  private record Floor(long time, long ledFor, long lowest, boolean byClk) {
    private static final long DAY = 86_400;

    static Floor at(long time, boolean byClk) {
      return new Floor(time, 0, 0, byClk);
    }

    Floor after(long ran, long clock) {
      long own = time + ran;
      if (clock - own <= DAY) return at(Math.max(own, clock), byClk);
      long least = ledFor == 0 ? clock : Math.min(lowest + ran, clock);
      if (ledFor + ran < 3 * DAY) return new Floor(own, ledFor + ran, least, byClk);
      return at(Math.max(own, least), byClk);
    }
  }

  /** What the product remembers. */
  private record State(List<Entry> entries, Floor floor) {
    static final State EMPTY = new State(List.of(), Floor.at(0, false));
  }

  private final Context context;
  private Trust trust;
  private long clock;
  private State state = State.EMPTY;

  // What is durable: the state, as JSON, and the file in place.
  private String stateOnDisk = GSON.toJson(State.EMPTY);
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

  /** The product runs for so many seconds, at the end of which the clock shows what it shows now. */
  void run(long ran) {
    write(new State(state.entries, state.floor.after(ran, clock)));
  }

  private void write(State after) {
    state = after;
    stateOnDisk = GSON.toJson(state);
  }

  /** Forgets what is not durable. While the program was stopped, a file was put in place, or the state was deleted. */
  void restart(byte[] file, boolean loseState) {
    if (loseState) stateOnDisk = GSON.toJson(State.EMPTY);
    if (file != null) fileOnDisk = file;
    state = GSON.fromJson(stateOnDisk, State.class);
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
    Seen seen = seen();
    Floor floor = state.floor.byClk && seen == null ? Floor.at(0, true) : state.floor;
    Verdict verdict = Verify.verify(file, trust, context.at(clock, floor.time, seen));
    if (verdict.isTaken()) take(verdict, floor);
    return verdict;
  }

  /** What counts now: not what a revoked key signed, unless it is honored. */
  private Seen seen() {
    List<Entry> counting = state.entries.stream().filter(this::counts).toList();
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

  private void take(Verdict verdict, Floor floor) {
    long counter = verdict.claims().number("ctr");
    long iat = verdict.claims().number("iat");
    String digest = verdict.digest();
    List<Entry> after = new ArrayList<>();
    long seq = 0;
    for (Entry entry : state.entries) {
      seq = Math.max(seq, entry.seq);
      if (!entry.lineage.equals(verdict.lineage()) || !entry.kid.equals(verdict.kid())) {
        long kept = verdict.clk() ? Math.min(entry.iat, iat) : entry.iat;
        after.add(new Entry(entry.lineage, entry.kid, entry.counter, entry.digest, kept, entry.seq));
        continue;
      }
      if (entry.counter > counter || entry.counter == counter && entry.digest.compareTo(digest) > 0) {
        counter = entry.counter;
        digest = entry.digest;
      }
      if (!verdict.clk()) iat = Math.max(iat, entry.iat);
    }
    after.add(new Entry(verdict.lineage(), verdict.kid(), counter, digest, iat, seq + 1));
    write(new State(after, verdict.clk() ? Floor.at(verdict.claims().number("iat"), true) : floor));
  }
}
