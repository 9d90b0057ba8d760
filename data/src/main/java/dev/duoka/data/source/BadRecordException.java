package dev.duoka.data.source;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;

/** A record was read and is not fit to be trained on. */
public final class BadRecordException extends DuokaException {
  private static final long serialVersionUID = 1L;

  private final SkipReason reason;
  private final String excerpt;

  /**
   * A fault.
   *
   * @param problem what is wrong, and where in the record
   * @param text of the place that is wrong, of which the message shows the beginning
   */
  public BadRecordException(SkipReason reason, String problem, String text) {
    super(ErrorCode.DATA, problem, "");
    this.reason = reason;
    this.excerpt = Excerpt.of(text);
  }

  /** What kind of fault it is. */
  public SkipReason reason() {
    return reason;
  }

  /** The beginning of what is wrong, control characters made visible. */
  public String excerpt() {
    return excerpt;
  }
}
