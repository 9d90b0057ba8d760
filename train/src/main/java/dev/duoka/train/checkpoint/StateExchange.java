package dev.duoka.train.checkpoint;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.weight.StateBuffer;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.parallel.state.StateSlice;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.List;

/**
 * How what ranks hold comes to the process that writes it: each rank sends its pieces of another
 * process's share to that process's first rank, a bounded stretch at a time. Pairs of ranks follow
 * one order that all know, so that nobody waits in a circle.
 */
final class StateExchange {
  /** Elements that are on their way at once: whole blocks of moments in few bits. */
  private static final long STRETCH = 8L << 20;

  private final Communicator world;
  private final ProcessShare share;
  private final TrainingSnapshot snapshot;
  private final List<String> weights;
  private final List<String> buffers;
  private final LanguageModel model;
  private final ShardedOptimizer optimizer;

  /**
   * One rank's part.
   *
   * @param snapshot of its process
   */
  StateExchange(
      Communicator world,
      ProcessShare share,
      TrainingSnapshot snapshot,
      LanguageModel model,
      ShardedOptimizer optimizer) {
    this.world = world;
    this.share = share;
    this.snapshot = snapshot;
    this.weights = List.copyOf(snapshot.layout().starts().keySet());
    this.buffers = List.copyOf(snapshot.layout().buffers().keySet());
    this.model = model;
    this.optimizer = optimizer;
  }

  /** Fills the snapshots with what other processes have. Collective. */
  void run() {
    for (int distance = 1; distance < share.processes(); distance++) {
      for (int from = 0; from < world.size(); from++) {
        int process = (share.of(from, world) + distance) % share.processes();
        int to = share.leadOf(process, world);
        if (world.rank() == from) {
          send(to, snapshot.shares().get(process));
        } else if (world.rank() == to) {
          receive(from);
        }
      }
    }
  }

  /** A piece, and the states that it is of. */
  private record Held(SlicePiece piece, AdamW states) {
    /** A stretch of each state, in the current scope. */
    List<Tensor> parts(long at, long length, Dtype dtype) {
      Tensor master = Views.narrow(states.master(), 0, piece.place() + at, length);
      return List.of(
          Copies.cast(master, dtype),
          states.firstMoment().read(piece.place() + at, length),
          states.secondMoment().read(piece.place() + at, length));
    }
  }

  private void send(int to, StateShare wanted) {
    List<StateBuffer> sentBuffers =
        model.buffers().stream()
            .filter(buffer -> optimizer.isFirstOfStage())
            .filter(buffer -> wanted.buffers().containsKey(buffer.checkpointName()))
            .toList();
    List<Held> held = held(wanted);
    send(to, list(sentBuffers, held).encoded());
    Dtype dtype = snapshot.master().dtype();
    for (StateBuffer buffer : sentBuffers) {
      try (Scope _ = Scope.open(MemoryOwner.SNAPSHOT)) {
        world.send(Copies.cast(buffer.value(), dtype), to).join();
      }
    }
    for (Held each : held) {
      for (long at = 0; at < each.piece().length(); at += STRETCH) {
        long length = Math.min(STRETCH, each.piece().length() - at);
        try (Scope _ = Scope.open(MemoryOwner.SNAPSHOT)) {
          for (Tensor part : each.parts(at, length, dtype)) {
            world.send(part, to).join();
          }
        }
      }
    }
  }

  private List<Held> held(StateShare wanted) {
    List<Held> held = new ArrayList<>();
    for (StateSlice slice : optimizer.slices()) {
      if (slice.isCounted()) {
        for (SlicePiece piece : SlicePiece.of(slice)) {
          Portion portion = piece.portion();
          StateShare.Rows rows =
              wanted.rowsOf(
                  snapshot.layout().startOf(piece.parameter().name()),
                  portion.rows(),
                  portion.columns());
          if (rows.count() > 0 && piece.touches(rows.first(), rows.count())) {
            held.add(new Held(piece, slice.states()));
          }
        }
      }
    }
    return held;
  }

  private PieceList list(List<StateBuffer> sentBuffers, List<Held> held) {
    return new PieceList(
        sentBuffers.stream().map(buffer -> buffers.indexOf(buffer.checkpointName())).toList(),
        held.stream()
            .map(
                each ->
                    new PieceList.Piece(
                        weights.indexOf(each.piece().parameter().name()),
                        each.piece().portion(),
                        each.piece().start(),
                        each.piece().length()))
            .toList());
  }

  private void receive(int from) {
    PieceList list = PieceList.decoded(receiveNumbers(from));
    Dtype dtype = snapshot.master().dtype();
    for (int number : list.buffers()) {
      world.receive(snapshot.buffer(buffers.get(number)), from).join();
    }
    List<Tensor> states =
        List.of(snapshot.master(), snapshot.firstMoment(), snapshot.secondMoment());
    for (PieceList.Piece piece : list.pieces()) {
      Portion portion = piece.portion();
      StateShare.Rows rows = snapshot.rows(weights.get(piece.weight()), portion);
      for (long at = 0; at < piece.length(); at += STRETCH) {
        for (Tensor state : states) {
          try (Scope _ = Scope.open(MemoryOwner.SNAPSHOT)) {
            Tensor part = Tensors.empty(dtype, Device.CPU, Math.min(STRETCH, piece.length() - at));
            world.receive(part, from).join();
            long start = piece.start() + at;
            TrainingSnapshot.in(
                state,
                rows,
                portion.columns(),
                into -> portion.give(part, start, into, rows.first()));
          }
        }
      }
    }
  }

  /** How many, then the numbers. */
  private void send(int to, long... numbers) {
    try (Scope _ = Scope.open(MemoryOwner.SNAPSHOT)) {
      world.send(HostCopy.fromLongs(new long[] {numbers.length}, Device.CPU, 1), to).join();
      world.send(HostCopy.fromLongs(numbers, Device.CPU, numbers.length), to).join();
    }
  }

  private long[] receiveNumbers(int from) {
    try (Scope _ = Scope.open(MemoryOwner.SNAPSHOT)) {
      Tensor count = Tensors.empty(Dtype.INT64, Device.CPU, 1);
      world.receive(count, from).join();
      Tensor numbers = Tensors.empty(Dtype.INT64, Device.CPU, HostCopy.longs(count)[0]);
      world.receive(numbers, from).join();
      return HostCopy.longs(numbers);
    }
  }
}
