package dev.duoka.comm.launch;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.comm.Purpose;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import java.util.Arrays;
import java.util.List;

/** Each kind of exchange, between three ranks, of which rank {@value #VICTIM} comes to harm. */
enum ExchangeKind {
  SMALL_ALL_REDUCE("all-reduce of 16 ×"),
  ALL_REDUCE("all-reduce of 200000 ×"),
  REDUCE_SCATTER("reduce-scatter"),
  ALL_GATHER("all-gather"),
  ALL_TO_ALL("all-to-all"),
  BROADCAST("broadcast"),
  SEND("send"),
  RECEIVE("receive"),
  AGREE("agree"),
  BARRIER("barrier"),
  SPLIT("split");

  static final int RANKS = 3;
  static final int VICTIM = 1;

  /** What all of it is for. */
  static final String PURPOSE = "layer 7";

  private static final long LARGE = 200_000;

  private final String text;

  ExchangeKind(String text) {
    this.text = text;
  }

  /** How a message names what the other ranks are in. */
  String text() {
    return text;
  }

  /** One exchange. */
  void run(Communicator world) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Purpose _ = Purpose.of(PURPOSE)) {
      switch (this) {
        case SMALL_ALL_REDUCE -> world.allReduce(zeros(16)).join();
        case ALL_REDUCE -> world.allReduce(zeros(LARGE)).join();
        case REDUCE_SCATTER -> world.reduceScatter(zeros(LARGE * RANKS), zeros(LARGE)).join();
        case ALL_GATHER -> world.allGather(zeros(LARGE), zeros(LARGE * RANKS)).join();
        case ALL_TO_ALL -> {
          long[] rows = new long[RANKS];
          Arrays.fill(rows, LARGE);
          world.allToAll(zeros(LARGE * RANKS), rows, zeros(LARGE * RANKS), rows).join();
        }
        case BROADCAST -> world.broadcast(zeros(LARGE), 0).join();
        case SEND -> messages(world, world.rank() != VICTIM);
        case RECEIVE -> messages(world, world.rank() == VICTIM);
        case AGREE -> world.agreement().sum(new double[] {1});
        case BARRIER -> world.agreement().barrier();
        case SPLIT -> world.split("part", 0, world.rank()).close();
      }
    }
  }

  /** The victim's exchange when it has gone astray. */
  void runAnother(Communicator world) {
    if (this == BARRIER) {
      AGREE.run(world);
    } else {
      BARRIER.run(world);
    }
  }

  /** Between the victim and each of the others. */
  private static void messages(Communicator world, boolean sends) {
    List<Integer> partners = world.rank() == VICTIM ? List.of(0, 2) : List.of(VICTIM);
    List<Pending> pending =
        partners.stream()
            .map(
                other ->
                    sends ? world.send(zeros(LARGE), other) : world.receive(zeros(LARGE), other))
            .toList();
    pending.forEach(Pending::join);
  }

  private static Tensor zeros(long elements) {
    return Tensors.zeros(Dtype.FLOAT32, Device.CPU, elements);
  }
}
