package dev.duoka.base;

/** What kind of thing went wrong, so that failures can be counted and exit statuses chosen. */
public enum ErrorCode {
  /** The command line is wrong. */
  USAGE(2),
  /** A run file, a model's {@code config.json} or a combination of settings is wrong. */
  CONFIG(2),
  /** Training data is missing, empty or malformed. */
  DATA(1),
  /** A model file, tokenizer or checkpoint from elsewhere cannot be read. */
  FORMAT(1),
  /** A checkpoint of ours is missing, incomplete or damaged. */
  CHECKPOINT(1),
  /** A shared library cannot be found, loaded or is of an unsupported version. */
  NATIVE_LIBRARY(1),
  /** A native function returned an error. */
  NATIVE_CALL(1),
  /** A device that was asked for is not there or cannot be used. */
  DEVICE(1),
  /** A tensor argument has the wrong shape, dtype or device. */
  TENSOR(1),
  /** Device or host memory ran out. */
  OUT_OF_MEMORY(1),
  /** The loss or a gradient is not a number. */
  NUMERICS(1),
  /** A file cannot be read or written. */
  IO(1),
  /** The file system is full. */
  NO_SPACE(1),
  /** Another rank failed and took this one with it. */
  RANK_LOST(1);

  private final int exitStatus;

  ErrorCode(int exitStatus) {
    this.exitStatus = exitStatus;
  }

  /** The process's exit status for this kind of error: 2 for usage and configuration, else 1. */
  public int exitStatus() {
    return exitStatus;
  }
}
