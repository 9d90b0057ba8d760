package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.hardware.Catalogue;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of every command that plans: model, sequences, and what hardware there is. */
final class PlanningOptions {
  private static final int USUAL_SEQUENCE = 4096;
  private static final int LONGEST_SEQUENCE = 1 << 20;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "A preset such as deepseek-v2-lite, or a folder with a config.json.")
  private @Nullable String model;

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

  /** Cards, links and prices. */
  Catalogue catalogue() {
    return catalogueFile == null ? Catalogue.builtIn() : Catalogue.overlaidBy(catalogueFile);
  }

  /** The name of the model; empty where none is given. */
  Optional<String> model() {
    return Optional.ofNullable(model);
  }

  /**
   * Tokens of a sequence.
   *
   * @param most that the model is meant for
   */
  int sequenceLength(int most) {
    int length = sequenceLength == null ? Math.min(USUAL_SEQUENCE, most) : sequenceLength;
    if (length < 2 || length > LONGEST_SEQUENCE) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "--seq " + length,
          "Sequences have 2 to " + LONGEST_SEQUENCE + " tokens.");
    }
    return length;
  }
}
