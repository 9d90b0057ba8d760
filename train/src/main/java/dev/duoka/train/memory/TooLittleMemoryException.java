package dev.duoka.train.memory;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.List;

/** A run's memory does not suffice; knows with which overrides of its file it can begin again. */
public final class TooLittleMemoryException extends DuokaException {
  private static final long serialVersionUID = 1L;

  private final transient List<String> overrides;
  private final boolean inStep;

  /**
   * The same failure, of the same cause, with what is to be done about it.
   *
   * @param overrides that {@link LessMemory} has chosen; empty where none is left
   * @param inStep whether it is a step that takes too much, so that whatever lessens steps helps
   */
  public TooLittleMemoryException(DuokaException failure, List<String> overrides, boolean inStep) {
    super(ErrorCode.OUT_OF_MEMORY, failure.problem(), failure.remedy(), failure.getCause());
    this.overrides = List.copyOf(overrides);
    this.inStep = inStep;
  }

  /** Whether it is a step that takes too much; else nothing helps but {@link #overrides}. */
  public boolean isInStep() {
    return inStep;
  }

  /** For a start of the run that takes less; empty where there is no way left. */
  public List<String> overrides() {
    return overrides;
  }
}
