package dev.duoka.data.overlap;

import dev.duoka.data.batch.SplitPart;
import dev.duoka.data.shard.TokenShards;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.shard.TokenisationStoppedException;
import dev.duoka.data.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Looks for held-out documents in what is trained on: the same ones, the same but for case and
 * white space, and those of whose passages of 13 words {@value #PART} or more occur in what is
 * trained on.
 *
 * <p><b>Bounds.</b> Passages are kept in a table of fixed size ({@link PassageTable}); where there
 * are more, one of 2, 4, 8 … is looked at, chosen by its hash. The part of a document is then an
 * estimate from {@code n} passages with a standard error of at most {@code 0.5 / √n}, which is 0.16
 * at the ten that are asked for at least. A document with fewer is not judged: it is too short, too
 * much sampled, or made of passages that three held-out documents have. Two passages have the same
 * hash with a probability of 2⁻⁶⁴ a pair, so what is found is not chance. Everything is a function
 * of the data alone; no order of threads changes it.
 */
final class LeakSearch {
  static final double PART = 0.8;

  /** Passages that a document must have to be judged by them. */
  static final int LEAST = 10;

  /** Documents, and tokens of them, that are read at a time. */
  private static final int BATCH = 1 << 12;

  private static final long BATCH_TOKENS = 1 << 22;

  /** A search that takes no longer is not shown. */
  private static final long QUIET_NANOS = 2_000_000_000L;

  private static final long NANOS_BETWEEN_REPORTS = 250_000_000L;

  private final List<OverlapSource> sources;
  private final Tokenizer tokenizer;
  private final TokenisationListener listener;
  private final PassageTable table;
  private final long quietNanos;
  private final long start = System.nanoTime();
  private long reported;
  private long done;
  private long total;

  /** Of what is held out, by hashes: exactly, and normalised; the first like it that is trained. */
  private final ConcurrentMap<Long, Long> same = new ConcurrentHashMap<>();

  private final ConcurrentMap<Long, Long> nearly = new ConcurrentHashMap<>();

  LeakSearch(
      List<OverlapSource> sources,
      Tokenizer tokenizer,
      TokenisationListener listener,
      int mostPassages) {
    this(sources, tokenizer, listener, mostPassages, QUIET_NANOS);
  }

  /**
   * A search.
   *
   * @param quietNanos after which the listener hears how far it is
   */
  LeakSearch(
      List<OverlapSource> sources,
      Tokenizer tokenizer,
      TokenisationListener listener,
      int mostPassages,
      long quietNanos) {
    this.quietNanos = quietNanos;
    this.sources = sources;
    this.tokenizer = tokenizer;
    this.listener = listener;
    this.table = new PassageTable(mostPassages);
  }

  /**
   * What was found.
   *
   * @param heldOut how many documents are held out
   * @param judged how many of them have passages enough
   * @param leaks in the order of the held-out documents
   */
  record Found(long heldOut, long judged, List<Leak> leaks) {}

  /**
   * Searches.
   *
   * @param hashes of the content of each document of each source
   */
  Found run(List<long[]> hashes) {
    total = tokens();
    long[] heldOut = new long[1];
    eachHeldOut(
        0,
        (place, marks) -> {
          heldOut[0]++;
          same.put(hash(hashes, place), Long.MAX_VALUE);
          nearly.put(marks.normalised(), Long.MAX_VALUE);
          table.add(marks.passages());
        });
    if (heldOut[0] == 0) {
      return new Found(0, 0, List.of());
    }
    table.complete();
    each(
        SplitPart.TRAIN,
        table.sampling(),
        _ -> {},
        (place, marks) -> {
          same.computeIfPresent(hash(hashes, place), (_, old) -> Math.min(old, place));
          nearly.computeIfPresent(marks.normalised(), (_, old) -> Math.min(old, place));
          table.seen(marks.passages(), place);
        });
    List<Leak> leaks = new ArrayList<>();
    long[] judged = new long[1];
    eachHeldOut(
        table.sampling(),
        (place, marks) -> {
          long[] telling =
              LongStream.of(marks.passages()).filter(passage -> !table.isCommon(passage)).toArray();
          judged[0] += telling.length >= LEAST ? 1 : 0;
          Leak leak = leak(place, hash(hashes, place), marks.normalised(), telling);
          if (leak != null) {
            leaks.add(leak);
          }
        });
    return new Found(heldOut[0], judged[0], leaks);
  }

  private @Nullable Leak leak(long place, long hash, long normalised, long[] passages) {
    long exactly = same.getOrDefault(hash, Long.MAX_VALUE);
    if (exactly != Long.MAX_VALUE) {
      return new Leak(Leak.Kind.SAME, place, exactly, 1);
    }
    long alike = normalised == 0 ? Long.MAX_VALUE : nearly.getOrDefault(normalised, Long.MAX_VALUE);
    if (alike != Long.MAX_VALUE) {
      return new Leak(Leak.Kind.NEARLY_SAME, place, alike, 1);
    }
    Map<Long, Integer> documents = new HashMap<>();
    int found = 0;
    long most = Long.MAX_VALUE;
    for (long passage : passages) {
      long first = table.firstWith(passage);
      if (first != Long.MAX_VALUE) {
        found++;
        int times = documents.merge(first, 1, Integer::sum);
        int best = documents.getOrDefault(most, 0);
        most = times > best || (times == best && first < most) ? first : most;
      }
    }
    double part = passages.length == 0 ? 0 : (double) found / passages.length;
    return passages.length >= LEAST && part >= PART
        ? new Leak(Leak.Kind.PASSAGES, place, most, part)
        : null;
  }

  private static long hash(List<long[]> hashes, long packed) {
    DocumentPlace place = DocumentPlace.of(packed);
    return hashes.get(place.source())[place.document()];
  }

  /** Reads what is held out on all cores; what is done with each is done in their order. */
  private void eachHeldOut(int sampling, BiConsumer<Long, TextMarks> action) {
    ConcurrentMap<Long, TextMarks> read = new ConcurrentHashMap<>();
    each(
        SplitPart.VALIDATION,
        sampling,
        places -> {
          for (long place : places) {
            TextMarks marks = read.remove(place);
            if (marks != null) {
              action.accept(place, marks);
            }
          }
        },
        read::put);
  }

  /**
   * Reads the documents of a part on all cores, a batch at a time.
   *
   * @param after hears of each batch once all of it is read
   * @param action hears of each document, on many threads at once
   */
  private void each(
      SplitPart part, int sampling, Consumer<long[]> after, BiConsumer<Long, TextMarks> action) {
    for (int source = 0; source < sources.size(); source++) {
      OverlapSource here = sources.get(source);
      int all = Math.toIntExact(here.shards().documents());
      int next = 0;
      while (next < all) {
        if (listener.stopRequested()) {
          throw new TokenisationStoppedException();
        }
        long[] places = new long[BATCH];
        int count = 0;
        long tokens = 0;
        while (next < all && count < BATCH && tokens < BATCH_TOKENS) {
          if (here.sides().of(next) == part) {
            places[count++] = new DocumentPlace(source, next).packed();
            tokens += here.shards().documentLength(next);
          }
          next++;
        }
        long[] batch = Arrays.copyOf(places, count);
        LongStream.of(batch)
            .parallel()
            .forEach(
                place ->
                    action.accept(
                        place, marks(here.shards(), DocumentPlace.of(place).document(), sampling)));
        after.accept(batch);
        done += tokens;
        report();
      }
    }
  }

  /** All that is read: what is held out before and after the rest. */
  private long tokens() {
    long tokens = 0;
    for (OverlapSource source : sources) {
      for (long document = 0; document < source.shards().documents(); document++) {
        SplitPart part = source.sides().of(document); // null for a copy that is dropped
        tokens +=
            part == null
                ? 0
                : (part == SplitPart.VALIDATION ? 2 : 1) * source.shards().documentLength(document);
      }
    }
    return tokens;
  }

  private void report() {
    long now = System.nanoTime();
    if (done > 0
        && now - start >= quietNanos
        && (reported == 0 || now - reported >= NANOS_BETWEEN_REPORTS)) {
      reported = now;
      listener.comparing(done, total);
    }
  }

  private TextMarks marks(TokenShards shards, int document, int sampling) {
    int[] tokens = new int[Math.toIntExact(shards.documentLength(document))];
    shards.copyTokens(shards.documentStart(document), tokens, 0, tokens.length);
    int[] words = Arrays.stream(tokens).filter(id -> !tokenizer.isSpecial(id)).toArray();
    return TextMarks.of(tokenizer.decode(words), sampling);
  }
}
