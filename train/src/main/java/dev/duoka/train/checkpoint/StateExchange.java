package dev.duoka.train.checkpoint;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.weight.StateBuffer;
import dev.duoka.parallel.state.FrozenSlice;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.parallel.state.StateSlice;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.MomentBuffer;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * How what ranks hold comes to the process that writes it: each rank sends its pieces of another
 * process's share to that process's first rank. It goes in rounds of a few bounded stretches, after
 * each of which all ranks agree whether anything is left: nobody waits for long without a word,
 * however large the state is.
 */
final class StateExchange {
  /** Elements of a stretch, 32 MiB in fp32. */
  static final long STRETCH = 8L << 20;

  /** Stretches of a round. */
  private static final int ROUND = 4;

  private final Communicator world;
  private final ProcessShare share;
  private final TrainingSnapshot snapshot;
  private final List<String> weights;
  private final List<String> buffers;
  private final LanguageModel model;
  private final ShardedOptimizer optimizer;
  private final long stretch;

  /**
   * One rank's part.
   *
   * @param snapshot of its process
   * @param stretch how many elements are sent at once, on all ranks the same
   */
  StateExchange(
      Communicator world,
      ProcessShare share,
      TrainingSnapshot snapshot,
      LanguageModel model,
      ShardedOptimizer optimizer,
      long stretch) {
    this.stretch = stretch;
    this.world = world;
    this.share = share;
    this.snapshot = snapshot;
    this.weights =
        Stream.of(snapshot.trained(), snapshot.frozen())
            .flatMap(tensors -> tensors.layout().starts().keySet().stream())
            .toList();
    this.buffers = List.copyOf(snapshot.trained().layout().buffers().keySet());
    this.model = model;
    this.optimizer = optimizer;
  }

  /** Fills the snapshots with what other processes have. Collective. */
  void run() {
    int each = world.size() / share.processes();
    for (int distance = 1; distance < share.processes(); distance++) {
      int target = (share.process() + distance) % share.processes();
      int source = (share.process() - distance + share.processes()) % share.processes();
      for (int index = 0; index < each; index++) {
        boolean sends = world.rank() % each == index;
        exchange(
            sends ? OptionalInt.of(target) : OptionalInt.empty(),
            share.leadOf(target, world),
            share.isLead(world) ? OptionalInt.of(source * each + index) : OptionalInt.empty());
      }
    }
  }

  /**
   * One rank of each process sends to another process, whose first rank receives.
   *
   * @param wanted the process of whose share this rank sends; empty if it does not
   * @param to whom
   * @param from of whom this rank receives; empty if it does not
   */
  private void exchange(OptionalInt wanted, int to, OptionalInt from) {
    Sent sent = wanted.isPresent() ? sent(wanted.getAsInt()) : Sent.NOTHING;
    inScope(
        () -> {
          List<Pending> lists = wanted.isPresent() ? send(to, list(sent).encoded()) : List.of();
          Iterator<Runnable> receptions =
              from.isPresent() ? receptions(from.getAsInt()) : Collections.emptyIterator();
          lists.forEach(Pending::join);
          Iterator<Supplier<Tensor>> stretches = stretches(sent).iterator();
          do {
            inScope(() -> round(stretches, to, receptions));
          } while (world.agreement().any(stretches.hasNext() || receptions.hasNext()));
        });
  }

  /** In a scope of its own; when it fails, nobody may read what is sent when the scope closes. */
  private void inScope(Runnable exchange) {
    try (Scope _ = Scope.open(MemoryOwner.SNAPSHOT)) {
      try {
        exchange.run();
      } catch (Throwable t) { // whatever it is
        world.abort(String.valueOf(t.getMessage()));
        throw t;
      }
    }
  }

  /** Everybody sends before it receives, and nobody waits for a send before it has received. */
  private void round(Iterator<Supplier<Tensor>> stretches, int to, Iterator<Runnable> receptions) {
    List<Pending> sends = new ArrayList<>();
    for (int i = 0; i < ROUND && stretches.hasNext(); i++) {
      sends.add(world.send(stretches.next().get(), to));
    }
    for (int i = 0; i < ROUND && receptions.hasNext(); i++) {
      receptions.next().run();
    }
    sends.forEach(Pending::join);
  }

  /** What a rank sends. */
  private record Sent(List<StateBuffer> buffers, List<Held> pieces) {
    static final Sent NOTHING = new Sent(List.of(), List.of());
  }

  /** A state of a piece. */
  private interface Part {
    /** A stretch of it, in the current scope. */
    Tensor get(long at, long length);
  }

  /** A piece, and how to get a stretch of each state that it has. */
  private record Held(SlicePiece piece, List<Part> states) {
    /** Of a weight that is trained: all in full precision. */
    static Held of(SlicePiece piece, AdamW states, Dtype wide) {
      return new Held(
          piece,
          List.of(
              (at, length) -> Copies.cast(states.master().read(piece.place() + at, length), wide),
              (at, length) -> moment(piece, states.firstMoment(), at, length),
              (at, length) -> moment(piece, states.secondMoment(), at, length)));
    }

    /** Of a frozen weight. */
    static Held of(SlicePiece piece, FrozenSlice slice) {
      return new Held(
          piece,
          List.of((at, length) -> Views.narrow(slice.values(), 0, piece.place() + at, length)));
    }

    private static Tensor moment(SlicePiece piece, MomentBuffer of, long at, long length) {
      return of.isWide()
          ? Views.narrow(of.values(), 0, piece.place() + at, length)
          : of.read(piece.place() + at, length);
    }
  }

  private Sent sent(int process) {
    StateShare wanted = snapshot.trained().shares().get(process);
    List<StateBuffer> wantedBuffers =
        model.buffers().stream()
            .filter(_ -> optimizer.isFirstOfStage())
            .filter(buffer -> wanted.buffers().containsKey(buffer.checkpointName()))
            .toList();
    return new Sent(wantedBuffers, held(process));
  }

  /** Each is made when its turn comes, in the scope of its round. */
  private List<Supplier<Tensor>> stretches(Sent sent) {
    Dtype dtype = wide();
    List<Supplier<Tensor>> stretches = new ArrayList<>();
    for (StateBuffer buffer : sent.buffers()) {
      stretches.add(() -> Copies.cast(buffer.value(), dtype));
    }
    for (Held held : sent.pieces()) {
      SlicePiece piece = held.piece();
      for (Part state : held.states()) {
        starts(piece.length())
            .forEach(
                at -> stretches.add(() -> state.get(at, Math.min(stretch, piece.length() - at))));
      }
    }
    return stretches;
  }

  /** Where the stretches of so many elements start. */
  private LongStream starts(long length) {
    return LongStream.iterate(0, at -> at < length, at -> at + stretch);
  }

  private Dtype wide() {
    return snapshot.trained().states().getFirst().dtype();
  }

  private List<Held> held(int process) {
    List<Held> held = new ArrayList<>();
    for (StateSlice slice : optimizer.slices()) {
      if (slice.isCounted()) {
        SlicePiece.of(slice).stream()
            .filter(piece -> isWanted(piece, snapshot.trained(), process))
            .forEach(piece -> held.add(Held.of(piece, slice.states(), wide())));
      }
    }
    boolean holdsFrozen = snapshot.frozen().layout().length() > 0;
    for (FrozenSlice slice : holdsFrozen ? optimizer.frozen() : List.<FrozenSlice>of()) {
      if (slice.isCounted()) {
        SlicePiece.of(slice).stream()
            .filter(piece -> isWanted(piece, snapshot.frozen(), process))
            .forEach(piece -> held.add(Held.of(piece, slice)));
      }
    }
    return held;
  }

  /** Whether a process writes something of a piece. */
  private static boolean isWanted(SlicePiece piece, SharedTensors tensors, int process) {
    Portion portion = piece.portion();
    StateShare.Rows rows =
        tensors
            .shares()
            .get(process)
            .rowsOf(
                tensors.layout().startOf(piece.parameter().name()),
                portion.rows(),
                portion.columns());
    return rows.count() > 0 && piece.touches(rows.first(), rows.count());
  }

  private PieceList list(Sent sent) {
    return new PieceList(
        sent.buffers().stream().map(buffer -> buffers.indexOf(buffer.checkpointName())).toList(),
        sent.pieces().stream()
            .map(
                each ->
                    new PieceList.Piece(
                        weights.indexOf(each.piece().parameter().name()),
                        each.piece().portion(),
                        each.piece().start(),
                        each.piece().length()))
            .toList());
  }

  /** What comes from a rank, a stretch each, in the order in which it sends. */
  private Iterator<Runnable> receptions(int from) {
    PieceList list = PieceList.decoded(receiveNumbers(from));
    Stream<Runnable> ofBuffers =
        list.buffers().stream()
            .map(number -> () -> world.receive(snapshot.buffer(buffers.get(number)), from).join());
    Stream<Runnable> ofPieces =
        list.pieces().stream()
            .flatMap(
                piece ->
                    tensors(piece).states().stream()
                        .flatMap(
                            state ->
                                starts(piece.length())
                                    .mapToObj(at -> () -> receive(from, piece, at, state))));
    return Stream.concat(ofBuffers, ofPieces).iterator();
  }

  /** Which weights a piece is of. */
  private SharedTensors tensors(PieceList.Piece piece) {
    boolean trained = piece.weight() < snapshot.trained().layout().starts().size();
    return trained ? snapshot.trained() : snapshot.frozen();
  }

  private void receive(int from, PieceList.Piece piece, long at, Tensor state) {
    Portion portion = piece.portion();
    StateShare.Rows rows = tensors(piece).rows(weights.get(piece.weight()), portion);
    try (Tensor part =
        Tensors.empty(state.dtype(), Device.CPU, Math.min(stretch, piece.length() - at))) {
      world.receive(part, from).join();
      long start = piece.start() + at;
      SharedTensors.in(
          state, rows, portion.columns(), into -> portion.give(part, start, into, rows.first()));
    }
  }

  /** How many, then the numbers; the tensors live as long as the scope that is open. */
  private List<Pending> send(int to, long... numbers) {
    Tensor count = HostCopy.fromLongs(new long[] {numbers.length}, Device.CPU, 1);
    Tensor all = HostCopy.fromLongs(numbers, Device.CPU, numbers.length);
    return List.of(world.send(count, to), world.send(all, to));
  }

  private long[] receiveNumbers(int from) {
    Tensor count = Tensors.empty(Dtype.INT64, Device.CPU, 1);
    world.receive(count, from).join();
    Tensor numbers = Tensors.empty(Dtype.INT64, Device.CPU, HostCopy.longs(count)[0]);
    world.receive(numbers, from).join();
    return HostCopy.longs(numbers);
  }
}
