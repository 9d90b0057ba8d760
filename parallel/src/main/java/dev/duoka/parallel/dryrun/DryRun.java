package dev.duoka.parallel.dryrun;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Exchange;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.SingleRank;
import dev.duoka.comm.meta.MetaCommunicator;
import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.ThreadLedger;
import java.util.Collections;
import java.util.List;

/**
 * Runs the steps of one rank on {@code meta}, with a communicator of the real size: the code of a
 * real step, with shapes alone, and what its ledgers booked.
 */
public final class DryRun {
  private DryRun() {}

  /** Runs every block and every micro-batch of a steady step. */
  public static DryRunResult unrolled(DryRunJob job) {
    ExchangeLedger.InMemory exchanges = new ExchangeLedger.InMemory();
    Communicator world =
        job.dataRanks() == 1
            ? new SingleRank()
            : new MetaCommunicator("world", 0, job.dataRanks(), exchanges);
    try (ThreadLedger mine = ThreadLedger.open(Device.META);
        TrainingRank rank = TrainingRank.allocate(world, Device.META, job.settings())) {
      StepBatch batch = batch(job);
      // Twice: the first step also makes what lasts, the experts' load counts for example.
      rank.step().run(batch, 1e-3);
      mine.ledger().resetPeak();
      int before = exchanges.exchanges().size();
      rank.step().run(batch, 1e-3);
      List<Exchange> all = exchanges.exchanges();
      return new DryRunResult(mine.ledger().peakByOwner(), all.subList(before, all.size()));
    }
  }

  private static StepBatch batch(DryRunJob job) {
    StepSettings settings = job.settings();
    int length = settings.sequenceLength();
    long[] tokens = new long[job.microBatch() * length];
    MicroBatch one = MicroBatch.of(job.microBatch(), length, tokens, tokens);
    List<MicroBatch> all = Collections.nCopies(job.accumulation(), one);
    long targets = (long) tokens.length * job.accumulation() * job.dataRanks();
    return new StepBatch(all, targets, DataState.START, DataState.START);
  }
}
