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
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.train.device.Transport;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** One rank's part in timing dispatchers. */
final class DispatchRounds {
  private static final long SEED = 20_261_129;

  /** Tokens that are checked at a time. */
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

  /**
   * Checks and times both dispatchers by tokens. Collective.
   *
   * @param seen takes each line as soon as it is known
   */
  void run(Transport transport, List<Long> tokens, Consumer<DispatchLine> seen) {
    for (long count : tokens) {
      long[] choices = choices(Math.toIntExact(count), new Random(SEED + ranks.rank()));
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Tensor chosen = HostCopy.fromLongs(choices, device, count, experts.expertsPerToken());
        Tensor rows = Tensors.empty(Dtype.BFLOAT16, device, count, width);
        Pattern.fill(Views.reshape(rows, -1), ranks.rank(), 0);
        for (Dispatcher dispatcher : List.of(Dispatcher.ALL_GATHER, Dispatcher.ALL_TO_ALL)) {
          seen.accept(run(transport, dispatcher, choices, chosen, rows));
        }
      }
    }
  }

  private DispatchLine run(
      Transport transport, Dispatcher dispatcher, long[] choices, Tensor chosen, Tensor rows) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        ExpertPlacement placement =
            new SpreadExperts(ranks, dispatcher, SpreadExperts.routed(experts))) {
      Optional<String> difference = wrong.first(ranks, check(placement, chosen, rows));
      double[] all = {bytes(choices, false), bytes(choices, true)};
      ranks.agreement().sum(all);
      TimedCalls route = TimedCalls.NONE;
      TimedCalls dispatch = TimedCalls.NONE;
      TimedCalls combine = TimedCalls.NONE;
      if (difference.isEmpty()) {
        route = timed(() -> route(placement, chosen));
        Routing routing = route(placement, chosen);
        dispatch = timed(() -> routing.spread(rows));
        Tensor sorted = routing.spread(rows);
        combine = timed(() -> routing.gather(sorted, null));
      }
      ranks.agreement().barrier(); // nobody frees what others may still read
      long tokens = rows.size(0);
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

  private TimedCalls timed(Runnable call) {
    return TimedCalls.of(ranks, device, TimedCalls.Effort.BRIEF, () -> inScope(call));
  }

  private static void inScope(Runnable call) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      call.run();
    }
  }

  private Routing route(ExpertPlacement placement, Tensor chosen) {
    return placement.route(chosen, experts.routedExperts(), Dtype.BFLOAT16);
  }

  /**
   * Experts that do nothing: each token gets its row as often as it has experts. The device
   * compares all of it; the host looks at what differs alone. Collective.
   */
  private Optional<String> check(ExpertPlacement placement, Tensor chosen, Tensor rows) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor sums;
      try (Scope scope = Scope.open(MemoryOwner.TEMPORARIES)) {
        Routing routing = route(placement, chosen);
        sums = scope.keep(routing.gather(routing.spread(rows), null));
      }
      for (long start = 0; start < sums.size(0); start += CHUNK) {
        long count = Math.min(CHUNK, sums.size(0) - start);
        Optional<String> difference = difference(Views.narrow(sums, 0, start, count), start);
        if (difference.isPresent()) {
          return difference;
        }
      }
      return Optional.empty();
    }
  }

  /** What is wrong with the sums of some tokens. */
  private Optional<String> difference(Tensor sums, long start) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor right = Tensors.empty(sums.dtype(), device, sums.size(0), width);
      Pattern.fill(Views.reshape(right, -1), ranks.rank(), start * width);
      Elementwise.mulInPlace(right, experts.expertsPerToken());
      double equal = HostCopy.item(Reductions.min(Elementwise.equal(sums, right), false, 0, 1));
      if (equal == 1) {
        return Optional.empty();
      }
    }
    float[] here = HostCopy.floats(sums);
    int at = 0;
    while (here[at] == right(start, at)) {
      at++;
    }
    return Optional.of(
        String.format(
            Locale.ROOT,
            "rank %d: element %d of token %d came back as %s, not %s",
            ranks.rank(),
            at % width,
            start + at / width,
            here[at],
            right(start, at)));
  }

  private float right(long start, int at) {
    return Pattern.of(ranks.rank(), start * width + at) * experts.expertsPerToken();
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
