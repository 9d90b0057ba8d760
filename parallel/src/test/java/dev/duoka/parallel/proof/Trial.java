package dev.duoka.parallel.proof;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.state.StateSlice;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.parallel.step.TrainingStep;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * One model trained for some steps on a mesh of CPU ranks.
 *
 * @param length tokens of a sequence
 * @param microBatch sequences in a forward pass
 * @param accumulation forward passes of a data-parallel rank in a step
 */
record Trial(
    ModelConfig model,
    Mesh mesh,
    PipelineSettings pipeline,
    Recompute recompute,
    int zero,
    int length,
    int microBatch,
    int accumulation,
    int steps) {
  private static final long SEED = 11;

  /**
   * What came out.
   *
   * @param losses of each step: next token, further tokens, gradient norm
   * @param gradients of the first step by name: what every element's gradient is, before the update
   * @param weights by name after the last step
   */
  record Result(
      List<double[]> losses, Map<String, double[]> gradients, Map<String, double[]> weights) {}

  /** The same work on one rank. */
  Trial onOneRank() {
    return new Trial(
        model,
        new Mesh(1, 1, 1, 1, 1, 1),
        PipelineSettings.DEFAULT,
        Recompute.NONE,
        0,
        length,
        microBatch,
        accumulation * mesh.data(),
        steps);
  }

  Result run() {
    return runOn(world -> world);
  }

  /**
   * Runs it.
   *
   * @param seen what a rank takes for its world
   */
  Result runOn(UnaryOperator<Communicator> seen) {
    Result result = new Result(new ArrayList<>(), new LinkedHashMap<>(), new LinkedHashMap<>());
    LocalRanks.run(mesh.size(), world -> train(seen.apply(world), result));
    return result;
  }

  private void train(Communicator world, Result result) {
    ComputeThread.prepare(Device.CPU, 1, world.size());
    try (TrainingRank rank = TrainingRank.allocate(mesh, world, Device.CPU, settings())) {
      rank.optimizer().fill(() -> WeightInitializer.initialize(rank.model(), SEED));
      for (int step = 0; step < steps; step++) {
        TrainingStep.Result done = rank.step().run(batch(step, mesh.dataRank(world.rank())), 1e-3);
        if (world.rank() == 0) {
          result.losses.add(
              new double[] {done.loss(), done.furtherLoss(), done.outcome().gradientNorm()});
        }
        if (step == 0) {
          collect(rank, result.gradients, StateSlice::gradients);
        }
      }
      collect(rank, result.weights, slice -> slice.states().master());
    }
  }

  StepSettings settings() {
    return new StepSettings(
            model,
            Precision.FP64,
            recompute,
            length,
            new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1),
            zero,
            LossScaler.Settings.DEFAULT,
            new StepSettings.AuxiliaryLosses(
                model.mtpModules(),
                model.mtpModules() == 0 ? 0 : 0.3,
                model.moe() == null ? 0 : 0.02,
                model.moe() != null && model.moe().sequenceAuxLoss(),
                model.moe() == null ? 0 : 0.01))
        .with(pipeline);
  }

  /** The same tokens whatever the mesh: data rank r has the r-th share of the micro-batches. */
  private StepBatch batch(int step, int dataRank) {
    List<MicroBatch> all = new ArrayList<>();
    long targets = 0;
    for (int i = 0; i < accumulation * mesh.data(); i++) {
      MicroBatch one =
          MicroBatch.random(microBatch, length, model.vocabSize(), 1000L * (step % 3) + i);
      targets += one.realTargets();
      if (i / accumulation == dataRank) {
        all.add(one);
      }
    }
    return new StepBatch(all, targets, DataState.START, DataState.START);
  }

  /** Puts what each rank's slices have of gradients or weights into whole tensors. */
  private static void collect(
      TrainingRank rank, Map<String, double[]> whole, Function<StateSlice, Tensor> state) {
    for (StateSlice slice : rank.optimizer().slices()) {
      for (Parameter parameter : slice.bucket().parameters()) {
        long first = Math.max(parameter.offset(), slice.offset());
        long end =
            Math.min(
                parameter.offset() + parameter.spec().elements(), slice.offset() + slice.length());
        if (first < end && slice.isCounted()) {
          try (Scope _ = Scope.open()) {
            Tensor held = Views.narrow(state.apply(slice), 0, first - slice.offset(), end - first);
            give(parameter, held, first - parameter.offset(), whole);
          }
        }
      }
    }
  }

  private static void give(
      Parameter parameter, Tensor held, long start, Map<String, double[]> whole) {
    Portion portion = parameter.spec().portion();
    double[] nothing = new double[Math.toIntExact(portion.rows() * portion.columns())];
    Arrays.fill(nothing, Double.NaN);
    Tensor all =
        HostCopy.fromDoubles(nothing, Dtype.FLOAT64, Device.CPU, portion.rows(), portion.columns());
    portion.give(held, start, all, 0);
    double[] given = HostCopy.doubles(all);
    synchronized (whole) {
      double[] sum = whole.computeIfAbsent(parameter.name(), _ -> nothing.clone());
      for (int i = 0; i < given.length; i++) {
        if (!Double.isNaN(given[i])) {
          sum[i] = given[i];
        }
      }
    }
  }
}
