package dev.duoka.parallel.proof;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.state.StateSlice;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.parallel.step.TrainingStep;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * The work of a {@link Trial}, done as {@link Training} does it but for a mistake.
 *
 * @param mistakes makes that of each rank
 */
record MistakenTraining(Trial trial, Supplier<Mistake> mistakes) {
  Training.Outcome run() {
    List<Training.StepLosses> losses = new ArrayList<>();
    WholeTensors gradients = new WholeTensors();
    WholeTensors start = new WholeTensors();
    WholeTensors weights = new WholeTensors();
    LocalRanks.run(
        trial.mesh().size(),
        world -> {
          ComputeThread.prepare(Device.CPU, 1, world.size());
          train(world, losses, gradients, start, weights);
        });
    return new Training.Outcome(losses, gradients.tensors(), start.tensors(), weights.tensors());
  }

  private void train(
      Communicator world,
      List<Training.StepLosses> losses,
      WholeTensors gradients,
      WholeTensors start,
      WholeTensors weights) {
    Mistake mistake = mistakes.get();
    Training right = trial.training();
    try (TrainingRank rank =
        TrainingRank.allocate(
            trial.mesh(),
            new MistakenCommunicator(world, mistake),
            Device.CPU,
            mistake.settings(right.settings(), world.rank()))) {
      rank.optimizer().fill(() -> WeightInitializer.initialize(rank.model(), right.seed()));
      start.add(rank, slice -> slice.states().master().read());
      mistake.begin(rank);
      for (int step = 0; step < trial.steps(); step++) {
        StepBatch batch = right.batch(step, trial.mesh().dataRank(world.rank()));
        TrainingStep.Result done =
            rank.step()
                .launch(
                    mistake.batch(batch, trial.mesh(), world.rank()),
                    Training.LEARNING_RATE,
                    mistake.isAfterSums() ? () -> afterSums(rank, mistake) : null,
                    false)
                .await();
        if (world.rank() == 0) {
          losses.add(new Training.StepLosses(done));
        }
        if (step == 0) {
          gradients.add(rank, StateSlice::gradients);
        }
      }
      weights.add(rank, slice -> slice.states().master().read());
    }
  }

  private static void afterSums(TrainingRank rank, Mistake mistake) {
    rank.optimizer().reducer().finish();
    mistake.afterSums(rank);
  }
}
