package dev.duoka.verify.parity;

import dev.duoka.base.Progress;
import dev.duoka.comm.Communicator;
import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.model.LanguageModel;
import dev.duoka.parallel.proof.WholeTensors;
import dev.duoka.parallel.state.StateSlice;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.parallel.step.TrainingStep;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.MasterBuffer;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.train.checkpoint.StoredModel;
import dev.duoka.train.device.PlacedRanks;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The model spread over the ranks of a mesh. One batch is a training step, whose gradients are
 * taken when they are summed over the ranks and put together from what each rank keeps of them.
 *
 * @param settings of the optimizer steps
 * @param unclipped the same without clipping, which may scale the gradients where they lie
 * @param folder with the weights
 * @param batches of the optimizer steps
 */
record MeshRanks(
    StepSettings settings,
    StepSettings unclipped,
    MeshBatches mesh,
    PlacedRanks ranks,
    Path folder,
    List<TokenIds> batches)
    implements ParityEngine {
  @Override
  public OneBatch oneBatch(TokenIds ids) {
    WholeTensors gradients = new WholeTensors();
    AtomicReference<Double> loss = new AtomicReference<>(Double.NaN);
    ranks.run(
        (world, device) -> {
          try (TrainingRank rank = started(world, device, unclipped, 0)) {
            TrainingStep.Result result = rank.step().run(batch(ids, world), 0);
            gradients.add(rank, StateSlice::gradients);
            if (world.rank() == 0) {
              loss.set(result.loss());
            }
          }
        });
    return new OneBatch(loss.get(), Optional.empty(), gradients.tensors());
  }

  @Override
  public OptimizerSteps.Series steps(int perturbation) {
    OptimizerSteps.Series series = new OptimizerSteps.Series(batches.size());
    ranks.run(
        (world, device) -> {
          try (TrainingRank rank = started(world, device, settings, perturbation)) {
            for (int step = 0; step < batches.size(); step++) {
              TrainingStep.Result result =
                  rank.step().run(batch(batches.get(step), world), OptimizerSteps.LEARNING_RATE);
              if (world.rank() == 0) {
                series.set(step, result);
              }
            }
          }
        });
    return series;
  }

  private TrainingRank started(
      Communicator world, Device device, StepSettings step, int perturbation) {
    TrainingRank rank = TrainingRank.allocate(mesh.mesh(), world, device, step);
    try (StoredModel weights = StoredModel.open(folder)) {
      LanguageModel model = rank.model();
      rank.optimizer().fill(() -> weights.read(model, Progress.NONE));
      if (perturbation != 0) {
        rank.optimizer().slices().forEach(slice -> perturb(slice, perturbation));
        rank.optimizer().publish();
      }
      return rank;
    } catch (Throwable t) { // of whatever kind: the rank's memory is freed
      rank.close();
      throw t;
    }
  }

  private StepBatch batch(TokenIds ids, Communicator world) {
    int dataRank = mesh.mesh().dataRank(world.rank());
    return new StepBatch(
        mesh.share(ids, dataRank), ids.targets(), DataState.START, DataState.START);
  }

  /**
   * As {@link OptimizerSteps} does it, but each weight has numbers of its own, so that ranks with
   * the same part of it change it alike.
   */
  private static void perturb(StateSlice slice, long seed) {
    MasterBuffer weights = slice.states().master();
    for (Parameter parameter : slice.bucket().parameters()) {
      long first = Math.max(parameter.offset(), slice.offset());
      long end =
          Math.min(
              parameter.offset() + parameter.spec().elements(), slice.offset() + slice.length());
      if (first < end) {
        Portion portion = parameter.spec().portion();
        float[] whole =
            OptimizerSteps.factors(
                new SplittableRandom(31 * seed + parameter.name().hashCode()),
                Math.toIntExact(portion.rows() * portion.columns()));
        try (Scope _ = Scope.open()) {
          Tensor numbers = weights.read(first - slice.offset(), end - first);
          Device device = numbers.device();
          Tensor factors =
              HostCopy.fromFloats(whole, Dtype.FLOAT32, device, portion.rows(), portion.columns());
          Tensor held = Tensors.empty(Dtype.FLOAT32, device, end - first);
          portion.take(factors, 0, held, first - parameter.offset());
          Elementwise.mulInPlace(numbers, held);
          weights.write(first - slice.offset(), numbers);
        }
      }
    }
  }
}
