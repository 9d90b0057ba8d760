package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.turn.TurnFile;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * When this run may go on, where it shares its machine with others that it is compared with: they
 * take turns of some steps each ({@link TurnFile}).
 *
 * @param file of all of them; null for a run that is alone
 * @param run which of them this one is
 */
record Turns(@Nullable TurnFile file, int run) {
  /** Names the file and, behind a colon, the run's number in it. */
  static final String VARIABLE = "DUOKA_TURNS";

  static final Turns ALWAYS = new Turns(null, 0);

  private static final long LOOK_MILLISECONDS = 1;

  /** Looks between two at the owner. */
  private static final int LOOKS_AT_OWNER = 1000;

  /** What the environment says. */
  static Turns of(Map<String, String> environment) {
    String text = environment.getOrDefault(VARIABLE, "");
    if (text.isEmpty()) {
      return ALWAYS;
    }
    int colon = text.lastIndexOf(':');
    if (colon < 1 || !text.substring(colon + 1).matches("[0-7]")) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          VARIABLE + " is '" + text + "', which is not FILE:NUMBER",
          "Unset it: duoka trial sets it for the runs that it starts");
    }
    return new Turns(
        TurnFile.open(Path.of(text.substring(0, colon))),
        Integer.parseInt(text.substring(colon + 1)));
  }

  /** Whether the run has to wait after so many steps. */
  boolean isOver(long steps) {
    return file != null && file.limit(run) <= steps;
  }

  /**
   * Waits until the run may go on, or is to stop. A rank's device must be idle.
   *
   * @param stop asked every millisecond
   * @throws DuokaException when nobody is left who would let it go on
   */
  void await(int rank, long steps, BooleanSupplier stop) {
    if (file == null) {
      return;
    }
    file.stand(run, rank, steps);
    for (int look = 1; isOver(steps) && !stop.getAsBoolean(); look++) {
      if (look % LOOKS_AT_OWNER == 0 && !file.hasOwner()) {
        throw new DuokaException(
            ErrorCode.RANK_LOST,
            "the trial that this run is part of is gone",
            "Start the trial again");
      }
      try {
        Thread.sleep(LOOK_MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
