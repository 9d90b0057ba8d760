package dev.duoka.comm;

/** What one rank does. */
@FunctionalInterface
public interface RankBody {
  /** Runs on the rank's thread. */
  void run(Communicator world) throws Exception;
}
