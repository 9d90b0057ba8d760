package dev.duoka.comm;

/** What one rank does, from its start to its end; the same code for all. */
@FunctionalInterface
public interface RankBody {
  /**
   * Runs on the rank's thread.
   *
   * @param world the rank's number and its way to the others
   * @throws Exception ends the other ranks too
   */
  void run(Communicator world) throws Exception;
}
