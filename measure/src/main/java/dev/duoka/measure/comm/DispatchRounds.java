package dev.duoka.measure.comm;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.function.ExpertPlacement;
import dev.duoka.engine.function.Routing;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.layout.Dispatcher;
import dev.duoka.layout.RoutedExperts;
import dev.duoka.parallel.function.SpreadExperts;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.train.device.Transport;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/** One rank's part in timing dispatchers. */
final class DispatchRounds {
  private static final long SEED = 20_261_129;

  /** Whole numbers up to this: their sums over up to 32 experts of a token are exact in bf16. */
  private static final int LARGEST = 8;

  private static final int CHUNK = 1024;

  private final Communicator ranks;
  private final Device device;
  private final MoeConfig experts;
  private final int width;
  private final WrongResults wrong;

  DispatchRounds(
      Communicator ranks, Device device, MoeConfig experts, int width, WrongResults wrong) {
    this.ranks = ranks;
    this.device = device;
    this.experts = experts;
    this.width = width;
    this.wrong = wrong;
  }

  /** Checks and times both dispatchers by tokens. Collective. */
  List<DispatchLine> run(Transport transport, List<Long> tokens) {
    List<DispatchLine> lines = new ArrayList<>();
    for (long count : tokens) {
      for (Dispatcher dispatcher : List.of(Dispatcher.ALL_GATHER, Dispatcher.ALL_TO_ALL)) {
        lines.add(run(transport, dispatcher, Math.toIntExact(count)));
      }
    }
    return lines;
  }

  private DispatchLine run(Transport transport, Dispatcher dispatcher, int tokens) {
    Random random = new Random(SEED + ranks.rank());
    long[] choices = choices(tokens, random);
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        ExpertPlacement placement =
            new SpreadExperts(ranks, dispatcher, SpreadExperts.routed(experts))) {
      Tensor chosen = HostCopy.fromLongs(choices, device, tokens, experts.expertsPerToken());
      Tensor rows = Tensors.empty(Dtype.BFLOAT16, device, tokens, width);
      inChunks(
          tokens,
          (start, count) ->
              Copies.into(
                  Views.narrow(rows, 0, start, count),
                  HostCopy.fromFloats(
                      numbers(start, count), Dtype.BFLOAT16, device, count, width)));
      Optional<String> difference = wrong.first(ranks, check(placement, chosen, rows));
      double[] all = {bytes(choices, false), bytes(choices, true)};
      ranks.agreement().sum(all);
      TimedCalls route = TimedCalls.NONE;
      TimedCalls dispatch = TimedCalls.NONE;
      TimedCalls combine = TimedCalls.NONE;
      if (difference.isEmpty()) {
        route = TimedCalls.of(ranks, device, () -> inScope(() -> route(placement, chosen)));
        Routing routing = route(placement, chosen);
        dispatch = TimedCalls.of(ranks, device, () -> inScope(() -> routing.spread(rows)));
        Tensor sorted = routing.spread(rows);
        combine = TimedCalls.of(ranks, device, () -> inScope(() -> routing.gather(sorted, null)));
      }
      ranks.agreement().barrier(); // nobody frees what others may still read
      double needed = all[1] / ranks.size();
      double everything = (ranks.size() - 1.0) * tokens * rowBytes();
      return new DispatchLine(
          transport,
          dispatcher,
          tokens,
          route.median(),
          dispatch.median(),
          combine.median(),
          all[0] / ranks.size(),
          needed,
          dispatcher == Dispatcher.ALL_GATHER ? everything : needed,
          difference);
    }
  }

  private static void inScope(Runnable call) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      call.run();
    }
  }

  private Routing route(ExpertPlacement placement, Tensor chosen) {
    return placement.route(chosen, experts.routedExperts(), Dtype.BFLOAT16);
  }

  /** Experts that do nothing: each token gets its row as often as it has experts. Collective. */
  private Optional<String> check(ExpertPlacement placement, Tensor chosen, Tensor rows) {
    Routing routing = route(placement, chosen);
    Tensor sums = routing.gather(routing.spread(rows), null);
    List<String> wrong = new ArrayList<>();
    inChunks(
        rows.size(0),
        (start, count) -> {
          float[] here = HostCopy.floats(Views.narrow(sums, 0, start, count));
          float[] sent = numbers(start, count);
          for (int i = 0; i < here.length && wrong.isEmpty(); i++) {
            float right = sent[i] * experts.expertsPerToken();
            if (here[i] != right) {
              wrong.add(
                  String.format(
                      "rank %d: element %d of token %d came back as %s, not %s",
                      ranks.rank(), i % width, start + i / width, here[i], right));
            }
          }
        });
    return wrong.stream().findFirst();
  }

  /** What is done with some of the tokens. */
  @FunctionalInterface
  private interface Chunk {
    void of(long start, int count);
  }

  /** So that the host need not hold all rows as floats. */
  private static void inChunks(long tokens, Chunk chunk) {
    for (long start = 0; start < tokens; start += CHUNK) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        chunk.of(start, (int) Math.min(CHUNK, tokens - start));
      }
    }
  }

  /** The rows of some tokens of this rank. */
  private float[] numbers(long start, int count) {
    Random random = new Random(SEED * (ranks.rank() + 1L) + start);
    float[] numbers = new float[count * width];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = random.nextInt(2 * LARGEST + 1) - LARGEST;
    }
    return numbers;
  }

  /** Each token's experts, as the model's router chooses them by random scores. */
  private long[] choices(int tokens, Random random) {
    RoutedExperts routed = SpreadExperts.routed(experts);
    return IntStream.range(0, tokens)
        .flatMap(_ -> Arrays.stream(routed.choose(random)))
        .asLongStream()
        .toArray();
  }

  /**
   * Bytes of rows that leave this rank.
   *
   * @param once whether a row goes to a rank once, however many experts it has there
   */
  private double bytes(long[] choices, boolean once) {
    int k = experts.expertsPerToken();
    int each = experts.routedExperts() / ranks.size();
    long rows = 0;
    for (int token = 0; token < choices.length / k; token++) {
      boolean[] there = new boolean[ranks.size()];
      for (int i = 0; i < k; i++) {
        int rank = (int) (choices[token * k + i] / each);
        if (rank != ranks.rank() && !(once && there[rank])) {
          rows++;
        }
        there[rank] = true;
      }
    }
    return rows * rowBytes();
  }

  private double rowBytes() {
    return (double) width * Dtype.BFLOAT16.bytes();
  }
}
