package dev.duoka.measure.step;

import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.data.batch.StepBatch;
import java.util.ArrayList;
import java.util.List;

/**
 * Steps of random tokens, the same each time; ranks that share sequences read the same ones.
 *
 * @param microBatch sequences in a forward pass
 * @param accumulation forward passes of a rank in a step
 * @param length tokens in a sequence
 * @param vocabulary how many different tokens there are
 * @param dataRank which share of each step is read
 * @param dataRanks how many shares there are
 * @param pairs whether each two sequences are answers to compare, all with the same reference
 */
public record RandomBatches(
    int microBatch,
    int accumulation,
    int length,
    int vocabulary,
    int dataRank,
    int dataRanks,
    boolean pairs) {
  /** This share of a step. */
  public StepBatch of(long step) {
    List<MicroBatch> microBatches = new ArrayList<>();
    long first = (step * dataRanks + dataRank) * accumulation;
    for (int i = 0; i < accumulation; i++) {
      MicroBatch random = MicroBatch.random(microBatch, length, vocabulary, first + i);
      microBatches.add(pairs ? random.ofPairs(new double[microBatch]) : random);
    }
    return new StepBatch(microBatches, tokens(), DataState.START, DataState.START);
  }

  /** Tokens of a step, of all shares. */
  long tokens() {
    return (long) microBatch * accumulation * length * dataRanks;
  }
}
