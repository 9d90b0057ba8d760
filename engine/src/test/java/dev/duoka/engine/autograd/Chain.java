package dev.duoka.engine.autograd;

import dev.duoka.engine.function.Add;
import dev.duoka.engine.function.Embedding;
import dev.duoka.engine.function.Linear;
import dev.duoka.engine.function.LinearCrossEntropy;
import dev.duoka.engine.function.OutputProjection;
import dev.duoka.engine.function.RmsNorm;
import dev.duoka.engine.function.SwiGlu;
import dev.duoka.engine.parameter.Initializer;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.testing.Inputs;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * A small model for tests of the tape: an embedding that is also the output head, and three blocks
 * of a norm and a SwiGLU network.
 */
final class Chain implements AutoCloseable {
  static final int BLOCKS = 3;
  private static final int WIDTH = 24;
  private static final int INNER = 64;
  private static final int VOCABULARY = 11;
  private static final int TOKENS = 40;

  final ParameterStore store;
  private final Tensor tokens;
  private final Tensor targets;

  Chain(Device device) {
    this(device, Dtype.FLOAT32);
  }

  Chain(Device device, Dtype dtype) {
    List<ParameterSpec> specs = new ArrayList<>();
    specs.add(spec("embedding", VOCABULARY, WIDTH));
    for (int block = 0; block < BLOCKS; block++) {
      specs.add(spec("norm " + block, WIDTH));
      specs.add(spec("up " + block, 2 * INNER, WIDTH));
      specs.add(spec("down " + block, WIDTH, INNER));
    }
    specs.add(spec("unused", 3));
    store = new ParameterStore(specs, new ParameterStore.Storage(dtype, device, 1, true));
    Inputs inputs = new Inputs(141, dtype, device);
    try (Scope _ = Scope.open(MemoryOwner.BATCH)) {
      Copies.into(store.onlyBucket().values(), inputs.normal(store.onlyBucket().length()));
      tokens = Scope.detach(inputs.indices(VOCABULARY, 1, TOKENS));
      targets = Scope.detach(inputs.indices(VOCABULARY, TOKENS));
    }
  }

  private static ParameterSpec spec(String name, long... shape) {
    List<Long> sizes = new ArrayList<>();
    for (long size : shape) {
      sizes.add(size);
    }
    return ParameterSpec.plain(name, sizes, new Initializer.Constant(0));
  }

  Variable loss(Tape tape) {
    Variable hidden = tape.apply(new Embedding(store.parameter("embedding"), tokens));
    for (int block = 0; block < BLOCKS; block++) {
      String number = " " + block;
      hidden =
          tape.block(
              hidden,
              (here, x) -> {
                Variable normed =
                    here.apply(new RmsNorm(store.parameter("norm" + number), 1e-6), x);
                Variable joint = here.apply(new Linear(store.parameter("up" + number)), normed);
                Variable activated = here.apply(new SwiGlu(), joint);
                Variable change =
                    here.apply(new Linear(store.parameter("down" + number)), activated);
                return here.apply(new Add(), x, change);
              });
    }
    return tape.apply(
        new LinearCrossEntropy(
            new OutputProjection(store.parameter("embedding")), targets, 1.0 / TOKENS),
        hidden);
  }

  /** The loss and all gradients after one pass. */
  List<double[]> train(Recompute recompute, Consumer<Tape> preparation) {
    store.resetGradients();
    List<double[]> results = new ArrayList<>();
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Tape tape = Tape.recording(recompute)) {
      preparation.accept(tape);
      Variable loss = loss(tape);
      results.add(HostCopy.doubles(loss.value()));
      tape.backward(loss);
    }
    store.zeroUntouchedGradients();
    results.add(HostCopy.doubles(store.onlyBucket().gradients()));
    return results;
  }

  @Override
  public void close() {
    store.close();
    tokens.close();
    targets.close();
  }
}
