package dev.duoka.data.shard;

/** Hears what the cache does, on the thread that opens it. */
public interface TokenisationListener {
  /** A few times a second while documents are tokenised, and once at the end. */
  void progress(TokenisationProgress progress);

  /**
   * A few times a second while documents are compared with each other, if that takes long.
   *
   * @param done tokens of {@code total}
   */
  default void comparing(long done, long total) {}

  /** One line that a user should see: damaged shards, documents left out, waiting. */
  void notice(String message);

  /** Asked after each batch of documents: true ends the work, and nothing of it is kept. */
  default boolean stopRequested() {
    return false;
  }

  /** Hears nothing. */
  TokenisationListener SILENT =
      new TokenisationListener() {
        @Override
        public void progress(TokenisationProgress progress) {}

        @Override
        public void notice(String message) {}
      };
}
