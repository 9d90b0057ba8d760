package dev.duoka.data.training;

import dev.duoka.data.batch.DocumentSequences;
import dev.duoka.data.batch.DocumentSubset;
import dev.duoka.data.batch.SequenceMixture;
import dev.duoka.data.batch.SequenceSet;
import dev.duoka.data.batch.SplitPart;
import dev.duoka.data.overlap.OverlapReport;
import dev.duoka.data.shard.TokenisationListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/**
 * What is known of the data of a run.
 *
 * @param sources in the order of the run file, those for validation alone last
 * @param overlap what their documents have in common
 * @param named whether the run file speaks of single sources
 */
public record DataReport(List<SourceReport> sources, OverlapReport overlap, boolean named) {
  public DataReport {
    sources = List.copyOf(sources);
  }

  static DataReport of(
      List<OpenedSource> sources,
      List<SourceGroup> groups,
      SequenceMixture mixture,
      List<NamedSequences> heldOut,
      OverlapReport overlap,
      boolean named) {
    List<SourceReport> reports = new ArrayList<>();
    for (OpenedSource source : sources) {
      Optional<SourceGroup> group =
          groups.stream().filter(it -> it.sources().contains(source)).findFirst();
      int index = group.map(groups::indexOf).orElse(-1);
      Optional<SequenceSet> alone =
          group.flatMap(
              it ->
                  it.sources().size() == 1
                      ? Optional.of(mixture.sets().get(index))
                      : ofSource(source));
      long sequences = alone.map(SequenceSet::count).orElse(0L);
      double part = group.map(it -> it.sources().size() == 1 ? 1 : partOf(source, it)).orElse(0.0);
      long held =
          heldOut.stream()
              .filter(it -> it.name().equals(source.plan().name()))
              .mapToLong(it -> it.sequences().count())
              .sum();
      double share = index < 0 ? 0 : mixture.shares().of(index) * part;
      reports.add(report(source, alone, sequences, held, share));
    }
    return new DataReport(reports, overlap, named);
  }

  /** What a source of several that are one row would be by itself. */
  private static Optional<SequenceSet> ofSource(OpenedSource source) {
    DocumentSubset trained = source.part(SplitPart.TRAIN);
    return source.plan().form().suffices(trained)
        ? Optional.of(source.plan().form().sequences(trained, TokenisationListener.SILENT))
        : Optional.empty();
  }

  private static double partOf(OpenedSource source, SourceGroup group) {
    return (double) source.part(SplitPart.TRAIN).tokens() / group.trained().tokens();
  }

  private static SourceReport report(
      OpenedSource source,
      Optional<SequenceSet> sequences,
      long count,
      long heldOut,
      double share) {
    Optional<DocumentSequences> chats =
        sequences.filter(DocumentSequences.class::isInstance).map(DocumentSequences.class::cast);
    return new SourceReport(
        source.plan().name(),
        source.shards().documents(),
        source.shards().tokens(),
        count,
        heldOut,
        weight(source.plan().use()),
        share,
        chats.map(DocumentSequences::cutDocuments).orElse(0L),
        chats.map(DocumentSequences::cutTokens).orElse(0L),
        chats.map(DocumentSequences::longestDocument).orElse(0L),
        chats.map(DocumentSequences::documentsWithoutTargets).orElse(0L),
        source.shards().skipped(),
        source.shards().badData());
  }

  private static String weight(SourceUse use) {
    return switch (use) {
      case SourceUse.Once _ -> "";
      case SourceUse.Repeated repeated -> repeated.times().toPlainString() + " epochs";
      case SourceUse.Weighted weighted -> weighted.weight().toPlainString();
      case SourceUse.Validation _ -> "validation";
    };
  }

  /**
   * A table of the sources, a line each after its head, and a warning for each that a run repeats
   * too often to learn much more from it; nothing where the run file names no single sources.
   *
   * @param rowSequences how many sequences the run trains on
   */
  public List<String> lines(double rowSequences) {
    if (!named) {
      return List.of();
    }
    return SourceTable.lines(sources, rowSequences);
  }

  /**
   * The same as JSON, for programs.
   *
   * @param rowSequences how many sequences the run trains on
   */
  public ObjectNode json(double rowSequences) {
    ObjectNode json = SourceTable.json(sources, rowSequences);
    json.putObject("overlap")
        .put("copies", overlap.allCopies())
        .put("held_out_documents", overlap.heldOut())
        .put("held_out_judged_by_passages", overlap.judged())
        .put("trained_on_same", overlap.same())
        .put("trained_on_nearly_same", overlap.nearlySame())
        .put("trained_on_in_passages", overlap.passages());
    return json;
  }
}
