package dev.duoka.data.training;

import dev.duoka.base.DuokaException;
import dev.duoka.data.batch.DocumentSides;
import dev.duoka.data.batch.DocumentSubset;
import dev.duoka.data.batch.PairSequences;
import dev.duoka.data.batch.SequenceSet;
import dev.duoka.data.batch.SplitPart;
import dev.duoka.data.shard.TokenShards;
import dev.duoka.data.shard.TokenisationListener;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Sources whose documents are one row: a single one, or all of a run that has none repeated or
 * weighted, as if their files were those of one.
 */
final class SourceGroup {
  private final List<OpenedSource> sources;
  private final TokenShards shards;
  private final DocumentSides sides;
  private final DocumentSubset trained;

  private SourceGroup(List<OpenedSource> sources) {
    this.sources = sources;
    this.shards = TokenShards.joined(sources.stream().map(OpenedSource::shards).toList());
    this.sides = sources.size() == 1 ? sources.getFirst().sides() : joined(sources);
    this.trained = DocumentSubset.of(shards, sides, SplitPart.TRAIN);
  }

  /** Sources that are trained on, together where an epoch of one is an epoch of all. */
  static List<SourceGroup> of(List<OpenedSource> trained) {
    boolean together =
        trained.stream().allMatch(source -> source.plan().joins(trained.getFirst().plan()));
    return together
        ? List.of(new SourceGroup(trained))
        : trained.stream().map(source -> new SourceGroup(List.of(source))).toList();
  }

  private static DocumentSides joined(List<OpenedSource> sources) {
    long[] ends = ends(sources);
    return document -> {
      int source = 0;
      while (document >= ends[source]) {
        source++;
      }
      long before = source == 0 ? 0 : ends[source - 1];
      return sources.get(source).sides().of(document - before);
    };
  }

  /** The document of all of them before which those of each source end. */
  private static long[] ends(List<OpenedSource> sources) {
    long[] ends = new long[sources.size()];
    long end = 0;
    for (int i = 0; i < ends.length; i++) {
      end += sources.get(i).shards().documents();
      ends[i] = end;
    }
    return ends;
  }

  /** The sources. */
  List<OpenedSource> sources() {
    return sources;
  }

  /** What all of its sources are trained on as. */
  TrainingForm form() {
    return sources.getFirst().plan().form();
  }

  private SourceUse use() {
    return sources.getFirst().plan().use();
  }

  TokenShards shards() {
    return shards;
  }

  /** The documents that are trained on. */
  DocumentSubset trained() {
    return trained;
  }

  /**
   * What is trained on.
   *
   * @param several whether the run has other groups, so that errors and notices say of which they
   *     are
   */
  SequenceSet training(boolean several, TokenisationListener listener) {
    if (!several) {
      return form().sequences(trained, listener);
    }
    String name = sources.getFirst().plan().name();
    try {
      return form().sequences(trained, new NamedListener(name, listener));
    } catch (DuokaException e) {
      throw new DuokaException(e.code(), name + ": " + e.problem(), e.remedy(), e);
    }
  }

  /** What is held out; null where that is nothing or too little, which the listener hears. */
  @Nullable SequenceSet validation(TokenisationListener listener) {
    if (sources.stream().noneMatch(OpenedSource::holdsOut)) {
      return null;
    }
    DocumentSubset held = DocumentSubset.of(shards, sides, SplitPart.VALIDATION);
    return heldOut(held, form(), listener);
  }

  /**
   * What is held out of each source, as parts of what is held out of all: whatever is known of a
   * pair there is known here.
   */
  List<NamedSequences> divided(PairSequences heldOut) {
    List<NamedSequences> named = new ArrayList<>();
    List<PairSequences> parts = heldOut.divided(ends(sources));
    for (int i = 0; i < parts.size(); i++) {
      if (parts.get(i).count() > 0) {
        named.add(new NamedSequences(sources.get(i).plan().name(), parts.get(i)));
      }
    }
    return named;
  }

  /** As sequences, or null where they are too few, which the listener hears. */
  static @Nullable SequenceSet heldOut(
      DocumentSubset held, TrainingForm form, TokenisationListener listener) {
    if (form.suffices(held)) {
      return form.sequences(held, listener);
    }
    listener.notice(
        "the validation part has only "
            + held.tokens()
            + " tokens, less than one sequence: no validation loss. Raise"
            + " data.validation_fraction to have one.");
    return null;
  }

  /** What its sequences weigh beside those of other groups. */
  BigDecimal weight(SequenceSet training) {
    BigDecimal count = BigDecimal.valueOf(training.count());
    return switch (use()) {
      case SourceUse.Once _, SourceUse.Validation _ -> count;
      case SourceUse.Repeated(BigDecimal times) -> times.multiply(count);
      case SourceUse.Weighted(BigDecimal weight) -> weight;
    };
  }

  /** How often an epoch of the run passes over it; once where the run has no epochs. */
  double timesPerEpoch() {
    return use() instanceof SourceUse.Repeated(BigDecimal times) ? times.doubleValue() : 1;
  }
}
