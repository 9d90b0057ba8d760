package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.train.config.AdapterChanges;
import dev.duoka.train.config.binding.FieldChange;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Tells whether a checkpoint has the adapter that a run file says. */
final class AdapterComparison {
  private static final String OTHER_RUN = "or start a new run in another folder";

  private AdapterComparison() {}

  /**
   * Refuses a checkpoint of another adapter.
   *
   * @param stored the checkpoint's; null for none
   * @param current the run file's; null for none
   * @throws DuokaException with all fields that differ
   */
  static void requireSame(
      Path checkpoint, @Nullable AdapterConfig stored, @Nullable AdapterConfig current) {
    if (Objects.equals(stored, current)) {
      return;
    }
    if (stored == null) {
      throw refused(
          checkpoint,
          "it was trained without an adapter, and the run file has a section adapter",
          "Remove the section, " + OTHER_RUN);
    }
    if (current == null) {
      throw refused(
          checkpoint,
          "it was trained with an adapter, and the run file has no section adapter",
          "Give the section as it was, " + OTHER_RUN);
    }
    List<FieldChange> changes = AdapterChanges.between(stored, current);
    throw refused(
        checkpoint,
        changes.stream()
            .map(change -> change.text("the checkpoint", "the run file"))
            .collect(Collectors.joining("; ")),
        AdapterChanges.areOfBase(changes)
            ? "Set adapter.base and adapter.double_quantization as they were, or start a new run"
                + " with adapter.path set to its exported adapter"
            : "Set them as the checkpoint has them, " + OTHER_RUN);
  }

  private static DuokaException refused(Path checkpoint, String problem, String remedy) {
    return new DuokaException(
        ErrorCode.CHECKPOINT, "cannot go on from " + checkpoint + ": " + problem, remedy);
  }
}
