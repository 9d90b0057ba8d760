package dev.duoka.train.snapshot;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.json.Json;
import dev.duoka.train.config.ModelSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Two snapshots side by side: what differs, and what of it can change the numbers.
 *
 * @param differences the gravest first, then by their names
 */
public record SnapshotComparison(List<Difference> differences) {
  /** Which fields of a snapshot say what data is. */
  private static final List<String> DATA_KEYS = List.of("data.tokenizer", "data.sources");

  private static final String PRODUCTS = "products";

  public SnapshotComparison {
    differences = List.copyOf(differences);
  }

  /**
   * A start's snapshot together with what became known later.
   *
   * @param products by which algorithms products are computed; empty where that is not known
   */
  public record Side(RunSnapshot snapshot, Optional<RunSnapshot> products) {
    /** That of a start. */
    public static Side of(SnapshotStore store, RunStart start) {
      return new Side(store.read(start.hash()), start.products().map(store::read));
    }
  }

  /** Compares two starts, of one run or of two. */
  public static SnapshotComparison of(Side before, Side after) {
    TreeMap<String, String> first = new TreeMap<>(before.snapshot().fields());
    TreeMap<String, String> second = new TreeMap<>(after.snapshot().fields());
    if (before.products().isPresent() && after.products().isPresent()) {
      first.putAll(before.products().get().fields());
      second.putAll(after.products().get().fields());
    } else if (before.products().isPresent() != after.products().isPresent()) {
      first.put(PRODUCTS, before.products().map(RunSnapshot::shortHash).orElse("not known"));
      second.put(PRODUCTS, after.products().map(RunSnapshot::shortHash).orElse("not known"));
    }
    return of(first, second);
  }

  /** Compares fields by their dotted paths. */
  static SnapshotComparison of(SortedMap<String, String> before, SortedMap<String, String> after) {
    boolean sameData =
        DATA_KEYS.stream()
            .allMatch(key -> before.containsKey(key) && before.get(key).equals(after.get(key)));
    boolean experts = mayHaveExperts(before) || mayHaveExperts(after);
    SortedSet<String> keys = new TreeSet<>(before.keySet());
    keys.addAll(after.keySet());
    List<Difference> differences = new ArrayList<>();
    for (String key : keys) {
      String old = before.getOrDefault(key, "");
      String current = after.getOrDefault(key, "");
      if (!old.equals(current)) {
        EffectTable.Verdict verdict = EffectTable.of(key, sameData, experts);
        differences.add(
            new Difference(key, old, current, verdict.effect(), verdict.reason(), verdict.known()));
      }
    }
    differences.sort(Comparator.comparing(Difference::effect).thenComparing(Difference::key));
    return new SnapshotComparison(differences);
  }

  /** Also where its configuration is not there any more. */
  private static boolean mayHaveExperts(SortedMap<String, String> fields) {
    String name =
        fields.getOrDefault("config.model.preset", fields.getOrDefault("config.model.path", ""));
    try {
      return name.isEmpty() || ModelSource.config(name, Map.of()).moe() != null;
    } catch (DuokaException e) {
      return true;
    }
  }

  /** The gravest effect of all; empty where nothing differs. */
  public Optional<Effect> gravest() {
    return differences.stream().map(Difference::effect).min(Comparator.naturalOrder());
  }

  /** How many fields the {@link EffectTable} does not know. */
  public long unknown() {
    return differences.stream().filter(difference -> !difference.known()).count();
  }

  /** For people: a block for each effect, then the sum of it. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    for (Effect effect : Effect.values()) {
      List<Difference> same =
          differences.stream().filter(difference -> difference.effect() == effect).toList();
      if (!same.isEmpty()) {
        lines.add(effect.text() + ":");
        same.forEach(
            difference -> lines.add("  " + difference.text() + "  (" + difference.reason() + ")"));
      }
    }
    lines.add(verdict());
    return lines;
  }

  /** The sum of it, in a sentence. */
  public String verdict() {
    if (gravest().isEmpty()) {
      return "Nothing differs.";
    }
    String found =
        switch (gravest().get()) {
          case NUMBERS -> "Something differs that can change the numbers";
          case ROUNDING -> "What differs can change the last bits, no more";
          case SPEED -> "What differs can change the speed alone";
          case NEITHER -> "What differs changes neither numbers nor speed";
        };
    return unknown() == 0
        ? found + "."
        : found + "; fields that nobody knows are among it: " + unknown() + ".";
  }

  /** For programs. */
  public ObjectNode json() {
    ObjectNode json = Json.object();
    json.put("gravest", gravest().map(Effect::code).orElse(null));
    json.put("unknown_fields", unknown());
    ArrayNode all = json.putArray("differences");
    differences.forEach(difference -> all.add(difference.json()));
    return json;
  }
}
