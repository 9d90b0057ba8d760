package dev.duoka.data.source;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;

/** One document is unreadable; whether that stops the run is for its source to say. */
final class UnreadableDocumentException extends Exception {
  private static final long serialVersionUID = 1L;

  private final SkipReason reason;
  private final String remedy;

  UnreadableDocumentException(SkipReason reason, String problem, String remedy) {
    super(problem);
    this.reason = reason;
    this.remedy = remedy;
  }

  SkipReason reason() {
    return reason;
  }

  DuokaException refusal() {
    return new DuokaException(ErrorCode.DATA, String.valueOf(getMessage()), remedy, this);
  }
}
