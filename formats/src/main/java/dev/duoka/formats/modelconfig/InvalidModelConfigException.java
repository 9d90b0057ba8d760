package dev.duoka.formats.modelconfig;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;

/** A value of a model's config is impossible; the reader adds the file's name. */
final class InvalidModelConfigException extends DuokaException {
  private static final long serialVersionUID = 1L;

  private final String fault;

  InvalidModelConfigException(String problem, String remedy) {
    super(ErrorCode.CONFIG, "model config: " + problem, remedy);
    this.fault = problem;
  }

  /** The problem without saying that it is one of a model config. */
  String fault() {
    return fault;
  }
}
