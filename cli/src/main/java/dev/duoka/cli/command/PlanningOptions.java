package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.hardware.Catalogue;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of every command that plans: how long sequences are, and what the cards can do. */
final class PlanningOptions {
  private static final int USUAL_SEQUENCE = 4096;
  private static final int LONGEST_SEQUENCE = 1 << 20;

  @Option(
      names = "--seq",
      paramLabel = "N",
      description = "Tokens of a sequence; by default 4096, or the model's most if that is less.")
  private @Nullable Integer sequenceLength;

  @Option(
      names = "--catalogue",
      paramLabel = "FILE",
      description = "Your own cards, links and prices, laid over the built-in ones.")
  private @Nullable Path catalogueFile;

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  /** The catalogue with the user's own entries. */
  Catalogue catalogue() {
    return catalogueFile == null ? Catalogue.builtIn() : Catalogue.overlaidBy(catalogueFile);
  }

  /** Tokens of a sequence of a model. */
  int sequenceLength(PlannedModel planned) {
    int most = planned.shape().config().maxPositions();
    int length = sequenceLength == null ? Math.min(USUAL_SEQUENCE, most) : sequenceLength;
    if (length < 2 || length > LONGEST_SEQUENCE) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "--seq " + length,
          "Sequences have 2 to " + LONGEST_SEQUENCE + " tokens.");
    }
    return length;
  }

  /** Whether to print JSON. */
  boolean json() {
    return json;
  }
}
