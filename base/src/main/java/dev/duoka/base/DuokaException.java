package dev.duoka.base;

import org.jspecify.annotations.Nullable;

/**
 * The one exception of this project: what was attempted, what was seen, and what to do next.
 *
 * <p>The message is meant for a user and stands without the stack trace:
 *
 * <pre>cannot read model.safetensors: the header says 4,096 bytes but the file has 1,024. Copy the
 * file again; it is truncated.</pre>
 */
public class DuokaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;
  private final String problem;
  private final String remedy;

  /**
   * @param code the kind of failure
   * @param problem what was attempted and the value seen, one sentence without the final period
   * @param remedy the next step for the user, one imperative sentence; empty where there is none
   */
  public DuokaException(ErrorCode code, String problem, String remedy) {
    this(code, problem, remedy, null);
  }

  /** As the other constructor, with the exception that caused this one. */
  public DuokaException(ErrorCode code, String problem, String remedy, @Nullable Throwable cause) {
    super(remedy.isEmpty() ? problem : problem + ". " + remedy, cause);
    this.code = code;
    this.problem = problem;
    this.remedy = remedy;
  }

  /** The kind of failure. */
  public ErrorCode code() {
    return code;
  }

  /** What was attempted and the value seen, without the final period and the remedy. */
  public String problem() {
    return problem;
  }

  /** The next step for the user; empty where there is none. */
  public String remedy() {
    return remedy;
  }
}
