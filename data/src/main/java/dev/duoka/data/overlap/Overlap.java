package dev.duoka.data.overlap;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.Percent;
import dev.duoka.base.Sha256;
import dev.duoka.data.batch.DocumentSides;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds copies and leaks among the documents of a run, and puts copies where they belong.
 *
 * <p>Copies are looked for at each start: that reads the tokens once. Leaks, for which all text is
 * read, are looked for once; what was found is kept in the folder of the tokens, under a name that
 * changes whenever it may.
 */
public final class Overlap {
  /** Part of the name of what is kept: raised when the search changes. */
  private static final int VERSION = 1;

  private static final int NAME_BYTES = 16;

  private final List<DocumentSides> sides;
  private final OverlapReport report;

  private Overlap(List<DocumentSides> sides, OverlapReport report) {
    this.sides = sides;
    this.report = report;
  }

  /**
   * Compares all documents.
   *
   * @param tokenizer of their tokens
   * @param byIdAlone whether each document is where its own id puts it, and copies are no
   *     exception: so it was in runs of older versions
   * @param findsLeaks whether what is trained on is searched for what is held out
   * @param cache the folder of the tokens
   * @throws DuokaException {@code DATA} where there are copies and these are refused
   */
  public static Overlap of(
      List<OverlapSource> sources,
      Tokenizer tokenizer,
      Duplicates duplicates,
      boolean byIdAlone,
      boolean findsLeaks,
      Path cache,
      TokenisationListener listener) {
    List<long[]> hashes =
        sources.stream().map(source -> ContentHashes.of(source.shards())).toList();
    List<long[]> compared = new ArrayList<>(hashes);
    for (int i = 0; i < compared.size(); i++) {
      if (!sources.get(i).trained()) {
        compared.set(i, new long[0]); // what is for validation stays there; its copies are leaks
      }
    }
    Copies copies = Copies.of(compared);
    List<DocumentSides> single = sources.stream().map(OverlapSource::sides).toList();
    List<DocumentSides> sides = new ArrayList<>();
    List<OverlapSource> placed = new ArrayList<>();
    for (int i = 0; i < sources.size(); i++) {
      OverlapSource source = sources.get(i);
      sides.add(
          byIdAlone ? source.sides() : copies.sides(i, single, duplicates == Duplicates.DROP));
      placed.add(
          new OverlapSource(
              source.name(),
              source.files(),
              source.shards(),
              sides.get(i),
              source.trained(),
              source.split()));
    }
    Path file = cache.resolve(name(sources, tokenizer, duplicates, byIdAlone));
    Optional<OverlapReport> kept = OverlapJson.read(file);
    if (kept.isPresent()) {
      return new Overlap(sides, refused(kept.get(), duplicates));
    }
    List<String> copyPlaces = copyPlaces(copies, placed);
    List<OverlapReport.SourceCopies> counts = counts(copies, placed);
    OverlapReport ofCopies = new OverlapReport(counts, copyPlaces, 0, 0, 0, 0, 0, List.of());
    refused(ofCopies, duplicates);
    if (!findsLeaks) {
      return new Overlap(sides, ofCopies); // not kept: the next run may want to know
    }
    LeakSearch.Found found =
        new LeakSearch(placed, tokenizer, listener, PassageTable.MOST).run(hashes);
    OverlapReport report =
        new OverlapReport(
            counts,
            copyPlaces,
            found.heldOut(),
            found.judged(),
            count(found, Leak.Kind.SAME),
            count(found, Leak.Kind.NEARLY_SAME),
            count(found, Leak.Kind.PASSAGES),
            leakPlaces(found, placed));
    try {
      CrashSafeFiles.write(file, OverlapJson.write(report));
    } catch (IOException e) {
      listener.notice(
          "what documents have in common is looked for again next time: cannot write "
              + file
              + ": "
              + IoReason.of(e));
    }
    return new Overlap(sides, report);
  }

  /** On which side each document of a source is. */
  public DocumentSides sides(int source) {
    return sides.get(source);
  }

  /** What was found. */
  public OverlapReport report() {
    return report;
  }

  private static OverlapReport refused(OverlapReport report, Duplicates duplicates) {
    if (duplicates == Duplicates.REFUSE && report.allCopies() > 0) {
      throw new DuokaException(
          ErrorCode.DATA,
          report.copyCounts() + ":\n  " + String.join("\n  ", report.copyPlaces()),
          "Remove them, or set data.duplicates to keep or drop");
    }
    return report;
  }

  private static String name(
      List<OverlapSource> sources, Tokenizer tokenizer, Duplicates duplicates, boolean byIdAlone) {
    StringBuilder text = new StringBuilder();
    text.append(VERSION).append(' ').append(tokenizer.fingerprint()).append(' ');
    text.append(duplicates == Duplicates.DROP).append(' ').append(byIdAlone).append('\n');
    for (OverlapSource source : sources) {
      text.append(source.name()).append('\t').append(source.shards().contentName());
      text.append('\t').append(source.split()).append('\n');
    }
    byte[] hash = Sha256.of(text.toString().getBytes(StandardCharsets.UTF_8));
    return "overlap-" + HexFormat.of().formatHex(hash, 0, NAME_BYTES) + ".json";
  }

  private static List<OverlapReport.SourceCopies> counts(
      Copies copies, List<OverlapSource> sources) {
    List<OverlapReport.SourceCopies> counts = new ArrayList<>();
    for (int i = 0; i < sources.size(); i++) {
      if (copies.count(i) > 0) {
        counts.add(
            new OverlapReport.SourceCopies(
                sources.get(i).name(), copies.count(i), copies.ofOthers(i)));
      }
    }
    return counts;
  }

  private static List<String> copyPlaces(Copies copies, List<OverlapSource> sources) {
    List<DocumentPlace[]> pairs = new ArrayList<>();
    for (int i = 0; i < sources.size(); i++) {
      for (Map.Entry<Integer, DocumentPlace> copy : copies.of(i).entrySet()) {
        if (pairs.size() < OverlapReport.NAMED) {
          pairs.add(new DocumentPlace[] {new DocumentPlace(i, copy.getKey()), copy.getValue()});
        }
      }
    }
    Map<DocumentPlace, String> names = names(pairs, sources);
    return pairs.stream()
        .map(pair -> names.get(pair[0]) + " is the same as " + names.get(pair[1]))
        .toList();
  }

  private static List<String> leakPlaces(LeakSearch.Found found, List<OverlapSource> sources) {
    List<Leak> first = found.leaks().stream().limit(OverlapReport.NAMED).toList();
    Map<DocumentPlace, String> names =
        names(
            first.stream()
                .map(
                    leak ->
                        new DocumentPlace[] {
                          DocumentPlace.of(leak.heldOut()), DocumentPlace.of(leak.trained())
                        })
                .toList(),
            sources);
    return first.stream()
        .map(
            leak ->
                names.get(DocumentPlace.of(leak.heldOut()))
                    + " is trained on as "
                    + names.get(DocumentPlace.of(leak.trained()))
                    + switch (leak.kind()) {
                      case SAME -> "";
                      case NEARLY_SAME -> ", but for case and white space";
                      case PASSAGES -> ", among others: " + Percent.whole(leak.part());
                    })
        .toList();
  }

  private static Map<DocumentPlace, String> names(
      List<DocumentPlace[]> pairs, List<OverlapSource> sources) {
    Set<DocumentPlace> places = new HashSet<>();
    pairs.forEach(pair -> places.addAll(List.of(pair)));
    return DocumentNames.of(places, sources);
  }

  private static long count(LeakSearch.Found found, Leak.Kind kind) {
    return found.leaks().stream().filter(leak -> leak.kind() == kind).count();
  }
}
