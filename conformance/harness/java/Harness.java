import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The protocol of docs/conformance.md, around Verify.java. */
final class Harness {
  private static final Gson GSON = new Gson();
  private static final List<String> OF_AN_INSTALLATION = List.of("install", "set-time", "rotate", "restart");

  private record Request(
      String op,
      String license,
      GivenTrust trust,
      GivenContext context,
      Long clock,
      long ran,
      boolean loseState,
      String builtIn,
      List<String> state,
      String file,
      String issuer,
      boolean requireComposite,
      Map<String, String> environment,
      Map<String, String> files) {
    byte[] licenseFile() {
      return decode(license);
    }

    private static byte[] decode(String base64) {
      return base64 == null ? null : Base64.getDecoder().decode(base64);
    }
  }

  private record GivenTrust(
      List<GivenKey> keys,
      boolean requireComposite,
      Long ed25519Until,
      List<String> revokedLicenses,
      Map<String, Long> lowestCounters) {}

  /** A field cannot be called `public` in Java. */
  private record GivenKey(
      String alg,
      @com.google.gson.annotations.SerializedName("public") String publicKey,
      String purpose,
      String status,
      Set<String> products,
      Set<String> tiers,
      Set<String> honored) {}

  private record GivenContext(
      String issuer,
      String product,
      Long now,
      Long defaultGrace,
      String deployment,
      Set<String> hosts,
      Long buildDate,
      Long clock,
      GivenSeen seen) {}

  private record GivenSeen(String current, long highestIat, Map<String, GivenEntry> lineages) {}

  private record GivenEntry(long counter, String payloadDigest) {}

  private Installation installation;

  private static <T> T or(T given, T absent) {
    return given == null ? absent : given;
  }

  private static Trust readTrust(GivenTrust given) {
    List<Key> keys = new ArrayList<>();
    for (GivenKey key : given.keys) {
      String hex = Bytes.hex(Base64.getDecoder().decode(key.publicKey));
      keys.add(new Key(key.alg, hex, key.purpose, key.status, key.products, key.tiers, key.honored));
    }
    Set<String> revoked = new HashSet<>(or(given.revokedLicenses, List.of()));
    Map<String, Long> lowest = or(given.lowestCounters, Map.of());
    return new Trust(keys, new Policy(given.requireComposite, given.ed25519Until, revoked, lowest));
  }

  private static Context readContext(GivenContext given, Long now) {
    Seen seen = null;
    if (given.seen != null) {
      Map<String, Accepted> lineages = new HashMap<>();
      for (var entry : given.seen.lineages.entrySet())
        lineages.put(entry.getKey(), new Accepted(entry.getValue().counter, entry.getValue().payloadDigest));
      seen = new Seen(given.seen.current, given.seen.highestIat, lineages);
    }
    Set<String> hosts = or(given.hosts, Set.of());
    return new Context(
        given.issuer,
        given.product,
        now,
        given.defaultGrace,
        given.deployment,
        hosts,
        given.buildDate,
        given.clock,
        seen);
  }

  private static JsonObject answer(Verdict verdict) {
    JsonObject answer = new JsonObject();
    if (verdict == null) {
      answer.addProperty("verdict", "none");
    } else if (verdict.reason() == null) {
      answer.addProperty("verdict", "accepted");
      answer.addProperty("state", verdict.state());
      answer.addProperty("payloadDigest", verdict.digest());
      answer.addProperty("lineage", verdict.lineage());
    } else {
      answer.addProperty("verdict", "refused");
      answer.addProperty("layer", verdict.reason().layer);
      answer.addProperty("reason", verdict.reason().word());
    }
    return answer;
  }

  private static JsonObject word(String member, String value) {
    JsonObject answer = new JsonObject();
    answer.addProperty(member, value);
    return answer;
  }

  private static JsonObject chooseKeyset(Request request) {
    Chain start = Chain.builtIn(Request.decode(request.builtIn), request.issuer, request.requireComposite);
    List<byte[]> copies = or(request.state, List.<String>of()).stream().map(Request::decode).toList();
    Chain.Choice choice = Chain.choose(start, copies, Request.decode(request.file));
    JsonObject answer = new JsonObject();
    if (request.license != null) answer = judged(request, choice.chain().trust());
    answer.addProperty("version", choice.chain().version());
    answer.addProperty("source", choice.source());
    answer.add("notices", GSON.toJsonTree(choice.notices()));
    return answer;
  }

  /** The verdict on the license of a request by this trust. */
  private static JsonObject judged(Request request, Trust trust) {
    Context context = readContext(request.context, request.context.now);
    return answer(Verify.verify(request.licenseFile(), trust, context));
  }

  private static JsonObject override(Request request) {
    Trust builtIn = readTrust(request.trust);
    Map<String, byte[]> files = new HashMap<>();
    or(request.files, Map.<String, String>of()).forEach((path, content) -> files.put(path, Request.decode(content)));
    Trust trust = KeyOverride.over(builtIn.keys(), builtIn.policy(), request.environment, files);
    JsonArray keys = new JsonArray();
    for (Key key : trust.keys()) {
      JsonObject one = word("kid", key.kid());
      one.addProperty("purpose", key.purpose());
      one.addProperty("status", key.status());
      keys.add(one);
    }
    JsonObject answer = request.license == null ? new JsonObject() : judged(request, trust);
    answer.add("keys", keys);
    answer.addProperty("requireComposite", trust.policy().requireComposite());
    return answer;
  }

  private static JsonObject readKeys(Request request) {
    JsonObject answer = new JsonObject();
    JsonArray keys = new JsonArray();
    try {
      for (Key key : KeyFile.read(Request.decode(request.file))) {
        JsonObject one = word("kid", key.kid());
        one.addProperty("alg", key.alg());
        keys.add(one);
      }
      answer.add("keys", keys);
    } catch (KeyFileFault fault) {
      answer.addProperty("verdict", "refused");
      answer.addProperty("reason", fault.getMessage());
    }
    return answer;
  }

  private JsonObject operation(Request request) {
    if (OF_AN_INSTALLATION.contains(request.op) && installation == null)
      throw new IllegalStateException("there was no reset");
    switch (request.op) {
      case "hello":
        return GSON.fromJson(
            "{protocol: 1, name: 'vtlic-java', version: '1.0.0', language: 'Java',"
                + "capabilities: ['verify', 'state', 'floor', 'keysets', 'override', 'key-files']}",
            JsonObject.class);
      case "verify":
        return judged(request, readTrust(request.trust));
      case "choose-keyset":
        return chooseKeyset(request);
      case "override":
        return override(request);
      case "read-keys":
        return readKeys(request);
      case "reset":
        Trust first = readTrust(request.trust);
        installation = new Installation(first, readContext(request.context, request.clock), request.clock);
        break;
      case "install":
        return answer(installation.install(request.licenseFile()));
      case "set-time":
        installation.setClock(request.clock);
        if (request.ran > 0) installation.run(request.ran);
        break;
      case "rotate":
        installation.setTrust(readTrust(request.trust));
        break;
      case "restart":
        installation.restart(request.licenseFile(), request.loseState);
        if (request.clock != null) installation.setClock(request.clock);
        break;
      default:
        throw new IllegalArgumentException(request.op + " is not an operation of this harness");
    }
    return answer(installation.look());
  }

  private JsonObject answerTo(JsonObject given) {
    try {
      return operation(GSON.fromJson(given, Request.class));
    } catch (ConfigurationInvalid fault) {
      return word("verdict", "configuration_invalid");
    } catch (Misuse fault) {
      return word("verdict", "misuse");
    } catch (RuntimeException | StackOverflowError fault) { // It is not a verdict (1.1).
      return word("error", fault.toString());
    }
  }

  public static void main(String[] arguments) throws IOException {
    Harness harness = new Harness();
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonObject given = GSON.fromJson(line, JsonObject.class);
      JsonObject answer = harness.answerTo(given);
      answer.add("id", given.get("id"));
      out.print(answer + "\n");
      out.flush();
    }
  }
}
