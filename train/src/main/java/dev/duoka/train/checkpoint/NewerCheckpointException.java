package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.nio.file.Path;

/** A checkpoint is whole, and of a form that only later versions of the program know. */
final class NewerCheckpointException extends DuokaException {
  private static final long serialVersionUID = 1L;

  NewerCheckpointException(Path folder, int format, int known) {
    super(
        ErrorCode.CHECKPOINT,
        "cannot use the checkpoint "
            + folder
            + ": a newer version of duoka wrote it, in format "
            + format
            + ", and this version knows formats up to "
            + known,
        "Use the version that wrote it; to go on from an older checkpoint, move this folder away");
  }
}
