package dev.duoka.data.training;

import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.shard.TokenisationProgress;

/** Says of which source a notice is. */
record NamedListener(String source, TokenisationListener listener) implements TokenisationListener {
  @Override
  public void progress(TokenisationProgress progress) {
    listener.progress(progress);
  }

  @Override
  public void comparing(long done, long total) {
    listener.comparing(done, total);
  }

  @Override
  public void notice(String message) {
    listener.notice(source + ": " + message);
  }

  @Override
  public boolean stopRequested() {
    return listener.stopRequested();
  }
}
