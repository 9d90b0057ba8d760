package dev.duoka.train.memory;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.List;

/** A run's memory does not suffice; knows with which overrides of its file it can begin again. */
public final class TooLittleMemoryException extends DuokaException {
  private static final long serialVersionUID = 1L;

  private final transient List<String> overrides;

  /**
   * The same failure, of the same cause, with what is to be done about it.
   *
   * @param overrides that {@link LessMemory} has chosen; empty where none is left
   */
  public TooLittleMemoryException(DuokaException failure, List<String> overrides) {
    super(ErrorCode.OUT_OF_MEMORY, failure.problem(), failure.remedy(), failure.getCause());
    this.overrides = List.copyOf(overrides);
  }

  /** For a start of the run that takes less; empty where there is no way left. */
  public List<String> overrides() {
    return overrides;
  }
}
