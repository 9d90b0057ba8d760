package dev.duoka.train.generate;

import dev.duoka.parallel.step.InferenceRank;
import dev.duoka.train.checkpoint.StoredModel;
import java.util.function.Consumer;

/** A whole model on the calling thread. Owns the rank. */
record OneRank(InferenceRank rank) implements WritingRanks {
  @Override
  public Generation write(Continuation text, Consumer<String> output) {
    return text.write(rank, output);
  }

  @Override
  public void setAdapted(NamedModel model, boolean on) {
    setAdapted(rank, model, on);
  }

  /** What one rank does for it. */
  static void setAdapted(InferenceRank rank, NamedModel model, boolean on) {
    rank.setAdapted(on);
    try (StoredModel stored = model.open()) {
      stored.readTrainedWhole(rank.model(), !on);
    }
  }

  @Override
  public void readAdapter(NamedModel model) {
    try (StoredModel stored = model.open()) {
      stored.readAdapter(rank.model());
    }
  }

  @Override
  public boolean isRunning() {
    return true;
  }

  @Override
  public void close() {
    rank.close();
  }
}
