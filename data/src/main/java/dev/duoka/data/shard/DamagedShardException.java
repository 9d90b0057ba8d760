package dev.duoka.data.shard;

/** A shard folder is not what was written; the message names the file. */
final class DamagedShardException extends Exception {
  private static final long serialVersionUID = 1L;

  DamagedShardException(String message) {
    super(message);
  }
}
