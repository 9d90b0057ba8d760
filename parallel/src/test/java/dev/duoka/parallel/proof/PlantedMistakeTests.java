package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.layout.Recompute;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.layer.SelectionBias;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.mesh.Mesh.Axis;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The proof notices what a program does wrongly, each time by what it should: {@link
 * PlantedFaultTests} forgets exchanges, these do something else in their place.
 */
class PlantedMistakeTests {
  /** What one rank makes of the same work, which several mistakes share. */
  private static final Map<Trial, Training.Outcome> ALONE = new ConcurrentHashMap<>();

  /** Numbers of a token's row between layers. */
  private static final long WIDTH = Draw.model("moe", 4, 2).hiddenSize();

  /** What each rank is given. */
  static List<Arguments> inputs() {
    return List.of(
        planted(
            "chunks of the zig-zag swapped",
            trial("dense", new Mesh(1, 1, 1, 2, 1, 1), 0),
            () -> new Chunks(rank -> 3 - rank, rank -> rank),
            "loss of step 0"),
        planted(
            "tokens one chunk after the other, at the positions of the zig-zag",
            trial("dense", new Mesh(1, 1, 1, 2, 1, 1), 0),
            () -> new Chunks(rank -> 2 * rank, rank -> 2 * rank + 1),
            "loss of step 0"),
        planted(
            "losses divided by the targets of one rank",
            trial("dense", new Mesh(2, 1, 2, 1, 1, 1), 1),
            LocalTargets::new,
            "loss of step 0"),
        planted(
            "the last micro-batch left out",
            trial("dense", new Mesh(1, 1, 2, 1, 1, 1), 1),
            LastMicroBatch::new,
            "loss of step 0"),
        planted(
            "targets of another micro-batch than the tokens",
            trial("dense", new Mesh(2, 1, 1, 1, 1, 1), 0),
            SwappedMicroBatches::new,
            "loss of step 0"),
        planted(
            "weight decay on one shard alone",
            trial("dense", new Mesh(1, 1, 2, 1, 1, 1), 1),
            OneDecay::new,
            "weight model.embed_tokens.weight"));
  }

  /** What becomes of gradients and weights. */
  static List<Arguments> sums() {
    return List.of(
        planted(
            "gradients of norms summed over tensor twice",
            trial("dense", new Mesh(2, 1, 1, 1, 2, 1), 0),
            NormsTwice::new,
            "gradient of model.norm.weight"),
        planted(
            "weights that all tensor ranks hold counted twice in the norm",
            trial("dense", new Mesh(2, 1, 1, 1, 2, 1), 0),
            CountedTwice::new,
            "norm of step 0"),
        planted(
            "gradients averaged instead of summed",
            trial("dense", new Mesh(2, 1, 2, 1, 1, 1), 0),
            () -> new Again("data", 0, 0.5),
            "gradient of model.norm.weight"),
        planted(
            "gradients of tied weights summed once too often",
            trial("dense tied", new Mesh(3, 1, 1, 1, 1, 1), 0),
            () -> new Again("ends of the pipeline", 1, 1),
            "gradient of model.embed_tokens.weight"),
        planted(
            "gradients of the embedding of further tokens summed once too often",
            trial("v3 mtp", new Mesh(3, 1, 1, 1, 1, 1), 0),
            () -> new Again("ends of the pipeline", 1, 1),
            "gradient of model.embed_tokens.weight"),
        planted(
            "gradients of copied heads summed once too often",
            trial("dense", new Mesh(1, 1, 1, 1, 4, 1), 0),
            () -> new Again("copies of heads", 1, 1),
            "gradient of model.layers.0.self_attn.qkv_proj.weight"),
        planted(
            "shards summed over replicas once too often",
            trial("dense", new Mesh(1, 2, 2, 1, 1, 1), 1),
            () -> new Again("replicas", 1, 1),
            "gradient of model.norm.weight"),
        planted(
            "counts of the balance loss summed once too often",
            trial("moe", new Mesh(2, 1, 1, 1, 2, 1), 1), // gradients are scattered, counts are not
            () -> new Again("tensor", 1, 1),
            "gradient of model.layers.1.mlp.gate.weight"),
        planted(
            "experts averaged over all data-parallel ranks",
            trial("moe", new Mesh(1, 1, 4, 1, 1, 2), 1),
            ExpertsOfAll::new,
            "gradient of model.layers.1.mlp.experts.down_proj"),
        planted(
            "shards of gradients shifted by one",
            trial("dense", new Mesh(2, 1, 2, 1, 1, 1), 1),
            ShiftedShard::new,
            "gradient of model.norm.weight"),
        planted(
            "weights of the step before after a gathering",
            trial("dense", new Mesh(2, 1, 2, 1, 1, 1), 1),
            StaleWeights::new,
            "loss of step 1"),
        planted(
            "a norm that is no number on one rank",
            trial("dense", new Mesh(2, 1, 2, 1, 1, 1), 0),
            OneOverflow::new,
            "loss of step 1"));
  }

  /** What travels in the middle of a pass. */
  static List<Arguments> passes() {
    return List.of(
        planted(
            "the scale of the loss applied again at each stage",
            trial("dense", new Mesh(2, 1, 1, 1, 1, 1), 0),
            ScaledAgain::new,
            "gradient of model.layers.0.input_layernorm.weight"),
        planted(
            "rows scattered in the opposite order",
            trial("dense", new Mesh(2, 1, 1, 1, 2, 1), 0),
            OppositeRows::new,
            "loss of step 0"),
        planted(
            "keys and values of the wrong neighbour",
            trial("dense", new Mesh(1, 1, 1, 3, 1, 1), 0),
            WrongNeighbour::new,
            "loss of step 0"),
        planted(
            "a row lost on its way back from an expert",
            trial("moe", new Mesh(1, 1, 4, 1, 1, 4), 0),
            LostRow::new,
            "loss of step 0"),
        planted(
            "rows of other ranks not weighted",
            trial("moe", new Mesh(1, 1, 4, 1, 1, 4), 0),
            UnweightedRows::new,
            "loss of step 0"),
        planted(
            "recompute with another bias of the choice of experts",
            trial("v3", new Mesh(2, 1, 1, 1, 1, 1), 0, Recompute.FULL),
            LaterBias::new,
            "gradient of model.layers.1.mlp.gate.weight"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({"inputs", "sums", "passes"})
  void isNoticed(String mistake, Trial trial, Supplier<Mistake> planted, String shownBy) {
    Training.Outcome alone = ALONE.computeIfAbsent(trial.onOneRank(), Trial::run);
    assertThat(
            Equality.FP64.differences(new MistakenTraining(trial, planted).run(), alone).stream()
                .map(Equality.Difference::name))
        .as(mistake)
        .contains(shownBy);
  }

  /** The way in which mistakes are planted makes none itself. */
  @Test
  void nothingIsNoticedWithoutAMistake() {
    Trial trial = trial("v3 mtp", new Mesh(2, 1, 2, 1, 2, 2), 1);
    assertThat(
            Equality.FP64.differences(
                new MistakenTraining(
                        trial,
                        () ->
                            new Mistake() {
                              @Override
                              boolean isAfterSums() {
                                return true;
                              }
                            })
                    .run(),
                trial.onOneRank().run()))
        .isEmpty();
  }

  private static Arguments planted(
      String mistake, Trial trial, Supplier<Mistake> ofEachRank, String shownBy) {
    return Arguments.of(mistake, trial, ofEachRank, shownBy);
  }

  private static Trial trial(String model, Mesh mesh, int zero) {
    return trial(model, mesh, zero, Recompute.NONE);
  }

  private static Trial trial(String model, Mesh mesh, int zero, Recompute recompute) {
    return new Trial(
        Draw.model(model, 4, 2), mesh, PipelineSettings.DEFAULT, recompute, zero, 24, 2, 2, 2);
  }

  private static StepBatch with(StepBatch batch, List<MicroBatch> microBatches) {
    return new StepBatch(microBatches, batch.stepTargets(), batch.before(), batch.after());
  }

  /** A rank's first and second chunk are others of the sequence. */
  private static final class Chunks extends Mistake {
    private final IntUnaryOperator first;
    private final IntUnaryOperator second;

    Chunks(IntUnaryOperator first, IntUnaryOperator second) {
      this.first = first;
      this.second = second;
    }

    @Override
    StepBatch batch(StepBatch right, Mesh mesh, int rank) {
      int place = mesh.coordinate(rank, Axis.CONTEXT);
      int chunks = 2 * mesh.context();
      List<MicroBatch> wrong = new ArrayList<>();
      for (MicroBatch one : right.microBatches()) {
        int length = one.length() / chunks;
        long[] tokens = one.tokens().clone();
        long[] targets = one.targets().clone();
        for (int row = 0; row < one.rows(); row++) {
          int start = row * one.length();
          int[] from = {first.applyAsInt(place) * length, second.applyAsInt(place) * length};
          int[] to = {place * length, (chunks - 1 - place) * length};
          for (int i = 0; i < 2; i++) {
            System.arraycopy(one.tokens(), start + from[i], tokens, start + to[i], length);
            System.arraycopy(one.targets(), start + from[i], targets, start + to[i], length);
          }
        }
        wrong.add(MicroBatch.of(one.rows(), one.length(), tokens, targets));
      }
      return with(right, wrong);
    }
  }

  private static final class LocalTargets extends Mistake {
    @Override
    StepBatch batch(StepBatch right, Mesh mesh, int rank) {
      long own = right.microBatches().stream().mapToLong(MicroBatch::realTargets).sum();
      return new StepBatch(right.microBatches(), own, right.before(), right.after());
    }
  }

  private static final class LastMicroBatch extends Mistake {
    @Override
    StepBatch batch(StepBatch right, Mesh mesh, int rank) {
      List<MicroBatch> all = right.microBatches();
      return mesh.dataRank(rank) == 1 ? with(right, all.subList(0, all.size() - 1)) : right;
    }
  }

  /** The last stage takes them in another order than the first. */
  private static final class SwappedMicroBatches extends Mistake {
    @Override
    StepBatch batch(StepBatch right, Mesh mesh, int rank) {
      return mesh.coordinate(rank, Axis.PIPELINE) == 1
          ? with(right, right.microBatches().reversed())
          : right;
    }
  }

  private static final class OneDecay extends Mistake {
    @Override
    StepSettings settings(StepSettings right, int rank) {
      AdamWSettings settings = right.optimizer();
      return rank == 0
          ? right
          : new StepSettings(
              right.model(),
              right.precision(),
              right.recompute(),
              right.sequenceLength(),
              new AdamWSettings(
                  settings.beta1(), settings.beta2(), settings.epsilon(), 0, settings.clipNorm()),
              right.zeroStage(),
              right.lossScale(),
              right.auxiliary(),
              right.pipeline(),
              right.states(),
              right.preference(),
              right.updates(),
              right.embeddingNoise(),
              right.dispatcher());
    }
  }

  private static final class NormsTwice extends Mistake {
    @Override
    boolean isAfterSums() {
      return true;
    }

    @Override
    void afterSums(TrainingRank rank) {
      for (Parameter parameter : rank.model().parameters().parameters()) {
        if (parameter.name().contains("norm")) {
          try (Scope _ = Scope.open()) {
            rank.groups().tensor().allReduce(parameter.gradient()).join();
          }
        }
      }
    }
  }

  private static final class CountedTwice extends Mistake {
    private List<String> names = List.of();

    @Override
    StepSettings settings(StepSettings right, int rank) {
      names =
          ModelFactory.weights(right.model(), right.auxiliary().predictionDepth()).stream()
              .map(ParameterSpec::name)
              .sorted()
              .toList();
      return right;
    }

    @Override
    Pending allReduce(Communicator group, Tensor tensor) {
      for (int place = 0; place < names.size() && group.name().equals("world"); place++) {
        if (names.get(place).contains("norm")) {
          Elementwise.mulInPlace(Views.narrow(tensor, 0, place, 1), 2);
        }
      }
      return group.allReduce(tensor);
    }
  }

  /** Sums of one group are summed so many times more, and multiplied. */
  private static final class Again extends Mistake {
    private final String name;
    private final int times;
    private final double factor;

    Again(String name, int times, double factor) {
      this.name = name;
      this.times = times;
      this.factor = factor;
    }

    @Override
    Pending allReduce(Communicator group, Tensor tensor) {
      if (!group.name().equals(name)) {
        return group.allReduce(tensor);
      }
      for (int i = 0; i <= times; i++) {
        group.allReduce(tensor).join();
      }
      Elementwise.mulInPlace(tensor, factor);
      return Pending.DONE;
    }
  }

  private static final class ExpertsOfAll extends Mistake {
    private @Nullable TrainingRank rank;

    @Override
    void begin(TrainingRank begun) {
      rank = begun;
    }

    @Override
    Pending reduceScatter(Communicator group, Tensor full, Tensor shard) {
      TrainingRank mine = rank;
      if (mine == null || !group.name().equals("expert replicas")) {
        return group.reduceScatter(full, shard);
      }
      try (Scope _ = Scope.open()) {
        Tensor sum = Tensors.copyOf(full);
        mine.world().allReduce(sum).join();
        Elementwise.mulInPlace(sum, 1.0 / mine.world().size());
        Copies.into(shard, Views.narrow(sum, 0, group.rank() * shard.elements(), shard.elements()));
      }
      return Pending.DONE;
    }
  }

  private static final class ShiftedShard extends Mistake {
    @Override
    Pending reduceScatter(Communicator group, Tensor full, Tensor shard) {
      if (!group.name().equals("data")) {
        return group.reduceScatter(full, shard);
      }
      try (Scope _ = Scope.open()) {
        Tensor sum = Tensors.copyOf(full);
        group.allReduce(sum).join();
        long length = shard.elements();
        long start = Math.min(group.rank() * length + 1, full.elements() - length);
        Copies.into(shard, Views.narrow(sum, 0, start, length));
      }
      return Pending.DONE;
    }
  }

  /** One rank keeps what it has of the other's shard, the first time. */
  private static final class StaleWeights extends Mistake {
    private boolean done;

    @Override
    Pending allGather(Communicator group, Tensor shard, Tensor full) {
      if (done || !group.name().equals("data") || group.rank() == 0) {
        return group.allGather(shard, full);
      }
      done = true;
      try (Scope _ = Scope.open()) {
        Tensor before = Tensors.copyOf(Views.narrow(full, 0, 0, shard.elements()));
        group.allGather(shard, full).join();
        Copies.into(Views.narrow(full, 0, 0, shard.elements()), before);
      }
      return Pending.DONE;
    }
  }

  private static final class OneOverflow extends Mistake {
    @Override
    Pending allReduce(Communicator group, Tensor tensor) {
      Pending pending = group.allReduce(tensor);
      if (group.name().equals("world") && group.rank() == 1) {
        pending.join();
        Tensors.fill(tensor, Double.POSITIVE_INFINITY);
      }
      return pending;
    }
  }

  private static final class ScaledAgain extends Mistake {
    @Override
    Pending send(Communicator group, Tensor tensor, int to) {
      if (to < group.rank()) {
        Elementwise.mulInPlace(tensor, 2);
      }
      return group.send(tensor, to);
    }
  }

  private static final class OppositeRows extends Mistake {
    @Override
    Pending reduceScatter(Communicator group, Tensor full, Tensor shard) {
      if (!group.name().equals("tensor")) {
        return group.reduceScatter(full, shard);
      }
      try (Scope _ = Scope.open()) {
        Tensor sum = Views.reshape(Tensors.copyOf(full), -1);
        group.allReduce(sum).join();
        long length = shard.elements();
        long start = (group.size() - 1 - group.rank()) * length;
        Copies.into(Views.reshape(shard, -1), Views.narrow(sum, 0, start, length));
      }
      return Pending.DONE;
    }
  }

  /** The ring of the first layer turns the other way, once. */
  private static final class WrongNeighbour extends Mistake {
    private boolean sent;
    private boolean received;

    @Override
    Pending send(Communicator group, Tensor tensor, int to) {
      int wrong = sent ? to : Math.floorMod(2 * group.rank() - to, group.size());
      sent = true;
      return group.send(tensor, wrong);
    }

    @Override
    Pending receive(Communicator group, Tensor tensor, int from) {
      int wrong = received ? from : Math.floorMod(2 * group.rank() - from, group.size());
      received = true;
      return group.receive(tensor, wrong);
    }
  }

  /** The second exchange of rows as wide as the model is the first layer's way back. */
  private static final class LostRow extends Mistake {
    private int exchanges;

    @Override
    Pending allToAll(
        Communicator group, Tensor send, long[] sendRows, Tensor receive, long[] receiveRows) {
      Pending pending = group.allToAll(send, sendRows, receive, receiveRows);
      if (receive.dtype().isFloating() && receive.size(1) == WIDTH && ++exchanges == 2) {
        pending.join();
        Tensors.zero(Views.narrow(receive, 0, 0, 1));
      }
      return pending;
    }
  }

  /** The first exchange of as many numbers as a token has experts is that of the weights. */
  private static final class UnweightedRows extends Mistake {
    private int exchanges;

    @Override
    Pending allToAll(
        Communicator group, Tensor send, long[] sendRows, Tensor receive, long[] receiveRows) {
      Pending pending = group.allToAll(send, sendRows, receive, receiveRows);
      if (receive.dtype().isFloating() && receive.size(1) < WIDTH && exchanges++ == 0) {
        pending.join();
        long start = 0;
        for (int from = 0; from < group.size(); from++) {
          if (from != group.rank()) {
            Tensors.fill(Views.narrow(receive, 0, start, receiveRows[from]), 1);
          }
          start += receiveRows[from];
        }
      }
      return pending;
    }
  }

  /** The biases move when the first gradient arrives, and not when the step ends. */
  private static final class LaterBias extends Mistake {
    private @Nullable TrainingRank rank;

    @Override
    void begin(TrainingRank begun) {
      rank = begun;
    }

    @Override
    Pending receive(Communicator group, Tensor tensor, int from) {
      Pending pending = group.receive(tensor, from);
      TrainingRank mine = rank;
      if (mine != null && from > group.rank()) {
        pending.join();
        for (SelectionBias bias : mine.model().selectionBiases()) {
          try (Scope _ = Scope.open()) {
            int experts = Math.toIntExact(bias.value().size(0));
            double[] ramp = new double[experts];
            for (int expert = 0; expert < experts; expert++) {
              ramp[expert] = expert % 2;
            }
            Copies.into(
                bias.value(),
                HostCopy.fromDoubles(ramp, bias.value().dtype(), bias.value().device(), experts));
          }
        }
      }
      return pending;
    }
  }
}
