package dev.duoka.data.batch;

import java.util.ArrayList;
import java.util.List;

/** Puts one rank's steps together, reusing one window. For one thread. */
final class StepReader {
  private final TrainingOrder order;
  private final RankShare share;
  private final TrainingOrder.Reader sequences;
  private final Window window;

  StepReader(TrainingOrder order, RankShare share) {
    this.order = order;
    this.share = share;
    this.sequences = order.new Reader();
    this.window = new Window(order.sequences().length());
  }

  /**
   * The step that starts at a state. Reads the sequences of the other ranks too, to count the
   * targets of the whole step; from mapped memory that costs about a nanosecond a token.
   */
  StepBatch read(DataState state) {
    int first = share.firstSequence();
    int end = Math.min(share.sequencesPerStep(), first + share.accumulation() * share.microBatch());
    List<MicroBatch> microBatches = new ArrayList<>(share.accumulation());
    long targets = 0;
    for (int i = 0; i < share.sequencesPerStep(); i++) {
      sequences.read(state, i, window);
      if (i >= first && i < end) {
        int row = (i - first) % share.microBatch();
        if (row == 0) {
          microBatches.add(MicroBatch.of(share.microBatch(), order.sequences()).numberedFrom(i));
        }
        microBatches.getLast().fillRow(row, window);
      }
      targets += window.realTargets();
    }
    while (microBatches.size() < share.accumulation()) {
      microBatches.add(MicroBatch.empty(share.microBatch(), order.sequences()));
    }
    DataState after = order.advance(state, share.sequencesPerStep());
    return new StepBatch(
        List.copyOf(microBatches), targets, state, after, share.emptyMicroBatches());
  }
}
