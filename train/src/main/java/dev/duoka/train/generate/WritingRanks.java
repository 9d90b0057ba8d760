package dev.duoka.train.generate;

import java.util.function.Consumer;

/** The ranks that hold a model and write with it. One thread; the owner closes it. */
sealed interface WritingRanks extends AutoCloseable permits OneRank, MeshRanks {
  /**
   * Continues a text.
   *
   * @param output hears the new text bit by bit
   */
  Generation write(Continuation text, Consumer<String> output);

  /**
   * Lets the adapter of a model that is in the ranks add to it from now on, as it does at first, or
   * not; then what it trained whole has the base's numbers, too.
   */
  void setAdapted(NamedModel model, boolean on);

  /** Reads the adapter of a model of the same shape over the present one. */
  void readAdapter(NamedModel model);

  /** Whether they can still be asked: ranks of a mesh end when one of them fails. */
  boolean isRunning();

  @Override
  void close();
}
